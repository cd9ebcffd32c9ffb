with rejects as (
  update meta.rejects set resolved_run_id = $3
   where user_id = $1 and file_id = $2 and resolved_run_id is null
)
update meta.import_file set status = 'withdrawn', run_id = $3 where user_id = $1 and file_id = $2
