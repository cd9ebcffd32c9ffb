update meta.import_runs
   set finished_at = $3, status = $4, exit_code = $5, error = $6, complete_scope = $7, counts = $8
 where user_id = $1 and run_id = $2 and status = 'running'
