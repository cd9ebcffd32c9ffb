-- $3: the file that is asked for; the newest published one is that which was published last; reading it again makes none newer
select f.status, f.file_name, coalesce(f.loaded, 0) > 0
     , (select n.file_id from meta.import_file n
         where n.user_id = $1 and n.account_id = $2 and n.status = 'published' order by n.run_id desc limit 1)
  from meta.import_file f
 where f.user_id = $1 and f.account_id = $2 and f.file_id = $3
