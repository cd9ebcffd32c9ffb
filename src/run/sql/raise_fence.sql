update meta.source_accounts set fence = fence + 1 where user_id = $1 and account_id = $2 returning fence
