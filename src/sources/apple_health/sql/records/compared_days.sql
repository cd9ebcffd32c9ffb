-- As sql/touch_days.sql and sql/touch_kinds.sql, among the days that are compared: nothing else changed. One look into the key for each day, whatever
-- the planner believes.
with brought as materialized (
  select distinct g.type_id, meta.local_date(r.start_at, r.utc_offset_s) as local_date, coalesce(r.unit_id, 0) as unit_id
       , apple_health_raw.kind_text(t.type, r.value_text) as value_text, r.value is not null or t.type like 'HKCategoryTypeIdentifier%' as is_kind
    from pg_temp.apple_health_digests g
    join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = g.type_id
   cross join lateral (
         select k.start_at, k.utc_offset_s, k.run_id, k.unit_id, k.value, k.value_text
           from apple_health_raw.records k
          where k.user_id = $1 and k.account_id = $2 and k.type_id = g.type_id
            and k.start_at >= g.day::timestamp at time zone 'UTC' and k.start_at < (g.day + 1)::timestamp at time zone 'UTC'
         offset 0) r
   where r.run_id = $3
), kinds as (
  insert into apple_health_raw.kinds (user_id, account_id, type_id, unit_id, value_text)
  select distinct $1::bigint, $2::bigint, b.type_id, b.unit_id, b.value_text from brought b where b.is_kind
  on conflict do nothing
)
insert into apple_health_raw.days as d (user_id, account_id, type_id, local_date, run_id)
select distinct $1::bigint, $2::bigint, b.type_id, b.local_date, $3::bigint
  from brought b
on conflict (user_id, account_id, type_id, local_date) do update
   set run_id = excluded.run_id
 where d.run_id < excluded.run_id
