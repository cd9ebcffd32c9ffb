-- grain: one row per day of waking that has a closed, scored WHOOP cycle: total energy
-- A cycle runs from one sleep onset to the next, and its energy is given to the day of waking from its sleep (of several, the longest that is no nap,
-- where none is held, the day eight hours after its start). The open cycle still grows and makes no row. Crossing the date line one can wake twice
-- on one date: the first of these cycles then carries the sum, and the day is partial while one of them has no energy.
select raw_source_id
     , 'score.kilojoule'                                             as raw_path
     , local_date
     , 'energy_total'                                                as metric_code
     , 'total'                                                       as stat
     , 'provider'                                                    as origin
     , ''                                                            as device_key
     , 'band'                                                        as device_type
     , value_num
     , 'kJ'                                                          as unit_raw
     , is_partial
     , utc_offset_s
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.is_partial then 'partial_day' end,
             case when n.is_inferred then 'day_inferred' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select cycle_id                                              as raw_source_id
             , local_date
             , utc_offset_s
             , is_inferred
             , is_partial
               -- kJ -> kcal. Its own figure is read strictly, so that a broken one is rejected
             , (meta.number(kj_said) + others_kj) / 4.184            as value_num
          from (
            select dated.*
                 , row_number() over (whole_day order by not has_energy, start_at, cycle_id) as place
                 , bool_or(not has_energy) over whole_day            as is_partial
                 , coalesce(sum(kj) over whole_day, 0) - coalesce(kj, 0) as others_kj
              from (
                select distinct on (user_id, account_id, cycle_id)
                       user_id, account_id, cycle_id, start_at, kj_said, meta.number_or_null(kj_said) as kj
                     , kj_said is not null                           as has_energy
                     , woke_at is null                               as is_inferred
                     , case when woke_at is not null then woke_offset_s else began_offset_s end as utc_offset_s
                     , case when woke_at is not null then meta.local_date(woke_at, woke_offset_s)
                            else meta.local_date(start_at + interval '8 hours', began_offset_s) end as local_date
                  from (
                    select y.user_id, y.account_id, y.source_id                as cycle_id
                         , meta.instant_or_null(b.start)                         as start_at
                         , meta.offset_seconds(b.timezone_offset)                as began_offset_s
                         , case when b."end" is not null and b.score_state = 'SCORED'
                                then b.score->>'kilojoule' end                 as kj_said
                         , s.source_id                                         as sleep_id
                         , meta.instant_or_null(n.start)                         as slept_at
                         , case when n.nap is distinct from 'true'
                                then meta.instant_or_null(n."end") end         as woke_at
                         , meta.offset_seconds(n.timezone_offset)                as woke_offset_s
                      from whoop_raw.cycles y
                     cross join lateral json_to_record(y.payload)
                             as b (start text, "end" text, timezone_offset text, score_state text, score json)
                      left join whoop_raw.sleeps s  -- by the index on its cycle
                        on s.user_id = y.user_id and s.account_id = y.account_id and s.payload->>'cycle_id' = y.source_id
                       and s.missing_since_run_id is null
                      left join lateral json_to_record(s.payload) as n (start text, "end" text, timezone_offset text, nap text) on true
                     where y.missing_since_run_id is null
                       and (y.user_id, y.account_id) in (select user_id, account_id from changed)
                    offset 0  -- keeps the planner from parsing once for each use
                  ) night
                 order by user_id, account_id, cycle_id, woke_at is null, woke_at - slept_at desc nulls last, sleep_id
              ) dated
            window whole_day as (partition by user_id, account_id, local_date, case when local_date is null then cycle_id end)
          ) d
         where place = 1 and has_energy
           and (cycle_id in (select source_id from changed)) is true  -- as a lookup, not as a join that would repeat the days
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = 'energy_total'
  ) f
