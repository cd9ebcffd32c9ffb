-- $1 person, $2 first instants of the ranges, $3 their offsets, $4 their zones
with said as (
  select * from unnest($2::timestamptz[], $3::integer[], $4::text[]) s (from_at, utc_offset_s, tz_name)
), gone as (
  delete from meta.zone_ranges r where r.user_id = $1 and not exists (select from said s where s.from_at = r.from_at)
)
insert into meta.zone_ranges as r (user_id, from_at, utc_offset_s, tz_name)
select $1, s.from_at, s.utc_offset_s, s.tz_name
  from said s
    on conflict (user_id, from_at) do update set utc_offset_s = excluded.utc_offset_s, tz_name = excluded.tz_name
 where row(r.utc_offset_s, r.tz_name) is distinct from row(excluded.utc_offset_s, excluded.tz_name)
