, known as materialized (  -- not looked up for each hour
  select f.*, m.plausible_lo as lo, m.plausible_hi as hi
    from fields f
    left join meta.metrics m on m.metric_code = f.metric_code
   where f.field is not null
)
select raw_source_id
     , raw_path
     , points
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select c.raw_source_id
         , c.member                                                  as raw_path  -- hours and origins are those of any type
         , v.points
         , v.utc_offset_s
         , array_remove(array[
             case when v.is_implausible then 'implausible' end,
             case when v.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from hours c
     cross join lateral (
        select array_agg(row(c.user_id, r.metric_code, r.start_at, r.end_at, c.origin_id, r.seq, meta.local_date(r.start_at, r.utc_offset_s),
                             r.value_num, null)::canonical.sample_points)                      as points
             , (min(array[r.seq, r.utc_offset_s]))[2]                                          as utc_offset_s  -- that of the first
             , bool_or(r.value_num < r.lo or r.value_num > r.hi)                               as is_implausible
          from (
            -- 1001 / 1000 is 1.001, where 1001 * 0.001 is not
            select t.*, f.metric_code, f.lo, f.hi, meta.reading(t.said) / f.per                as value_num
              from known f
             cross join lateral (
                select e.place::integer - 1                                                    as seq
                     , coalesce(e.p->f.field, f.nothing)                                       as said
                     , coalesce(e.at->>'physicalTime', e.at->>'startTime')::timestamptz        as start_at
                     , (e.at->>'endTime')::timestamptz                                         as end_at
                     , left(coalesce(e.at->>'utcOffset', e.at->>'startUtcOffset'), -1)::integer as utc_offset_s
                  from (
                    select m.place, m.p, coalesce(m.p->'sampleTime', m.p->'interval') as at
                      from (
                        select i.place, i.item->c.member as p
                          from jsonb_array_elements(c.points) with ordinality i (item, place)
                        offset 0  -- keeps the planner from taking a reading out of its hour once for each use
                      ) m
                    offset 0
                  ) e
                offset 0
              ) t
            offset 0
          ) r
         where r.value_num is not null
      ) v
     where v.points is not null
  ) f
