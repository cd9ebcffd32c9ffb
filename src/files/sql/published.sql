select file_id
  from meta.import_file
 where user_id = $1 and account_id = $2 and parser_version = $3 and status = 'published'
   and (sha256 = $4::bytea or (inner_digest = $5::bytea and ($6::bytea is null or side_sha256 = $6)))
 order by file_id
 limit 1
