-- what a Withings sleep says, with its place in time, and whether it is the longest of its day and device
longest as materialized (
    select distinct on (t.user_id, t.account_id, t.payload->>'date', coalesce(t.payload->>'hash_deviceid', ''))
           t.user_id, t.account_id, t.source_id
      from withings_raw.sleep_summary t
     where t.missing_since_run_id is null
       and (t.user_id, t.account_id) in (select user_id, account_id from changed)
     order by t.user_id, t.account_id, t.payload->>'date', coalesce(t.payload->>'hash_deviceid', '')
            , t.record_at - meta.epoch_or_null(t.payload->>'startdate') desc nulls last, t.source_id
),
nights as materialized (
    select j.user_id, j.account_id, j.source_id, j.p
         , (j.user_id, j.account_id, j.source_id) in (select user_id, account_id, source_id from longest) as is_longest
         , j.p->'data'                                               as d
         , meta.epoch(j.p->'startdate')                              as start_at
         , meta.epoch(j.p->'enddate')                                as end_at
         , meta.zone_offset(meta.epoch(j.p->'startdate'), j.p->>'timezone') as utc_offset_s
         , meta.zone_offset(meta.epoch(j.p->'enddate'), j.p->>'timezone')   as end_utc_offset_s
         , coalesce(meta.number(j.p->'model_id') >= 1051, false)     as is_copy
      from (
        select user_id, account_id, source_id, payload::jsonb as p
          from changed
        offset 0  -- keeps the planner from parsing once for each use
      ) j
)
