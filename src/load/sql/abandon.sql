update meta.coverage set open_slice = null, run_id = $4
 where user_id = $1 and account_id = $2 and resource = $3 and open_slice is not null
