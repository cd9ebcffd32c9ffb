select account_id, external_user_id, not_before, terms_accepted_at, label
  from meta.source_accounts
 where user_id = $1 and source_system = $2
 order by account_id
