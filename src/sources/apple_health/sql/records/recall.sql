-- Of what waits in the stages, the copies that are in the table already: numbers are given to all copies of a record together.
-- One look into the key for each: the table has just been loaded and has no statistics, so the planner must not choose.
insert into pg_temp.apple_health_records
  (type_id, start_at, id, end_at, created_at, unit_id, source_name_id, source_version_id, device_id, zone_id, utc_offset_s,
   zone_from_record, value, value_text, metadata, beat_s, beat_bpm)
select r.type_id, r.start_at, r.id, r.end_at, r.created_at, r.unit_id, r.source_name_id, r.source_version_id, r.device_id, r.zone_id
     , r.utc_offset_s, r.zone_from_record, r.value, r.value_text, r.metadata, r.beat_s, r.beat_bpm
  from (select type_id, start_at, id from pg_temp.apple_health_records
        union
        select type_id, start_at, id from pg_temp.apple_health_nested) w
 cross join lateral (
       select k.*
         from apple_health_raw.records k
        where k.user_id = $1 and k.account_id = $2 and k.type_id = w.type_id and k.start_at = w.start_at and k.id = w.id
       offset 0) r
