-- grain: one row per scored WHOOP cycle: its strain
-- A cycle runs from one sleep onset to the next and belongs to the day of waking from its sleep (of several, the longest that is no nap). Where none
-- is held, the day is inferred: eight hours after its start. The strain of the open cycle still grows: tentative.
select raw_source_id
     , 'score.strain'                                                as raw_path
     , 'strain'                                                      as kind
     , meta.local_date(coalesce(woke_at, start_at + interval '8 hours'), utc_offset_s) as local_date
     , end_at                                                        as observed_at
     , value_num
     , 0::real                                                       as scale_lo
     , 21::real                                                      as scale_hi
     , components
     , sleep_id
     , end_at is not null                                            as is_final
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , case when end_at is null then 'day' else 'ms' end             as time_precision
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, 0, 21) then 'implausible' end,
             case when n.end_at is null then 'tentative' end,
             case when n.woke_at is null then 'day_inferred' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select c.source_id                                                       as raw_source_id
             , meta.instant(c.payload->>'start')                                 as start_at
             , meta.instant(c.payload->>'end')                                   as end_at
             , s.end_at                                                          as woke_at
             , case when s.end_at is not null then s.utc_offset_s
                    else meta.offset_seconds(c.payload->>'timezone_offset') end  as utc_offset_s
             , meta.row_id('whoop', c.account_id, s.sleep_id, '')                as sleep_id
             , meta.number(c.payload->'score'->>'strain')::real                  as value_num
             , jsonb_strip_nulls(jsonb_build_object(
                 'average_heart_rate', c.payload->'score'->'average_heart_rate',
                 'max_heart_rate',     c.payload->'score'->'max_heart_rate',
                 'kilojoule',          c.payload->'score'->'kilojoule'))         as components
          from changed c
          left join (
            select distinct on (user_id, account_id, cycle_id) user_id, account_id, cycle_id, sleep_id, end_at, utc_offset_s
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
          ) s on s.user_id = c.user_id and s.account_id = c.account_id and s.cycle_id = c.source_id
         where c.payload->>'score_state' = 'SCORED'
           and c.payload->'score'->>'strain' is not null
      ) n
  ) f
