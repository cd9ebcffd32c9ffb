-- As sql/mark_missing.sql, among the days that are compared.
with present as (
  select type_id, start_at, id, count(*) as copies from pg_temp.apple_health_records group by type_id, start_at, id
), compared as (
  select d.type_id, d.day::timestamp at time zone 'UTC' as from_at from pg_temp.apple_health_digests d
), gone as (
  update apple_health_raw.records r
     set missing_since_run_id = $3, run_id = $3
    from compared c
   where r.user_id = $1 and r.account_id = $2 and r.missing_since_run_id is null
     and r.type_id = c.type_id and r.start_at >= c.from_at and r.start_at < c.from_at + interval '24 hours'
     and not exists (
           select from present p
            where p.type_id = r.type_id and p.start_at = r.start_at and p.id = r.id and p.copies >= r.ordinal)
  returning r.type_id
)
select t.type, count(*)
  from gone g
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = g.type_id
 group by t.type
