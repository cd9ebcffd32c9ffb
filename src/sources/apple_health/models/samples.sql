-- grain: one row per step count or heart rate record with a value
-- Phone and watch both count the same steps: each keeps its rows, and choosing is the work of views.
select raw_source_id
     , metric_code
     , start_at
     , end_at
     , uuid_send(meta.row_id('apple_health', account_id, raw_source_id, '')) as sample_key
     , meta.local_date(start_at, utc_offset_s)                               as local_date
     , value_num
     , unit_raw
     , value_raw
     , context
     , utc_offset_s
     , tz_name
     , tz_basis
     , flags
     , meta.quality(flags)                                                   as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.unit_raw is null then 'unit_assumed' end,
             case when n.by_hand then 'manual' end
           ], null) as flags
      from (
        select r.source_id                                         as raw_source_id
             , r.account_id
             , k.metric_code
             , r.start_at
             , case when r.end_at is distinct from r.start_at then r.end_at end as end_at  -- a point in time has no end
             , case
                 when r.unit is null                                             then r.value
                 when k.metric_code = 'steps'      and r.unit = 'count'          then r.value
                 when k.metric_code = 'heart_rate' and r.unit in ('count/min', 'bpm') then r.value
                 when k.metric_code = 'heart_rate' and r.unit = 'count/s'        then r.value * 60
                 else apple_health_raw.no_conversion(r.unit)
               end                                                 as value_num
             , r.unit                                              as unit_raw
             , r.value_text                                        as value_raw
             , case r.metadata->>'HKMetadataKeyHeartRateMotionContext'
                 when '1' then '{"motion": "sedentary"}'::jsonb
                 when '2' then '{"motion": "active"}'
               end                                                 as context
             , coalesce(r.metadata->>'HKWasUserEntered' = '1', false) as by_hand
             , r.utc_offset_s
             , r.tz_name
             , r.tz_basis
          from changed r
          join (values ('HKQuantityTypeIdentifierStepCount', 'steps'),
                       ('HKQuantityTypeIdentifierHeartRate', 'heart_rate')) k (type, metric_code) on k.type = r.type
         where r.value is not null
      ) n
      join meta.metrics m on m.metric_code = n.metric_code
  ) f
