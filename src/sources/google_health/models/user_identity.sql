-- grain: one row per Google Health user
-- The old id of Fitbit is an alias, the bridge to what was exported there. Age and the rest are undated and come from the newest profile and settings.
select c.source_id                                                   as raw_source_id
     , c.source_id                                                   as external_user_id
     , array_remove(array[nullif(c.payload->>'legacyUserId', '')], null) as aliases
     , jsonb_strip_nulls(jsonb_build_object(
         'time_zone',            s.p->'timeZone',
         'utc_offset',           s.p->'utcOffset',
         'language',             s.p->'languageLocale',
         'age_a',                f.p->'age',
         'membership_start',     google_health_raw.civil_date(f.p->'membershipStartDate'),
         'walking_stride_mm',    coalesce(f.p->'userConfiguredWalkingStrideLengthMm', f.p->'autoWalkingStrideLengthMm'),
         'running_stride_mm',    coalesce(f.p->'userConfiguredRunningStrideLengthMm', f.p->'autoRunningStrideLengthMm'))) as detail
  from changed c
  left join lateral (
    select payload::jsonb as p
      from google_health_raw.settings
     where user_id = c.user_id and account_id = c.account_id
     order by run_id desc, source_id desc
     limit 1
  ) s on true
  left join lateral (
    select payload::jsonb as p
      from google_health_raw.profile
     where user_id = c.user_id and account_id = c.account_id
     order by run_id desc, source_id desc
     limit 1
  ) f on true
