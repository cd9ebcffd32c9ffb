//! Models that differ in names alone: what a collection calls its values, in front of the SELECT that all of its kind share.

pub(super) const SCORES_SLEEP: &str = concat!(
    "-- grain: one row per day that has an Oura sleep score\n",
    "with kinds (kind, raw_path, level_field, lo, hi) as (values ('sleep', 'score', null::text, 1::real, 100::real))\n",
    include_str!("models/day_score.sql")
);

pub(super) const SCORES_READINESS: &str = concat!(
    "-- grain: one row per day that has an Oura readiness score\n",
    "with kinds (kind, raw_path, level_field, lo, hi) as (values ('readiness', 'score', null::text, 1::real, 100::real))\n",
    include_str!("models/day_score.sql")
);

pub(super) const SCORES_ACTIVITY: &str = concat!(
    "-- grain: one row per day that has an Oura activity score\n",
    "with kinds (kind, raw_path, level_field, lo, hi) as (values ('activity', 'score', null::text, 1::real, 100::real))\n",
    include_str!("models/day_score.sql")
);

pub(super) const SCORES_STRESS: &str = concat!(
    "-- grain: one row per day with Oura's word for its stress, tentative while it has none\n",
    "with kinds (kind, raw_path, level_field, lo, hi) as (values ('stress', 'day_summary', 'day_summary', null::real, null::real))\n",
    include_str!("models/day_score.sql")
);

pub(super) const SCORES_RESILIENCE: &str = concat!(
    "-- grain: one row per day that has an Oura resilience level\n",
    "with kinds (kind, raw_path, level_field, lo, hi) as (values ('resilience', 'level', 'level', null::real, null::real))\n",
    include_str!("models/day_score.sql")
);

pub(super) const SCORES_VASCULAR: &str = concat!(
    "-- grain: one row per day that has an Oura vascular age, in years\n",
    "with kinds (kind, raw_path, level_field, lo, hi) as (values ('other', 'vascular_age', null::text, null::real, null::real))\n",
    include_str!("models/day_score.sql")
);

pub(super) const VITALS_READINESS: &str = concat!(
    "-- grain: one row per day whose Oura readiness has a temperature, against the own baseline: there is no absolute one\n",
    "with fields (metric_code, path, unit_raw) as (values\n",
    "  ('skin_temperature_delta', '{temperature_deviation}'::text[], 'Cel'))\n",
    include_str!("models/day_vital.sql")
);

pub(super) const VITALS_SPO2: &str = concat!(
    "-- grain: one row per value of an Oura night: blood oxygen, breathing disturbances\n",
    "with fields (metric_code, path, unit_raw) as (values\n",
    "  ('spo2', '{spo2_percentage,average}'::text[], '%'),\n",
    "  ('breathing_disturbances', '{breathing_disturbance_index}', '{index}'))\n",
    include_str!("models/day_vital.sql")
);

pub(super) const VITALS_VASCULAR: &str = concat!(
    "-- grain: one row per day that has an Oura pulse wave velocity\n",
    "with fields (metric_code, path, unit_raw) as (values\n",
    "  ('pulse_wave_velocity', '{pulse_wave_velocity}'::text[], 'm/s'))\n",
    include_str!("models/day_vital.sql")
);

pub(super) const VITALS_VO2_MAX: &str = concat!(
    "-- grain: one row per Oura estimate of maximal oxygen uptake\n",
    "with fields (metric_code, path, unit_raw) as (values\n",
    "  ('vo2max', '{vo2_max}'::text[], 'mL/kg/min'))\n",
    include_str!("models/day_vital.sql")
);

pub(super) const DAILY_ACTIVITY: &str = concat!(
    "-- grain: one row per total of an Oura day, which is from 04:00 to 04:00\n",
    "with fields (metric_code, field, stat, unit_raw) as (values\n",
    "  ('steps', 'steps', 'total', 'steps'),\n",
    "  ('energy_active', 'active_calories', 'total', 'kcal'),\n",
    "  ('energy_total', 'total_calories', 'total', 'kcal'),\n",
    "  ('intensity_light_time', 'low_activity_time', 'total', 's'),\n",
    "  ('intensity_moderate_time', 'medium_activity_time', 'total', 's'),\n",
    "  ('intensity_vigorous_time', 'high_activity_time', 'total', 's'),\n",
    "  ('sedentary_time', 'sedentary_time', 'total', 's'),\n",
    "  ('non_wear_time', 'non_wear_time', 'total', 's'))\n",
    include_str!("models/day_total.sql")
);

pub(super) const DAILY_STRESS: &str = concat!(
    "-- grain: one row per total of an Oura day: time in high stress, time in high recovery\n",
    "with fields (metric_code, field, stat, unit_raw) as (values\n",
    "  ('stress_time_high', 'stress_high', 'total', 's'),\n",
    "  ('recovery_time_high', 'recovery_high', 'total', 's'))\n",
    include_str!("models/day_total.sql")
);

pub(super) const SERIES_SLEEP: &str = concat!(
    "-- grain: one row per Oura sleep that counts and has HRV every five minutes, RMSSD in ms\n",
    "with kept as (select user_id, account_id, source_id, p from (select user_id, account_id, source_id, payload::jsonb as p from changed offset 0) c where coalesce(p->>'type', '') not in ('rest', 'deleted')),\n",
    "fields (field, metric_code) as (values ('hrv', 'hrv_rmssd'))\n",
    include_str!("models/series.sql")
);

/// The hours of a night and of rest, and all others: two models, because a server does each statement on one core, and heart
/// rates are by far the most of what Oura has.
pub(super) const SERIES_HEARTRATE_AT_REST: &str = concat!(
    "-- grain: one row per hour and activity of Oura heart rates asleep or at rest, its points are the readings, numbered as in the record\n",
    "with kept as (select * from changed where split_part(source_id, '|', 2) in ('sleep', 'rest'))\n",
    include_str!("models/series_heartrate.sql")
);

pub(super) const SERIES_HEARTRATE_AWAKE: &str = concat!(
    "-- grain: one row per hour and any other activity of Oura heart rates, its points are the readings, numbered as in the record\n",
    "with kept as (select * from changed where split_part(source_id, '|', 2) not in ('sleep', 'rest'))\n",
    include_str!("models/series_heartrate.sql")
);

pub(super) const SERIES_SESSION: &str = concat!(
    "-- grain: one row per Oura session that has a heart rate every five seconds\n",
    "with kept as (select user_id, account_id, source_id, p from (select user_id, account_id, source_id, payload::jsonb as p from changed offset 0) c),\n",
    "fields (field, metric_code) as (values ('heart_rate', 'heart_rate'))\n",
    include_str!("models/series.sql")
);

pub(super) const MOODS_SESSION: &str = concat!(
    "-- grain: one row per Oura session after which the person named a mood, which of the words is how pleasant is not documented\n",
    "with entries as (\n",
    "  select source_id, meta.instant(p->>'end_datetime') as at, meta.said_offset(p->>'end_datetime') as utc_offset_s\n",
    "       , null::date as day, 'momentary' as kind, p->>'mood' as value_raw, array[p->>'mood'] as labels\n",
    "       , null as note, jsonb_build_object('session', p->'type') as answers\n",
    "    from (select source_id, payload::jsonb as p from changed offset 0) c where p->>'mood' is not null)\n",
    include_str!("models/journal.sql")
);

pub(super) const JOURNAL_ENHANCED_TAG: &str = concat!(
    "-- grain: one row per Oura tag\n",
    "with entries as (\n",
    "  select source_id, meta.instant(p->>'start_time') as at, meta.said_offset(p->>'start_time') as utc_offset_s\n",
    "       , meta.day(p->>'start_day') as day, 'journal' as kind, null::text as value_raw, array_remove(array[coalesce(p->>'custom_name', p->>'tag_type_code')], null) as labels\n",
    "       , p->>'comment' as note, jsonb_strip_nulls(jsonb_build_object('code', p->'tag_type_code', 'until', p->'end_time')) as answers\n",
    "    from (select source_id, payload::jsonb as p from changed offset 0) c)\n",
    include_str!("models/journal.sql")
);

pub(super) const JOURNAL_TAG: &str = concat!(
    "-- grain: one row per Oura tag in the older form\n",
    "with entries as (\n",
    "  select source_id, meta.instant(p->>'timestamp') as at, meta.said_offset(p->>'timestamp') as utc_offset_s\n",
    "       , meta.day(p->>'day') as day, 'journal' as kind, null::text as value_raw, array(select jsonb_array_elements_text(case when jsonb_typeof(p->'tags') = 'array' then p->'tags' else '[]' end)) as labels\n",
    "       , p->>'text' as note, null::jsonb as answers\n",
    "    from (select source_id, payload::jsonb as p from changed offset 0) c)\n",
    include_str!("models/journal.sql")
);
