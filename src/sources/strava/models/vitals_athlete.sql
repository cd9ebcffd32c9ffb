-- grain: one row per weight or threshold power that a Strava profile has shown, dated by when it was first seen
-- The profile says what is so now, not since when: it was typed in. All versions that raw holds count, and one that repeats the value before it is
-- no new measurement. Zero is Strava's word for not stated.
with versions as materialized (
  select c.user_id, c.account_id, c.source_id, v.place, v.run_id, v.hash, v.payload::jsonb as p
    from changed c
   cross join lateral (
      select h.version as place, h.run_id, h.hash, h.payload
        from strava_raw.history h
       where h.user_id = c.user_id and h.account_id = c.account_id and h.resource = 'athlete' and h.source_id = c.source_id
      union all
      select 2147483647, c.run_id, c.hash, c.payload
   ) v
),
told as materialized (
  select v.*, f.field, f.metric_code, f.unit_raw
       , nullif(meta.number_or_null(v.p->>f.field), 0)                            as value_num
       , lag(nullif(meta.number_or_null(v.p->>f.field), 0)) over (partition by v.source_id, f.field order by v.place) as value_before
    from versions v
   cross join (values ('weight', 'weight', 'kg'), ('ftp', 'cycling_ftp', 'W')) f (field, metric_code, unit_raw)
)
select t.source_id                                                                as raw_source_id
     , t.field || ' of run ' || t.run_id                                          as raw_path
     , t.hash                                                                     as raw_hash
     , meta.row_id('strava', t.account_id, t.source_id, 'profile of run ' || t.run_id) as event_id
     , t.metric_code
     , r.started_at                                                               as observed_at
     , meta.local_date(r.started_at, z.utc_offset_s)                              as local_date
     , t.value_num
     , t.p->>t.field                                                              as value_raw
     , t.unit_raw
     , true                                                                       as is_self_reported
     , 'profile'                                                                  as method
     , z.utc_offset_s
     , case when z.utc_offset_s is null then 'none' else 'home' end               as tz_basis
     , g.flags
     , meta.quality(g.flags)                                                      as quality
  from told t
  join meta.import_runs r on r.user_id = t.user_id and r.run_id = t.run_id
  left join meta.users u on u.user_id = t.user_id
  left join meta.metrics m on m.metric_code = t.metric_code
 cross join lateral (
    select extract(epoch from (r.started_at at time zone u.home_tz) - (r.started_at at time zone 'UTC'))::integer as utc_offset_s
 ) z
 cross join lateral (
    select array_remove(array[
      'manual',
      'day_inferred',
      case when z.utc_offset_s is null then 'tz_unknown' end,
      case when meta.implausible(t.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end], null) as flags
 ) g
 where t.value_num is distinct from t.value_before and t.value_num is not null
