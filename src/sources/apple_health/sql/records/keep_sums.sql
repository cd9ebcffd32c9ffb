-- What the reader added up, but for days that it left to the models, and days of which records went through the stage.
insert into apple_health_raw.sums
  (user_id, account_id, type_id, local_date, unit_id, value_text, source_name_id, device_id, by_hand, at_meal, is_above_one, records, ended, billionths,
   seconds, lowest, highest, shortest, longest, digest, west, east, counted_billionths, counted_seconds, counted_parts, run_id)
select $1::bigint, $2::bigint, s.type_id, s.local_date, s.unit_id, s.value_text, s.source_name_id, s.device_id, s.by_hand, s.at_meal, s.is_above_one
     , s.records, s.ended, s.billionths, s.seconds, s.lowest, s.highest, s.shortest, s.longest, s.digest, s.west, s.east
     , s.counted_billionths, s.counted_seconds, s.counted_parts, $3::bigint
  from pg_temp.apple_health_sums s
 where not exists (select from pg_temp.apple_health_sums l
                    where l.records = 0 and l.type_id = s.type_id and l.local_date = s.local_date)
   and not exists (select from pg_temp.apple_health_records r
                    where r.type_id = s.type_id and meta.local_date(r.start_at, r.utc_offset_s) = s.local_date)
 order by s.type_id, s.local_date
