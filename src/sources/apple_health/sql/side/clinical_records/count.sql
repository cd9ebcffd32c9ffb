select '', count(*) from apple_health_raw.clinical_records where user_id = $1 and account_id = $2 and missing_since_run_id is null
