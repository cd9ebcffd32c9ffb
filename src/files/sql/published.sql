select file_id
  from meta.import_file
 where user_id = $1 and account_id = $2 and parser_version = $4 and status = 'published' and $3 in (sha256, inner_sha256)
 order by file_id
 limit 1
