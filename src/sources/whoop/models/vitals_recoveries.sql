-- grain: one row per value of a scored WHOOP recovery: resting heart rate, HRV, SpO2, skin temperature
-- Where its sleep is not held, the day is inferred and the instant unknown.
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
        select d.source_id                                                 as raw_source_id
             , 'score.' || v.field                                         as raw_path
             , meta.row_id('whoop', d.account_id, d.source_id, 'recovery') as event_id
             , v.metric_code
             , v.unit_raw
             , d.woke_at                                                   as observed_at
             , d.day_at
             , d.utc_offset_s
             , d.score->>v.field                                           as value_raw
             , meta.number(d.score->v.field)                              as value_num
          from changed c
          join whoop_raw.dated_recoveries d
            on d.user_id = c.user_id and d.account_id = c.account_id and d.source_id = c.source_id
         cross join (values                                      -- units are fixed by WHOOP's documentation and are those of the dictionary
             ('heart_rate_resting', 'resting_heart_rate', 'bpm'),
             ('hrv_rmssd',          'hrv_rmssd_milli',    'ms'),  -- milliseconds of RMSSD, not thousandths
             ('spo2',               'spo2_percentage',    '%'),
             ('skin_temperature',   'skin_temp_celsius',  'Cel')) v (metric_code, field, unit_raw)
         where d.score_state = 'SCORED'
           and d.score->>v.field is not null
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
