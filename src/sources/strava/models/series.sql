-- Instants are those of the start and of `time`, in seconds from it. What power and cadence are of follows from the sport: they are read for sports
-- on foot and on wheels alone. A heart rate of 0 is none. The track, distance, speed and gradient stay in raw. An activity is no joined table: when
-- one changes, its series is read again, and its digest is part of the row's.
told as (
  select c.source_id                                                  as raw_source_id
       , c.user_id
       , c.hash
       , meta.row_id('strava', c.account_id, c.source_id, f.path)     as origin_id
       , f.path
       , case when jsonb_typeof(c.p) = 'array'  -- as Strava sends it where it is not asked for by type
              then (select jsonb_object_agg(e.stream->>'type', e.stream) from jsonb_array_elements(c.p) e (stream))
              else c.p end                                            as p
       , a.start_at
       , a.utc_offset_s
       , a.tz_name
       , a.moves
       , meta.local_date(a.start_at, a.utc_offset_s)                  as first_day
       , mod(mod(extract(epoch from a.start_at)::bigint + coalesce(a.utc_offset_s, 0), 86400) + 86400, 86400) as second_of_day
    from (
      select user_id, account_id, source_id, hash, payload::jsonb as p
        from changed
      offset 0  -- keeps the planner from parsing once for each use
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
        from strava_raw.activities t
       where t.user_id = c.user_id and t.account_id = c.account_id and t.source_id = c.source_id
      offset 0
   ) a
  offset 0
)
select s.raw_source_id
     , s.path                                                         as raw_path
     , sha256(s.hash || convert_to(concat_ws(' ', s.start_at, s.utc_offset_s, s.moves), 'UTF8')) as raw_hash
     , s.utc_offset_s
     , s.tz_name
     , case when s.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , v.points
     , f.flags
     , meta.quality(f.flags)                                          as quality
  from told s
 cross join lateral (
    -- an element as text is null where it is JSON's null, and one that is no number is a data error
    select array_agg(
             row(s.user_id, k.metric_code, s.start_at + make_interval(secs => i.time::double precision), null, s.origin_id, (i.place - 1)::integer,
                 -- the local day of each instant, counted from the first one's: to ask for it takes longer than all the rest
                 s.first_day + floor((s.second_of_day + i.time::double precision) / 86400)::integer,
                 i.item::double precision * k.factor, null)::canonical.sample_points)                               as points
         , bool_or(i.item::double precision * k.factor < m.plausible_lo or i.item::double precision * k.factor > m.plausible_hi) as is_implausible
      from fields k
      left join meta.metrics m on m.metric_code = k.metric_code
     cross join lateral rows from (
          jsonb_array_elements_text(s.p->'time'->'data'),
          jsonb_array_elements_text(s.p->k.field->'data')) with ordinality i (time, item, place)
     where (k.only_if is null or k.only_if = s.moves)
       and i.time is not null and i.item is not null
       and not (k.metric_code = 'heart_rate' and i.item = '0')
 ) v
 cross join lateral (
    select array_remove(array[
      case when v.is_implausible then 'implausible' end,
      case when s.utc_offset_s is null then 'tz_unknown' end], null)  as flags
 ) f
 where v.points is not null
