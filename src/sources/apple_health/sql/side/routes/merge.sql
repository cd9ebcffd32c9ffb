insert into apple_health_raw.routes as r
  (user_id, account_id, id, paths, bytes, creator, name, start_at, end_at, points, segments, point_at, lat, lon, ele_m,
   speed_m_s, course_deg, h_acc_m, v_acc_m, others, file_id, run_id)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.creator, s.name, s.start_at, s.end_at, s.points, s.segments, s.point_at, s.lat, s.lon, s.ele_m, s.speed_m_s,
       s.course_deg, s.h_acc_m, s.v_acc_m, s.others
     , $3::bigint, $4::bigint
  from pg_temp.apple_health_routes s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_routes group by id) p using (id)
