-- A zone given by name is looked up for each value, an offset is added. The same dates.
create or replace function meta.local_date(instant timestamptz, offset_s integer) returns date
  language sql immutable parallel safe
  return timezone(make_interval(secs => coalesce(offset_s, 0)), instant)::date;
