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
            select jsonb_agg(jsonb_build_object(
                     'metric_code', s.metric_code,
                     'seq',         i.place - 1,
                     'start_at',    t.start_at,
                     'local_date',  meta.local_date(t.start_at, s.utc_offset_s),
                     'value_num',   meta.number(i.item)) order by i.place)                           as points
                 , coalesce(bool_or(meta.implausible(meta.number(i.item), m.plausible_lo, m.plausible_hi)), false) as is_implausible
              from jsonb_array_elements(s.items) with ordinality i (item, place)
             cross join lateral (select s.start_at + make_interval(secs => (i.place - 1) * s.step_s)) t (start_at)
             where i.item <> 'null'
          ) v
         where v.points is not null
        offset 0
      ) n
  ) f
