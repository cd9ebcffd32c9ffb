-- grain: one row per new value in a WHOOP body measurement snapshot: weight, height
-- The person typed them in at an unknown time: a snapshot is dated by when it was fetched, with the offset of the cycle that was current then, or
-- else of the person's home zone. A snapshot is taken when anything in it differs from the last one: a value that does not is no new measurement.
select raw_source_id
     , raw_path
     , event_id
     , metric_code
     , record_at                                                      as observed_at
     , meta.local_date(record_at, utc_offset_s)                       as local_date
     , value_num
     , value_raw
     , unit_raw
     , true                                                           as is_self_reported
     , utc_offset_s
     , tz_basis
     , flags
     , meta.quality(flags)                                            as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             'manual',
             'day_inferred',
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select c.source_id                                              as raw_source_id
             , v.field                                                  as raw_path
             , meta.row_id('whoop', c.account_id, c.source_id, 'body')  as event_id
             , v.metric_code
             , v.unit_raw
             , c.record_at
             , coalesce(y.utc_offset_s, h.utc_offset_s)                 as utc_offset_s
             , case when y.utc_offset_s is not null then 'account' when h.utc_offset_s is not null then 'home' else 'none' end as tz_basis
             , c.payload->>v.field                                      as value_raw
             , meta.number(c.payload->>v.field) * v.factor              as value_num
          from changed c
         cross join (values
             ('weight', 'weight_kilogram', 'kg', 1::double precision),
             ('height', 'height_meter',    'm',  100)) v (metric_code, field, unit_raw, factor)  -- m -> cm
          left join (
            -- each known offset from the start of its cycle to the start of the next one
            select user_id, account_id, utc_offset_s, start_at
                 , lead(start_at, 1, 'infinity') over (partition by user_id, account_id order by start_at, cycle_id) as next_at
              from (
                select user_id, account_id, source_id as cycle_id, start_at, meta.offset_seconds(said) as utc_offset_s
                  from (
                    select user_id, account_id, source_id, record_at as start_at, payload->>'timezone_offset' as said
                      from whoop_raw.cycles
                     where missing_since_run_id is null
                       and (user_id, account_id) in (select user_id, account_id from changed)
                    offset 0  -- keeps the planner from parsing once for each use
                  ) cycle
              ) dated
             where start_at is not null and utc_offset_s is not null
          ) y on y.user_id = c.user_id and y.account_id = c.account_id and c.record_at >= y.start_at and c.record_at < y.next_at
          left join (
            select user_id, home_tz
              from meta.users
            offset 0
          ) u on u.user_id = c.user_id
         cross join lateral (
            select extract(epoch from (c.record_at at time zone u.home_tz) - (c.record_at at time zone 'UTC'))::integer as utc_offset_s
            offset 0
          ) h
         where c.payload->>v.field is not null
           and meta.number_or_null(c.payload->>v.field) is distinct from (
             select meta.number_or_null(b.payload->>v.field)
               from whoop_raw.user_body_measurement b
              where b.user_id = c.user_id and b.account_id = c.account_id
                and (b.record_at, b.source_id) < (c.record_at, c.source_id)
                and b.payload->>v.field is not null
              order by b.record_at desc, b.source_id desc
              limit 1)
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
