-- Of a file that is held only its path comes, and the rest is null.
with held as (
  update apple_health_raw.attachments r
     set paths = (select array_agg(distinct u.path order by u.path) from unnest(r.paths || a.paths) u (path))
    from (select id, array_agg(path) as paths from pg_temp.apple_health_attachments where sha256 is null group by id) a
   where r.user_id = $1 and r.account_id = $2 and r.id = a.id and not r.paths @> a.paths
)
insert into apple_health_raw.attachments as r
  (user_id, account_id, id, paths, bytes, media_type, sha256, content, file_id, run_id, parser_version)
select distinct on (s.id) $1::bigint, $2::bigint, s.id, p.paths
     , s.bytes, s.media_type, s.sha256, s.content
     , $3::bigint, $4::bigint, (select f.parser_version from meta.import_file f where f.user_id = $1 and f.file_id = $3)
  from pg_temp.apple_health_attachments s
  join (select id, array_agg(distinct path order by path) as paths from pg_temp.apple_health_attachments group by id) p using (id)
 where s.sha256 is not null
 order by s.id
on conflict (user_id, account_id, id) do update
   set (media_type, sha256, content)
     = (excluded.media_type, excluded.sha256, excluded.content)
     , run_id = case when r.missing_since_run_id is null
                      and (r.media_type, r.sha256, r.content)
                          is not distinct from (excluded.media_type, excluded.sha256, excluded.content)
                     then r.run_id else excluded.run_id end
