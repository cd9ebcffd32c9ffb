select raw_source_id
     , field                                                         as raw_path
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , points
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.raw_source_id
         , n.field
         , n.utc_offset_s
         , array_remove(array[
             case when n.utc_offset_s is null then 'tz_unknown' end,
             case when n.is_implausible then 'implausible' end
           ], null) as flags
         , n.points
      from (
        select s.raw_source_id
             , s.field
             , s.utc_offset_s
             , v.points
             , v.is_implausible
          from (
            select k.source_id                                       as raw_source_id
                 , k.user_id
                 , meta.row_id('oura', k.account_id, k.source_id, f.field) as origin_id
                 , f.field
                 , f.metric_code
                 , k.p->f.field->'items'                             as items
                 , meta.number(k.p->f.field->'interval')             as step_s
                 , meta.instant(k.p->f.field->>'timestamp')          as start_at
                 , meta.said_offset(k.p->f.field->>'timestamp')      as utc_offset_s
              from kept k
             cross join fields f
             where jsonb_typeof(k.p->f.field->'items') = 'array'
            offset 0
          ) s
          left join meta.metrics m on m.metric_code = s.metric_code
         cross join lateral (
            select array_agg(row(s.user_id, s.metric_code, i.start_at, null, s.origin_id, i.place - 1, meta.local_date(i.start_at, s.utc_offset_s),
                                 i.value_num, null)::canonical.sample_points)                                as points
                 , coalesce(bool_or(meta.implausible(i.value_num, m.plausible_lo, m.plausible_hi)), false)   as is_implausible
              from (
                select e.place::integer as place
                     , s.start_at + make_interval(secs => (e.place - 1) * s.step_s)                          as start_at
                     , meta.reading(e.item)                                                                  as value_num
                  from jsonb_array_elements(s.items) with ordinality e (item, place)
                offset 0
              ) i
             where i.value_num is not null
          ) v
         where v.points is not null
        offset 0
      ) n
  ) f
