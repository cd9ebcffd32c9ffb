, taken as (
  select t.raw_source_id, t.account_id, t.origin, f.metric_code, f.unit_raw
       , t.member || '.' || array_to_string(f.path, '.') || coalesce(' - ' || array_to_string(f.minus, '.'), '') as raw_path  -- ids are those of a day or an hour, of whatever type
       , t.p #>> f.path                                              as value_raw
         -- in decimal, so that 73710 g are 73.71 kg and 34.1 less 33.8 is 0.3
       , ((meta.number(t.p #> f.path)::text::numeric - case when f.minus is null then 0 else meta.number(t.p #> f.minus)::text::numeric end)
          * f.factor::numeric)::double precision                     as value_num
       , t.p #>> f.how                                               as method
       , t.p->>'measurementLocation'                                 as body_site
       , meta.instant(t.p #>> '{sampleTime,physicalTime}')           as observed_at
       , google_health_raw.seconds(t.p #>> '{sampleTime,utcOffset}')::integer as utc_offset_s
       , google_health_raw.civil_date(t.p->'date')                   as day
    from points t
    join fields f on f.path is not null and (f.word is null or f.word = coalesce(t.p->>f.tag, ''))
  offset 0
)
select raw_source_id
     , raw_path
     , meta.row_id('google_health', account_id, raw_source_id, 'event') as event_id
     , metric_code
     , value_num
     , value_raw
     , unit_raw
     , method
     , body_site
     , observed_at
     , coalesce(day, meta.local_date(observed_at, utc_offset_s))     as local_date
     , case when observed_at is null then 'day' else 'second' end    as time_precision  -- a day has no instant
     , by_hand                                                       as is_self_reported
     , utc_offset_s
     , case when utc_offset_s is null then 'none' else 'record' end  as tz_basis
     , flags
     , meta.quality(flags)                                           as quality
  from (
    select x.*
         , x.origin->>'recordingMethod' is not distinct from 'MANUAL' as by_hand
         , array_remove(array[
             case when meta.implausible(x.value_num, m.plausible_lo, m.plausible_hi) then 'implausible' end,
             case when x.origin->>'recordingMethod' = 'MANUAL' then 'manual' end,
             case when x.day is null and x.utc_offset_s is null then 'tz_unknown' end
           ], null) as flags
      from taken x
      left join meta.metrics m on m.metric_code = x.metric_code
     where x.value_num is not null
  ) f
