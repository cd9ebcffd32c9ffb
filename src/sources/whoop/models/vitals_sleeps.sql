-- grain: one row per scored WHOOP sleep that has a respiratory rate, naps included
-- Dated at waking, as WHOOP gives one value for the whole sleep.
select raw_source_id
     , 'score.respiratory_rate'                                      as raw_path
     , meta.row_id('whoop', account_id, raw_source_id, 'sleep')      as event_id
     , 'respiratory_rate'                                            as metric_code
     , end_at                                                        as observed_at
     , meta.local_date(end_at, utc_offset_s)                         as local_date
     , value_num
     , value_raw
     , 'breaths/min'                                                 as unit_raw  -- fixed by WHOOP's documentation, same as /min
     , false                                                         as is_self_reported
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , 'ms'                                                          as time_precision
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select r.account_id
             , r.raw_source_id
             , meta.instant(r.p->>'end')                             as end_at
             , meta.offset_seconds(r.p->>'timezone_offset')          as utc_offset_s
             , r.p->'score'->>'respiratory_rate'                     as value_raw
             , meta.number(r.p->'score'->'respiratory_rate')        as value_num
          from (
            select c.account_id, c.source_id as raw_source_id, c.payload::jsonb as p
              from changed c
            offset 0  -- keeps the planner from parsing once for each use
          ) r
         where r.p->>'score_state' = 'SCORED'
           and r.p->'score'->>'respiratory_rate' is not null
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = 'respiratory_rate'
  ) f
