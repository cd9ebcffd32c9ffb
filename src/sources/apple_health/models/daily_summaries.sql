-- grain: one row per local day, metric and statistic: the total of what adds up, the mean, lowest and highest of what does not
-- Phone and watch count the same steps. Writers are ranked (typed in, watch, phone, others, then by name), and a record of a worse one counts only for
-- the share of its time that no better one covers, records without length count whole unless a better one covers their instant. Records of one
-- writer all count. The day is that of the start. is_partial: no export was made after the day was over.
-- The importer has added up the days of a first import (sums), which count while no later run has touched them. The others are added up here, in the
-- same way: millions of records as they stand, and only the sums get a meaning. Sums are taken in billionths, so that no order of the
-- records, and no way of reading them, gives another last digit.
with day as materialized (
  select d.*, row_number() over () as n from changed d
),
me as materialized (
  select user_id, account_id from day limit 1
),
meaning as materialized (
  select c.type_id, c.unit_id, c.is_category, c.value, c.metric_code, c.agg, c.rule, c.shift, c.factor, c.number
    from apple_health_raw.conversions c
    join me on me.user_id = c.user_id and me.account_id = c.account_id
   where c.agg <> 'none'
),
file as materialized (
  select i.file_id, i.run_id
    from meta.import_file i
    join me on me.user_id = i.user_id
   where i.status = 'published'
),
newest as materialized (
  select max(x.day) as day from apple_health_raw.export_days x join me on me.user_id = x.user_id and me.account_id = x.account_id
),
ready as materialized (
  select d.n, s.*
    from apple_health_raw.sums s
    join apple_health_raw.days k
      on k.user_id = s.user_id and k.account_id = s.account_id and k.type_id = s.type_id and k.local_date = s.local_date and k.run_id = s.run_id
    join day d on d.type_id = s.type_id and d.local_date = s.local_date
    join file f on f.run_id = s.run_id
   where s.user_id = (select user_id from me) and s.account_id = (select account_id from me)
),
open as materialized (
  select d.n, d.type_id, d.local_date, count(*) over () >= 1000 as has_many
    from day d
   where d.n not in (select n from ready)
),
-- A few days are looked up by the key, whatever the planner believes, many by reading everything. x is there for its type, which can be hashed and not sorted: grouping millions of
-- records by it never sorts them.
record as not materialized (
  select d.n, r.xmin as x, r.type_id, r.start_at, r.end_at, r.unit_id, r.source_name_id, r.device_id, r.metadata, r.value, r.value_text, r.utc_offset_s, r.id, r.ordinal, r.file_id
    from apple_health_raw.records r
    join open d on d.type_id = r.type_id and d.local_date = meta.local_date(r.start_at, r.utc_offset_s)
   where r.user_id = (select user_id from me) and r.account_id = (select account_id from me)
     and r.missing_since_run_id is null
     and (select has_many from open limit 1)
   union all
  select d.n, r.xmin as x, r.type_id, r.start_at, r.end_at, r.unit_id, r.source_name_id, r.device_id, r.metadata, r.value, r.value_text, r.utc_offset_s, r.id, r.ordinal, r.file_id
    from open d
   cross join lateral (
         select k.xmin, k.*
           from apple_health_raw.records k
          where k.user_id = (select user_id from me) and k.account_id = (select account_id from me) and k.type_id = d.type_id
            -- wide enough for every offset, the key is (type, start)
            and k.start_at >= (d.local_date::timestamp - interval '16 hours') at time zone 'UTC'
            and k.start_at < (d.local_date::timestamp + interval '40 hours') at time zone 'UTC'
            and meta.local_date(k.start_at, k.utc_offset_s) = d.local_date
            and k.missing_since_run_id is null
         offset 0) r
   where not (select has_many from open limit 1)
),
category as materialized (
  select array(select t.type_id from apple_health_raw.types t
                where t.user_id = (select user_id from me) and t.account_id = (select account_id from me)
                  and t.type like 'HKCategoryTypeIdentifier%') as type_ids
),
summed as materialized (
  select r.n
       , coalesce(r.unit_id, 0)                                   as unit_id
       , case when r.value is null or r.type_id = any ((select type_ids from category)::integer[]) then r.value_text end as value_text
       , r.source_name_id
       , r.device_id
       , apple_health_raw.by_hand(r.metadata)                     as by_hand
       , apple_health_raw.at_meal(r.metadata)                     as at_meal
       , r.value > 1                                              as is_above_one
       , r.type_id
       , r.file_id
       , count(*)                                                 as records
       , count(r.end_at)                                          as ended
       , sum(case when abs(r.value) < 1e9 then round(r.value * 1e9)::bigint end) as billionths
       , sum(r.value) filter (where not abs(r.value) < 1e9)       as beyond
       , sum(case when r.value is null or r.type_id = any ((select type_ids from category)::integer[])
                  then extract(epoch from r.end_at - r.start_at)::bigint end) as seconds
       , min(r.value)                                             as lowest
       , max(r.value)                                             as highest
       , min(case when r.value is null or r.type_id = any ((select type_ids from category)::integer[])
                  then extract(epoch from r.end_at - r.start_at)::bigint end) as shortest
       , max(case when r.value is null or r.type_id = any ((select type_ids from category)::integer[])
                  then extract(epoch from r.end_at - r.start_at)::bigint end) as longest
       , bit_xor(uuid_hash_extended(r.id, r.ordinal))             as digest
       , min(r.utc_offset_s)                                      as west
       , max(r.utc_offset_s)                                      as east
    from record r
   group by 1, 2, 3, 4, 5, 6, 7, 8, r.type_id, r.file_id, r.x
),
told as (
  select n, type_id, unit_id, value_text, coalesce(source_name_id, 0) as source_name_id, coalesce(device_id, 0) as device_id, by_hand, at_meal, is_above_one, records, ended, billionths, null::double precision as beyond, seconds
       , lowest, highest, shortest, longest, digest, west, east, counted_billionths, counted_seconds, counted_parts
    from ready
   union all
  select s.n, s.type_id, s.unit_id, s.value_text, coalesce(s.source_name_id, 0), coalesce(s.device_id, 0), s.by_hand, s.at_meal, s.is_above_one, s.records, s.ended, s.billionths
       , s.beyond, s.seconds, s.lowest, s.highest, s.shortest, s.longest, s.digest, s.west, s.east, null, null, null
    from summed s
    join file f on f.file_id = s.file_id
),
device as materialized (
  select d.device_id, apple_health_raw.device_class(null, d.device) as class, d.is_sensor
    from apple_health_raw.devices d
    join me on me.user_id = d.user_id and me.account_id = d.account_id
),
writer as materialized (
  select s.source_name_id, s.source_name as name, apple_health_raw.device_class(s.source_name, null) as class, s.is_sensor
    from apple_health_raw.source_names s
    join me on me.user_id = s.user_id and me.account_id = s.account_id
),
-- What means the same, added up. Writer: a number for each app, device and way of writing. is_above_one is unknown where there is no number.
part as (
  select t.n, c.metric_code, c.agg, c.rule, c.is_category, c.shift, c.factor, c.number
       , c.rule = 'fraction' and t.is_above_one                   as is_percent
       , sum(t.records) as records, sum(t.ended) as ended, sum(t.seconds) as seconds
       , coalesce(sum(t.billionths), 0)::double precision / 1e9 + coalesce(sum(t.beyond), 0) as added
       , min(t.lowest) as lowest, max(t.highest) as highest, min(t.shortest) as shortest, max(t.longest) as longest
       , sum(t.counted_billionths)::double precision / 1e9        as counted
       , sum(t.counted_seconds)                                   as counted_seconds
       , sum(t.counted_parts)::double precision / 1e6             as counted_parts
       , bit_xor(t.digest) as digest, min(t.west) as west, max(t.east) as east
       , min((t.source_name_id::bigint << 32) + t.device_id::bigint * 2 + t.by_hand::integer) as first_writer
       , max((t.source_name_id::bigint << 32) + t.device_id::bigint * 2 + t.by_hand::integer) as last_writer
    from told t
    join meaning c
      on c.type_id = t.type_id and c.unit_id = t.unit_id
     and (not c.is_category or c.value = coalesce(t.value_text, ''))
    left join writer w on w.source_name_id = t.source_name_id
    left join device v on v.device_id = t.device_id
   where (c.is_category or t.is_above_one is not null)
     and (c.rule <> 'duration' or t.ended > 0)
     and (c.rule not in ('sensor', 'no_sensor') or (c.rule = 'sensor') = (not t.by_hand and not t.at_meal and (coalesce(w.is_sensor, false) or coalesce(v.is_sensor, false))))
   group by 1, 2, 3, 4, 5, 6, 7, 8, 9
),
total as materialized (
  select n, metric_code, agg, rule = 'sensor' as is_sensor
       , sum(case
               when rule = 'duration' then seconds
               when is_category       then round((number * records)::numeric, 6)
               when is_percent        then round(added::numeric, 6)
               else round(((added + records * shift) * factor)::numeric, 6)
             end)                                                 as added
       , sum(case
               when rule = 'duration' then counted_seconds
               when is_category       then round((number * counted_parts)::numeric, 6)
               else round((counted * factor)::numeric, 6)
             end)                                                 as counted
       , min(case
               when rule = 'duration' then shortest
               when is_category       then number
               when is_percent        then lowest
               else (lowest + shift) * factor
             end)                                                 as lowest
       , max(case
               when rule = 'duration' then longest
               when is_category       then number
               when is_percent        then highest
               else (highest + shift) * factor
             end)                                                 as highest
       , sum(case when rule = 'duration' then ended else records end)::bigint as records
       , bit_xor(digest) as digest, min(west) as west, max(east) as east
       , agg = 'sum' and min(first_writer) <> max(last_writer)    as is_shared
    from part
   group by 1, 2, 3, 4
),
shared as materialized (
  select t.n, t.is_sensor, m.type_id, m.unit_id, m.rule, m.is_category, m.value, m.factor, m.number
    from total t
    join open d on d.n = t.n
    join meaning m on m.type_id = d.type_id and m.metric_code = t.metric_code
   where t.is_shared and (m.rule not in ('sensor', 'no_sensor') or t.is_sensor = (m.rule = 'sensor'))
),
-- Of the days that have several writers, and that nobody has added up, each record is needed. As in mapped_records, a test holds the two equal.
ranked as materialized (
  select t.n, t.is_sensor, t.rule, t.is_category, t.factor, t.number, r.start_at, r.end_at, r.value
       , case when apple_health_raw.by_hand(r.metadata) then 0 else coalesce(v.class, w.class, 3) end as class
       , coalesce(w.name, '')                                               as name
    from record r
    join shared t
      on t.n = r.n and t.unit_id = coalesce(r.unit_id, 0)
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
-- The share of its time for which a record counts, as a fraction of two lengths in seconds.
share as (
  select r.n, r.is_sensor, r.rule, r.is_category, r.factor, r.number, r.value
       , extract(epoch from r.end_at - r.start_at)::bigint        as length
       , case
           when c.better is null                                        then null
           when r.end_at is null or r.end_at <= r.start_at
             then case when c.better @> r.start_at then 0 end
           when not c.better && tstzrange(r.start_at, r.end_at)         then null
           when c.better @> tstzrange(r.start_at, r.end_at)             then 0
           else (select coalesce(sum(extract(epoch from upper(u) - lower(u))), 0)
                   from unnest(tstzmultirange(tstzrange(r.start_at, r.end_at)) - c.better) u)::bigint
         end                                                      as free   -- null: all of it
    from ranked r
    join covered c on c.n = r.n and c.is_sensor = r.is_sensor and c.class = r.class and c.name = r.name
),
swept_part as (
  select n, is_sensor, rule, is_category, factor, number
       , coalesce(sum(case when abs(counted) < 1e9 then round(counted * 1e9)::bigint end), 0)::double precision / 1e9
         + coalesce(sum(counted) filter (where not abs(counted) < 1e9), 0) as counted
       , sum(coalesce(free, length))                              as counted_seconds
       , sum(case when free is null then 1000000 when free = 0 then 0
                  else round(free::double precision / length::double precision * 1e6)::bigint end)::double precision / 1e6 as counted_parts
    from (select *
               , case when free is null then value when free = 0 then 0
                      else value * free::double precision / length::double precision end as counted
            from share) c
   group by 1, 2, 3, 4, 5, 6
),
swept as materialized (
  select n, is_sensor
       , sum(case
               when rule = 'duration' then counted_seconds
               when is_category       then round((number * counted_parts)::numeric, 6)
               else round((counted * factor)::numeric, 6)
             end)                                                 as counted
    from swept_part
   group by 1, 2
),
figure as (
  select n, metric_code, digest, records, west, east, 'total' as stat
       , case when d.is_shared then coalesce(s.counted, d.counted) else d.added end::double precision as value_num
    from total d
    left join swept s using (n, is_sensor)
   where agg = 'sum'
   union all
  select n, metric_code, digest, records, west, east, 'avg', least(greatest(added::double precision / records, lowest), highest) from total where agg <> 'sum'
   union all
  select n, metric_code, digest, records, west, east, 'min', lowest from total where agg <> 'sum'
   union all
  select n, metric_code, digest, records, west, east, 'max', highest from total where agg <> 'sum'
),
-- The few ways in which a figure is flagged, so that flags are made and judged once each.
manner as materialized (
  select is_implausible, is_partial, is_elsewhere, flags, meta.quality(flags) as quality
    from (select i as is_implausible, p as is_partial, w as is_elsewhere
               , array_remove(array['computed_totals', case when i then 'implausible' end, case when p then 'partial_day' end,
                                    case when w then 'clock_wrong' end], null) as flags
            from unnest(array[false, true]) i cross join unnest(array[false, true]) p cross join unnest(array[false, true]) w) f
)
select k.source_id                                         as raw_source_id
     , f.metric_code                                       as raw_path
     , k.local_date
     , f.metric_code
     , f.stat
     , 'computed'                                          as origin
     , f.value_num
     , q.is_partial
     , case when f.west = f.east then f.west end           as utc_offset_s
     , int8send(f.digest) || int8send(f.records)           as raw_hash
     , q.flags
     , q.quality
  from figure f
  join day k on k.n = f.n
  join meta.metrics m on m.metric_code = f.metric_code
  join manner q
    on q.is_implausible = meta.implausible(f.value_num, m.plausible_lo, m.plausible_hi)
   and q.is_partial = coalesce((select day from newest) <= k.local_date, false)
   and q.is_elsewhere = (k.local_date < '1970-01-01' or coalesce((select day from newest) < k.local_date, false))
