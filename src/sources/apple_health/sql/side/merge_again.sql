-- Keyed by content: a file that lies there twice is one row with two paths. A new name alone is no change of the row's run;
-- what a better reader makes of the same bytes is, where it differs.
     , parser_version = excluded.parser_version
     , paths = (select array_agg(distinct u.path order by u.path) from unnest(r.paths || excluded.paths) u (path))
     , missing_since_run_id = null   -- it is back; or new, where the file that brought it was taken back
     , (file_id, returned_run_id, missing_before_run_id) = (
         select case when w.is_new then excluded.file_id else r.file_id end
              , case when r.missing_since_run_id is null then r.returned_run_id when not w.is_new then excluded.run_id end
              , case when r.missing_since_run_id is null then r.missing_before_run_id when not w.is_new then r.missing_since_run_id end
           from (select exists (select from meta.import_file f
                                 where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'withdrawn') as is_new) w)
 where case when r.missing_since_run_id is null
            then not r.paths @> excluded.paths or r.parser_version is distinct from excluded.parser_version
            else $5::boolean or exists (select from meta.import_file f
                                         where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'withdrawn')
       end
