,
-- The offset of an hour, looked up once for all that is in it.
hours as materialized (
    select h.user_id, h.hour, meta.zone_offset(h.hour, u.home_tz) as utc_offset_s
      from (select distinct user_id, date_trunc('hour', at, 'UTC') as hour from points) h
      join meta.users u on u.user_id = h.user_id
)
