select distinct record_at from {raw} where user_id = $1 and account_id = $2 and record_at is not null
