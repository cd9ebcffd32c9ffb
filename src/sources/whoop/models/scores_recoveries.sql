-- grain: one row per scored WHOOP recovery
-- Colours as in WHOOP's app, which shows whole numbers: red to 33, yellow to 66, green from 67.
select raw_source_id
     , 'score.recovery_score'                                        as raw_path
     , 'recovery'                                                    as kind
     , meta.local_date(day_at, utc_offset_s)                         as local_date
     , observed_at
     , value_num
     , 0::real                                                       as scale_lo
     , 100::real                                                     as scale_hi
     , case when value_num >= 66.5 then 'green' when value_num >= 33.5 then 'yellow' when value_num is not null then 'red' end as level
     , components
     , sleep_id
     , true                                                          as is_final
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , case when observed_at is null then 'day' else 'ms' end        as time_precision
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, 0, 100) then 'implausible' end,
             case when n.observed_at is null then 'day_inferred' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select d.source_id                                                      as raw_source_id
             , d.woke_at                                                        as observed_at
             , d.day_at
             , d.utc_offset_s
             , meta.row_id('whoop', d.account_id, d.sleep_source_id, '')       as sleep_id
             , meta.number(d.score->'recovery_score')::real                    as value_num
             , jsonb_strip_nulls(jsonb_build_object(
                 'user_calibrating',   d.score->'user_calibrating',
                 'resting_heart_rate', d.score->'resting_heart_rate',
                 'hrv_rmssd_ms',       d.score->'hrv_rmssd_milli',
                 'spo2_pct',           d.score->'spo2_percentage',
                 'skin_temp_c',        d.score->'skin_temp_celsius'))           as components
          from changed c
          join whoop_raw.dated_recoveries d
            on d.user_id = c.user_id and d.account_id = c.account_id and d.source_id = c.source_id
         where d.score_state = 'SCORED'
           and d.score->>'recovery_score' is not null
        offset 0  -- keeps the planner from computing once for each use
      ) n
  ) f
