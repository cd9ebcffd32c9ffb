-- Heights in metadata carry their unit, whichever it is.
create function apple_health_raw.meters(said text) returns double precision
  language sql immutable parallel safe
  return case split_part(said, ' ', 2)
    when 'm'  then apple_health_raw.amount(said)
    when 'cm' then apple_health_raw.amount(said) / 100
    when 'km' then apple_health_raw.amount(said) * 1000
    when 'ft' then apple_health_raw.amount(said) * 0.3048
    when 'in' then apple_health_raw.amount(said) * 0.0254
    when 'yd' then apple_health_raw.amount(said) * 0.9144
  end;
comment on function apple_health_raw.meters(text) is
  'A metadata value that is a length with its unit, in metres: 4.18 of "418 cm". Null for what is no number, or in another unit.';

-- Whether a day was over when an export was made is a question to the clock at home, like the day of a record that names no zone.
create or replace view apple_health_raw.export_days with (security_invoker = true) as
select e.user_id, e.account_id, e.file_id, i.run_id, (e.exported_at at time zone coalesce(u.home_tz, 'UTC'))::date as day
  from apple_health_raw.exports e
  join meta.import_file i on i.user_id = e.user_id and i.file_id = e.file_id and i.status = 'published'
  join meta.users u on u.user_id = e.user_id
 where e.exported_at is not null;
comment on view apple_health_raw.export_days is 'One published export and the day on which it was made.';
comment on column apple_health_raw.export_days.day is 'The day, on the clock of the person''s home zone.';
