-- grain: one row per value of a Withings electrocardiogram: what it says of atrial fibrillation, and the heart rate
-- A blood pressure in this list comes with the measures as well, and is made there.
select raw_source_id
     , raw_path
     , event_id
     , metric_code
     , observed_at
     , meta.local_date(observed_at, utc_offset_s)                    as local_date
     , value_num
     , value_code
     , value_raw
     , unit_raw
     , 'electrocardiogram'                                           as method
     , false                                                         as is_self_reported
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'home' end    as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select c.source_id                                           as raw_source_id
             , c.at                                                  as observed_at
             , meta.zone_offset(c.at, u.home_tz)                     as utc_offset_s
             , meta.row_id('withings', c.account_id, c.source_id, '') as event_id
             , v.*
          from (
            select j.*, meta.epoch(j.p->'timestamp') as at
              from (
                select user_id, account_id, source_id, payload::jsonb as p
                  from changed
                offset 0  -- keeps the planner from parsing once for each use
              ) j
             where jsonb_typeof(j.p->'ecg') = 'object'
            offset 0
          ) c
         cross join lateral (values
              ('ecg.afib', 'ecg_afib_result', null::double precision
               , case c.p #>> '{ecg,afib}' when '0' then 'negative' when '1' then 'positive' when '2' then 'inconclusive' else 'other' end
               , c.p #>> '{ecg,afib}', null),
              ('heart_rate', 'heart_rate', nullif(meta.number(c.p->'heart_rate'), 0), null, c.p->>'heart_rate', 'bpm')
            ) v (raw_path, metric_code, value_num, value_code, value_raw, unit_raw)
          left join meta.users u on u.user_id = c.user_id
         where v.value_raw is not null and (v.value_num is not null or v.value_code is not null)
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
  ) f
