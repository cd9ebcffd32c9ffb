-- A record inside a correlation is repeated at the top, and counts once. Of those that are not, as many copies count as the top lacks.
with inside as (
  select n.*, row_number() over (partition by n.type_id, n.start_at, n.id) as copy
    from pg_temp.apple_health_nested n
), top as (
  select s.type_id, s.start_at, s.id, count(*) as copies
    from pg_temp.apple_health_records s
    join (select distinct type_id, start_at, id from pg_temp.apple_health_nested) n using (type_id, start_at, id)
   group by s.type_id, s.start_at, s.id
), added as (
  insert into pg_temp.apple_health_records
    (type_id, start_at, id, end_at, created_at, unit_id, source_name_id, source_version_id, device_id, zone_id, utc_offset_s,
     zone_from_record, value, value_text, metadata, beat_s, beat_bpm)
  select i.type_id, i.start_at, i.id, i.end_at, i.created_at, i.unit_id, i.source_name_id, i.source_version_id, i.device_id, i.zone_id
       , i.utc_offset_s, i.zone_from_record, i.value, i.value_text, i.metadata, i.beat_s, i.beat_bpm
    from inside i
    left join top using (type_id, start_at, id)
   where i.copy > coalesce(top.copies, 0)
  returning type_id, meta.local_date(start_at, utc_offset_s) as day
)
select t.type, count(*), min(a.day), max(a.day)
  from added a
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = a.type_id
 group by t.type
