-- WHOOP: one raw table for each resource. Keys as in the provider's records: cycles by id, sleeps and workouts by UUID, recoveries by cycle_id,
-- the profile by user_id. Body measurements have no id and no date: a snapshot is kept when the values differ from the last one.
create schema whoop_raw;
comment on schema whoop_raw is 'WHOOP as received: one table for each resource, earlier versions in history.';
select meta.create_raw_table('whoop_raw', resource)
  from unnest(array['user_basic_profile','user_body_measurement','cycles','sleeps','recoveries','workouts']) resource;
comment on table whoop_raw.user_basic_profile is 'One WHOOP member: id, name, address. Key: user_id.';
comment on table whoop_raw.user_body_measurement is 'One snapshot of height, weight and maximum heart rate, taken when they differ from the last one; WHOOP gives no date. Key: the run that took it.';
comment on table whoop_raw.cycles is 'One physiological cycle, from one sleep onset to the next; the open one has no end. Not a calendar day. Key: id.';
comment on table whoop_raw.sleeps is 'One sleep or nap with totals per stage; there is no stage timeline. Key: id (UUID).';
comment on table whoop_raw.recoveries is 'One recovery: score, resting heart rate, HRV and others of one cycle; its time is that of its sleep. Key: cycle_id.';
comment on table whoop_raw.workouts is 'One workout or recovery activity with totals; there is no track. Key: id (UUID).';

-- The models ask for the sleeps of a cycle; json, unlike a column, has no index of its own.
create index sleeps_cycle_idx on whoop_raw.sleeps (user_id, account_id, (payload->>'cycle_id'));
