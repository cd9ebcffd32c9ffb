-- grain: one row per Oura sleep that counts: nights, naps and late naps, neither what was deleted nor what is no sleep (rest)
-- The night belongs to the day of waking by its own clock, Oura dates what ends at 18:00 or later to the next day, as detail keeps it.
-- Totals are Oura's own. The heart rate 255 means that there is none, and so does a breath rate of 0. HRV is RMSSD.
-- The hypnogram has a digit for each 30 seconds, or else for each 5 minutes, equal neighbours make one stretch, and the last digit may stand for
-- less than its step.
with night as (
  select r.raw_source_id
       , r.start_at
       , r.end_at
       , meta.said_offset(r.p->>'bedtime_start')                     as utc_offset_s
       , meta.said_offset(r.p->>'bedtime_end')                       as end_utc_offset_s
       , 'second'                                                    as time_precision
       , null::date                                                  as said_day
       , case r.type when 'long_sleep' then 'main' when 'sleep' then 'nap' when 'late_nap' then 'nap' else 'unknown' end as kind
       , round(meta.number(r.p->'time_in_bed'))::integer             as in_bed_s
       , round(meta.number(r.p->'total_sleep_duration'))::integer    as asleep_s
       , round(meta.number(r.p->'awake_time'))::integer              as awake_s
       , round(meta.number(r.p->'light_sleep_duration'))::integer    as light_s
       , round(meta.number(r.p->'deep_sleep_duration'))::integer     as deep_s
       , round(meta.number(r.p->'rem_sleep_duration'))::integer      as rem_s
       , null::integer                                               as unseen_s
       , 120                                                         as allowed_s
       , round(meta.number(r.p->'latency'))::integer                 as latency_s
       , meta.number(r.p->'efficiency')::real                        as efficiency_pct
       , nullif(meta.number(r.p->'average_heart_rate'), 255)::real   as hr_avg
       , nullif(meta.number(r.p->'lowest_heart_rate'), 255)::real    as hr_min
       , meta.number(r.p->'average_hrv')::real                       as hrv_rmssd_ms
       , nullif(meta.number(r.p->'average_breath'), 0)::real         as resp_rate
       , case when r.digits is not null or r.p->>'light_sleep_duration' is not null then 'stages' end as stage_scheme
       , true                                                        as is_final
       , '{}'::text[]                                                as odd
       , (select array_agg(row(r.user_id, r.sleep_id, s.seq, s.stage, s.digit, s.start_at, s.end_at)::canonical.sleep_stages)
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
          select c.source_id as raw_source_id, c.user_id, meta.row_id('oura', c.account_id, c.source_id, '') as sleep_id
               , c.payload::jsonb as p, c.payload->>'type' as type
            from changed c
          offset 0  -- keeps the planner from parsing once for each use
        ) j
       where j.type is null or j.type not in ('rest', 'deleted')
      offset 0
    ) r
  offset 0
)
