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
        select distinct on (raw_source_id)
               raw_source_id, start_at, end_at, value_num, components, woke_at
             , case when woke_at is not null then sleep_id end as sleep_id
             , case when woke_at is not null then woke_offset_s else began_offset_s end as utc_offset_s
          from (
            select c.source_id                                         as raw_source_id
                 , meta.instant(c.p->>'start')                         as start_at
                 , meta.instant(c.p->>'end')                           as end_at
                 , meta.offset_seconds(c.p->>'timezone_offset')        as began_offset_s
                 , meta.number(c.p->'score'->'strain')::real          as value_num
                 , jsonb_strip_nulls(jsonb_build_object(
                     'average_heart_rate', c.p->'score'->'average_heart_rate',
                     'max_heart_rate',     c.p->'score'->'max_heart_rate',
                     'kilojoule',          c.p->'score'->'kilojoule')) as components
                 , meta.row_id('whoop', c.account_id, s.source_id, '') as sleep_id
                 , meta.instant_or_null(n.start)                         as slept_at
                 , case when n.nap is distinct from 'true'
                        then meta.instant_or_null(n."end") end                as woke_at
                 , meta.offset_seconds(n.timezone_offset)                as woke_offset_s
              from (
                select user_id, account_id, source_id, payload::jsonb as p
                  from changed
                offset 0  -- keeps the planner from parsing once for each use
              ) c
              left join whoop_raw.sleeps s  -- by the index on its cycle
                on s.user_id = c.user_id and s.account_id = c.account_id and s.payload->>'cycle_id' = c.source_id
               and s.missing_since_run_id is null
              left join lateral json_to_record(s.payload) as n (start text, "end" text, timezone_offset text, nap text) on true
             where c.p->>'score_state' = 'SCORED'
               and c.p->'score'->>'strain' is not null
            offset 0
          ) night
         order by raw_source_id, woke_at is null, woke_at - slept_at desc nulls last, night.sleep_id
      ) n
  ) f
