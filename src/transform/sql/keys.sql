select r.source_id, {size}
  from {raw} r
 where r.user_id = $1 and r.account_id = $2
   and (r.run_id > $3 or r.missing_since_run_id > $3)
 order by r.source_id collate "C"
