select raw_source_id
     , field                                                         as raw_path
     , local_date
     , metric_code
     , stat
     , 'provider'                                                    as origin
     , 'ring'                                                        as device_type
     , value_num
     , unit_raw
     , is_partial
     , utc_offset_s
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.is_partial then 'partial_day' end
           ], null) as flags
      from (
        select c.source_id                                           as raw_source_id
             , f.field
             , f.metric_code
             , f.stat
             , f.unit_raw
             , c.day                                                 as local_date
             , c.utc_offset_s
             , meta.number(c.p->f.field)                             as value_num
               -- as it was when it last changed: before the end of the day, which is at 04:00
             , coalesce(r.started_at < (c.day + 1)::timestamp at time zone 'UTC' + interval '4 hours'
                                       - make_interval(secs => coalesce(c.utc_offset_s, 0)), false) as is_partial
          from (
            select j.*, meta.day(j.p->>'day') as day, meta.said_offset(j.p->>'timestamp') as utc_offset_s
              from (
                select user_id, run_id, source_id, payload::jsonb as p
                  from changed
                offset 0  -- keeps the planner from parsing once for each use
              ) j
            offset 0
          ) c
         cross join fields f
          left join meta.import_runs r on r.user_id = c.user_id and r.run_id = c.run_id
         where c.p->>f.field is not null
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
