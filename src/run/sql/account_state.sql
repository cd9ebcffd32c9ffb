update meta.source_accounts
   set status = $3, not_before = $4
 where user_id = $1 and account_id = $2
   and (status is distinct from $3 or not_before is distinct from $4)
