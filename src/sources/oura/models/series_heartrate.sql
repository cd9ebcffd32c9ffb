-- Readings that are the same but for their time share what is said of them: the first zone and offset of the hour, and plausible. Those of
-- another offset, where a stay begins within the hour, and those that cannot be true stand apart. Instants are in UTC and say nothing of
-- the person's clock: the day is that of the zone that the person was in. The heart rate inside a sleep is the same one and stays in raw.
-- 255 is Oura's word for no value.
select raw_source_id
     , raw_path
     , context
     , points
     , utc_offset_s
     , tz_name
     , case when utc_offset_s is null then 'none' else 'home' end    as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select c.source_id                                               as raw_source_id
         , g.raw_path
         , jsonb_build_object('source', c.p #> '{data,0,source}')    as context
         , g.points
         , c.offsets[g.stretch]                                      as utc_offset_s
         , c.names[g.stretch]                                        as tz_name
         , array_remove(array[
             case when g.is_implausible then 'implausible' end,
             case when c.offsets[g.stretch] is null then 'tz_unknown' end
           ], null)                                                  as flags
      from (
        select k.user_id, k.account_id, k.source_id, k.payload::jsonb as p, z.*
             , meta.row_id('oura', k.account_id, k.source_id, 'data') as usual_id
             , width_bucket(k.record_at, z.starts)                   as stretch
             , z.starts[width_bucket(k.record_at, z.starts) + 1]     as until
          from kept k
         cross join (
            select coalesce(array_agg(from_at order by from_at), '{}') as starts, array_agg(utc_offset_s order by from_at) as offsets
                 , array_agg(tz_name order by from_at) as names
              from meta.zone_ranges
             where user_id = (select user_id from changed limit 1)
          ) z
        offset 0  -- keeps the planner from parsing once for each use
      ) c
      left join meta.metrics m on m.metric_code = 'heart_rate'
     cross join lateral (
        select r.raw_path
             , r.stretch
             , r.is_implausible
             , array_agg(row(c.user_id, 'heart_rate', r.start_at, null,
                             case when r.raw_path = 'data' then c.usual_id else meta.row_id('oura', c.account_id, c.source_id, r.raw_path) end,
                             r.place, meta.local_date(r.start_at, c.offsets[r.stretch]), r.value_num, null)::canonical.sample_points) as points
          from (
            select t.*
                 , case when t.stretch = c.stretch and not t.is_implausible then 'data'
                        else concat_ws(' ', 'data', 'utc' || to_char(c.offsets[t.stretch], 'SGFM99999'), case when t.is_implausible then 'implausible' end)
                        end                                                                       as raw_path
              from (
                select n.start_at
                     , n.place
                     , n.value_num
                     , case when n.start_at >= c.until then width_bucket(n.start_at, c.starts) else c.stretch end as stretch
                     , meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi)              as is_implausible
                  from (
                    select (e.item->>'timestamp')::timestamptz                                    as start_at  -- its hour was told by it
                         , e.place::integer - 1                                                   as place
                         , meta.reading(e.item->'bpm')                                            as value_num
                      from jsonb_array_elements(c.p->'data') with ordinality e (item, place)
                    offset 0
                  ) n
                 where n.value_num <> 255
                offset 0
              ) t
          ) r
         group by r.raw_path, r.stretch, r.is_implausible
      ) g
  ) f
