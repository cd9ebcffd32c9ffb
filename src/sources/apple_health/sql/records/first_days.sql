-- As sql/touch_days.sql where every record is new: the reader has seen their days.
insert into apple_health_raw.days as d (user_id, account_id, type_id, local_date, run_id)
select $1::bigint, $2::bigint, s.type_id, s.local_date, $3::bigint
  from pg_temp.apple_health_days s
 order by s.type_id, s.local_date
on conflict (user_id, account_id, type_id, local_date) do update
   set run_id = excluded.run_id
 where d.run_id < excluded.run_id
