insert into apple_health_raw.ecgs as r
  (user_id, account_id, id, paths, bytes, recorded_at, utc_offset_s, tz_name, tz_basis, classification, symptoms,
   software_version, device, sample_rate_hz, lead, unit, voltages, header, file_id, run_id)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.recorded_at, s.utc_offset_s, s.tz_name, s.tz_basis, s.classification, s.symptoms, s.software_version, s.device,
       s.sample_rate_hz, s.lead, s.unit, s.voltages, s.header
     , $3::bigint, $4::bigint
  from pg_temp.apple_health_ecgs s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_ecgs group by id) p using (id)
