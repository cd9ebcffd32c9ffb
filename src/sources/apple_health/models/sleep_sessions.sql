-- grain: one row per sleep that one app or device wrote: its segments with gaps of an hour at most
-- Nothing in an export says which segments are one night. Sorted by start, a segment more than 60 minutes after everything before it begins a new
-- session, awake segments belong to it. Where stages overlap, deep beats REM beats light beats unstaged beats awake beats unknown, so that every
-- second counts once. Time in bed is the union of InBed, or the length of the session where there is none or less than was slept.
-- The day is that of waking. Of a source's sessions that end on one day the longest is its main one (by what was slept, else by the time in bed), the
-- others are naps below three hours that lie between 09:00 and 21:00. Segments without length are in raw only.
select raw_source_id
     , raw_path
     , start_at
     , end_at
     , utc_offset_s
     , end_utc_offset_s
     , tz_name
     , tz_basis
     , local_date
     , case
         when place = 1 then 'main'
         when end_at - start_at < interval '3 hours' and not at_night then 'nap'
         else 'unknown'
       end                                          as kind
     , in_bed_s
     , case when asleep_s > 0 or awake_s > 0 then asleep_s end as asleep_s  -- nobody watched who only wrote the time in bed
     , case when awake_s > 0 then awake_s end       as awake_s
     , case when is_staged then light_s end         as light_s
     , case when is_staged then deep_s end          as deep_s
     , case when is_staged then rem_s end           as rem_s
     , case when asleep_s > 0 then unstaged_s end   as asleep_unstaged_s
     , case
         when is_staged then 'stages'
         when asleep_s > 0 then 'asleep_only'
         else 'none'
       end                                          as stage_scheme
     , jsonb_build_object('segments', segments, 'writer', writer) as detail
     , stages
     , raw_hash
     , flags
     , meta.quality(flags)                          as quality
  from (
    select t.*
         , array_remove(array['computed_totals',
             case when t.by_hand then 'manual' end,
             case when t.end_at - t.start_at > interval '24 hours' then 'implausible' end,
             case when t.clock_wrong then 'clock_wrong' end
           ], null) as flags
         , row_number() over (partition by t.user_id, t.account_id, t.raw_source_id, t.local_date
                              order by coalesce(nullif(t.asleep_s, 0), t.in_bed_s) desc, t.in_bed_s desc, t.start_at) as place
         -- overlaps 21:00 to 09:00 on the clock of the person
         , (t.wall_start::time < time '09:00' or t.wall_start::time >= time '21:00'
            or t.wall_end::time > time '21:00' or t.wall_end::time <= time '09:00'
            or t.wall_end::date > t.wall_start::date) as at_night
      from (
        select g.*
             , least(greatest(case when l.in_bed_s > 0 and l.in_bed_s >= l.asleep_s then l.in_bed_s
                                   else extract(epoch from g.end_at - g.start_at) end, 0), 2147483647)::integer as in_bed_s
             , least(l.asleep_s, 2147483647)::integer   as asleep_s
             , least(l.awake_s, 2147483647)::integer    as awake_s
             , least(l.light_s, 2147483647)::integer    as light_s
             , least(l.deep_s, 2147483647)::integer     as deep_s
             , least(l.rem_s, 2147483647)::integer      as rem_s
             , least(l.unstaged_s, 2147483647)::integer as unstaged_s
             , l.stages
             , meta.local_date(g.end_at, g.end_utc_offset_s)                                            as local_date
             , (g.start_at at time zone 'UTC') + make_interval(secs => g.utc_offset_s)                  as wall_start
             , (g.end_at at time zone 'UTC') + make_interval(secs => g.end_utc_offset_s)                as wall_end
             , coalesce(g.light, g.deep, g.rem) is not null                                             as is_staged
          from (
            select s.user_id
                 , s.account_id
                 , s.raw_source_id
                 , to_char(min(s.start_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')            as raw_path
                 , min(s.start_at)                                                                      as start_at
                 , max(s.end_at)                                                                        as end_at
                 , (array_agg(s.utc_offset_s order by s.start_at, s.id, s.ordinal))[1]                  as utc_offset_s
                 , (array_agg(s.utc_offset_s order by s.start_at desc, s.id, s.ordinal))[1]             as end_utc_offset_s
                 , (array_agg(s.zone_id order by s.start_at, s.id, s.ordinal))[1]                       as zone_id
                 , (array_agg(s.tz_name order by s.start_at, s.id, s.ordinal))[1]                       as tz_name
                 , (array_agg(s.tz_basis order by s.start_at, s.id, s.ordinal))[1]                      as tz_basis
                 , count(*)                                                                             as segments
                 , (array['watch', 'phone', 'other'])[min(s.class)]                                     as writer
                 , bool_and(s.by_hand)                                                                  as by_hand
                 , bool_or(s.clock_wrong)                                                               as clock_wrong
                 , sha256(convert_to(string_agg(s.id::text || '.' || s.ordinal, ' ' order by s.start_at, s.id, s.ordinal), 'UTF8')) as raw_hash
                 , range_agg(s.stretch) filter (where s.stage = 'in_bed')                               as in_bed
                 , range_agg(s.stretch) filter (where s.stage = 'deep')                                 as deep
                 , range_agg(s.stretch) filter (where s.stage = 'rem')                                  as rem
                 , range_agg(s.stretch) filter (where s.stage = 'light')                                as light
                 , range_agg(s.stretch) filter (where s.stage = 'asleep')                               as unstaged
                 , range_agg(s.stretch) filter (where s.stage = 'awake')                                as awake
                 , range_agg(s.stretch) filter (where s.stage = 'unknown')                              as unknown
              from (
                select b.*
                     , count(*) filter (where b.begins) over (partition by b.user_id, b.account_id, b.raw_source_id
                                                              order by b.start_at, b.end_at, b.id, b.ordinal) as session
                  from (
                    select e.*
                         , coalesce(e.start_at - max(e.end_at) over (partition by e.user_id, e.account_id, e.raw_source_id
                                                                     order by e.start_at, e.end_at, e.id, e.ordinal
                                                                     rows between unbounded preceding and 1 preceding)
                                    > interval '60 minutes', true) as begins
                      from (
                        select c.user_id
                             , c.account_id
                             , c.source_id                                            as raw_source_id
                             , r.id
                             , r.ordinal
                             , r.start_at
                             , r.end_at
                             , tstzrange(r.start_at, r.end_at)                        as stretch
                             , r.utc_offset_s
                             , r.zone_id
                             , z.tz_name
                             , case when r.zone_from_record then 'record' else 'home' end as tz_basis
                             , coalesce(m.code, 'unknown')                            as stage
                             , coalesce(v.class, apple_health_raw.device_class(c.source_id, null)) as class
                             , apple_health_raw.by_hand(r.metadata)                   as by_hand
                             , r.start_at < '1970-01-01 00:00+00' or coalesce(r.end_at > x.exported_at, false) as clock_wrong
                          from changed c
                         -- by the key, whatever the planner believes
                         cross join lateral (
                           select k.*
                             from apple_health_raw.records k
                            where k.user_id = c.user_id and k.account_id = c.account_id and k.type_id = c.type_id
                              and k.source_name_id is not distinct from c.source_name_id
                           offset 0) r
                          join meta.import_file f on f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'published'
                          left join apple_health_raw.exports x
                            on x.user_id = r.user_id and x.account_id = r.account_id and x.file_id = r.file_id
                          left join apple_health_raw.zones z
                            on z.user_id = r.user_id and z.account_id = r.account_id and z.zone_id = r.zone_id
                          left join (select user_id, account_id, device_id, apple_health_raw.device_class(null, device) as class
                                       from apple_health_raw.devices offset 0) v
                            on v.user_id = r.user_id and v.account_id = r.account_id and v.device_id = r.device_id
                          left join apple_health_raw.mapping m
                            on m.type = 'HKCategoryTypeIdentifierSleepAnalysis' and m.value = coalesce(r.value_text, '')
                         where r.missing_since_run_id is null
                           and r.end_at > r.start_at
                      ) e
                  ) b
              ) s
             group by s.user_id, s.account_id, s.raw_source_id, s.session
          ) g
         cross join lateral (select meta.row_id('apple_health', g.account_id, g.raw_source_id, g.raw_path) as sleep_id offset 0) i
         cross join lateral (
           select sum(extract(epoch from upper(p.stretch) - lower(p.stretch))) filter (where p.stage = 'in_bed')              as in_bed_s
                , coalesce(sum(extract(epoch from upper(p.stretch) - lower(p.stretch)))
                           filter (where p.stage in ('deep', 'rem', 'light', 'asleep')), 0)                                 as asleep_s
                , coalesce(sum(extract(epoch from upper(p.stretch) - lower(p.stretch))) filter (where p.stage = 'awake'), 0)  as awake_s
                , coalesce(sum(extract(epoch from upper(p.stretch) - lower(p.stretch))) filter (where p.stage = 'light'), 0)  as light_s
                , coalesce(sum(extract(epoch from upper(p.stretch) - lower(p.stretch))) filter (where p.stage = 'deep'), 0)   as deep_s
                , coalesce(sum(extract(epoch from upper(p.stretch) - lower(p.stretch))) filter (where p.stage = 'rem'), 0)    as rem_s
                , coalesce(sum(extract(epoch from upper(p.stretch) - lower(p.stretch))) filter (where p.stage = 'asleep'), 0) as unstaged_s
                , array_agg(row(g.user_id, i.sleep_id, p.seq, p.stage, null, lower(p.stretch), upper(p.stretch))::canonical.sleep_stages
                            order by p.seq) filter (where p.stage <> 'in_bed')                                               as stages
             from (
               select q.stage, q.stretch, row_number() over (order by q.stage = 'in_bed', lower(q.stretch)) - 1 as seq
                 from (
                   select 'in_bed' as stage, unnest(g.in_bed) as stretch
                   union all select 'deep', unnest(g.deep)
                   union all select 'rem', unnest(g.rem - coalesce(g.deep, '{}'))
                   union all select 'light', unnest(g.light - coalesce(g.deep, '{}') - coalesce(g.rem, '{}'))
                   union all select 'asleep', unnest(g.unstaged - coalesce(g.deep, '{}') - coalesce(g.rem, '{}') - coalesce(g.light, '{}'))
                   union all select 'awake', unnest(g.awake - coalesce(g.deep, '{}') - coalesce(g.rem, '{}') - coalesce(g.light, '{}')
                                                    - coalesce(g.unstaged, '{}'))
                   union all select 'unknown', unnest(g.unknown - coalesce(g.deep, '{}') - coalesce(g.rem, '{}') - coalesce(g.light, '{}')
                                                      - coalesce(g.unstaged, '{}') - coalesce(g.awake, '{}'))
                 ) q
             ) p
         ) l
      ) t
  ) f
