-- Says whether the row was refused before, as it is now, and has not been used since.
with refused as (
  select sha256(convert_to($9 || encode(t.hash, 'hex'), 'UTF8')) as payload_hash
    from {raw} t
   where t.user_id = $1 and t.account_id = $2 and t.source_id = $9
),
stored as (
  insert into meta.rejects as r (user_id, reject_id, account_id, resource, run_id, locator, code, detail, payload_hash, first_seen, last_seen)
  select $1, coalesce((select max(reject_id) from meta.rejects where user_id = $1), 0) + 1
       , $2, $3, $4, $5, $6, $7, n.payload_hash, $8, $8
    from refused n
  on conflict (user_id, account_id, resource, payload_hash, code) do update
     set last_seen = excluded.last_seen, times = r.times + 1, run_id = excluded.run_id, resolved_run_id = null
)
select exists (select from meta.rejects r
                 join refused n on n.payload_hash = r.payload_hash
                where r.user_id = $1 and r.account_id = $2 and r.resource = $3 and r.code = $6 and r.resolved_run_id is null)
