select 'Attachment'
     , count(*) filter (where r.returned_run_id is distinct from r.run_id)
     , count(*) filter (where r.returned_run_id = r.run_id)
  from apple_health_raw.attachments r
 where r.user_id = $1 and r.account_id = $2 and r.run_id = $3 and r.missing_since_run_id is null
having count(*) > 0
