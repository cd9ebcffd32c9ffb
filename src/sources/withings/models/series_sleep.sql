-- grain: one row per stretch of a Withings sleep that has values by the minute: heart rate, breaths, RMSSD and SDNN apart
-- Zeros mean that there is none. The day is that of the home zone.
with fields (field, metric_code) as (values ('hr', 'heart_rate'), ('rr', 'respiratory_rate'), ('rmssd', 'hrv_rmssd'), ('sdnn_1', 'hrv_sdnn')),
points as (
    select c.source_id, c.user_id, f.field, f.metric_code, null::double precision as length_s
         , to_timestamp(v.at::bigint) as at, nullif(meta.reading(v.value), 0) as value, false as is_share
      from (
        select user_id, source_id, payload::jsonb as p
          from changed
        offset 0  -- keeps the planner from parsing once for each use
      ) c
     cross join fields f
     cross join lateral jsonb_each(case when jsonb_typeof(c.p->f.field) = 'object' then c.p->f.field end) v (at, value)
     where v.value <> 'null'
),
copies as (
    select source_id from changed where meta.number_or_null(payload->>'model_id') >= 1051
)
