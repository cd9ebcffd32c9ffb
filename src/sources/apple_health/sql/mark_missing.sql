-- Of a record that stands there twice and now once, the second copy is gone. More than $4 are counted and taken back, so only some of them are marked.
with excess as materialized (
  select r.type_id, r.start_at, r.id, r.ordinal
    from apple_health_raw.records r
   where r.user_id = $1 and r.account_id = $2 and r.missing_since_run_id is null
     and not exists (
           select from (select type_id, start_at, id, count(*) as copies from pg_temp.apple_health_records group by 1, 2, 3) s
            where s.type_id = r.type_id and s.start_at = r.start_at and s.id = r.id and s.copies >= r.ordinal)
), gone as (
  update apple_health_raw.records r
     set missing_since_run_id = $3, run_id = $3
    from (select * from excess limit case when (select count(*) from excess) > $4::bigint then 20000 end) e
   where r.user_id = $1 and r.account_id = $2
     and r.type_id = e.type_id and r.start_at = e.start_at and r.id = e.id and r.ordinal = e.ordinal
)
select t.type, count(*)
  from excess e
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = e.type_id
 group by t.type
