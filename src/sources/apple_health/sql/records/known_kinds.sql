-- As sql/count.sql, of the types $3. Digests tell it where they are of what is held; otherwise the key does.
select t.type
     , case
         when bool_or(d.records is null) then
           (select count(*) from apple_health_raw.records r
             where r.user_id = $1 and r.account_id = $2 and r.type_id = t.type_id and r.missing_since_run_id is null)
         else sum(d.records)::bigint
       end
  from apple_health_raw.types t
  join apple_health_raw.digests d on d.user_id = $1 and d.account_id = $2 and d.type_id = t.type_id
 where t.user_id = $1 and t.account_id = $2 and t.type = any ($3::text[])
 group by t.type, t.type_id
