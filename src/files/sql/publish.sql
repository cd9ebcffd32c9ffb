-- Read again, a file keeps what it had brought before, and its place among the others: it was published by the run that did so first.
update meta.import_file
   set loaded = case status when 'published' then coalesce(loaded, 0) else 0 end + $8
     , run_id = case status when 'published' then run_id else $3 end
     , status = 'published', sha256 = $4, inner_digest = $5, bytes = $6, seen = $7, rejected = $9, mode = $10, inner_crc32 = $12, held_back = $13
     , side_sha256 = case when $11::bytea = '' then side_sha256 else $11 end  -- read again without them, it still brought them
 where user_id = $1 and file_id = $2
