delete from {raw} where user_id = $1 and account_id = $2 and file_id = $3 and missing_since_run_id is not null
