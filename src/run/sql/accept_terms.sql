update meta.source_accounts
   set terms_accepted_at = $3
 where user_id = $1 and account_id = $2 and terms_accepted_at is null
