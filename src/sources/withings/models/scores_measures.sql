-- grain: one row per vascular age that a Withings scale reckoned, in years, as a score of its maker
select raw_source_id
     , 'measures.155'                                                as raw_path
     , 'other'                                                       as kind
     , meta.local_date(observed_at, utc_offset_s)                    as local_date
     , observed_at
     , value_num
     , jsonb_build_object('name', 'vascular_age', 'unit', 'a')       as components
     , true                                                          as is_final
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'home' end    as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*, case when n.utc_offset_s is null then array['tz_unknown'] else '{}' end as flags
      from (
        select distinct on (c.source_id)
               c.source_id                                           as raw_source_id
             , c.at                                                  as observed_at
             , meta.zone_offset(c.at, u.home_tz)                     as utc_offset_s
             , ((m.measure->>'value')::numeric * 10::numeric ^ (m.measure->>'unit')::integer)::real as value_num
          from (
            select j.*, meta.epoch(j.p->'date') as at
              from (
                select user_id, source_id, payload::jsonb as p
                  from changed
                offset 0  -- keeps the planner from parsing once for each use
              ) j
             where j.p->>'attrib' is distinct from '1'
               and j.p->>'category' is distinct from '2'
            offset 0
          ) c
         cross join lateral jsonb_array_elements(c.p->'measures') with ordinality m (measure, place)
          left join meta.users u on u.user_id = c.user_id
         where m.measure->>'type' = '155' and m.measure->>'value' is not null and m.measure->>'unit' is not null
         order by c.source_id, m.place
      ) n
  ) f
