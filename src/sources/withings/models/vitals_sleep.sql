select raw_source_id
     , raw_path
     , event_id
     , metric_code
     , end_at                                                        as observed_at
     , coalesce(said_day, meta.local_date(end_at, utc_offset_s))     as local_date
     , value_num
     , value_raw
     , unit_raw
     , method
     , false                                                         as is_self_reported
     , utc_offset_s
     , tz_name
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when n.is_copy then 'foreign_copy' end,
             case when n.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from (
        select c.source_id                                           as raw_source_id
             , 'data.' || k.field                                    as raw_path
             , meta.row_id('withings', c.account_id, c.source_id, 'sleep') as event_id
             , k.metric_code
             , c.end_at
             , meta.day(c.p->>'date')                                  as said_day
             , c.end_utc_offset_s                                    as utc_offset_s
             , case when c.end_utc_offset_s is not null then c.p->>'timezone' end as tz_name
             , nullif(meta.number(c.d->k.field), k.missing)          as value_num
             , c.d->>k.field                                         as value_raw
             , k.unit_raw
             , k.method
             , c.is_copy
          from nights c
         cross join (values
              ('respiratory_rate',       'rr_average',                       'breaths/min', 0::double precision, null),
              ('heart_rate_resting',     'hr_min',                           'bpm',         0,                   'lowest of the night'),
              ('hrv_rmssd',              'rmssd_start_avg',                  'ms',          0,                   'mean at the beginning of the sleep'),
              ('hrv_rmssd',              'rmssd_end_avg',                    'ms',          0,                   'mean at the end of the sleep'),
              ('breathing_disturbances', 'breathing_disturbances_intensity', '{index}',     null,                null),
              ('sleep_disturbance_rate', 'apnea_hypopnea_index',             '/h',          null,                null),
              ('body_temperature',       'core_body_temperature_avg',        'Cel',         0,                   'mean of the night, estimated by a wearable')
            ) k (metric_code, field, unit_raw, missing, method)
         where k.metric_code <> 'heart_rate_resting' or c.is_longest
        offset 0
      ) n
      left join meta.metrics m on m.metric_code = n.metric_code
     where n.value_num is not null
  ) f
