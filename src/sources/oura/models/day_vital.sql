select raw_source_id
     , array_to_string(path, '.')                                    as raw_path
     , event_id
     , metric_code
     , meta.day(day)                                                     as local_date
     , value_num
     , value_raw
     , unit_raw
     , false                                                         as is_self_reported
     , 'day'                                                         as time_precision  -- of the day as Oura dates it, no instant is known
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end], null) as flags
      from (
        select c.source_id                                           as raw_source_id
             , f.path
             , f.metric_code
             , f.unit_raw
             , meta.row_id('oura', c.account_id, c.source_id, 'day') as event_id
             , c.p->>'day'                                           as day
             , c.p #>> f.path                                        as value_raw
             , meta.number(c.p #> f.path)                            as value_num
          from (
            select account_id, source_id, payload::jsonb as p
              from changed
            offset 0  -- keeps the planner from parsing once for each use
          ) c
         cross join fields f
         where c.p #>> f.path is not null
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
