-- Of a file that is held only its path comes, and the rest is null.
with held as (
  update apple_health_raw.clinical_records r
     set paths = (select array_agg(distinct u.path order by u.path) from unnest(r.paths || a.paths) u (path))
    from (select id, array_agg(path) as paths from pg_temp.apple_health_clinical_records where resource_type is null group by id) a
   where r.user_id = $1 and r.account_id = $2 and r.id = a.id and not r.paths @> a.paths
)
insert into apple_health_raw.clinical_records as r
  (user_id, account_id, id, paths, bytes, resource_type, resource_id, payload, file_id, run_id, parser_version)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.resource_type, s.resource_id, s.payload
     , $3::bigint, $4::bigint, (select f.parser_version from meta.import_file f where f.user_id = $1 and f.file_id = $3)
  from pg_temp.apple_health_clinical_records s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_clinical_records group by id) p using (id)
 where s.resource_type is not null
 order by s.id
on conflict (user_id, account_id, id) do update
   set (resource_type, resource_id, payload)
     = (excluded.resource_type, excluded.resource_id, excluded.payload)
     , run_id = case when r.missing_since_run_id is null
                      and (r.resource_type, r.resource_id, r.payload::text)
                          is not distinct from (excluded.resource_type, excluded.resource_id, excluded.payload::text)
                     then r.run_id else excluded.run_id end
