-- While a file of the kind could not be read, nobody knows which one it is.
with gone as (
  update apple_health_raw.routes r
     set missing_since_run_id = $3, run_id = $3
   where r.user_id = $1 and r.account_id = $2 and r.missing_since_run_id is null
     and not exists (select from pg_temp.apple_health_routes s where s.id = r.id)
     and not exists (select from pg_temp.apple_health_unread u where u.kind = 'Route')
  returning r.id
)
select 'Route', count(*) from gone having count(*) > 0
