-- what a Withings sleep says, with its place in time, for the models of sleep
nights as materialized (
    select j.user_id, j.account_id, j.source_id, j.p
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
