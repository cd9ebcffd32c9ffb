-- $1 person, $2 account, $3 after which run, $4 name of the model, $5 raw table, $6 this run, $7 its start
with changed as materialized (
  select r.*
    from {raw} r
   where r.user_id = $1 and r.account_id = $2
     and (r.run_id > $3 or r.missing_since_run_id > $3)
     and r.missing_since_run_id is null
),
model as (
{model}
),
highest as (
  select coalesce(max(reject_id), 0) as reject_id from meta.rejects where user_id = $1
)
insert into meta.rejects as r (user_id, reject_id, account_id, resource, run_id, locator, code, detail, payload_hash, first_seen, last_seen)
select $1, h.reject_id + row_number() over (order by m.raw_source_id collate "C"), $2, $4::text, $6::bigint
     , jsonb_build_object('raw_table', $5::text, 'raw_source_id', m.raw_source_id)
     , m.code, m.detail, sha256(convert_to(m.raw_source_id || encode(c.hash, 'hex'), 'UTF8')), $7::timestamptz, $7::timestamptz
  from model m
  join changed c on c.source_id = m.raw_source_id
 cross join highest h
on conflict (user_id, account_id, resource, payload_hash, code) do update
   set last_seen = excluded.last_seen, times = r.times + 1, run_id = excluded.run_id, resolved_run_id = null
