-- grain: one row per Strava activity that has a series of heart rate, altitude, power or cadence over time
-- Instants are those of the start and `time`, in seconds from it. What power and cadence are of follows from the sport, and so these two are read for
-- sports on foot and on wheels alone. Cadence on foot counts one leg. A heart rate of 0 is none. The track, distance, speed and gradient stay in raw.
-- An activity is no joined table: when one changes, its series is read again, and its digest is part of the row's.
select s.raw_source_id
     , sha256(s.hash || convert_to(concat_ws(' ', s.start_at, s.utc_offset_s, s.moves), 'UTF8')) as raw_hash
     , s.utc_offset_s
     , s.tz_name
     , case when s.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , v.points
     , f.flags
     , meta.quality(f.flags)                                          as quality
  from (
    select c.user_id
         , c.source_id                                                as raw_source_id
         , c.hash
         , meta.row_id('strava', c.account_id, c.source_id, '')       as origin_id
         , case when jsonb_typeof(c.p) = 'array'  -- as Strava sends it where it is not asked for by type
                then (select jsonb_object_agg(e.stream->>'type', e.stream) from jsonb_array_elements(c.p) e (stream))
                else c.p end                                          as p
         , a.*
      from (
        select user_id, account_id, source_id, hash, payload::jsonb as p
          from changed
        offset 0  -- keeps the planner from parsing once for each use
      ) c
     cross join lateral (
        select meta.instant(t.payload->>'start_date')                 as start_at
             , coalesce(
                 round(meta.number(t.payload->>'utc_offset')),
                 extract(epoch from meta.instant(t.payload->>'start_date_local') - meta.instant(t.payload->>'start_date')))::integer as utc_offset_s
             , substring(t.payload->>'timezone' from '\)\s*(\S+)$')   as tz_name
             , case when coalesce(t.payload->>'sport_type', t.payload->>'type') in ('Run', 'TrailRun', 'VirtualRun', 'Walk', 'Hike', 'Snowshoe')
                      then 'on foot'
                    when coalesce(t.payload->>'sport_type', t.payload->>'type')
                         in ('Ride', 'GravelRide', 'MountainBikeRide', 'EBikeRide', 'EMountainBikeRide', 'VirtualRide', 'Velomobile', 'Handcycle')
                      then 'on wheels'
                    else 'otherwise' end                              as moves
          from strava_raw.activities t
         where t.user_id = c.user_id and t.account_id = c.account_id and t.source_id = c.source_id
        offset 0
     ) a
    offset 0
  ) s
 cross join lateral (
    select array_agg(row(s.user_id, n.metric_code, n.at, null, s.origin_id, n.seq, meta.local_date(n.at, s.utc_offset_s), n.value_num, null)::canonical.sample_points) as points
         , bool_or(n.value_num < n.plausible_lo or n.value_num > n.plausible_hi) as is_implausible
      from (
        select k.metric_code
             , m.plausible_lo
             , m.plausible_hi
             , (i.place - 1)::integer                                 as seq
             , s.start_at + make_interval(secs => meta.number(i.time)) as at
             , meta.number(i.item) * k.factor                         as value_num
          from (values
              ('heartrate', 'heart_rate',      1::double precision, null),
              ('altitude',  'altitude',        1,                   null),
              ('watts',     'running_power',   1,                   'on foot'),
              ('watts',     'cycling_power',   1,                   'on wheels'),
              ('cadence',   'step_cadence',    2,                   'on foot'),
              ('cadence',   'cycling_cadence', 1,                   'on wheels')
            ) k (field, metric_code, factor, only_if)
          left join meta.metrics m on m.metric_code = k.metric_code
         cross join lateral rows from (
              jsonb_array_elements(s.p->'time'->'data'),
              jsonb_array_elements(s.p->k.field->'data')) with ordinality i (time, item, place)
         where (k.only_if is null or k.only_if = s.moves)
           and i.time <> 'null' and i.item <> 'null'
           and (k.field <> 'heartrate' or i.item <> '0')
      ) n
 ) v
 cross join lateral (
    select array_remove(array[
      case when v.is_implausible then 'implausible' end,
      case when s.utc_offset_s is null then 'tz_unknown' end], null)  as flags
 ) f
 where v.points is not null
