-- Elements that name no zone; one without a start has a zone and no offset, and belongs to no range.
update apple_health_raw.elements e
   set utc_offset_s = z.utc_offset_s, tz_name = z.tz_name, run_id = $3
  from unnest($4::timestamptz[], $5::timestamptz[], $6::integer[], $7::text[]) z (from_at, until_at, utc_offset_s, tz_name)
 where e.user_id = $1 and e.account_id = $2 and e.tz_basis = 'home'
   and e.start_at >= z.from_at and e.start_at < z.until_at
   and (e.utc_offset_s, e.tz_name) is distinct from (z.utc_offset_s, z.tz_name)
