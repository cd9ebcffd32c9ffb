select fence from meta.source_accounts where user_id = $1 and account_id = $2 and fence = $3 for share
