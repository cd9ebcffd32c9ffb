update meta.rejects r
   set resolved_run_id = $4
 where r.user_id = $1 and r.account_id = $2 and r.resource = $3 and r.resolved_run_id is null and r.run_id < $4
   and exists (select from {raw} t
                where t.user_id = $1 and t.account_id = $2 and t.source_id = r.locator ->> 'source_id' and t.run_id = $4)
