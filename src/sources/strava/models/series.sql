-- Instants are those of the start and of `time`, in seconds from it. What power and cadence are of follows from the sport: they are read for sports
-- on foot and on wheels alone, and power where a meter measured it. A heart rate of 0 is none. What cannot be true stands apart, so that it does not
-- speak against the others. The track, distance, speed and gradient stay in raw. An activity is no joined table: when one changes, its series is read
-- again, and its digest is part of the row's.
told as (
  select c.source_id                                                  as raw_source_id
       , c.user_id
       , c.hash
       , meta.row_id('strava', c.account_id, c.source_id, f.path)     as origin_id
       , meta.row_id('strava', c.account_id, c.source_id, f.path || ' implausible') as odd_id
       , f.path
       , c.p
       , strava_raw.readings(c.p->'time'->'data')                     as times
       , a.start_at
       , a.utc_offset_s
       , a.tz_name
       , a.moves
       , a.is_measured
       , meta.local_date(a.start_at, a.utc_offset_s)                  as first_day
       , mod(mod(extract(epoch from a.start_at)::bigint + coalesce(a.utc_offset_s, 0), 86400) + 86400, 86400) as second_of_day
    from (
      select user_id, account_id, source_id, hash
           , case when json_typeof(payload) = 'array'  -- as Strava sends it where it is not asked for by type
                  then (select json_object_agg(e.stream->>'type', e.stream) from json_array_elements(payload) e (stream))
                  else payload end                                    as p
        from changed
      offset 0
    ) c
   cross join (select string_agg(distinct field, ' ' order by field) as path from fields) f
   cross join lateral (
      select meta.instant(t.payload->>'start_date')                   as start_at
           , coalesce(
               round(meta.number(t.payload->>'utc_offset')),
               extract(epoch from meta.instant(t.payload->>'start_date_local') - meta.instant(t.payload->>'start_date')))::integer as utc_offset_s
           , substring(t.payload->>'timezone' from '\)\s*(\S+)$')     as tz_name
           , case when coalesce(t.payload->>'sport_type', t.payload->>'type') in ('Run', 'TrailRun', 'VirtualRun', 'Walk', 'Hike', 'Snowshoe')
                    then 'on foot'
                  when coalesce(t.payload->>'sport_type', t.payload->>'type')
                       in ('Ride', 'GravelRide', 'MountainBikeRide', 'EBikeRide', 'EMountainBikeRide', 'VirtualRide', 'Velomobile', 'Handcycle')
                    then 'on wheels'
                  else 'otherwise' end                                as moves
           , coalesce(t.payload->>'device_watts' = 'true', false)     as is_measured
        from strava_raw.activities t
       where t.user_id = c.user_id and t.account_id = c.account_id and t.source_id = c.source_id
      offset 0
   ) a
  offset 0
)
select s.raw_source_id
     , o.raw_path
     , sha256(s.hash || convert_to(concat_ws(' ', s.start_at, s.utc_offset_s, s.moves, s.is_measured), 'UTF8')) as raw_hash
     , s.utc_offset_s
     , s.tz_name
     , case when s.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , o.points
     , f.flags
     , meta.quality(f.flags)                                          as quality
  from told s
 cross join lateral (
    select array_agg(n.point) filter (where not n.is_implausible) as points
         , array_agg(n.point) filter (where n.is_implausible)     as odd_points
      from (
        select row(s.user_id, r.metric_code, s.start_at + make_interval(secs => r.after), null, case when r.is_implausible then s.odd_id else s.origin_id end, r.seq,
                   -- the local day of each instant, counted from the first one's: to ask for it takes longer than all the rest
                   s.first_day + floor((s.second_of_day + r.after) / 86400)::integer,
                   r.value_num, null)::canonical.sample_points as point
             , r.is_implausible
          from (
            select q.*, coalesce(q.value_num < q.plausible_lo or q.value_num > q.plausible_hi, false) as is_implausible
              from (
                select k.metric_code, m.plausible_lo, m.plausible_hi, i.after, (i.place - 1)::integer as seq
                     , i.value_num * k.factor + 0 as value_num  -- makes 0 of -0
                  from fields k
                  left join meta.metrics m on m.metric_code = k.metric_code
                 cross join lateral unnest(s.times, strava_raw.readings(s.p->k.field->'data')) with ordinality i (after, value_num, place)
                 where (k.only_if is null or k.only_if = s.moves)
                   and (k.field <> 'watts' or s.is_measured)
                   and i.after is not null and i.value_num is not null
                offset 0
              ) q
             where not (q.metric_code = 'heart_rate' and q.value_num = 0)
            offset 0
          ) r
      ) n
 ) v
 cross join lateral (values
    (s.path,                   v.points,     null),
    (s.path || ' implausible', v.odd_points, 'implausible')
 ) o (raw_path, points, odd)
 cross join lateral (
    select array_remove(array[
      o.odd,
      case when s.utc_offset_s is null then 'tz_unknown' end], null)  as flags
 ) f
 where o.points is not null
