-- grain: one row per hour of Withings activity that has values: counts for their stretch of time, readings for their instant
-- A heart rate, a saturation or a variability of 0 means that there is none, and a saturation up to 1 is a share of one. An entry with nothing but its
-- length says that nobody moved. The day is that of the home zone.
with fields (field, metric_code, is_total) as (values
    ('steps', 'steps', true), ('elevation', 'floors', true), ('calories', 'energy_active', true), ('distance', 'distance_total', true),
    ('stroke', 'swim_strokes', true), ('heart_rate', 'heart_rate', false), ('spo2_auto', 'spo2', false), ('rmssd', 'hrv_rmssd', false),
    ('sdnn1', 'hrv_sdnn', false), ('rr', 'respiratory_rate', false), ('core_body_temperature', 'body_temperature', false)),
entries as materialized (
    select c.source_id, c.user_id, e.at, e.entry
      from changed c
     cross join lateral jsonb_each(c.payload::jsonb) e (at, entry)
     where jsonb_typeof(e.entry) = 'object'
),
points as (
    select r.source_id, r.user_id, r.field, r.metric_code, r.length_s, r.at, r.is_share
         , case when r.is_share then (r.said::text::numeric * 100)::double precision when r.is_total then r.said else nullif(r.said, 0) end as value
      from (
        select q.*, q.metric_code = 'spo2' and q.said > 0 and q.said <= 1 as is_share
          from (
            select e.source_id, e.user_id, f.field, f.metric_code, f.is_total, case when f.is_total then meta.reading(e.entry->'duration') end as length_s
                 , to_timestamp(e.at::bigint) as at
                 , meta.reading(e.entry->f.field) as said
              from entries e
              join fields f on e.entry->f.field <> 'null'
            offset 0
          ) q
      ) r
),
copies as (
    select distinct source_id from entries where meta.number_or_null(entry->>'model_id') >= 1051
)
