-- $2: now. The zone that the person is in: that of the stay that began last, else the home zone.
select u.user_id, u.label, u.home_tz
     , coalesce((select z.tz_name from meta.zones z
                  where z.user_id = u.user_id and z.from_at <= $2 and (z.until_at is null or z.until_at > $2)
                  order by z.from_at desc limit 1), u.home_tz)
  from meta.users u
 where $1::text is null or u.label = $1
 order by u.user_id
 limit 1
