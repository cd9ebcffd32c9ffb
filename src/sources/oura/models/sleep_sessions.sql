-- grain: one row per Oura sleep that counts: nights, naps and late naps, neither what was deleted nor what is no sleep (rest)
-- The night belongs to the day of waking by its own clock, Oura dates what ends at 18:00 or later to the next day, as detail keeps it.
-- Totals are Oura's own. The heart rate 255 means that there is none, and so does a breath rate of 0. HRV is RMSSD.
-- The hypnogram has a digit for each 30 seconds, or else for each 5 minutes, equal neighbours make one stretch, and the last digit may stand for
-- less than its step.
select raw_source_id
     , start_at
     , end_at
     , utc_offset_s
     , end_utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end        as tz_basis
     , 'second'                                                            as time_precision
     , meta.local_date(end_at, end_utc_offset_s)                           as local_date
     , case type when 'long_sleep' then 'main' when 'sleep' then 'nap' when 'late_nap' then 'nap' else 'unknown' end as kind
     , in_bed_s
     , asleep_s
     , awake_s
     , light_s
     , deep_s
     , rem_s
     , latency_s
     , efficiency_pct
     , hr_avg
     , hr_min
     , hrv_rmssd_ms
     , resp_rate
     , case when stages is not null or light_s is not null then 'stages' end as stage_scheme
     , stages
     , detail
     , flags
     , meta.quality(flags)                                                 as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.asleep_s, asleep.plausible_lo, asleep.plausible_hi)
                    or meta.implausible(n.in_bed_s, in_bed.plausible_lo, in_bed.plausible_hi)
                    or meta.implausible(n.efficiency_pct, efficiency.plausible_lo, efficiency.plausible_hi)
                    or meta.implausible(n.hr_min, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(n.hr_avg, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(n.hrv_rmssd_ms, hrv.plausible_lo, hrv.plausible_hi)
                    or meta.implausible(n.resp_rate, breath.plausible_lo, breath.plausible_hi) then 'implausible' end,
             -- parts that do not make the whole, two minutes allowed
             case when abs(n.light_s + n.deep_s + n.rem_s + n.awake_s - n.in_bed_s) > 120 then 'stage_sum_mismatch' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select r.raw_source_id
             , r.type
             , r.start_at
             , r.end_at
             , meta.said_offset(r.p->>'bedtime_start')                     as utc_offset_s
             , meta.said_offset(r.p->>'bedtime_end')                       as end_utc_offset_s
             , round(meta.number(r.p->'time_in_bed'))::integer             as in_bed_s
             , round(meta.number(r.p->'total_sleep_duration'))::integer    as asleep_s
             , round(meta.number(r.p->'awake_time'))::integer              as awake_s
             , round(meta.number(r.p->'light_sleep_duration'))::integer    as light_s
             , round(meta.number(r.p->'deep_sleep_duration'))::integer     as deep_s
             , round(meta.number(r.p->'rem_sleep_duration'))::integer      as rem_s
             , round(meta.number(r.p->'latency'))::integer                 as latency_s
             , meta.number(r.p->'efficiency')::real                        as efficiency_pct
             , nullif(meta.number(r.p->'average_heart_rate'), 255)::real   as hr_avg
             , nullif(meta.number(r.p->'lowest_heart_rate'), 255)::real    as hr_min
             , meta.number(r.p->'average_hrv')::real                       as hrv_rmssd_ms
             , nullif(meta.number(r.p->'average_breath'), 0)::real         as resp_rate
             , (select jsonb_agg(jsonb_build_object(
                         'seq', s.seq, 'stage', s.stage, 'stage_raw', s.digit, 'start_at', s.start_at, 'end_at', s.end_at) order by s.seq)
                  from meta.runs_of_digits(r.digits, r.start_at, r.end_at, r.step_s, '{"1": "deep", "2": "light", "3": "rem", "4": "awake"}') s) as stages
             , jsonb_strip_nulls(jsonb_build_object(
                 'type',                  r.p->'type',
                 'day',                   r.p->'day',
                 'period',                r.p->'period',
                 'restless_periods',      r.p->'restless_periods',
                 'algorithm_version',     r.p->'sleep_algorithm_version',
                 'analysis_reason',       r.p->'sleep_analysis_reason',
                 'low_battery_alert',     r.p->'low_battery_alert',
                 'readiness_score_delta', r.p->'readiness_score_delta',
                 'sleep_score_delta',     r.p->'sleep_score_delta'))       as detail
          from (
            select j.*
                 , meta.instant(j.p->>'bedtime_start')                     as start_at
                 , meta.instant(j.p->>'bedtime_end')                       as end_at
                 , coalesce(nullif(j.p->>'sleep_phase_30_sec', ''), nullif(j.p->>'sleep_phase_5_min', '')) as digits
                 , case when j.p->>'sleep_phase_30_sec' <> '' then 30 else 300 end as step_s
              from (
                select c.source_id as raw_source_id, c.payload::jsonb as p, c.payload->>'type' as type
                  from changed c
                offset 0  -- keeps the planner from parsing once for each use
              ) j
             where j.type is null or j.type not in ('rest', 'deleted')
            offset 0
          ) r
        offset 0
      ) n
      -- joined once, where a lookup for each row takes longer than all the rest
      left join meta.metrics asleep     on asleep.metric_code = 'sleep_time'
      left join meta.metrics in_bed     on in_bed.metric_code = 'sleep_in_bed_time'
      left join meta.metrics efficiency on efficiency.metric_code = 'sleep_efficiency'
      left join meta.metrics rate       on rate.metric_code = 'heart_rate'
      left join meta.metrics hrv        on hrv.metric_code = 'hrv_rmssd'
      left join meta.metrics breath     on breath.metric_code = 'respiratory_rate'
    offset 0
  ) f
