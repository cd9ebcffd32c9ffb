-- As sql/merge.sql, among the days that are compared: nearly all of their records are stored and stay as they are. Reading those days once finds
-- them, where a conflict of each would lock the stored row and write that down.
with stored as materialized (
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
)
insert into apple_health_raw.records as r
  (user_id, account_id, type_id, start_at, id, ordinal, end_at, created_at, unit_id, source_name_id, source_version_id, device_id,
   zone_id, utc_offset_s, zone_from_record, value, value_text, metadata, beat_s, beat_bpm, file_id, run_id)
select $1::bigint, $2::bigint, s.type_id, s.start_at, s.id, s.ordinal
     , s.end_at, s.created_at, s.unit_id, s.source_name_id, s.source_version_id, s.device_id
     , s.zone_id, s.utc_offset_s, s.zone_from_record, s.value, s.value_text, s.metadata, s.beat_s, s.beat_bpm
     , $3::bigint, $4::bigint
  from (select *, row_number() over (partition by type_id, start_at, id) as ordinal from pg_temp.apple_health_records) s
 where not exists (select from stored k
                    where k.type_id = s.type_id and k.start_at = s.start_at and k.id = s.id and k.ordinal = s.ordinal)
on conflict (user_id, account_id, type_id, start_at, id, ordinal) do update
   set missing_since_run_id = null, run_id = excluded.run_id   -- it is back
     , returned_run_id = excluded.run_id, missing_before_run_id = r.missing_since_run_id
 where r.missing_since_run_id is not null
   and ($5::boolean or exists (select from meta.import_file f   -- rows of a file that was taken back are nobody's
                                where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'withdrawn'))
