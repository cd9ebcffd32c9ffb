-- What the newest published file had held back.
select f.held_back
  from meta.import_file f
 where f.user_id = $1 and f.account_id = $2 and f.file_id = $3 and f.held_back > 0
   and not exists (select from meta.import_file n
                    where n.user_id = $1 and n.account_id = $2 and n.status = 'published' and n.run_id > f.run_id)
