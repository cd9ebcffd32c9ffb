-- grain: one row per Withings sleep, nights and naps
-- Withings does not tell a nap from a night: of the sleeps of one day and one device the longest is the night, the others are naps. The day is
-- the one of waking, as Withings dates it. Totals are Withings' own, a heart rate of 0 means that there is none. Stages come from the segments of the
-- same device in that time, which are neither sorted nor without gaps: what lies outside the sleep is cut off, one that another begins in ends there,
-- which is flagged, and one that lasts no time is none. RMSSD has two means, of the beginning and of the end, and stays in detail.
with segments as materialized (
    select t.user_id, t.account_id, coalesce(t.payload->>'hash_deviceid', '') as device, t.payload->>'state' as state
         , t.record_at as start_at, meta.epoch_or_null(t.payload->>'enddate') as end_at, (t.record_at at time zone 'UTC')::date as day
      from withings_raw.sleep t
     where t.missing_since_run_id is null
       and (t.user_id, t.account_id) in (select user_id, account_id from changed)
),
clipped as (
    select n.source_id, g.state
         , case g.state when '0' then 'awake' when '1' then 'light' when '2' then 'deep' when '3' then 'rem' when '15' then 'out_of_bed' else 'unknown' end as stage
         , greatest(g.start_at, n.start_at)                          as start_at
         , least(g.end_at, n.end_at)                                 as end_at
      from (
        select b.user_id, b.account_id, b.source_id, b.start_at, b.end_at, b.device, (d.day at time zone 'UTC')::date as day
          from (
            select c.user_id, c.account_id, c.source_id, coalesce(c.payload->>'hash_deviceid', '') as device
                 , meta.epoch_or_null(c.payload->>'startdate') as start_at, c.record_at as end_at
              from changed c
            offset 0
          ) b
         cross join lateral generate_series(date_trunc('day', b.start_at, 'UTC') - interval '1 day', b.end_at, interval '1 day') d (day)
         where b.end_at - b.start_at between interval '0' and interval '3 days'
        offset 0
      ) n
      -- by days, so that no night is compared with the segments of ten years
      join segments g on g.day = n.day and g.device = n.device and g.user_id = n.user_id and g.account_id = n.account_id
       and g.start_at < n.end_at and g.end_at > n.start_at and g.end_at > g.start_at
),
cut as (
    select u.*, count(*) filter (where u.until > u.start_at) over (partition by u.source_id order by u.start_at, u.end_at, u.state rows unbounded preceding) - 1 as seq
      from (select c.*, least(c.end_at, lead(c.start_at) over (partition by c.source_id order by c.start_at, c.end_at, c.state)) as until from clipped c) u
),
staged as materialized (
    select s.source_id
         , jsonb_agg(jsonb_build_object('seq', s.seq, 'stage', s.stage, 'stage_raw', s.state, 'start_at', s.start_at, 'end_at', s.until) order by s.seq)
             filter (where s.until > s.start_at)                     as stages
         , bool_or(s.until < s.end_at)                               as do_overlap
      from cut s
     group by s.source_id
),
