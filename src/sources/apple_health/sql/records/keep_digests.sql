-- $3: the table holds exactly what the document holds of these days; otherwise nobody knows until the next comparison.
insert into apple_health_raw.digests (user_id, account_id, type_id, day, records, id_sum, nested, nested_sum)
select $1::bigint, $2::bigint, d.type_id, d.day
     , case when $3::boolean then d.records end, case when $3 then d.id_sum end, case when $3 then d.nested end, case when $3 then d.nested_sum end
  from pg_temp.apple_health_digests d
 order by d.type_id, d.day
on conflict (user_id, account_id, type_id, day) do update
   set records = excluded.records, id_sum = excluded.id_sum, nested = excluded.nested, nested_sum = excluded.nested_sum
