-- As sql/news.sql, among the days that are compared: nothing else changed. One look into the key for each day, whatever the planner believes.
select t.type
     , count(*) filter (where r.returned_run_id is distinct from $3)
     , count(*) filter (where r.returned_run_id = $3)
  from pg_temp.apple_health_digests d
 cross join lateral (
       select k.run_id, k.returned_run_id, k.missing_since_run_id
         from apple_health_raw.records k
        where k.user_id = $1 and k.account_id = $2 and k.type_id = d.type_id
          and k.start_at >= d.day::timestamp at time zone 'UTC' and k.start_at < (d.day + 1)::timestamp at time zone 'UTC'
       offset 0) r
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = d.type_id
 where r.run_id = $3 and r.missing_since_run_id is null
 group by t.type
