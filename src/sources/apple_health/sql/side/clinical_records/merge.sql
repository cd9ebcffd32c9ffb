insert into apple_health_raw.clinical_records as r
  (user_id, account_id, id, paths, bytes, resource_type, resource_id, payload, file_id, run_id)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.resource_type, s.resource_id, s.payload
     , $3::bigint, $4::bigint
  from pg_temp.apple_health_clinical_records s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_clinical_records group by id) p using (id)
