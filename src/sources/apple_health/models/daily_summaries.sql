-- grain: one row per local day, metric and statistic: the total of what adds up, the mean, lowest and highest of what does not
-- Phone and watch count the same steps. Writers are ranked (typed in, watch, phone, others, then by name), and a record of a worse one counts only for
-- the share of its time that no better one covers, records without length count whole unless a better one covers their instant. Records of one
-- writer all count. The day is that of the start. is_partial: the last export that brought records of the day was made
-- on that day.
with day as materialized (
  -- k numbers the day too, in a type that can be hashed and not sorted: grouping millions of records by it never sorts them
  select d.*, row_number() over () as n, (row_number() over ())::text::xid as k
    from changed d
),
-- Small enough to be looked up for each record without a thought.
meaning as materialized (
  select c.type_id, c.unit_id, c.is_category, c.value, c.rule, c.shift, c.factor, c.number
    from apple_health_raw.conversions c
   where c.agg <> 'none'
     and (c.user_id, c.account_id) in (select d.user_id, d.account_id from changed d)
),
file as materialized (
  select f.file_id, e.exported_at
    from meta.import_file f
    left join apple_health_raw.exports e on e.user_id = f.user_id and e.account_id = f.account_id and e.file_id = f.file_id
   where f.status = 'published'
     and (f.user_id, f.account_id) in (select d.user_id, d.account_id from changed d)
),
-- As in mapped_records, which has more than is needed here, a test holds the two equal.
record as not materialized (
  select d.k
       , d.n
       , r.type_id
       , m.rule = 'sensor' as is_sensor
       , r.source_name_id
       , r.device_id
       , apple_health_raw.by_hand(r.metadata) as by_hand
       , r.start_at
       , r.end_at
       , case
           when m.rule = 'duration' then extract(epoch from r.end_at - r.start_at)::double precision
           when m.is_category then m.number
           when m.rule = 'fraction' and r.value > 1 then r.value
           else (r.value + m.shift) * m.factor
         end as value_num
       , r.utc_offset_s
       , uuid_hash_extended(r.id, r.ordinal) as digest
       , f.exported_at
    from day d
    join apple_health_raw.records r
      on r.type_id = d.type_id
     -- wide enough for every offset, the key is (type, start)
     and r.start_at >= (d.local_date::timestamp - interval '16 hours') at time zone 'UTC'
     and r.start_at < (d.local_date::timestamp + interval '40 hours') at time zone 'UTC'
     and meta.local_date(r.start_at, r.utc_offset_s) = d.local_date
    join meaning m
      on m.type_id = r.type_id and m.unit_id = coalesce(r.unit_id, 0)
     and (not m.is_category or m.value = coalesce(r.value_text, ''))
    join file f on f.file_id = r.file_id
   where r.user_id = (select d.user_id from changed d limit 1)
     and r.account_id = (select d.account_id from changed d limit 1)
     and r.missing_since_run_id is null
     and (m.is_category or r.value is not null)
     and (m.rule <> 'duration' or r.end_at is not null)
     and (m.rule not in ('sensor', 'no_sensor')
          or (m.rule = 'sensor') = apple_health_raw.by_sensor(
               (select n.source_name from apple_health_raw.source_names n
                 where n.user_id = r.user_id and n.account_id = r.account_id and n.source_name_id = r.source_name_id),
               (select v.device from apple_health_raw.devices v
                 where v.user_id = r.user_id and v.account_id = r.account_id and v.device_id = r.device_id),
               r.metadata))
),
device as materialized (
  select d.device_id, apple_health_raw.device_class(null, d.device) as class
    from apple_health_raw.devices d
   where (d.user_id, d.account_id) in (select c.user_id, c.account_id from changed c)
),
writer as materialized (
  select n.source_name_id, n.source_name as name, apple_health_raw.device_class(n.source_name, null) as class
    from apple_health_raw.source_names n
   where (n.user_id, n.account_id) in (select c.user_id, c.account_id from changed c)
),
by_writer as materialized (
  select r.k, r.is_sensor, r.source_name_id, r.device_id, r.by_hand
       , sum(r.value_num)         as total
       , min(r.value_num)         as lowest
       , max(r.value_num)         as highest
       , count(*)                 as records
       , bit_xor(r.digest)        as digest
       , min(r.utc_offset_s)      as west
       , max(r.utc_offset_s)      as east
       , max(r.exported_at)       as exported_at
    from record r
   group by 1, 2, 3, 4, 5
),
kind as materialized (
  select distinct t.type_id, m.rule = 'sensor' as is_sensor, m.metric_code, m.agg
    from apple_health_raw.types t
    join apple_health_raw.mapping m on m.type = t.type and m.agg <> 'none'
   where (t.user_id, t.account_id) in (select c.user_id, c.account_id from changed c)
),
total as materialized (
  select d.n, d.source_id, d.local_date, k.is_sensor, k.metric_code, k.agg
       , sum(b.total) as added, min(b.lowest) as lowest, max(b.highest) as highest, sum(b.records)::bigint as records
       , bit_xor(b.digest) as digest, min(b.west) as west, max(b.east) as east, max(b.exported_at) as exported_at
       , k.agg = 'sum' and count(*) > 1 as is_shared
    from by_writer b
    join day d on d.k = b.k
    join kind k on k.type_id = d.type_id and k.is_sensor = b.is_sensor
   group by 1, 2, 3, 4, 5, 6
),
ranked as materialized (
  select r.n, r.is_sensor, r.start_at, r.end_at, r.value_num
       , case when r.by_hand then 0 else coalesce(d.class, w.class, 3) end as class
       , coalesce(w.name, '')                                              as name
    from record r
    left join device d on d.device_id = r.device_id
    left join writer w on w.source_name_id = r.source_name_id
   where r.type_id = any (array(select d.type_id from total t join day d on d.n = t.n where t.is_shared))
     and (r.n, r.is_sensor) in (select t.n, t.is_sensor from total t where t.is_shared)
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
       , sum(case
               when c.better is null                                           then r.value_num
               when r.end_at is null or r.end_at <= r.start_at
                 then case when c.better @> r.start_at then 0 else r.value_num end
               when not c.better && tstzrange(r.start_at, r.end_at)            then r.value_num
               when c.better @> tstzrange(r.start_at, r.end_at)                then 0
               else r.value_num
                    * (select coalesce(sum(extract(epoch from upper(u) - lower(u))), 0)
                         from unnest(tstzmultirange(tstzrange(r.start_at, r.end_at)) - c.better) u)::double precision
                    / extract(epoch from r.end_at - r.start_at)::double precision
             end) as total
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
     from (select x.*, coalesce(meta.local_date(d.exported_at, d.east) <= d.local_date, false) as is_partial
             from (values ('total', coalesce(s.total, d.added), d.agg = 'sum'),
                          ('avg',   d.added / d.records,        d.agg <> 'sum'),
                          ('min',   d.lowest,                   d.agg <> 'sum'),
                          ('max',   d.highest,                  d.agg <> 'sum')) x (stat, value_num, applies)) o
    where o.applies
 ) f
