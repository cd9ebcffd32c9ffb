delete from apple_health_raw.digests where user_id = $1 and account_id = $2
