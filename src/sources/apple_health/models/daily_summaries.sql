-- grain: one row per local day, metric and statistic: the total of what adds up, the mean, lowest and highest of what does not
-- Phone and watch count the same steps. Writers are ranked (typed in, watch, phone, others, then by name), and a record of a worse one counts only for
-- the share of its time that no better one covers, records without length count whole unless a better one covers their instant. Records of one
-- writer all count. The day is that of the start. is_partial: the last export that brought records of the day was made
-- on that day.
-- Millions of records are added up as they stand, and only the sums get a meaning. Sums are taken in millionths, so that no order of the records
-- gives another last digit.
with day as materialized (
  select d.*, row_number() over () as n from changed d
),
me as materialized (
  select user_id, account_id, count(*) >= 1000 as has_many from day group by 1, 2 limit 1
),
meaning as materialized (
  select c.type_id, c.unit_id, c.is_category, c.value, c.metric_code, c.agg, c.rule, c.shift, c.factor, c.number
    from apple_health_raw.conversions c
    join me on me.user_id = c.user_id and me.account_id = c.account_id
   where c.agg <> 'none'
),
-- x is there for its type, which can be hashed and not sorted: grouping millions of records by it never sorts them.
record as not materialized (
  select r.xmin as x, r.type_id, r.start_at, r.end_at, r.unit_id, r.source_name_id, r.device_id, r.metadata, r.value, r.value_text, r.utc_offset_s, r.id, r.ordinal, r.file_id
    from apple_health_raw.records r
   where r.user_id = (select user_id from me) and r.account_id = (select account_id from me)
     and r.missing_since_run_id is null
     and (select has_many from me)
   union all
  select r.xmin as x, r.type_id, r.start_at, r.end_at, r.unit_id, r.source_name_id, r.device_id, r.metadata, r.value, r.value_text, r.utc_offset_s, r.id, r.ordinal, r.file_id
    from day d
    join apple_health_raw.records r
      on r.type_id = d.type_id
     -- wide enough for every offset, the key is (type, start)
     and r.start_at >= (d.local_date::timestamp - interval '16 hours') at time zone 'UTC'
     and r.start_at < (d.local_date::timestamp + interval '40 hours') at time zone 'UTC'
     and meta.local_date(r.start_at, r.utc_offset_s) = d.local_date
   where r.user_id = (select user_id from me) and r.account_id = (select account_id from me)
     and r.missing_since_run_id is null
     and not (select has_many from me)
),
summed as materialized (
  select r.type_id
       , meta.local_date(r.start_at, r.utc_offset_s)              as local_date
       , coalesce(r.unit_id, 0)                                   as unit_id
       , case when r.value is null then r.value_text end as value_text
       , r.source_name_id
       , r.device_id
       , r.file_id
       , apple_health_raw.by_hand(r.metadata)                     as by_hand
       , r.value > 1                                              as is_above_one
       , case when r.type_id = any (array(select type_id from meaning where rule in ('sensor', 'no_sensor'))) then apple_health_raw.by_sensor(
               (select n.source_name from apple_health_raw.source_names n
                 where n.user_id = (select user_id from me) and n.account_id = (select account_id from me) and n.source_name_id = r.source_name_id),
               (select v.device from apple_health_raw.devices v
                 where v.user_id = (select user_id from me) and v.account_id = (select account_id from me) and v.device_id = r.device_id),
               r.metadata) end                                    as by_sensor
       , sum(case when abs(r.value) < 1e12 then round(r.value * 1e6)::bigint end) as millionths
       , sum(r.value) filter (where not abs(r.value) < 1e12)      as beyond
       , sum(case when r.value is null then round(extract(epoch from r.end_at - r.start_at) * 1e6)::bigint end) as microseconds
       , count(r.end_at)                                          as ended
       , min(r.value)                                             as lowest
       , max(r.value)                                             as highest
       , min(case when r.value is null then r.end_at - r.start_at end) as shortest
       , max(case when r.value is null then r.end_at - r.start_at end) as longest
       , count(*)                                                 as records
       , bit_xor(uuid_hash_extended(r.id, r.ordinal))             as digest
       , min(r.utc_offset_s)                                      as west
       , max(r.utc_offset_s)                                      as east
    from record r
   group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, r.x
),
-- What the sums mean. is_above_one is unknown where there is no number.
converted as materialized (
  select d.n, d.source_id, d.local_date, c.metric_code, c.agg
       , c.rule = 'sensor'                                        as is_sensor
       , s.source_name_id, s.device_id, s.by_hand
       , case
           when c.rule = 'duration'                       then s.microseconds / 1e6
           when c.is_category                             then round((c.number * s.records)::numeric, 6)
           when c.rule = 'fraction' and s.is_above_one    then round(s.added::numeric, 6)
           else round(((s.added + s.records * c.shift) * c.factor)::numeric, 6)
         end                                                      as added
       , case
           when c.rule = 'duration'                       then extract(epoch from s.shortest)::double precision
           when c.is_category                             then c.number
           when c.rule = 'fraction' and s.is_above_one    then s.lowest
           else (s.lowest + c.shift) * c.factor
         end                                                      as lowest
       , case
           when c.rule = 'duration'                       then extract(epoch from s.longest)::double precision
           when c.is_category                             then c.number
           when c.rule = 'fraction' and s.is_above_one    then s.highest
           else (s.highest + c.shift) * c.factor
         end                                                      as highest
       , case when c.rule = 'duration' then s.ended else s.records end as records
       , s.digest, s.west, s.east, f.exported_at
    from (select *, coalesce(millionths, 0)::double precision / 1e6 + coalesce(beyond, 0) as added from summed) s
    join day d on d.type_id = s.type_id and d.local_date = s.local_date
    join meaning c
      on c.type_id = s.type_id and c.unit_id = s.unit_id
     and (not c.is_category or c.value = coalesce(s.value_text, ''))
    join (select i.file_id, e.exported_at
            from meta.import_file i
            join me on me.user_id = i.user_id
            left join apple_health_raw.exports e on e.user_id = i.user_id and e.account_id = i.account_id and e.file_id = i.file_id
           where i.status = 'published') f on f.file_id = s.file_id
   where (c.is_category or s.is_above_one is not null)
     and (c.rule <> 'duration' or s.ended > 0)
     and (c.rule not in ('sensor', 'no_sensor') or (c.rule = 'sensor') = s.by_sensor)
),
by_writer as materialized (
  select n, source_id, local_date, metric_code, agg, is_sensor, source_name_id, device_id, by_hand
       , sum(added) as added, min(lowest) as lowest, max(highest) as highest, sum(records) as records
       , bit_xor(digest) as digest, min(west) as west, max(east) as east, max(exported_at) as exported_at
    from converted
   group by 1, 2, 3, 4, 5, 6, 7, 8, 9
),
total as materialized (
  select n, source_id, local_date, metric_code, agg, is_sensor
       , sum(added) as added, min(lowest) as lowest, max(highest) as highest, sum(records)::bigint as records
       , bit_xor(digest) as digest, min(west) as west, max(east) as east, max(exported_at) as exported_at
       , agg = 'sum' and count(*) > 1 as is_shared
    from by_writer
   group by 1, 2, 3, 4, 5, 6
),
shared as materialized (
  select d.type_id, d.local_date, t.n, t.is_sensor, m.unit_id, m.rule, m.is_category, m.value, m.shift, m.factor, m.number
    from total t
    join day d on d.n = t.n
    join meaning m on m.type_id = d.type_id and m.metric_code = t.metric_code
   where t.is_shared and (m.rule not in ('sensor', 'no_sensor') or t.is_sensor = (m.rule = 'sensor'))
),
device as materialized (
  select d.device_id, apple_health_raw.device_class(null, d.device) as class
    from apple_health_raw.devices d
    join me on me.user_id = d.user_id and me.account_id = d.account_id
),
writer as materialized (
  select n.source_name_id, n.source_name as name, apple_health_raw.device_class(n.source_name, null) as class
    from apple_health_raw.source_names n
    join me on me.user_id = n.user_id and me.account_id = n.account_id
),
-- Of the days that have several writers each record is needed. As in mapped_records, a test holds the two equal.
ranked as materialized (
  select t.n, t.is_sensor, r.start_at, r.end_at
       , case
           when t.rule = 'duration' then extract(epoch from r.end_at - r.start_at)::double precision
           when t.is_category then t.number
           when t.rule = 'fraction' and r.value > 1 then r.value
           else (r.value + t.shift) * t.factor
         end                                                                as value_num
       , case when apple_health_raw.by_hand(r.metadata) then 0 else coalesce(v.class, w.class, 3) end as class
       , coalesce(w.name, '')                                               as name
    from record r
    join shared t
      on t.type_id = r.type_id and t.local_date = meta.local_date(r.start_at, r.utc_offset_s) and t.unit_id = coalesce(r.unit_id, 0)
     and (not t.is_category or t.value = coalesce(r.value_text, ''))
    left join device v on v.device_id = r.device_id
    left join writer w on w.source_name_id = r.source_name_id
   where r.type_id = any (array(select type_id from shared))
     and (t.is_category or r.value is not null)
     and (t.rule <> 'duration' or r.end_at is not null)
),
covered as materialized (
  select o.n, o.is_sensor, o.class, o.name
       , range_agg(o.own) over (partition by o.n, o.is_sensor order by o.class, o.name collate "C"
                                rows between unbounded preceding and 1 preceding) as better
    from (select n, is_sensor, class, name
               , coalesce(range_agg(tstzrange(start_at, end_at)) filter (where end_at > start_at), '{}') as own
            from ranked
           group by 1, 2, 3, 4) o
),
swept as materialized (
  select r.n, r.is_sensor
       , sum(round(case
               when c.better is null                                           then r.value_num
               when r.end_at is null or r.end_at <= r.start_at
                 then case when c.better @> r.start_at then 0 else r.value_num end
               when not c.better && tstzrange(r.start_at, r.end_at)            then r.value_num
               when c.better @> tstzrange(r.start_at, r.end_at)                then 0
               else r.value_num
                    * (select coalesce(sum(extract(epoch from upper(u) - lower(u))), 0)
                         from unnest(tstzmultirange(tstzrange(r.start_at, r.end_at)) - c.better) u)::double precision
                    / extract(epoch from r.end_at - r.start_at)::double precision
             end::numeric, 6)) as total
    from ranked r
    join covered c on c.n = r.n and c.is_sensor = r.is_sensor and c.class = r.class and c.name = r.name
   group by 1, 2
)
select d.source_id                                         as raw_source_id
     , d.metric_code                                       as raw_path
     , d.local_date
     , d.metric_code
     , f.stat
     , 'computed'                                          as origin
     , f.value_num
     , f.is_partial
     , case when d.west = d.east then d.west end           as utc_offset_s
     , int8send(d.digest) || int8send(d.records)           as raw_hash
     , f.flags
     , meta.quality(f.flags)                               as quality
  from total d
  join meta.metrics m on m.metric_code = d.metric_code
  left join swept s on s.n = d.n and s.is_sensor = d.is_sensor
 cross join lateral (
   select o.stat
        , o.value_num
        , o.is_partial
        , array_remove(array['computed_totals',
            case when meta.implausible(o.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
            case when o.is_partial then 'partial_day' end], null) as flags
     from (select x.stat, x.value_num::double precision as value_num, x.applies
                , coalesce(meta.local_date(d.exported_at, d.east) <= d.local_date, false) as is_partial
             from (values ('total', coalesce(s.total, d.added), d.agg = 'sum'),
                          ('avg',   d.added / d.records,        d.agg <> 'sum'),
                          ('min',   d.lowest::numeric,          d.agg <> 'sum'),
                          ('max',   d.highest::numeric,         d.agg <> 'sum')) x (stat, value_num, applies)) o
    where o.applies
 ) f
