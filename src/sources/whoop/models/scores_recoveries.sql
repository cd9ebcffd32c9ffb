-- grain: one row per scored WHOOP recovery
-- Dated like the vitals of the recovery: at the waking from its sleep; where that sleep is not held, eight hours after the start of its cycle, else
-- the day the record was made. Colours as in WHOOP's app: red to 33, yellow to 66, green from 67.
select raw_source_id
     , 'score.recovery_score'                                        as raw_path
     , 'recovery'                                                    as kind
     , meta.local_date(day_at, utc_offset_s)                         as local_date
     , observed_at
     , value_num
     , 0::real                                                       as scale_lo
     , 100::real                                                     as scale_hi
     , case when value_num >= 67 then 'green' when value_num >= 34 then 'yellow' when value_num is not null then 'red' end as level
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
        select c.source_id                                                        as raw_source_id
             , s.end_at                                                           as observed_at
             , coalesce(s.end_at, y.start_at + interval '8 hours', meta.instant(c.payload->>'created_at')) as day_at
             , case when s.end_at is not null then s.utc_offset_s
                    when y.start_at is not null then y.utc_offset_s end           as utc_offset_s
             , case when s.end_at is not null
                    then meta.row_id('whoop', c.account_id, s.sleep_id, '') end   as sleep_id
             , meta.number(c.payload->'score'->>'recovery_score')::real           as value_num
             , jsonb_strip_nulls(jsonb_build_object(
                 'user_calibrating',   c.payload->'score'->'user_calibrating',
                 'resting_heart_rate', c.payload->'score'->'resting_heart_rate',
                 'hrv_rmssd_ms',       c.payload->'score'->'hrv_rmssd_milli',
                 'spo2_pct',           c.payload->'score'->'spo2_percentage',
                 'skin_temp_c',        c.payload->'score'->'skin_temp_celsius'))  as components
          from changed c
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
           and c.payload->'score'->>'recovery_score' is not null
      ) n
  ) f
