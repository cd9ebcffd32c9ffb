, readings as (
  select c.raw_source_id, c.user_id, c.origin_id, c.member, e.place, e.item->c.member as p
    from hours c
   cross join lateral jsonb_array_elements(c.points) with ordinality e (item, place)
), points as (
  select r.raw_source_id
       , r.member
       , r.user_id
       , r.origin_id
       , r.place - 1                                                 as seq
       , f.metric_code
       , coalesce(r.p#>>'{sampleTime,physicalTime}', r.p#>>'{interval,startTime}')::timestamptz   as start_at
       , (r.p#>>'{interval,endTime}')::timestamptz                   as end_at
       , left(coalesce(r.p#>>'{sampleTime,utcOffset}', r.p#>>'{interval,startUtcOffset}'), -1)::integer as utc_offset_s
       , meta.reading(coalesce(r.p->f.field, f.nothing)) / f.per as value_num  -- 1001 / 1000 is 1.001, where 1001 * 0.001 is not
       , f.lo
       , f.hi
    from readings r
   cross join (select w.*, m.plausible_lo as lo, m.plausible_hi as hi from fields w left join meta.metrics m on m.metric_code = w.metric_code where w.field is not null) f
)
select raw_source_id
     , raw_path
     , points
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when n.is_implausible then 'implausible' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select raw_source_id
             , member                                                as raw_path  -- hours and origins are those of any type
             , (array_agg(utc_offset_s order by seq))[1]             as utc_offset_s
             , bool_or(meta.implausible(value_num, lo, hi))          as is_implausible
             , array_agg(row(user_id, metric_code, start_at, end_at, origin_id, seq, meta.local_date(start_at, utc_offset_s), value_num, null)::canonical.sample_points order by seq) as points
          from points
         where value_num is not null
         group by raw_source_id, member
      ) n
  ) f
