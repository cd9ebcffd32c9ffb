-- Of a file that is held only its path comes, and the rest is null.
with held as (
  update apple_health_raw.routes r
     set paths = (select array_agg(distinct u.path order by u.path) from unnest(r.paths || a.paths) u (path))
    from (select id, array_agg(path) as paths from pg_temp.apple_health_routes where points is null group by id) a
   where r.user_id = $1 and r.account_id = $2 and r.id = a.id and not r.paths @> a.paths
)
insert into apple_health_raw.routes as r
  (user_id, account_id, id, paths, bytes, creator, name, start_at, end_at, points, segments, point_at, lat, lon, ele_m,
   speed_m_s, course_deg, h_acc_m, v_acc_m, others, file_id, run_id, parser_version)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.creator, s.name, s.start_at, s.end_at, s.points, s.segments, s.point_at, s.lat, s.lon, s.ele_m, s.speed_m_s,
       s.course_deg, s.h_acc_m, s.v_acc_m, s.others
     , $3::bigint, $4::bigint, (select f.parser_version from meta.import_file f where f.user_id = $1 and f.file_id = $3)
  from pg_temp.apple_health_routes s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_routes group by id) p using (id)
 where s.points is not null
 order by s.id
on conflict (user_id, account_id, id) do update
   set (creator, name, start_at, end_at, points, segments, point_at, lat, lon, ele_m, speed_m_s, course_deg, h_acc_m, v_acc_m,
        others)
     = (excluded.creator, excluded.name, excluded.start_at, excluded.end_at, excluded.points, excluded.segments,
        excluded.point_at, excluded.lat, excluded.lon, excluded.ele_m, excluded.speed_m_s, excluded.course_deg,
        excluded.h_acc_m, excluded.v_acc_m, excluded.others)
     , run_id = case when r.missing_since_run_id is null
                      and (r.creator, r.name, r.start_at, r.end_at, r.points, r.segments, r.point_at, r.lat, r.lon, r.ele_m,
                           r.speed_m_s, r.course_deg, r.h_acc_m, r.v_acc_m, r.others)
                          is not distinct from (excluded.creator, excluded.name, excluded.start_at, excluded.end_at,
                           excluded.points, excluded.segments, excluded.point_at, excluded.lat, excluded.lon, excluded.ele_m,
                           excluded.speed_m_s, excluded.course_deg, excluded.h_acc_m, excluded.v_acc_m, excluded.others)
                     then r.run_id else excluded.run_id end
