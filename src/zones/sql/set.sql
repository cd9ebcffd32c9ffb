insert into meta.zones (user_id, from_at, until_at, tz_name) values ($1, $2, $3, $4)
on conflict (user_id, from_at) do update set until_at = excluded.until_at, tz_name = excluded.tz_name
