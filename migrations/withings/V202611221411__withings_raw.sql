-- Withings: one raw table for each listing, named after its action. Keys as in the provider's documents; where a device may be missing from
-- one, "-" stands for it.
create schema withings_raw;
comment on schema withings_raw is 'Withings as received: one table for each resource, earlier versions in history.';
select meta.create_raw_table('withings_raw', resource)
  from unnest(array['devices','goals','measures','activity','workouts','sleep_summary','sleep','intraday_activity','heart','heart_signal','stetho']) resource;
comment on table withings_raw.devices is 'One device or connected app: kind, model, battery, when it was used. Key: hash_deviceid.';
comment on table withings_raw.goals is 'The person''s goals (weight, steps, sleep), stored whenever they differ.';
comment on table withings_raw.measures is 'One group of measures taken together, each a value and a power of ten. Key: grpid and attrib.';
comment on table withings_raw.activity is 'One day''s activity of one device or app. Key: date, deviceid and brand.';
comment on table withings_raw.workouts is 'One workout with totals; there is no track. Key: id.';
comment on table withings_raw.sleep_summary is 'One sleep with totals. Key: id.';
comment on table withings_raw.sleep is 'One stretch of one sleep state, with values by the minute. Key: startdate and hash_deviceid.';
comment on table withings_raw.intraday_activity is 'One hour of activity and heart rate, an object named by instants: its members as they were sent. Key: the hour.';
comment on table withings_raw.heart is 'One electrocardiogram or blood pressure, without the signal. Key: timestamp and deviceid.';
comment on table withings_raw.heart_signal is 'The signal of one electrocardiogram in microvolts, with its sampling frequency. Key: signalid.';
comment on table withings_raw.stetho is 'One recording of a stethoscope, without the sound. Key: timestamp and deviceid.';

create function meta.zone_offset(at timestamptz, zone text) returns integer
  language plpgsql stable strict parallel safe
as $$
begin
  return extract(epoch from (at at time zone zone) - (at at time zone 'UTC'))::integer;
exception when invalid_parameter_value then
  return null;
end $$;
comment on function meta.zone_offset(timestamptz, text) is
  'Seconds east of UTC on the clocks of an IANA zone at an instant; null for a zone that is not known.';
