     , scored as (
    select c.source_id as raw_source_id, k.raw_path, k.kind, k.lo, k.hi, c.p->>'day' as day, c.p->k.raw_path as value, c.p->>k.level_field as level
         , c.p->'contributors' as components
      from (
        select source_id, payload::jsonb as p
          from changed
        offset 0  -- keeps the planner from parsing once for each use
      ) c
     cross join kinds k
  )
select raw_source_id
     , raw_path
     , kind
     , meta.day(day)                                                     as local_date
     , value_num
     , lo                                                            as scale_lo
     , hi                                                            as scale_hi
     , level
     , components
     , is_final
     , 'day'                                                         as time_precision  -- of the day as Oura dates it, no instant is known
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, n.lo, n.hi) then 'implausible' end,
             case when not n.is_final then 'tentative' end
           ], null) as flags
      from (
        select s.*
             , meta.number(case when s.kind <> 'stress' and s.kind <> 'resilience' then s.value end)::real as value_num
             , s.kind <> 'stress' or s.level is not null             as is_final  -- the word for the day comes when it is over
          from scored s
        offset 0
      ) n
     where n.value_num is not null or n.level is not null or not n.is_final
  ) f
