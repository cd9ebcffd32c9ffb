-- grain: one row per sleep, nap or main, of any device or app that Google Health has
-- The night belongs to the day of waking by its own clock. Totals are Google's own, in a summary that names the period what is left out is zero, one
-- that does not says nothing. Efficiency is not given: it is the share of the period asleep. Short awakenings lie over the stages, and stay in detail
-- with the segments out of bed. What lies outside the sleep is cut off, and a stage that another begins in ends there, which is flagged. A sleep that
-- is not processed has no stages yet, and will be read again.
with night as (
  select n.*
       , case when scheme = 'classic' then asleep_s end        as asleep_unstaged_s
       , case when stages is not null then scheme end          as stage_scheme
    from (
      select r.raw_source_id
           , 'second'                                              as time_precision
           , r.start_at
           , r.end_at
           , google_health_raw.seconds(r.p#>>'{interval,startUtcOffset}')::integer as utc_offset_s
           , google_health_raw.seconds(r.p#>>'{interval,endUtcOffset}')::integer   as end_utc_offset_s
           , google_health_raw.civil_date(r.p#>'{interval,civilEndTime,date}')     as said_day
           , case when r.p#>>'{metadata,nap}' = 'true' then 'nap' when r.p#>>'{metadata,mainSleep}' = 'true' then 'main' else 'unknown' end as kind
           , case r.p->>'type' when 'STAGES' then 'stages' when 'CLASSIC' then 'classic' end as scheme
           , r.p#>>'{metadata,processed}' is not distinct from 'true' as is_final
           , array[case when r.origin->>'recordingMethod' = 'MANUAL' or r.p#>>'{metadata,manuallyEdited}' = 'true' then 'manual' end,
                   case when g.do_overlap then 'stage_sum_mismatch' end] as odd
           , 240                                                   as allowed_s  -- minutes, each rounded by itself
           , null::integer                                         as unseen_s
           , null::real                                            as hr_avg
           , null::real                                            as hr_min
           , null::real                                            as hrv_rmssd_ms
           , null::real                                            as resp_rate
           , s.*
           , (100.0 * s.asleep_s / nullif(s.in_bed_s, 0))::real    as efficiency_pct
           , g.stages
           , jsonb_strip_nulls(jsonb_build_object(
               'platform',          r.origin->'platform',
               'device',            r.origin#>'{device,displayName}',
               'app',               r.origin#>'{application,packageName}',
               'type',              r.p->'type',
               'stages_status',     r.p#>'{metadata,stagesStatus}',
               'external_id',       r.p#>'{metadata,externalId}',
               'manually_edited',   r.p#>'{metadata,manuallyEdited}',
               'minutes_after_wake_up', r.p#>'{summary,minutesAfterWakeUp}',
               'stages_summary',    r.p#>'{summary,stagesSummary}',
               'short_awakenings',  r.p->'shortAwakenings',
               'out_of_bed',        r.p->'outOfBedSegments'))      as detail
        from (
          select k.*, meta.instant(k.p#>>'{interval,startTime}') as start_at, meta.instant(k.p#>>'{interval,endTime}') as end_at
            from (
              select c.source_id as raw_source_id, c.user_id, meta.row_id('google_health', c.account_id, c.source_id, '') as sleep_id
                   , j.p->'sleep' as p, j.p->'dataSource' as origin
                from changed c
               cross join lateral (select c.payload::jsonb as p offset 0) j  -- keeps the planner from parsing once for each use
              offset 0
            ) k
          offset 0
        ) r
       cross join lateral (
          select (60 * y.period)::integer                          as in_bed_s
               , case when y.period is not null then (60 * coalesce(meta.number(r.p#>'{summary,minutesAsleep}'), 0))::integer end       as asleep_s
               , case when y.period is not null then (60 * coalesce(meta.number(r.p#>'{summary,minutesAwake}'), 0))::integer end        as awake_s
               , case when y.period is not null then (60 * coalesce(meta.number(r.p#>'{summary,minutesToFallAsleep}'), 0))::integer end as latency_s
               , max(m.seconds) filter (where m.said = 'LIGHT')    as light_s
               , max(m.seconds) filter (where m.said = 'DEEP')     as deep_s
               , max(m.seconds) filter (where m.said = 'REM')      as rem_s
            from (select meta.number(r.p#>'{summary,minutesInSleepPeriod}') as period) y
            left join lateral (
              select e->>'type' as said, (60 * coalesce(meta.number(e->'minutes'), 0))::integer as seconds
                from jsonb_array_elements(nullif(r.p#>'{summary,stagesSummary}', 'null')) e
            ) m on true
           group by y.period
        ) s
       cross join lateral (
          select array_agg(row(r.user_id, r.sleep_id, o.seq, o.stage, o.said, o.start_at, o.until)::canonical.sleep_stages)
                   filter (where o.until > o.start_at)             as stages
               , bool_or(o.until < o.end_at)                       as do_overlap
            from (
              select u.*, count(*) filter (where u.until > u.start_at) over (order by u.start_at, u.end_at, u.said rows unbounded preceding) - 1 as seq
                from (
                  select t.*, least(t.end_at, lead(t.start_at) over (order by t.start_at, t.end_at, t.said)) as until
                    from (
                      -- each step by itself: a condition on an instant would work it out once more
                      select greatest(meta.instant(w.said_start), r.start_at) as start_at
                           , least(meta.instant(w.said_end), r.end_at)        as end_at
                           , w.said
                           , case w.said when 'AWAKE' then 'awake' when 'LIGHT' then 'light' when 'DEEP' then 'deep' when 'REM' then 'rem'
                                         when 'ASLEEP' then 'asleep' when 'RESTLESS' then 'restless' else 'unknown' end as stage
                        from (
                          select e->>'startTime' as said_start, e->>'endTime' as said_end, e->>'type' as said
                            from jsonb_array_elements(nullif(r.p->'stages', 'null')) e
                          offset 0
                        ) w
                      offset 0
                    ) t
                   where t.end_at > t.start_at
                ) u
            ) o
        ) g
      offset 0
    ) n
)
