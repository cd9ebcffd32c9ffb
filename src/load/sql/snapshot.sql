-- A snapshot is stored when it differs from the last one.
with last as (
  select t.hash
    from {raw} t
   where t.user_id = $1 and t.account_id = $2
   order by t.run_id desc, t.source_id desc
   limit 1
),
written as (
  insert into {raw} (user_id, account_id, source_id, record_at, payload, hash, first_run_id, run_id)
  select $1, $2, s.source_id, s.record_at, s.payload, s.hash, $3, $3
    from pg_temp.raw_stage s
   where s.hash is distinct from (select hash from last)
  on conflict (user_id, account_id, source_id) do nothing
  returning 1
)
select count(w.*), 0::bigint, (select count(*) from pg_temp.raw_stage where $4::text is not null) - count(w.*)
  from written w
