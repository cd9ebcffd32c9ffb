-- grain: one row per value of an Oura sleep that counts: HRV, respiratory rate, and of the night its lowest heart rate
-- Dated at waking, as each is one value for the whole sleep. HRV is RMSSD. The lowest heart rate of the night is what Oura shows as the resting one.
-- 255 beats and 0 breaths mean that there is no value.
select raw_source_id
     , field                                                         as raw_path
     , event_id
     , metric_code
     , end_at                                                        as observed_at
     , meta.local_date(end_at, utc_offset_s)                         as local_date
     , value_num
     , value_raw
     , unit_raw
     , false                                                         as is_self_reported
     , case metric_code when 'heart_rate_resting' then 'lowest of the night' end as method
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when n.utc_offset_s is null then 'tz_unknown' end,
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end
           ], null) as flags
      from (
        select c.source_id                                           as raw_source_id
             , f.field
             , f.metric_code
             , f.unit_raw
             , meta.row_id('oura', c.account_id, c.source_id, 'sleep') as event_id
             , meta.instant(c.p->>'bedtime_end')                     as end_at
             , meta.said_offset(c.p->>'bedtime_end')                 as utc_offset_s
             , c.p->>f.field                                         as value_raw
             , nullif(meta.number(c.p->f.field), f.missing)          as value_num
          from (
            select account_id, source_id, payload::jsonb as p
              from changed
            offset 0  -- keeps the planner from parsing once for each use
          ) c
          join (values
              ('hrv_rmssd',          'average_hrv',       'ms',          null::double precision, null),
              ('respiratory_rate',   'average_breath',    'breaths/min', 0,                      null),
              ('heart_rate_resting', 'lowest_heart_rate', 'bpm',         255,                    'long_sleep')
            ) f (metric_code, field, unit_raw, missing, of_type) on f.of_type is null or f.of_type = c.p->>'type'
         where coalesce(c.p->>'type', '') not in ('rest', 'deleted')
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
     where n.value_num is not null
  ) f
