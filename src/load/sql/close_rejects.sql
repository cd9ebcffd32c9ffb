-- What was not met again by a newest, complete document is no longer there to be mended.
update meta.rejects
   set resolved_run_id = $4
 where user_id = $1 and account_id = $2 and resource = $3 and resolved_run_id is null and run_id < $4
