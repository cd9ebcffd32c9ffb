-- a reject of an earlier run whose record is not named any more: it can be used now, or it is gone
update meta.rejects r
   set resolved_run_id = $4
 where r.user_id = $1 and r.account_id = $2 and r.resource = $3 and r.resolved_run_id is null and r.run_id < $4
   and not exists (select from {raw} t
                    where t.user_id = $1 and t.account_id = $2 and t.source_id = r.locator ->> 'raw_source_id'
                      and t.missing_since_run_id is null)
