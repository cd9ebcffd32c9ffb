-- Resources with records that an earlier run could not use.
select distinct resource from meta.rejects where user_id = $1 and account_id = $2 and resolved_run_id is null and run_id < $3
