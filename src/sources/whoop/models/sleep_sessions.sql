-- grain: one row per WHOOP sleep, naps included
-- The night belongs to the day of waking. WHOOP gives one offset per record, which stands for both ends. Totals are WHOOP's own, milliseconds
-- made seconds. Asleep is light + slow wave + REM, which is how WHOOP's own efficiency counts it. Length and time in bed differ: never derive one
-- from the other. Without a score (pending or unscorable) totals and scheme are unknown, not 0.
with night as (
  select s.*
       , s.light_s + s.deep_s + s.rem_s                                  as asleep_s
    from (
      select r.raw_source_id
           , meta.instant(r.p->>'start')                                     as start_at
           , meta.instant(r.p->>'end')                                       as end_at
           , r.utc_offset_s
           , r.utc_offset_s                                                  as end_utc_offset_s
           , 'ms'                                                            as time_precision
           , null::date                                                      as said_day
           , case r.p->>'nap' when 'true' then 'nap' when 'false' then 'main' else 'unknown' end as kind
           -- ms -> s
           , round(meta.number(r.stages->'total_in_bed_time_milli') / 1000)::integer          as in_bed_s
           , round(meta.number(r.stages->'total_awake_time_milli') / 1000)::integer           as awake_s
           , round(meta.number(r.stages->'total_no_data_time_milli') / 1000)::integer         as unseen_s
           , round(meta.number(r.stages->'total_light_sleep_time_milli') / 1000)::integer     as light_s
           , round(meta.number(r.stages->'total_slow_wave_sleep_time_milli') / 1000)::integer as deep_s
           , round(meta.number(r.stages->'total_rem_sleep_time_milli') / 1000)::integer       as rem_s
           , 120                                                             as allowed_s
           , meta.number(r.scored->'sleep_efficiency_percentage')::real      as efficiency_pct
           , null::real                                                      as hr_avg
           , null::real                                                      as hr_min
           , null::real                                                      as hrv_rmssd_ms
           , meta.number(r.scored->'respiratory_rate')::real                 as resp_rate
           , meta.number(r.scored->'sleep_performance_percentage')::real     as score
           , case when r.scored is not null then 'stages' end                as stage_scheme
           , r.p->>'score_state' is distinct from 'PENDING_SCORE'            as is_final
           , '{}'::text[]                                                    as odd
           , jsonb_strip_nulls(jsonb_build_object(
               'score_state',       r.p->'score_state',
               'cycle_id',          r.p->'cycle_id',
               'sleep_cycles',      r.stages->'sleep_cycle_count',
               'disturbances',      r.stages->'disturbance_count',
               'no_data_s',         round(meta.number(r.stages->'total_no_data_time_milli') / 1000),
               'consistency_pct',   r.scored->'sleep_consistency_percentage',
               -- need is the sum of its four parts, ms -> s, unknown if one of them is
               'sleep_need_s',      round((meta.number(r.need->'baseline_milli')
                                         + meta.number(r.need->'need_from_sleep_debt_milli')
                                         + meta.number(r.need->'need_from_recent_strain_milli')
                                         + meta.number(r.need->'need_from_recent_nap_milli')) / 1000),
               'need_baseline_s',   round(meta.number(r.need->'baseline_milli') / 1000),
               'need_debt_s',       round(meta.number(r.need->'need_from_sleep_debt_milli') / 1000),
               'need_strain_s',     round(meta.number(r.need->'need_from_recent_strain_milli') / 1000),
               'need_nap_s',        round(meta.number(r.need->'need_from_recent_nap_milli') / 1000)))     as detail
        from (
          select q.raw_source_id, q.p, q.scored, q.scored->'stage_summary' as stages, q.scored->'sleep_needed' as need
               , meta.offset_seconds(q.p->>'timezone_offset') as utc_offset_s
            from (
              select j.raw_source_id
                   , j.p
                   , case when j.p->>'score_state' = 'SCORED' and jsonb_typeof(j.p->'score') = 'object' then j.p->'score' end as scored
                from (
                  select c.source_id as raw_source_id, c.payload::jsonb as p
                    from changed c
                  offset 0  -- keeps the planner from parsing once for each use
                ) j
              offset 0
            ) q
          offset 0
        ) r
      offset 0
    ) s
)
