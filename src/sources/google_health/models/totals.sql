, known as materialized (
  select f.*, array_to_string(array_remove(f.path || f.word, null), '.') as raw_path, m.plausible_lo as lo, m.plausible_hi as hi
    from fields f
    left join meta.metrics m on m.metric_code = f.metric_code
   where f.path is not null
), days as (
  select c.raw_source_id, c.user_id, c.run_id, c.day, f.metric_code, f.stat, f.unit_raw, f.raw_path, f.lo, f.hi
         -- in decimal, so that 1001 mm are 1.001 m
       , (f.factor::numeric * coalesce(case when f.is_length then google_health_raw.seconds(v.p #>> f.path) else meta.number(v.p #> f.path) end,
                                       f.nothing)::text::numeric)::double precision as value_num
    from totals c
   cross join known f
    -- of a list the member that the word names
   cross join lateral (
     select c.p as p where f.list is null
     union all
     select e from jsonb_array_elements(nullif(c.p->f.list, 'null')) e where e->>f.tag = f.word
   ) v
   where jsonb_typeof(c.p) = 'object'  -- an empty one says zero, one that is not there says nothing
  offset 0
)
select raw_source_id
     , raw_path
     , day                                                           as local_date
     , metric_code
     , stat
     , 'provider'                                                    as origin
     , value_num
     , unit_raw
     , is_partial
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when n.is_partial then 'partial_day' end,
             case when meta.implausible(n.value_num, n.lo, n.hi) then 'implausible' end
           ], null) as flags
      from (
        select d.*
               -- as it was when it last changed, where the person is at home
             , coalesce(r.started_at < (d.day + 1)::timestamp at time zone coalesce(u.home_tz, 'UTC'), false) as is_partial
          from days d
          left join meta.users u on u.user_id = d.user_id
          left join meta.import_runs r on r.user_id = d.user_id and r.run_id = d.run_id
         where d.value_num is not null
        offset 0
      ) n
  ) f
