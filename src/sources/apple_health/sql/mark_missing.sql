-- Of a record that stands there twice and now once, the second copy is gone.
with gone as (
  update apple_health_raw.records r
     set missing_since_run_id = $3, run_id = $3
   where r.user_id = $1 and r.account_id = $2 and r.missing_since_run_id is null
     and not exists (
           select from (select type_id, start_at, id, count(*) as copies from pg_temp.apple_health_records group by 1, 2, 3) s
            where s.type_id = r.type_id and s.start_at = r.start_at and s.id = r.id and s.copies >= r.ordinal)
  returning r.type_id
)
select t.type, count(*)
  from gone g
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = g.type_id
 group by t.type
