-- grain: one row per scored WHOOP sleep that has a sleep performance, naps included
select raw_source_id
     , 'score.sleep_performance_percentage'                          as raw_path
     , 'sleep'                                                       as kind
     , meta.local_date(end_at, utc_offset_s)                         as local_date
     , end_at                                                        as observed_at
     , value_num
     , 0::real                                                       as scale_lo
     , 100::real                                                     as scale_hi
     , components
     , meta.row_id('whoop', account_id, raw_source_id, '')           as sleep_id
     , true                                                          as is_final
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , 'ms'                                                          as time_precision
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, 0, 100) then 'implausible' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select r.account_id
             , r.raw_source_id
             , meta.instant(r.p->>'end')                                              as end_at
             , meta.offset_seconds(r.p->>'timezone_offset')                           as utc_offset_s
             , meta.number(r.p->'score'->'sleep_performance_percentage')::real       as value_num
             , jsonb_strip_nulls(jsonb_build_object(
                 'consistency_pct', r.p->'score'->'sleep_consistency_percentage',
                 'efficiency_pct',  r.p->'score'->'sleep_efficiency_percentage'))     as components
          from (
            select c.account_id, c.source_id as raw_source_id, c.payload::jsonb as p
              from changed c
            offset 0  -- keeps the planner from parsing once for each use
          ) r
         where r.p->>'score_state' = 'SCORED'
           and r.p->'score'->>'sleep_performance_percentage' is not null
        offset 0
      ) n
  ) f
