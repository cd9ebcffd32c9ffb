-- Of a file that is held only its path comes, and the rest is null.
with held as (
  update apple_health_raw.ecgs r
     set paths = (select array_agg(distinct u.path order by u.path) from unnest(r.paths || a.paths) u (path))
    from (select id, array_agg(path) as paths from pg_temp.apple_health_ecgs where recorded_at is null group by id) a
   where r.user_id = $1 and r.account_id = $2 and r.id = a.id and not r.paths @> a.paths
)
insert into apple_health_raw.ecgs as r
  (user_id, account_id, id, paths, bytes, recorded_at, utc_offset_s, tz_name, tz_basis, classification, symptoms,
   software_version, device, sample_rate_hz, lead, unit, voltages, header, file_id, run_id, parser_version)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.recorded_at, s.utc_offset_s, s.tz_name, s.tz_basis, s.classification, s.symptoms, s.software_version, s.device,
       s.sample_rate_hz, s.lead, s.unit, s.voltages, s.header
     , $3::bigint, $4::bigint, (select f.parser_version from meta.import_file f where f.user_id = $1 and f.file_id = $3)
  from pg_temp.apple_health_ecgs s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_ecgs group by id) p using (id)
 where s.recorded_at is not null
 order by s.id
on conflict (user_id, account_id, id) do update
   set (recorded_at, classification, symptoms, software_version, device, sample_rate_hz, lead, unit, voltages, header)
     = (excluded.recorded_at, excluded.classification, excluded.symptoms, excluded.software_version, excluded.device,
        excluded.sample_rate_hz, excluded.lead, excluded.unit, excluded.voltages, excluded.header)
     , run_id = case when r.missing_since_run_id is null
                      and (r.recorded_at, r.classification, r.symptoms, r.software_version, r.device, r.sample_rate_hz, r.lead,
                           r.unit, r.voltages, r.header)
                          is not distinct from (excluded.recorded_at, excluded.classification, excluded.symptoms,
                           excluded.software_version, excluded.device, excluded.sample_rate_hz, excluded.lead, excluded.unit,
                           excluded.voltages, excluded.header)
                     then r.run_id else excluded.run_id end
