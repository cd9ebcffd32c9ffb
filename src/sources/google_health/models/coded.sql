select w.raw_source_id
     , w.metric_code
     , w.start_at
     , w.end_at
     , uuid_send(meta.row_id('google_health', w.account_id, w.raw_source_id, w.metric_code)) as sample_key
     , meta.local_date(w.start_at, w.utc_offset_s)                   as local_date
     , w.code                                                        as value_code
     , w.said                                                        as value_raw
     , w.context
     , w.utc_offset_s
     , case when w.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , array_remove(array[case when w.utc_offset_s is null then 'tz_unknown' end, w.flag], null) as flags
     , meta.quality(array_remove(array[case when w.utc_offset_s is null then 'tz_unknown' end, w.flag], null)) as quality
  from (
    select k.*
         , meta.instant(coalesce(k.p#>>'{interval,startTime}', k.p#>>'{sampleTime,physicalTime}')) as start_at
         , meta.instant(k.p#>>'{interval,endTime}')                  as end_at
         , google_health_raw.seconds(coalesce(k.p#>>'{interval,startUtcOffset}', k.p#>>'{sampleTime,utcOffset}'))::integer as utc_offset_s
      from coded k
    offset 0
  ) w
