-- Copies that are equal in everything are counted in the order of the key, which is also the order in which the key's index grows cheaply.
-- What is missing comes back only if $5: a newer complete document may have lacked it. Most records are stored and stay as they are: reading the
-- days that are staged once finds them, where a conflict of each would lock the stored row and write that down.
with stored as materialized (
  select r.type_id, r.start_at, r.id, r.ordinal
    from (select distinct type_id, (start_at at time zone 'UTC')::date as day from pg_temp.apple_health_records) d
   cross join lateral (   -- one look into the key for each day, whatever the planner believes
         select k.type_id, k.start_at, k.id, k.ordinal
           from apple_health_raw.records k
          where k.user_id = $1 and k.account_id = $2 and k.missing_since_run_id is null and k.type_id = d.type_id
            and k.start_at >= d.day::timestamp at time zone 'UTC' and k.start_at < (d.day + 1)::timestamp at time zone 'UTC'
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
