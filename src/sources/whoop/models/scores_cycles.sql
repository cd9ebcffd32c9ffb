-- grain: one row per scored WHOOP cycle: its strain
-- Its day is that of whoop_raw.dated_cycles. The strain of the open cycle still grows: tentative.
select raw_source_id
     , 'score.strain'                                                as raw_path
     , 'strain'                                                      as kind
     , meta.local_date(day_at, utc_offset_s)                         as local_date
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
        select d.source_id                                                as raw_source_id
             , meta.instant(d.end_said)                                   as end_at
             , d.woke_at
             , d.day_at
             , d.utc_offset_s
             , meta.row_id('whoop', d.account_id, d.sleep_source_id, '') as sleep_id
             , meta.number(d.score->'strain')::real                      as value_num
             , jsonb_strip_nulls(jsonb_build_object(
                 'average_heart_rate', d.score->'average_heart_rate',
                 'max_heart_rate',     d.score->'max_heart_rate',
                 'kilojoule',          d.score->'kilojoule'))             as components
          from changed c
          join whoop_raw.dated_cycles d
            on d.user_id = c.user_id and d.account_id = c.account_id and d.source_id = c.source_id
         where d.score_state = 'SCORED'
           and d.score->>'strain' is not null
        offset 0  -- keeps the planner from computing once for each use
      ) n
  ) f
