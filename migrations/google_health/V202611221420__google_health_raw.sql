-- Google Health: one raw table for each data type, named as in filters; totals of days, which the interface rolls up, in one of their own behind
-- the name. Points that can be looked up one by one are known by their name, others by their time and the device and app that they come from, days
-- by their date. Readings that come by the thousand are one row an hour and origin: {"dataPoints": [...]}, each point as it was sent.
create schema google_health_raw;
comment on schema google_health_raw is 'Google Health as received: one table for each resource, earlier versions in history.';
select meta.create_raw_table('google_health_raw', resource)
  from unnest(array[
    'identity','profile','settings','irn_profile','paired_devices','sleep','exercise','electrocardiogram','irregular_rhythm_notification',
    'heart_rate','heart_rate_variability','oxygen_saturation','respiratory_rate_sleep_summary','daily_resting_heart_rate',
    'daily_heart_rate_variability','daily_oxygen_saturation','daily_respiratory_rate','daily_sleep_temperature_derivations','daily_vo2_max',
    'daily_heart_rate_zones','vo2_max','run_vo2_max','weight','height','body_fat','blood_glucose','core_body_temperature','steps','distance',
    'altitude','floors','active_minutes','active_zone_minutes','activity_level','sedentary_period','time_in_heart_rate_zone','swim_lengths_data',
    'active_energy_burned','basal_energy_burned','steps_roll_up','distance_roll_up','altitude_roll_up','floors_roll_up','active_minutes_roll_up',
    'active_zone_minutes_roll_up','sedentary_period_roll_up','time_in_heart_rate_zone_roll_up','swim_lengths_data_roll_up','total_calories_roll_up',
    'calories_in_heart_rate_zone_roll_up','active_energy_burned_roll_up','heart_rate_roll_up','hydration_log','nutrition_log','food',
    'food_measurement_unit','menstrual_period','ovulation_test','symptoms','moods']) resource;
comment on table google_health_raw.identity is 'The person''s two ids: at Google Health, and at Fitbit before. Key: healthUserId.';
comment on table google_health_raw.profile is 'Age, stride lengths, start of membership: a row when something changed.';
comment on table google_health_raw.settings is 'Time zone, language and units: a row when something changed.';
comment on table google_health_raw.irn_profile is 'Whether irregular rhythm notifications are set up: a row when something changed.';
comment on table google_health_raw.paired_devices is 'One tracker or scale: battery, last synchronisation, features. Key: name.';
comment on table google_health_raw.sleep is 'One sleep with its stages, whichever device or app recorded it. Key: name.';
comment on table google_health_raw.exercise is 'One exercise with totals, events and splits. Key: name.';
comment on table google_health_raw.electrocardiogram is 'One electrocardiogram with its voltages. Key: its start and origin.';
comment on table google_health_raw.irregular_rhythm_notification is 'One notification with the beats it is based on. Key: its start and origin.';
comment on table google_health_raw.heart_rate is 'One hour of heart rates of one origin. Key: the hour, platform, device, app.';
comment on table google_health_raw.steps is 'One hour of steps of one origin. Key: the hour, platform, device, app.';

create function google_health_raw.seconds(said text) returns double precision
  language sql immutable parallel safe
  -- what does not end in s is left as it is, which is no number
  return meta.number(case when right(said, 1) = 's' then left(said, -1) else said || '?' end);
comment on function google_health_raw.seconds(text) is
  'Length of time as protobuf writes it ("3600s", "-18000s", "1.5s") in seconds. Anything else is a data error. Null for null.';

create function google_health_raw.civil_date(said jsonb) returns date
  language sql immutable parallel safe
  return make_date((said->>'year')::integer, (said->>'month')::integer, (said->>'day')::integer);
comment on function google_health_raw.civil_date(jsonb) is
  'Day in three numbers as a date. One that does not exist is a data error; null where a number is missing.';

create function google_health_raw.figure(said jsonb) returns double precision
  language sql immutable parallel safe
  return case when jsonb_typeof(said) = 'string' then (said #>> '{}')::bigint::double precision else said::double precision end;
comment on function google_health_raw.figure(jsonb) is
  'Number as protobuf writes it: one of 64 bits as text, any other as a number. Anything else is a data error. Null for null.';
