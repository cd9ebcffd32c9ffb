-- grain: one row per day that has an Oura sleep score
-- The score is of the day, as Oura dates it, no instant is known. Contributors are scores from 1 to 100, not physical values.
select raw_source_id
     , 'score'                                                       as raw_path
     , 'sleep'                                                       as kind
     , local_date
     , value_num
     , 1::real                                                       as scale_lo
     , 100::real                                                     as scale_hi
     , components
     , 'day'                                                         as time_precision
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[case when meta.implausible(n.value_num, 1, 100) then 'implausible' end], null) as flags
      from (
        select r.raw_source_id
             , (r.p->>'day')::date                                   as local_date
             , meta.number(r.p->'score')::real                       as value_num
             , r.p->'contributors'                                   as components
          from (
            select c.source_id as raw_source_id, c.payload::jsonb as p
              from changed c
            offset 0  -- keeps the planner from parsing once for each use
          ) r
         where r.p->>'score' is not null
        offset 0
      ) n
  ) f
