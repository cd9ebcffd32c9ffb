-- grain: one row per local day, metric and statistic: the total of what adds up, the mean, lowest and highest of what does not
-- Phone and watch count the same steps. Writers are ranked (typed in, watch, phone, others; then by name), and a record of a worse one counts only for
-- the share of its time that no better one covers; records without length count whole unless a better one covers their instant. Records of one
-- writer all count. The day is that of the start. is_partial: the export that brought the records was made on that day.
with record as not materialized (
  select d.type_id
       , d.local_date
       , v.metric_code
       , v.agg
       , v.source_name_id
       , v.device_id
       , v.by_hand
       , v.start_at
       , v.end_at
       , v.value_num
       , v.utc_offset_s
       , uuid_hash_extended(v.id, v.ordinal)                                       as digest
       , coalesce(meta.local_date(v.exported_at, v.utc_offset_s) <= v.local_date, false) as is_partial
       , meta.implausible(v.value_num, v.plausible_lo, v.plausible_hi)             as is_implausible
    from changed d
    join apple_health_raw.mapped_records v
      on v.user_id = d.user_id and v.account_id = d.account_id and v.type_id = d.type_id
     -- wide enough for every offset; the key is (type, start)
     and v.start_at >= (d.local_date::timestamp - interval '16 hours') at time zone 'UTC'
     and v.start_at < (d.local_date::timestamp + interval '40 hours') at time zone 'UTC'
     and v.local_date = d.local_date
   where v.missing_since_run_id is null
     and v.agg <> 'none'
     and v.value_num is not null
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
  select r.type_id, r.local_date, r.metric_code, r.agg, r.source_name_id, r.device_id, r.by_hand
       , sum(r.value_num)         as total
       , min(r.value_num)         as lowest
       , max(r.value_num)         as highest
       , count(*)                 as records
       , bit_xor(r.digest)        as digest
       , min(r.utc_offset_s)      as west
       , max(r.utc_offset_s)      as east
       , bool_or(r.is_partial)    as is_partial
       , bool_and(r.is_implausible) as is_implausible
    from record r
   group by 1, 2, 3, 4, 5, 6, 7
),
shared as materialized (
  select b.type_id, b.local_date, b.metric_code
    from by_writer b
   where b.agg = 'sum'
   group by 1, 2, 3
  having count(*) > 1
),
ranked as materialized (
  select r.type_id, r.local_date, r.metric_code, r.start_at, r.end_at, r.value_num
       , case when r.by_hand then 0 else coalesce(d.class, w.class, 3) end as class
       , coalesce(w.name, '')                                              as name
    from shared s
    join record r on r.type_id = s.type_id and r.local_date = s.local_date and r.metric_code = s.metric_code
    left join device d on d.device_id = r.device_id
    left join writer w on w.source_name_id = r.source_name_id
),
covered as (
  select o.type_id, o.local_date, o.metric_code, o.class, o.name
       , range_agg(o.own) over (partition by o.type_id, o.local_date, o.metric_code order by o.class, o.name collate "C"
                                rows between unbounded preceding and 1 preceding) as better
    from (select type_id, local_date, metric_code, class, name
               , coalesce(range_agg(tstzrange(start_at, end_at)) filter (where end_at > start_at), '{}') as own
            from ranked
           group by 1, 2, 3, 4, 5) o
),
swept as (
  select r.type_id, r.local_date, r.metric_code
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
    join covered c on c.type_id = r.type_id and c.local_date = r.local_date and c.metric_code = r.metric_code
                  and c.class = r.class and c.name = r.name
   group by 1, 2, 3
),
day as (
  select b.type_id, b.local_date, b.metric_code, b.agg
       , sum(b.total) as added, min(b.lowest) as lowest, max(b.highest) as highest, sum(b.records)::bigint as records
       , bit_xor(b.digest) as digest, min(b.west) as west, max(b.east) as east
       , bool_or(b.is_partial) as is_partial, bool_and(b.is_implausible) as is_implausible
    from by_writer b
   group by 1, 2, 3, 4
)
select c.source_id                                         as raw_source_id
     , d.metric_code                                       as raw_path
     , d.local_date
     , d.metric_code
     , f.stat
     , 'computed'                                          as origin
     , f.value_num
     , d.is_partial
     , case when d.west = d.east then d.west end           as utc_offset_s
     , int8send(d.digest) || int8send(d.records)           as raw_hash
     , f.flags
     , meta.quality(f.flags)                               as quality
  from day d
  join changed c on c.type_id = d.type_id and c.local_date = d.local_date
  join meta.metrics m on m.metric_code = d.metric_code
  left join swept s on s.type_id = d.type_id and s.local_date = d.local_date and s.metric_code = d.metric_code
 cross join lateral (
   select o.stat
        , o.value_num
        , array_remove(array['computed_totals',
            case when case when o.stat = 'total' then meta.implausible(o.value_num, m.plausible_lo, m.plausible_hi)
                           else d.is_implausible end then 'implausible' end,
            case when d.is_partial then 'partial_day' end], null) as flags
     from (values ('total', coalesce(s.total, d.added), d.agg = 'sum'),
                  ('avg',   d.added / d.records,        d.agg <> 'sum'),
                  ('min',   d.lowest,                   d.agg <> 'sum'),
                  ('max',   d.highest,                  d.agg <> 'sum')) o (stat, value_num, applies)
    where o.applies
 ) f
