-- grain: one row per total of a day and a device or app that Withings counts by
-- A day of the person's calendar where they were. Zero beats mean that there is no heart rate. What several devices and apps counted stays apart,
-- what another program copied into Withings is marked.
select raw_source_id
     , field                                                         as raw_path
     , local_date
     , metric_code
     , stat
     , 'provider'                                                    as origin
     , device_key
     , device_type
     , value_num
     , unit_raw
     , is_partial
     , utc_offset_s
     , tz_name
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.is_partial then 'partial_day' end,
             case when n.is_copy then 'foreign_copy' end
           ], null) as flags
      from (
        select c.source_id                                           as raw_source_id
             , k.field
             , k.metric_code
             , k.stat
             , k.unit_raw
             , c.day                                                 as local_date
             , c.utc_offset_s
             , case when c.utc_offset_s is not null then c.p->>'timezone' end as tz_name
             , coalesce(nullif(c.p->>'deviceid', ''), case when c.p->>'brand' <> '1' then 'brand ' || (c.p->>'brand') end, '') as device_key
             , case when c.p->>'is_tracker' = 'true' then 'watch' when c.is_copy then 'other' else 'unknown' end as device_type
             , nullif(meta.number(c.p->k.field), k.missing)          as value_num
             , c.is_copy
               -- as it was when it last changed, where it was read before its day was over
             , coalesce(greatest(c.changed_at, r.started_at)
                        < (c.day + 1)::timestamp at time zone 'UTC' - make_interval(secs => coalesce(c.utc_offset_s, 0)), false) as is_partial
          from (
            select j.*, meta.day(j.p->>'date') as day, meta.epoch(j.p->'modified') as changed_at
                 , meta.zone_offset((j.p->>'date')::timestamp at time zone 'UTC' + interval '12 hours', j.p->>'timezone') as utc_offset_s
                 , coalesce(meta.number(j.p->'modelid') >= 1051, false) or coalesce(j.p->>'brand' = '18', false) as is_copy
              from (
                select user_id, run_id, source_id, payload::jsonb as p
                  from changed
                offset 0  -- keeps the planner from parsing once for each use
              ) j
            offset 0
          ) c
         cross join (values
              ('steps',                   'steps',         'total', '{steps}', null::double precision),
              ('distance_total',          'distance',      'total', 'm',       null),
              ('floors',                  'elevation',     'total', '{floors}', null),
              ('intensity_light_time',    'soft',          'total', 's',       null),
              ('intensity_moderate_time', 'moderate',      'total', 's',       null),
              ('intensity_vigorous_time', 'intense',       'total', 's',       null),
              ('active_time',             'active',        'total', 's',       null),
              ('energy_active',           'calories',      'total', 'kcal',    null),
              ('energy_total',            'totalcalories', 'total', 'kcal',    null),
              ('heart_rate',              'hr_average',    'avg',   'bpm',     0),
              ('heart_rate',              'hr_min',        'min',   'bpm',     0),
              ('heart_rate',              'hr_max',        'max',   'bpm',     0)
            ) k (metric_code, field, stat, unit_raw, missing)
          left join meta.import_runs r on r.user_id = c.user_id and r.run_id = c.run_id
         where c.p->>k.field is not null
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
     where n.value_num is not null
  ) f
