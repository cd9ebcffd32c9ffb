select t.type, count(*)
  from apple_health_raw.records r
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = r.type_id
 where r.user_id = $1 and r.account_id = $2 and r.missing_since_run_id is null
 group by t.type
