select r.reject_id, a.source_system, r.resource, r.code, r.detail, r.locator, r.times, r.run_id, r.last_seen
  from meta.rejects r
  join meta.source_accounts a on a.user_id = r.user_id and a.account_id = r.account_id
 where r.user_id = $1
   and ($2::bigint is null or r.run_id = $2)
   and ($3::bigint is null or r.file_id = $3)
   and ($4::boolean or r.resolved_run_id is null)
 order by r.last_seen desc, r.reject_id desc
 limit 1000
