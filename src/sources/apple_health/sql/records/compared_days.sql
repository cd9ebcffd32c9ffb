-- As sql/touch_days.sql, among the days that are compared: nothing else changed. One look into the key for each day, whatever the planner believes.
insert into apple_health_raw.days as d (user_id, account_id, type_id, local_date, run_id)
select distinct $1::bigint, $2::bigint, g.type_id, meta.local_date(r.start_at, r.utc_offset_s), $3::bigint
  from pg_temp.apple_health_digests g
 cross join lateral (
       select k.start_at, k.utc_offset_s, k.run_id
         from apple_health_raw.records k
        where k.user_id = $1 and k.account_id = $2 and k.type_id = g.type_id
          and k.start_at >= g.day::timestamp at time zone 'UTC' and k.start_at < (g.day + 1)::timestamp at time zone 'UTC'
       offset 0) r
 where r.run_id = $3
on conflict (user_id, account_id, type_id, local_date) do update
   set run_id = excluded.run_id
 where d.run_id < excluded.run_id
