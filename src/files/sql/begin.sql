-- A file that failed before keeps its number; standard input is known only when it has been read.
with again as (
  update meta.import_file
     set status = 'scanning', run_id = $3, file_name = $4, sha256 = $5, bytes = $7, seen = null, loaded = null, rejected = null
   where user_id = $1
     and file_id = (select f.file_id
                      from meta.import_file f
                     where f.user_id = $1 and f.account_id = $2 and f.parser_version = $8 and f.status = 'failed'
                       and (f.inner_digest = $6 and f.side_sha256 = $9 or f.sha256 = $5 and (f.inner_digest is null or $6 is null))
                     order by f.inner_digest is null, f.file_id
                     limit 1)
  returning file_id
), fresh as (
  insert into meta.import_file (user_id, file_id, account_id, run_id, file_name, sha256, inner_digest, bytes, parser_version, status, side_sha256)
  select $1, coalesce((select max(file_id) from meta.import_file where user_id = $1), 0) + 1, $2, $3, $4, $5, $6, $7, $8, 'scanning', $9
   where not exists (select from again)
  returning file_id
)
select file_id from again union all select file_id from fresh
