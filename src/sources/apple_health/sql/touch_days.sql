-- Days of which this run brought, took or marked a record. Written in the transaction that publishes the rows.
insert into apple_health_raw.days as d (user_id, account_id, type_id, local_date, run_id)
select $1::bigint, $2::bigint, r.type_id, meta.local_date(r.start_at, r.utc_offset_s), $3::bigint
  from apple_health_raw.records r
 where r.user_id = $1 and r.account_id = $2 and r.run_id = $3
 group by r.type_id, meta.local_date(r.start_at, r.utc_offset_s)
on conflict (user_id, account_id, type_id, local_date) do update
   set run_id = excluded.run_id
 where d.run_id < excluded.run_id
