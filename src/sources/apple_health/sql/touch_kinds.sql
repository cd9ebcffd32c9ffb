-- Units and category values of the records that this run brought.
insert into apple_health_raw.kinds (user_id, account_id, type_id, unit_id, value_text)
select distinct $1::bigint, $2::bigint, r.type_id, coalesce(r.unit_id, 0), apple_health_raw.kind_text(t.type, r.value_text)
  from apple_health_raw.records r
  join apple_health_raw.types t on t.user_id = r.user_id and t.account_id = r.account_id and t.type_id = r.type_id
 where r.user_id = $1 and r.account_id = $2 and r.run_id = $3
   and (r.value is not null or t.type like 'HKCategoryTypeIdentifier%')
on conflict do nothing
