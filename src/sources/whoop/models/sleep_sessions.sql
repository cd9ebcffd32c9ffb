-- grain: one row per WHOOP sleep, naps included
-- The night belongs to the day of waking. WHOOP gives one offset per record, which stands for both ends. Totals are WHOOP's own, milliseconds
-- made seconds. Asleep is light + slow wave + REM, which is how WHOOP's own efficiency counts it. Length and time in bed differ: never derive one
-- from the other. Without a score (pending or unscorable) totals and scheme are unknown, not 0.
select raw_source_id
     , start_at
     , end_at
     , utc_offset_s
     , utc_offset_s                                                        as end_utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end        as tz_basis
     , 'ms'                                                                as time_precision
     , meta.local_date(end_at, utc_offset_s)                               as local_date
     , case when nap then 'nap' when not nap then 'main' else 'unknown' end as kind
     , in_bed_s
     , light_s + deep_s + rem_s                                            as asleep_s
     , awake_s
     , light_s
     , deep_s
     , rem_s
     , efficiency_pct
     , resp_rate
     , score
     , case when scored is not null then 'stages' end                      as stage_scheme
     , score_state is distinct from 'PENDING_SCORE'                        as is_final
     , detail
     , flags
     , meta.quality(flags)                                                 as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.light_s + n.deep_s + n.rem_s, asleep.plausible_lo, asleep.plausible_hi)
                    or meta.implausible(n.in_bed_s, in_bed.plausible_lo, in_bed.plausible_hi)
                    or meta.implausible(n.light_s, light.plausible_lo, light.plausible_hi)
                    or meta.implausible(n.deep_s, deep.plausible_lo, deep.plausible_hi)
                    or meta.implausible(n.rem_s, rem.plausible_lo, rem.plausible_hi)
                    or meta.implausible(n.efficiency_pct, efficiency.plausible_lo, efficiency.plausible_hi)
                    or meta.implausible(n.resp_rate, breath.plausible_lo, breath.plausible_hi) then 'implausible' end,
             -- parts that do not make the whole (two minutes allowed), or more time in bed than there was (one minute)
             case when abs(n.light_s + n.deep_s + n.rem_s + n.awake_s + n.no_data_s - n.in_bed_s) > 120
                    or n.in_bed_s > extract(epoch from n.end_at - n.start_at) + 60 then 'stage_sum_mismatch' end,
             case when n.score_state = 'PENDING_SCORE' then 'tentative' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select r.raw_source_id
             , meta.instant(r.p->>'start')                                     as start_at
             , meta.instant(r.p->>'end')                                       as end_at
             , meta.offset_seconds(r.p->>'timezone_offset')                    as utc_offset_s
             , (r.p->>'nap')::boolean                                          as nap
             , r.p->>'score_state'                                             as score_state
             , r.scored
             -- ms -> s
             , round(meta.number(r.stages->'total_in_bed_time_milli') / 1000)::integer          as in_bed_s
             , round(meta.number(r.stages->'total_awake_time_milli') / 1000)::integer           as awake_s
             , round(meta.number(r.stages->'total_no_data_time_milli') / 1000)::integer         as no_data_s
             , round(meta.number(r.stages->'total_light_sleep_time_milli') / 1000)::integer     as light_s
             , round(meta.number(r.stages->'total_slow_wave_sleep_time_milli') / 1000)::integer as deep_s
             , round(meta.number(r.stages->'total_rem_sleep_time_milli') / 1000)::integer       as rem_s
             , meta.number(r.scored->'sleep_efficiency_percentage')::real     as efficiency_pct
             , meta.number(r.scored->'respiratory_rate')::real                as resp_rate
             , meta.number(r.scored->'sleep_performance_percentage')::real    as score
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
      ) n
      -- joined once, where a lookup for each row takes longer than all the rest
      left join meta.metrics asleep     on asleep.metric_code = 'sleep_time'
      left join meta.metrics in_bed     on in_bed.metric_code = 'sleep_in_bed_time'
      left join meta.metrics light      on light.metric_code = 'sleep_light_time'
      left join meta.metrics deep       on deep.metric_code = 'sleep_deep_time'
      left join meta.metrics rem        on rem.metric_code = 'sleep_rem_time'
      left join meta.metrics efficiency on efficiency.metric_code = 'sleep_efficiency'
      left join meta.metrics breath     on breath.metric_code = 'respiratory_rate'
    offset 0
  ) f
