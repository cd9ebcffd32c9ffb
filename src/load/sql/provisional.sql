-- The earliest record of the slice that the provider has not finished with, whichever run or page brought it.
select min(t.record_at)
  from {raw} t
 where t.user_id = $1 and t.account_id = $2
   and t.record_at >= $3 and t.record_at < $4 and t.record_at > $5
   and t.missing_since_run_id is null
   and {provisional}
