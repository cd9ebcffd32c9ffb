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

-- A recovery has no time of its own. Columns that models take no rows from, they do not pay for: one parse of each record, whatever is asked.
create view whoop_raw.dated_recoveries with (security_invoker = true) as
select r.user_id
     , r.account_id
     , r.source_id
     , c.score_state
     , c.score
     , case when n.woke_at is not null then s.source_id end                              as sleep_source_id
     , n.woke_at
     , coalesce(n.woke_at, b.began_at + interval '8 hours', meta.instant(c.created_at)) as day_at
     , case when n.woke_at is not null then meta.offset_seconds(n.timezone_offset)
            when b.began_at is not null then meta.offset_seconds(b.timezone_offset) end as utc_offset_s
  from whoop_raw.recoveries r
 cross join lateral json_to_record(r.payload)
       as c (cycle_id text, sleep_id text, created_at text, score_state text, score jsonb)
  left join whoop_raw.sleeps s
    on s.user_id = r.user_id and s.account_id = r.account_id and s.source_id = c.sleep_id
   and s.missing_since_run_id is null
  left join lateral (
    select meta.instant_or_null("end") as woke_at, timezone_offset
      from json_to_record(s.payload) as n ("end" text, timezone_offset text)
    offset 0  -- keeps the planner from parsing once for each use
  ) n on true
  left join whoop_raw.cycles y  -- looked at only where the sleep gives no day
    on y.user_id = r.user_id and y.account_id = r.account_id and y.source_id = c.cycle_id
   and y.missing_since_run_id is null
  left join lateral (
    select meta.instant_or_null(start) as began_at, timezone_offset
      from json_to_record(case when n.woke_at is null then y.payload end) as b (start text, timezone_offset text)
    offset 0
  ) b on true;
comment on view whoop_raw.dated_recoveries is 'One recovery with its day: the waking from its sleep; where that sleep is not held, eight hours after the start of its cycle (a cycle starts with falling asleep); else the day the record was made.';
comment on column whoop_raw.dated_recoveries.user_id is 'The person (meta.users).';
comment on column whoop_raw.dated_recoveries.account_id is 'The account of the person (meta.source_accounts).';
comment on column whoop_raw.dated_recoveries.source_id is 'Key of the recovery.';
comment on column whoop_raw.dated_recoveries.score_state is 'score_state as sent.';
comment on column whoop_raw.dated_recoveries.score is 'score as sent; null: none yet.';
comment on column whoop_raw.dated_recoveries.sleep_source_id is 'Key of its sleep; null: not held.';
comment on column whoop_raw.dated_recoveries.woke_at is 'End of its sleep; null: not held, and the instant of the recovery is not known.';
comment on column whoop_raw.dated_recoveries.day_at is 'An instant on its local day.';
comment on column whoop_raw.dated_recoveries.utc_offset_s is 'Seconds east of UTC at day_at; null: not known.';

-- The day of a cycle, for all models that need it.
create view whoop_raw.dated_cycles with (security_invoker = true) as
select y.user_id
     , y.account_id
     , y.source_id
     , y.missing_since_run_id
     , b.start                                                                           as start_said
     , b."end"                                                                           as end_said
     , b.score_state
     , b.score
     , n.sleep_source_id
     , n.woke_at
     , coalesce(n.woke_at, meta.instant_or_null(b.start) + interval '8 hours')           as day_at
     , case when n.woke_at is not null then n.utc_offset_s else meta.offset_seconds(b.timezone_offset) end as utc_offset_s
  from whoop_raw.cycles y
 cross join lateral json_to_record(y.payload)
       as b (start text, "end" text, timezone_offset text, score_state text, score jsonb)
  left join lateral (
    select s.source_id as sleep_source_id, w.woke_at, meta.offset_seconds(w.timezone_offset) as utc_offset_s
      from whoop_raw.sleeps s  -- by the index on its cycle
     cross join lateral (
        select meta.instant_or_null(start) as slept_at, timezone_offset
             , case when nap is distinct from 'true' then meta.instant_or_null("end") end as woke_at
          from json_to_record(s.payload) as n (start text, "end" text, timezone_offset text, nap text)
        offset 0  -- keeps the planner from parsing once for each use
       ) w
     where s.user_id = y.user_id and s.account_id = y.account_id and s.payload->>'cycle_id' = y.source_id
       and s.missing_since_run_id is null
       and w.woke_at is not null
     order by w.woke_at - w.slept_at desc nulls last, s.source_id
     limit 1
  ) n on true;
comment on view whoop_raw.dated_cycles is 'One cycle with its day: the waking from its sleep, of several the longest that is no nap; where none is held, eight hours after its start (a cycle starts with falling asleep).';
comment on column whoop_raw.dated_cycles.user_id is 'The person (meta.users).';
comment on column whoop_raw.dated_cycles.account_id is 'The account of the person (meta.source_accounts).';
comment on column whoop_raw.dated_cycles.source_id is 'Key of the cycle.';
comment on column whoop_raw.dated_cycles.missing_since_run_id is 'As in cycles; null: not missing.';
comment on column whoop_raw.dated_cycles.start_said is 'start as sent.';
comment on column whoop_raw.dated_cycles.end_said is 'end as sent; null: the open cycle.';
comment on column whoop_raw.dated_cycles.score_state is 'score_state as sent.';
comment on column whoop_raw.dated_cycles.score is 'score as sent; null: none yet.';
comment on column whoop_raw.dated_cycles.sleep_source_id is 'Key of its sleep; null: not held.';
comment on column whoop_raw.dated_cycles.woke_at is 'End of its sleep; null: not held, and the day is inferred.';
comment on column whoop_raw.dated_cycles.day_at is 'An instant on its local day.';
comment on column whoop_raw.dated_cycles.utc_offset_s is 'Seconds east of UTC at day_at; null: not known.';
