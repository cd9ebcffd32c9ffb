insert into meta.source_accounts (user_id, account_id, source_system, label, status, connected_at)
select $1, coalesce(max(account_id), 0) + 1, $2, $3, $4, $5
  from meta.source_accounts
 where user_id = $1
on conflict (user_id, source_system, label) do nothing
