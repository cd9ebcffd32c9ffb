update meta.import_file
   set status = 'published', run_id = $3, sha256 = $4, inner_sha256 = $5, bytes = $6, seen = $7, loaded = $8, rejected = $9
     , side_sha256 = case when $10::bytea = '' then side_sha256 else $10 end  -- read again without them, it still brought them
 where user_id = $1 and file_id = $2
