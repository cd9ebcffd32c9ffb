-- grain: one row per Oura session of breathing, meditation or relaxation: its length
-- A nap or a rest is no mindfulness, and a body status is a measurement.
select c.source_id                                                   as raw_source_id
     , 'mindful_time'                                                as metric_code
     , c.start_at
     , c.end_at
     , uuid_send(meta.row_id('oura', c.account_id, c.source_id, '')) as sample_key
     , meta.local_date(c.start_at, c.utc_offset_s)                   as local_date
     , extract(epoch from c.end_at - c.start_at)::double precision   as value_num
     , 's'                                                           as unit_raw
     , jsonb_build_object('type', c.p->'type')                       as context
     , c.utc_offset_s
     , case when c.utc_offset_s is null then 'none' else 'record' end as tz_basis
     , case when c.utc_offset_s is null then array['tz_unknown'] else '{}' end as flags
     , meta.quality(case when c.utc_offset_s is null then array['tz_unknown'] else '{}' end) as quality
  from (
    select j.*
         , meta.instant(j.p->>'start_datetime')                      as start_at
         , meta.instant(j.p->>'end_datetime')                        as end_at
         , meta.said_offset(j.p->>'start_datetime')                  as utc_offset_s
      from (
        select account_id, source_id, payload::jsonb as p
          from changed
        offset 0  -- keeps the planner from parsing once for each use
      ) j
     where j.p->>'type' in ('breathing', 'meditation', 'relaxation')
    offset 0
  ) c
