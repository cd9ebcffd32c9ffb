insert into meta.import_runs (user_id, run_id, account_id, kind, started_at, fence, app_version, schema_version)
select $1, coalesce(max(run_id), 0) + 1, $2, $3, $4, $5, $6, $7
  from meta.import_runs
 where user_id = $1
returning run_id
