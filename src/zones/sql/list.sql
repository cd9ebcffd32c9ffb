select from_at, until_at, tz_name from meta.zones where user_id = $1 order by from_at
