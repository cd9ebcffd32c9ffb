update meta.import_file
   set status = 'published', run_id = $3, sha256 = $4, inner_sha256 = $5, bytes = $6, seen = $7, loaded = $8, rejected = $9
 where user_id = $1 and file_id = $2
