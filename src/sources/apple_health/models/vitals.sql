-- grain: one row per record of a deliberate measurement, or of the one value that a watch gives per night
-- The two pressures of one cuff reading, and the values of one weigh-in, are records of one writer with one start: that start is their event.
-- Readings of one writer in one second that are equal in everything stay apart by their ordinal.
select raw_source_id
     , case
         when metric_code in ('bp_systolic', 'bp_diastolic')
           then meta.row_id('apple_health', account_id, at_once, 'blood-pressure')
         when metric_code in ('weight', 'fat_pct', 'lean_mass', 'bmi')
           then meta.row_id('apple_health', account_id, at_once, 'weigh-in')
         else meta.row_id('apple_health', account_id, raw_source_id, '')
       end                                     as event_id
     , metric_code
     , observed_at
     , end_at
     , local_date
     , value_num
     , value_raw
     , unit_raw
     , is_self_reported
     , utc_offset_s
     , tz_name
     , tz_basis
     , flags
     , meta.quality(flags)                     as quality
  from (
    select c.source_id                         as raw_source_id
         , c.account_id
         , c.metric_code
         , extract(epoch from c.start_at)::bigint || '.' || c.ordinal || ' ' || coalesce(c.source_name, '') as at_once
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
  ) n
