-- grain: one row per value of a scored WHOOP recovery: resting heart rate, HRV, SpO2, skin temperature
-- A recovery has no time of its own: it is dated at the waking from its sleep. Where that sleep is not held, the day is inferred: eight hours after
-- the start of its cycle (a cycle starts with falling asleep), else the day the record was made. The instant is then unknown.
select raw_source_id
     , raw_path
     , event_id
     , metric_code
     , observed_at
     , meta.local_date(day_at, utc_offset_s)                         as local_date
     , value_num
     , value_raw
     , unit_raw
     , false                                                         as is_self_reported
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , case when observed_at is null then 'day' else 'ms' end        as time_precision
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.observed_at is null then 'day_inferred' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select d.raw_source_id
             , 'score.' || v.field             as raw_path
             , d.event_id
             , v.metric_code
             , v.unit_raw
             , d.woke_at                       as observed_at
             , coalesce(d.woke_at, d.began_at + interval '8 hours', meta.instant(d.created_at)) as day_at
             , case when d.woke_at is not null then d.woke_offset_s
                    when d.began_at is not null then d.began_offset_s end                       as utc_offset_s
             , d.score->>v.field               as value_raw
             , meta.number(d.score->v.field)  as value_num
          from (
            select c.source_id                                                 as raw_source_id
                 , meta.row_id('whoop', c.account_id, c.source_id, 'recovery') as event_id
                 , c.p->'score'                                                  as score
                 , c.p->>'created_at'                                            as created_at
                 , n.woke_at
                 , meta.offset_seconds(n.timezone_offset)                        as woke_offset_s
                 , meta.instant_or_null(b.start)                                 as began_at
                 , meta.offset_seconds(b.timezone_offset)                        as began_offset_s
              from (
                select user_id, account_id, source_id, payload::jsonb as p
                  from changed
                offset 0  -- keeps the planner from parsing once for each use
              ) c
              left join whoop_raw.sleeps s
                on s.user_id = c.user_id and s.account_id = c.account_id and s.source_id = c.p->>'sleep_id'
               and s.missing_since_run_id is null
              left join lateral (
                select meta.instant_or_null("end") as woke_at, timezone_offset
                  from json_to_record(s.payload) as n ("end" text, timezone_offset text)
                offset 0
              ) n on true
              left join whoop_raw.cycles y  -- looked at only where the sleep gives no day
                on y.user_id = c.user_id and y.account_id = c.account_id and y.source_id = c.p->>'cycle_id'
               and y.missing_since_run_id is null
              left join lateral json_to_record(case when n.woke_at is null then y.payload end)
                     as b (start text, timezone_offset text) on true
             where c.p->>'score_state' = 'SCORED'
            offset 0
          ) d
         cross join (values                                      -- units are fixed by WHOOP's documentation and are those of the dictionary
             ('heart_rate_resting', 'resting_heart_rate', 'bpm'),
             ('hrv_rmssd',          'hrv_rmssd_milli',    'ms'),  -- milliseconds of RMSSD, not thousandths
             ('spo2',               'spo2_percentage',    '%'),
             ('skin_temperature',   'skin_temp_celsius',  'Cel')) v (metric_code, field, unit_raw)
         where d.score->>v.field is not null
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
