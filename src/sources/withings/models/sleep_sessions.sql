select raw_source_id
     , start_at
     , end_at
     , utc_offset_s
     , end_utc_offset_s
     , tz_name
     , case when utc_offset_s is null then 'none' else 'record' end        as tz_basis
     , 'second'                                                            as time_precision
     , coalesce(said_day, meta.local_date(end_at, end_utc_offset_s))       as local_date
     , case when is_longest then 'main' else 'nap' end                     as kind
     , in_bed_s
     , coalesce(asleep_s, unstaged_s)                                      as asleep_s
     , awake_s
     , light_s
     , deep_s
     , rem_s
     , unstaged_s                                                          as asleep_unstaged_s
     , latency_s
     , waso_s
     , awakenings
     , efficiency_pct
     , hr_avg
     , hr_min
     , resp_rate
     , score
     , case when stages is not null or light_s is not null then 'stages' when unstaged_s is not null then 'asleep_only' end as stage_scheme
     , is_final
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
                    or meta.implausible(n.resp_rate, breath.plausible_lo, breath.plausible_hi) then 'implausible' end,
             case when not n.is_final then 'tentative' end,
             case when n.is_copy then 'foreign_copy' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select r.source_id                                                 as raw_source_id
             , r.start_at
             , r.end_at
             , r.utc_offset_s
             , r.end_utc_offset_s
             , case when r.utc_offset_s is not null then r.p->>'timezone' end as tz_name
             , (r.p->>'date')::date                                        as said_day
             , l.source_id is not null                                     as is_longest
             , round(meta.number(r.d->'total_timeinbed'))::integer         as in_bed_s
             , round(meta.number(r.d->'total_sleep_time'))::integer        as asleep_s
             , round(meta.number(r.d->'asleepduration'))::integer          as unstaged_s
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
             , nullif(meta.number(r.d->'rr_average'), 0)::real             as resp_rate
             , meta.number(r.d->'sleep_score')::real                       as score
             , r.p->>'completed' is distinct from 'false'                  as is_final
             , r.is_copy
             , g.stages
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
          left join longest l on l.user_id = r.user_id and l.account_id = r.account_id and l.source_id = r.source_id
          left join staged g on g.source_id = r.source_id
        offset 0
      ) n
      -- joined once, where a lookup for each row takes longer than all the rest
      left join meta.metrics asleep     on asleep.metric_code = 'sleep_time'
      left join meta.metrics in_bed     on in_bed.metric_code = 'sleep_in_bed_time'
      left join meta.metrics efficiency on efficiency.metric_code = 'sleep_efficiency'
      left join meta.metrics rate       on rate.metric_code = 'heart_rate'
      left join meta.metrics breath     on breath.metric_code = 'respiratory_rate'
    offset 0
  ) f
