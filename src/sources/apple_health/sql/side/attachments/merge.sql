insert into apple_health_raw.attachments as r
  (user_id, account_id, id, paths, bytes, media_type, sha256, content, file_id, run_id)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.media_type, s.sha256, s.content
     , $3::bigint, $4::bigint
  from pg_temp.apple_health_attachments s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_attachments group by id) p using (id)
