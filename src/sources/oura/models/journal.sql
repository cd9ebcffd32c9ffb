select c.source_id                                                   as raw_source_id
     , c.at                                                          as observed_at
     , coalesce(c.day, meta.local_date(c.at, c.utc_offset_s))        as local_date
     , c.kind
     , c.value_raw
     , c.labels
     , nullif(c.note, '')                                            as note
     , c.answers
     , c.utc_offset_s
     , case when c.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , case when c.utc_offset_s is null then array['tz_unknown'] else '{}' end as flags
     , meta.quality(case when c.utc_offset_s is null then array['tz_unknown'] else '{}' end) as quality
  from entries c
