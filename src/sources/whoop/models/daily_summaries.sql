-- grain: one row per day of waking that has a closed, scored WHOOP cycle: total energy
-- A cycle runs from one sleep onset to the next; its energy is given to the day of waking from its sleep (of several, the longest that is no nap;
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
        select c.source_id                                           as raw_source_id
             , d.local_date
             , d.utc_offset_s
             , d.is_inferred
             , d.is_partial
               -- kJ -> kcal; its own figure is read strictly, so that a broken one is rejected
             , (meta.number(c.payload->'score'->>'kilojoule') + d.others_kj) / 4.184 as value_num
          from changed c
          join (
            select user_id, account_id, cycle_id, local_date, utc_offset_s, is_inferred, has_energy
                 , row_number() over day                             as place
                 , bool_or(not has_energy) over whole_day            as is_partial
                 , coalesce(sum(kj) over whole_day, 0) - coalesce(kj, 0) as others_kj
              from (
                select y.user_id, y.account_id, y.cycle_id, y.start_at, y.has_energy, y.kj
                     , s.end_at is null                              as is_inferred
                     , case when s.end_at is not null then s.utc_offset_s else y.utc_offset_s end as utc_offset_s
                     , case when s.end_at is not null then meta.local_date(s.end_at, s.utc_offset_s)
                            else meta.local_date(y.start_at + interval '8 hours', y.utc_offset_s) end as local_date
                  from (
                    select user_id, account_id, source_id as cycle_id
                         , meta.instant_or_null(payload->>'start')          as start_at
                         , meta.offset_seconds(payload->>'timezone_offset') as utc_offset_s
                         , payload->>'end' is not null and payload->>'score_state' = 'SCORED'
                           and payload->'score'->>'kilojoule' is not null   as has_energy
                         , case when payload->>'end' is not null and payload->>'score_state' = 'SCORED'
                                then meta.number_or_null(payload->'score'->>'kilojoule') end as kj
                      from whoop_raw.cycles
                     where missing_since_run_id is null
                  ) y
                  left join (
                    select distinct on (user_id, account_id, cycle_id) user_id, account_id, cycle_id, end_at, utc_offset_s
                      from (
                        select user_id, account_id, source_id as sleep_id, payload->>'cycle_id' as cycle_id
                             , meta.instant_or_null(payload->>'start')          as start_at
                             , meta.instant_or_null(payload->>'end')            as end_at
                             , meta.offset_seconds(payload->>'timezone_offset') as utc_offset_s
                          from whoop_raw.sleeps
                         where missing_since_run_id is null and payload->>'nap' is distinct from 'true'
                      ) night
                     where end_at is not null
                     order by user_id, account_id, cycle_id, end_at - start_at desc nulls last, sleep_id
                  ) s on s.user_id = y.user_id and s.account_id = y.account_id and s.cycle_id = y.cycle_id
              ) dated
            window day as (partition by user_id, account_id, local_date, case when local_date is null then cycle_id end
                           order by not has_energy, start_at, cycle_id)
                 , whole_day as (partition by user_id, account_id, local_date, case when local_date is null then cycle_id end)
          ) d on d.user_id = c.user_id and d.account_id = c.account_id and d.cycle_id = c.source_id
         where d.place = 1 and d.has_energy
      ) n
      left join meta.metrics m on m.metric_code = 'energy_total'
  ) f
