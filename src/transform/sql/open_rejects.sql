select exists (select from meta.rejects r
                where r.user_id = $1 and r.account_id = $2 and r.resource = $3 and r.resolved_run_id is null and r.run_id < $4)
