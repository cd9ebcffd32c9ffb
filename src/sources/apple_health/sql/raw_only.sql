select r.type, sum(r.records)::bigint, min(r.first_at), max(r.last_at)
  from apple_health_raw.raw_only_types r
 where r.user_id = $1
 group by r.type
 order by 2 desc, 1
