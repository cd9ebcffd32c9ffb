-- grain: one row per body mass record with a value, in kilograms
select raw_source_id
     , meta.row_id('apple_health', account_id, raw_source_id, 'weigh-in') as event_id
     , 'weight'                                                          as metric_code
     , start_at                                                          as observed_at
     , case when end_at is distinct from start_at then end_at end        as end_at
     , meta.local_date(start_at, utc_offset_s)                           as local_date
     , value_num
     , value_raw
     , unit_raw
     , by_hand                                                           as is_self_reported
     , utc_offset_s
     , tz_name
     , tz_basis
     , flags
     , meta.quality(flags)                                               as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.by_hand then 'manual' end
           ], null) as flags
      from (
        select r.source_id                                    as raw_source_id
             , r.account_id
             , r.start_at
             , r.end_at
             , case r.unit
                 when 'kg' then r.value
                 when 'g'  then r.value / 1000
                 when 'lb' then r.value * 0.45359237          -- international pound
                 when 'st' then r.value * 6.35029318          -- 14 lb
                 else apple_health_raw.no_conversion(r.unit)  -- no unit: kilograms and pounds are both likely, so it is not guessed
               end                                            as value_num
             , r.value_text                                   as value_raw
             , r.unit                                         as unit_raw
             , coalesce(r.metadata->>'HKWasUserEntered' = '1', false) as by_hand
             , r.utc_offset_s
             , r.tz_name
             , r.tz_basis
          from changed r
         where r.type = 'HKQuantityTypeIdentifierBodyMass'
           and r.value is not null
      ) n
      join meta.metrics m on m.metric_code = 'weight'
  ) f
