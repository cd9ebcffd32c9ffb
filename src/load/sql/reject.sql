insert into meta.rejects as r (user_id, reject_id, account_id, resource, run_id, file_id, locator, code, detail, payload,
                               payload_hash, first_seen, last_seen)
select $1, coalesce((select max(reject_id) from meta.rejects where user_id = $1), 0) + 1
     , $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11
on conflict (user_id, account_id, resource, payload_hash, code) do update
   set last_seen = excluded.last_seen, times = r.times + 1, run_id = excluded.run_id, locator = excluded.locator,
       resolved_run_id = null
