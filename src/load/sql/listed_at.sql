select listed_at from meta.coverage where user_id = $1 and account_id = $2 and resource = $3
