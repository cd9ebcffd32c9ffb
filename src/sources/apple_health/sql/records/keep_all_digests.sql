-- As keep_digests.sql where none are left and all are known.
insert into apple_health_raw.digests (user_id, account_id, type_id, day, records, id_sum, nested, nested_sum)
select $1::bigint, $2::bigint, d.type_id, d.day, d.records, d.id_sum, d.nested, d.nested_sum
  from pg_temp.apple_health_digests d
 order by d.type_id, d.day
