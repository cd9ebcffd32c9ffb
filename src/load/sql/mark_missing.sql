update {raw} t
   set missing_since_run_id = $6
 where t.user_id = $1 and t.account_id = $2
   and t.record_at >= $3 and t.record_at < $4 and {last} < $4
   and t.missing_since_run_id is null
   and t.source_id <> all ($5::text[])
