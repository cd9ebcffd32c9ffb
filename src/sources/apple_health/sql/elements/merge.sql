-- Copies that are equal in everything are counted, like those of records.
insert into apple_health_raw.elements as r
  (user_id, account_id, element, id, ordinal, start_at, end_at, created_at, source_name, utc_offset_s, tz_name, tz_basis, payload, file_id, run_id)
select $1::bigint, $2::bigint, s.element, s.id
     , row_number() over (partition by s.element, s.id)
     , s.start_at, s.end_at, s.created_at, s.source_name, s.utc_offset_s, s.tz_name, s.tz_basis, s.payload
     , $3::bigint, $4::bigint
  from pg_temp.apple_health_elements s
on conflict (user_id, account_id, element, id, ordinal) do update
   set missing_since_run_id = null, run_id = excluded.run_id   -- it is back
     , returned_run_id = excluded.run_id, missing_before_run_id = r.missing_since_run_id
 where r.missing_since_run_id is not null
   and ($5::boolean or exists (select from meta.import_file f   -- rows of a file that was taken back are nobody's
                                where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'withdrawn'))
