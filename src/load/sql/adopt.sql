-- A row that a file brought which was taken back, and whose rows were not removed yet: it is new, and this file brings it.
update {raw} r
   set file_id = $3, returned_run_id = null, missing_before_run_id = null
 where r.user_id = $1 and r.account_id = $2 and r.run_id = $4 and r.missing_since_run_id is null
   and r.file_id in (select f.file_id from meta.import_file f where f.user_id = $1 and f.account_id = $2 and f.status = 'withdrawn')
