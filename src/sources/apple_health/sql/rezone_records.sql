-- Records that name no zone take the offset of the range they begin in.
with ranges as (
  select * from unnest($4::timestamptz[], $5::timestamptz[], $6::integer[], $7::text[]) z (from_at, until_at, utc_offset_s, tz_name)
), words as (
  insert into apple_health_raw.zones (user_id, account_id, zone_id, tz_name)
  select $1, $2
       , coalesce((select max(h.zone_id) from apple_health_raw.zones h where h.user_id = $1 and h.account_id = $2), 0)
         + row_number() over (order by n.tz_name)
       , n.tz_name
    from (select distinct r.tz_name
            from ranges r
           where not exists (select from apple_health_raw.zones h
                              where h.user_id = $1 and h.account_id = $2 and h.tz_name = r.tz_name)) n
  returning zone_id, tz_name
), numbered as (
  select zone_id, tz_name from apple_health_raw.zones where user_id = $1 and account_id = $2
  union all
  select zone_id, tz_name from words
)
update apple_health_raw.records r
   set utc_offset_s = z.utc_offset_s, zone_id = n.zone_id, run_id = $3
  from ranges z
  join numbered n using (tz_name)
 where r.user_id = $1 and r.account_id = $2 and not r.zone_from_record
   and r.start_at >= z.from_at and r.start_at < z.until_at
   and (r.utc_offset_s <> z.utc_offset_s or r.zone_id <> n.zone_id)
