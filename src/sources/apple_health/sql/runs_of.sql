select run_ids from apple_health_raw.exports where user_id = $1 and account_id = $2 and file_id = $3
