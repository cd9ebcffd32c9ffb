-- As sql/mark_missing.sql, among the days that are compared. Stored and present copies are counted side by side and never joined: the
-- server cannot know how many rows the days hold, and joins them in a way that is long for more than it guesses.
with stored as (
  select r.type_id, r.start_at, r.id, r.ordinal
    from pg_temp.apple_health_digests d
   cross join lateral (
     select s.type_id, s.start_at, s.id, s.ordinal
       from apple_health_raw.records s
      where s.user_id = $1 and s.account_id = $2 and s.missing_since_run_id is null
        and s.type_id = d.type_id
        and s.start_at >= d.day::timestamp at time zone 'UTC'
        and s.start_at < d.day::timestamp at time zone 'UTC' + interval '24 hours'
     offset 0) r
), excess as materialized (
  select type_id, start_at, id, count(*) filter (where ordinal is null) as copies
       , count(ordinal) - count(*) filter (where ordinal is null) as many   -- up to copies, ordinals have no holes
    from (select type_id, start_at, id, ordinal from stored
           union all
          select type_id, start_at, id, null from pg_temp.apple_health_records) u
   group by type_id, start_at, id
  having max(ordinal) > count(*) filter (where ordinal is null)
), gone as (
  update apple_health_raw.records r
     set missing_since_run_id = $3, run_id = $3
    from (select * from excess limit case when (select sum(many) from excess) > $4::bigint then 20000 end) e
   where r.user_id = $1 and r.account_id = $2 and r.missing_since_run_id is null
     and r.type_id = e.type_id and r.start_at = e.start_at and r.id = e.id and r.ordinal > e.copies
)
select t.type, sum(e.many)::bigint
  from excess e
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = e.type_id
 group by t.type
