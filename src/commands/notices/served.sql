select coalesce(bool_and(l.exit_code in (0, 3)) and max(l.started_at) >= $3::date, false)
  from meta.source_accounts a
 cross join lateral (
    select r.exit_code, r.started_at
      from meta.import_runs r
     where r.user_id = a.user_id and r.account_id = a.account_id and r.kind = 'ingest'
       and r.exit_code in (0, 3, 6)  -- others met no answer that counts
     order by r.run_id desc
     limit 1) l
 where a.user_id = $1 and a.source_system = $2
