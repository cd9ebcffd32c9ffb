-- grain: one row per record of a deliberate measurement, or of the one value that a watch gives per night
-- The two pressures of one cuff reading are one event because a correlation of the export holds them. Where none does, and for the values of one
-- weigh-in, records of one writer with one start are one event: the one written first of each kind with that of the others, the second with the second.
-- Readings of one writer in one second that are equal in everything stay apart by their ordinal.
with pressure as materialized (
  select e.user_id, e.account_id, e.source_id, a->>'type' as type, apple_health_raw.instant(a->>'startDate') as start_at
       , coalesce(a->>'sourceName', '') as source_name, a->>'value' as value_text, apple_health_raw.instant(a->>'creationDate') as created_at
       , row_number() over (partition by e.user_id, e.account_id, a->>'type', a->>'startDate', a->>'creationDate', a->>'sourceName', a->>'value'
                            order by e.source_id) as copy
    from apple_health_raw.published_elements e
   cross join lateral jsonb_array_elements(coalesce(e.payload::jsonb->'children', '[]')) c
   cross join lateral (select c->'attributes' as a) x
   where e.element = 'Correlation' and e.payload->'attributes'->>'type' = 'HKCorrelationTypeIdentifierBloodPressure'
     and e.missing_since_run_id is null
     and c->>'element' = 'Record'
     and exists (select from changed d where d.metric_code in ('bp_systolic', 'bp_diastolic'))
)
select n.raw_source_id
     , case
         when n.correlation_id is not null
           then meta.row_id('apple_health', n.account_id, n.correlation_id, 'blood-pressure')
         when n.metric_code in ('bp_systolic', 'bp_diastolic')
           then meta.row_id('apple_health', n.account_id, n.at_once || n.place, 'blood-pressure')
         when n.metric_code in ('weight', 'fat_pct', 'lean_mass', 'bmi')
           then meta.row_id('apple_health', n.account_id, n.at_once || n.place, 'weigh-in')
         else meta.row_id('apple_health', n.account_id, n.raw_source_id, '')
       end                                     as event_id
     , n.metric_code
     , n.observed_at
     , n.end_at
     , n.local_date
     , n.value_num
     , n.value_raw
     , n.unit_raw
     , n.is_self_reported
     , n.utc_offset_s
     , n.tz_name
     , n.tz_basis
     , n.flags
     , meta.quality(n.flags)                   as quality
  from (
    select c.source_id                         as raw_source_id
         , c.account_id
         , c.metric_code
         , p.source_id                         as correlation_id
         , extract(epoch from c.start_at)::bigint || ' ' || coalesce(c.source_name, '') || ' ' as at_once
         , case
             when c.metric_code in ('bp_systolic', 'bp_diastolic', 'weight', 'fat_pct', 'lean_mass', 'bmi')
               then (select count(*) from apple_health_raw.records o
                      where o.user_id = c.user_id and o.account_id = c.account_id and o.type_id = c.type_id and o.start_at = c.start_at
                        and o.source_name_id is not distinct from c.source_name_id and o.missing_since_run_id is null
                        and (coalesce(o.created_at, '-infinity'), o.id, o.ordinal) < (coalesce(c.created_at, '-infinity'), c.id, c.ordinal))
           end                                 as place
         , c.start_at                          as observed_at
         , c.end_at
         , c.local_date
         , c.value_num
         , c.value_text                        as value_raw
         , c.unit                              as unit_raw
         , c.by_hand                           as is_self_reported
         , c.utc_offset_s
         , c.tz_name
         , c.tz_basis
         , c.flags
      from changed c
      left join pressure p
        on p.user_id = c.user_id and p.account_id = c.account_id and p.type = c.type and p.start_at = c.start_at
       and p.source_name = coalesce(c.source_name, '') and p.value_text = c.value_text and p.created_at is not distinct from c.created_at
       -- which of several that say the same
       and p.copy = case when c.metric_code in ('bp_systolic', 'bp_diastolic') then (select count(*) from apple_health_raw.records o
                      where o.user_id = c.user_id and o.account_id = c.account_id and o.type_id = c.type_id and o.start_at = c.start_at
                        and o.source_name_id is not distinct from c.source_name_id and o.value_text = c.value_text
                        and o.created_at is not distinct from c.created_at and o.missing_since_run_id is null
                        and (o.id, o.ordinal) <= (c.id, c.ordinal)) end
  ) n
