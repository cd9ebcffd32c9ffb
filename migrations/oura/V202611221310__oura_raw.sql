-- Oura: one raw table for each collection, named as in its address (vO2_max in lower case). Keys as in the provider's documents: id, but the day
-- for cardiovascular age, which has been seen without an id, and the instant for rows of series.
create schema oura_raw;
comment on schema oura_raw is 'Oura as received: one table for each resource, earlier versions in history.';
select meta.create_raw_table('oura_raw', resource)
  from unnest(array['personal_info','ring_configuration','sleep','sleep_time','daily_sleep','daily_readiness','daily_activity','daily_spo2',
                    'daily_stress','daily_resilience','daily_cardiovascular_age','vo2_max','workout','session','enhanced_tag','tag',
                    'rest_mode_period','heartrate','ring_battery_level']) resource;
comment on table oura_raw.personal_info is 'One Oura member: id, address, and age, weight, height and sex as entered, undated. Key: id.';
comment on table oura_raw.ring_configuration is 'One ring: generation, colour, size, firmware, when it was set up. Key: id.';
comment on table oura_raw.sleep is 'One sleep, nap or rest with totals, hypnogram and series. Key: id; a new analysis may give another.';
comment on table oura_raw.sleep_time is 'One day''s advice on when to go to bed. Key: id.';
comment on table oura_raw.daily_sleep is 'One day''s sleep score and what it is made of. Key: id.';
comment on table oura_raw.daily_readiness is 'One day''s readiness score, and the deviation of the body temperature. Key: id.';
comment on table oura_raw.daily_activity is 'One day''s activity from 04:00 to 04:00: totals, classes of five minutes, MET by the minute. Key: id.';
comment on table oura_raw.daily_spo2 is 'One night''s mean blood oxygen and breathing disturbance index. Key: id.';
comment on table oura_raw.daily_stress is 'One day''s time in high stress and high recovery. Key: id.';
comment on table oura_raw.daily_resilience is 'One day''s resilience level. Key: id.';
comment on table oura_raw.daily_cardiovascular_age is 'One day''s vascular age and pulse wave velocity. Key: day.';
comment on table oura_raw.vo2_max is 'One estimate of maximal oxygen uptake. Key: id.';
comment on table oura_raw.workout is 'One workout with totals; there is no track. Key: id.';
comment on table oura_raw.session is 'One guided or free moment (breathing, meditation, nap ...) with series. Key: id.';
comment on table oura_raw.enhanced_tag is 'One tag that the person set, for an instant or a stretch of time. Key: id.';
comment on table oura_raw.tag is 'One tag in the older form, which Oura has deprecated. Key: id.';
comment on table oura_raw.rest_mode_period is 'One period of rest mode with its episodes. Key: id.';
comment on table oura_raw.heartrate is 'One heart rate at one instant, and what the person was doing. Key: instant and source.';
comment on table oura_raw.ring_battery_level is 'One level of the ring''s battery. Key: instant.';
