update meta.source_accounts
   set external_user_id = $3
 where user_id = $1 and account_id = $2 and external_user_id is null
