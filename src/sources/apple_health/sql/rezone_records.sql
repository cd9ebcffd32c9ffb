-- Records that name no zone take the offset of the range they begin in. The ranges follow each other without a gap, so that the starts alone find
-- the range, by halving: a move concerns every record since.
with words as (
  insert into apple_health_raw.zones (user_id, account_id, zone_id, tz_name)
  select $1, $2
       , coalesce((select max(h.zone_id) from apple_health_raw.zones h where h.user_id = $1 and h.account_id = $2), 0)
         + row_number() over (order by n.tz_name)
       , n.tz_name
    from (select distinct r.tz_name
            from unnest($7::text[]) r (tz_name)
           where not exists (select from apple_health_raw.zones h
                              where h.user_id = $1 and h.account_id = $2 and h.tz_name = r.tz_name)) n
  returning zone_id, tz_name
), numbered as (
  select zone_id, tz_name from apple_health_raw.zones where user_id = $1 and account_id = $2
  union all
  select zone_id, tz_name from words
), ranges as (
  select array_agg(n.zone_id order by r.place) as zone_ids
       , min(s.from_at) as first_at
       , max(s.until_at) as last_at
    from unnest($7::text[]) with ordinality r (tz_name, place)
    join numbered n using (tz_name)
    join unnest($4::timestamptz[], $5::timestamptz[]) with ordinality s (from_at, until_at, place) using (place)
), left_days as (   -- the days that records leave; those that they come to are touched with the run's other days
  insert into apple_health_raw.days as d (user_id, account_id, type_id, local_date, run_id)
  select r.user_id, r.account_id, r.type_id, meta.local_date(r.start_at, r.utc_offset_s), $3
    from apple_health_raw.records r
   cross join ranges z
   where r.user_id = $1 and r.account_id = $2 and not r.zone_from_record
     and r.start_at >= z.first_at and r.start_at < z.last_at
     and r.utc_offset_s <> ($6::integer[])[width_bucket(r.start_at, $4::timestamptz[])]
   group by 1, 2, 3, 4
  on conflict (user_id, account_id, type_id, local_date) do update
     set run_id = excluded.run_id
   where d.run_id < excluded.run_id
)
update apple_health_raw.records r
   set utc_offset_s = ($6::integer[])[width_bucket(r.start_at, $4::timestamptz[])]
     , zone_id = z.zone_ids[width_bucket(r.start_at, $4::timestamptz[])]
     , run_id = $3
  from ranges z
 where r.user_id = $1 and r.account_id = $2 and not r.zone_from_record
   and r.start_at >= z.first_at and r.start_at < z.last_at
   and (r.utc_offset_s <> ($6::integer[])[width_bucket(r.start_at, $4::timestamptz[])]
        or r.zone_id <> z.zone_ids[width_bucket(r.start_at, $4::timestamptz[])])
