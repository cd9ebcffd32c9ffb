-- grain: one row per value of a scored WHOOP recovery: resting heart rate, HRV, SpO2, skin temperature
-- A recovery has no time of its own: it is dated at the waking from its sleep. Where that sleep is not held, the day is inferred: eight hours after
-- the start of its cycle (a cycle starts with falling asleep), else the day the record was made; the instant is then unknown.
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
        select c.source_id                                                        as raw_source_id
             , 'score.' || v.field                                                as raw_path
             , meta.row_id('whoop', c.account_id, c.source_id, 'recovery')        as event_id
             , v.metric_code
             , v.unit_raw
             , s.end_at                                                           as observed_at
             , coalesce(s.end_at, y.start_at + interval '8 hours', meta.instant(c.payload->>'created_at')) as day_at
             , case when s.end_at is not null then s.utc_offset_s
                    when y.start_at is not null then y.utc_offset_s end           as utc_offset_s
             , c.payload->'score'->>v.field                                       as value_raw
             , meta.number(c.payload->'score'->>v.field)                          as value_num
          from changed c
         cross join (values                                      -- units are fixed by WHOOP's documentation and are those of the dictionary
             ('heart_rate_resting', 'resting_heart_rate', 'bpm'),
             ('hrv_rmssd',          'hrv_rmssd_milli',    'ms'),  -- milliseconds of RMSSD, not thousandths
             ('spo2',               'spo2_percentage',    '%'),
             ('skin_temperature',   'skin_temp_celsius',  'Cel')) v (metric_code, field, unit_raw)
          left join (
            select user_id, account_id, source_id as sleep_id
                 , meta.instant_or_null(payload->>'end')                as end_at
                 , meta.offset_seconds(payload->>'timezone_offset')     as utc_offset_s
              from whoop_raw.sleeps
             where missing_since_run_id is null
          ) s on s.user_id = c.user_id and s.account_id = c.account_id and s.sleep_id = c.payload->>'sleep_id'
          left join (
            select user_id, account_id, source_id as cycle_id
                 , meta.instant_or_null(payload->>'start')              as start_at
                 , meta.offset_seconds(payload->>'timezone_offset')     as utc_offset_s
              from whoop_raw.cycles
             where missing_since_run_id is null
          ) y on y.user_id = c.user_id and y.account_id = c.account_id and y.cycle_id = c.payload->>'cycle_id'
         where c.payload->>'score_state' = 'SCORED'
           and c.payload->'score'->>v.field is not null
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
