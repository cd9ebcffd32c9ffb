-- a run that never ended: its process is gone, since we hold the lock
update meta.import_runs
   set status = 'interrupted', finished_at = $3
 where user_id = $1 and account_id = $2 and status = 'running'
returning run_id
