-- $3: the runs of a file that is taken back. What they had closed of other files is open again.
update meta.rejects r
   set resolved_run_id = null
 where r.user_id = $1 and r.account_id = $2 and r.resolved_run_id = any($3::bigint[]) and r.resource = any($4::text[])
   and exists (select from meta.import_file f where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'published' and f.file_id <> $5)
