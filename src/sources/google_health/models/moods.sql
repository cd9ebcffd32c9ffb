-- grain: one row per mood that the person logged
-- What the words for pleasantness are worth is not documented: they stay words.
select c.source_id                                                   as raw_source_id
     , meta.instant(j.p#>>'{sampleTime,physicalTime}')               as observed_at
     , meta.local_date(meta.instant(j.p#>>'{sampleTime,physicalTime}'), google_health_raw.seconds(j.p#>>'{sampleTime,utcOffset}')::integer) as local_date
     , 'momentary'                                                   as kind
     , array(select jsonb_array_elements_text(j.p->'moods'))         as labels
     , (select string_agg(v, ', ') from jsonb_array_elements_text(j.p->'valences') v) as value_raw
     , nullif(j.p->>'notes', '')                                     as note
     , google_health_raw.seconds(j.p#>>'{sampleTime,utcOffset}')::integer as utc_offset_s
     , case when j.p#>>'{sampleTime,utcOffset}' is null then 'none' else 'record' end as tz_basis
  from changed c
 cross join lateral (select c.payload::jsonb->'moods' as p offset 0) j  -- parsed once
