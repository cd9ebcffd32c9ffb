-- As sql/touch_days.sql and sql/touch_kinds.sql where every record is new: the reader has added up all but those that went through the stage.
with seen as materialized (
  select s.type_id, s.local_date, s.unit_id, s.value_text, s.is_above_one is not null as is_number
    from pg_temp.apple_health_sums s
   where s.records > 0
   union all
  select r.type_id, meta.local_date(r.start_at, r.utc_offset_s), coalesce(r.unit_id, 0), r.value_text, r.value is not null
    from pg_temp.apple_health_records r
), kinds as (
  insert into apple_health_raw.kinds (user_id, account_id, type_id, unit_id, value_text)
  select distinct $1::bigint, $2::bigint, s.type_id, s.unit_id, apple_health_raw.kind_text(t.type, s.value_text)
    from (select distinct type_id, unit_id, value_text, is_number from seen) s
    join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = s.type_id
   where s.is_number or t.type like 'HKCategoryTypeIdentifier%'
  on conflict do nothing
), touched as materialized (
  select distinct type_id, local_date from seen
), again as (   -- days of an earlier file that was taken back
  update apple_health_raw.days d
     set run_id = $3::bigint
    from touched s
   where d.user_id = $1 and d.account_id = $2 and d.type_id = s.type_id and d.local_date = s.local_date and d.run_id < $3
)
insert into apple_health_raw.days (user_id, account_id, type_id, local_date, run_id)
select $1::bigint, $2::bigint, s.type_id, s.local_date, $3::bigint
  from touched s
 where not exists (select from apple_health_raw.days d
                    where d.user_id = $1 and d.account_id = $2 and d.type_id = s.type_id and d.local_date = s.local_date)
 order by s.type_id, s.local_date
