update meta.source_accounts
   set quotas = $3
 where user_id = $1 and account_id = $2 and quotas is distinct from $3
