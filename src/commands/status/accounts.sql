select a.account_id, a.source_system, a.label, a.status, a.not_before
     , r.run_id, r.started_at, r.status as run_status, r.exit_code, r.error
     , (select count(*) from meta.rejects j
         where j.user_id = a.user_id and j.account_id = a.account_id and j.resolved_run_id is null) as rejects
     , (select count(*) from meta.rejects j
         where j.user_id = a.user_id and j.account_id = a.account_id and j.resolved_run_id is null and j.run_id = r.run_id) as run_rejects
  from meta.source_accounts a
  left join meta.import_runs r
    on r.user_id = a.user_id
   and r.run_id = (select max(l.run_id) from meta.import_runs l
                    where l.user_id = a.user_id and l.account_id = a.account_id and l.kind in ('ingest', 'import'))
 where a.user_id = $1
 order by a.account_id
