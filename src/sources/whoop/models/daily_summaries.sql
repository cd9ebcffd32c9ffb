-- grain: one row per day of waking that has a closed, scored WHOOP cycle: total energy
-- The day of a cycle is that of whoop_raw.dated_cycles. The open cycle still grows and makes no row. Crossing the date line one can wake twice
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
                select user_id, account_id, cycle_id, start_at, kj_said, meta.number_or_null(kj_said) as kj
                     , kj_said is not null                           as has_energy
                     , is_inferred, utc_offset_s
                     , meta.local_date(day_at, utc_offset_s)         as local_date
                  from (
                    select d.user_id, d.account_id, d.source_id      as cycle_id
                         , meta.instant_or_null(d.start_said)        as start_at
                         , case when d.end_said is not null and d.score_state = 'SCORED'
                                then d.score->>'kilojoule' end       as kj_said
                         , d.woke_at is null                         as is_inferred
                         , d.day_at
                         , d.utc_offset_s
                      from whoop_raw.dated_cycles d
                     where d.missing_since_run_id is null
                       and (d.user_id, d.account_id) in (select user_id, account_id from changed)
                    offset 0  -- keeps the planner from parsing once for each use
                  ) night
              ) dated
            window whole_day as (partition by user_id, account_id, local_date, case when local_date is null then cycle_id end)
          ) d
         where place = 1 and has_energy
           and (cycle_id in (select source_id from changed)) is true  -- as a lookup, not as a join that would repeat the days
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = 'energy_total'
  ) f
