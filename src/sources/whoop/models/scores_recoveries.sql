-- grain: one row per scored WHOOP recovery
-- Dated like the vitals of the recovery: at the waking from its sleep. Where that sleep is not held, eight hours after the start of its cycle, else
-- the day the record was made. Colours as in WHOOP's app, which shows whole numbers: red to 33, yellow to 66, green from 67.
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
        select d.raw_source_id
             , d.woke_at                                                        as observed_at
             , coalesce(d.woke_at, d.began_at + interval '8 hours', meta.instant(d.created_at)) as day_at
             , case when d.woke_at is not null then d.woke_offset_s
                    when d.began_at is not null then d.began_offset_s end       as utc_offset_s
             , case when d.woke_at is not null then d.sleep_id end              as sleep_id
             , meta.number(d.score->'recovery_score')::real                    as value_num
             , jsonb_strip_nulls(jsonb_build_object(
                 'user_calibrating',   d.score->'user_calibrating',
                 'resting_heart_rate', d.score->'resting_heart_rate',
                 'hrv_rmssd_ms',       d.score->'hrv_rmssd_milli',
                 'spo2_pct',           d.score->'spo2_percentage',
                 'skin_temp_c',        d.score->'skin_temp_celsius'))           as components
          from (
            select c.source_id                                                 as raw_source_id
                 , c.p->'score'                                                  as score
                 , c.p->>'created_at'                                            as created_at
                 , meta.row_id('whoop', c.account_id, s.source_id, '')         as sleep_id
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
               and c.p->'score'->>'recovery_score' is not null
            offset 0
          ) d
        offset 0
      ) n
  ) f
