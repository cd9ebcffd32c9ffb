, night as (
  select r.source_id                                                 as raw_source_id
       , r.start_at
       , r.end_at
       , r.utc_offset_s
       , r.end_utc_offset_s
       , case when r.utc_offset_s is not null then r.p->>'timezone' end as tz_name
       , meta.day(r.p->>'date')                                        as said_day
       , 'second'                                                    as time_precision
       , case when r.is_longest then 'main' else 'nap' end             as kind
       , round(meta.number(r.d->'total_timeinbed'))::integer         as in_bed_s
       , round(coalesce(meta.number(r.d->'total_sleep_time'), meta.number(r.d->'asleepduration')))::integer as asleep_s
       , round(meta.number(r.d->'asleepduration'))::integer          as asleep_unstaged_s
       , round(meta.number(r.d->'wakeupduration'))::integer          as awake_s
       , round(meta.number(r.d->'lightsleepduration'))::integer      as light_s
       , round(meta.number(r.d->'deepsleepduration'))::integer       as deep_s
       , round(meta.number(r.d->'remsleepduration'))::integer        as rem_s
       , round(meta.number(coalesce(nullif(r.d->'sleep_latency', 'null'), r.d->'durationtosleep')))::integer as latency_s
       , round(meta.number(r.d->'waso'))::integer                    as waso_s
       , round(meta.number(r.d->'wakeupcount'))::integer             as awakenings
       , (meta.number(r.d->'sleep_efficiency') * 100)::real          as efficiency_pct  -- a share of one
       , nullif(meta.number(r.d->'hr_average'), 0)::real             as hr_avg
       , nullif(meta.number(r.d->'hr_min'), 0)::real                 as hr_min
       , null::real                                                  as hrv_rmssd_ms  -- at the start and at the end of the night, in detail
       , nullif(meta.number(r.d->'rr_average'), 0)::real             as resp_rate
       , null::integer                                               as unseen_s
       , null::integer                                               as allowed_s
       , meta.number(r.d->'sleep_score')::real                       as score
       , r.p->>'completed' is distinct from 'false'                  as is_final
       , array[case when r.is_copy then 'foreign_copy' end, case when g.do_overlap then 'stage_sum_mismatch' end] as odd
       , g.stages
       , case when g.stages is not null or r.d->>'lightsleepduration' is not null then 'stages'
              when r.d->>'asleepduration' is not null then 'asleep_only' end as stage_scheme
       , jsonb_strip_nulls(jsonb_build_object(
           'writer',                   case when r.is_copy then 'other' end,
           'stages_digest',            md5(g.stages::text),  -- stages that came later make a new row of the same totals
           'model',                    r.p->'model',
           'model_id',                 r.p->'model_id',
           'device',                   r.p->'hash_deviceid',
           'hr_max',                   r.d->'hr_max',
           'rr_min',                   r.d->'rr_min',
           'rr_max',                   r.d->'rr_max',
           'wakeup_latency_s',         coalesce(nullif(r.d->'wakeup_latency', 'null'), r.d->'durationtowakeup'),
           'rem_episodes',             r.d->'nb_rem_episodes',
           'out_of_bed_count',         r.d->'out_of_bed_count',
           'snoring_s',                r.d->'snoring',
           'snoring_episodes',         r.d->'snoringepisodecount',
           'breathing_sounds_s',       r.d->'breathing_sounds',
           'breathing_sounds_episodes', r.d->'breathing_sounds_episode_count',
           'rmssd_start_avg_ms',       r.d->'rmssd_start_avg',
           'rmssd_end_avg_ms',         r.d->'rmssd_end_avg',
           'night_events',             r.d->'night_events'))         as detail
    from nights r
    left join staged g on g.source_id = r.source_id
  offset 0
)
