//! Models that differ in names alone: which series they read, in front of the SELECT that both share. Two, because a server
//! does each statement on one core, and series are by far the most of what an activity has.

pub(super) const SERIES_BODY: &str = concat!(
    "-- grain: one row per Strava activity that has a heart rate or a height over time\n",
    "with fields (field, metric_code, factor, only_if) as (values\n",
    "  ('heartrate', 'heart_rate', 1::double precision, null::text),\n",
    "  ('altitude',  'altitude',   1,                   null)),\n",
    include_str!("models/series.sql")
);

pub(super) const SERIES_EFFORT: &str = concat!(
    "-- grain: one row per Strava activity that has a power or a cadence over time\n",
    "with fields (field, metric_code, factor, only_if) as (values\n",
    "  ('watts',   'running_power',   1::double precision, 'on foot'),\n",
    "  ('watts',   'cycling_power',   1,                   'on wheels'),\n",
    "  ('cadence', 'step_cadence',    2,                   'on foot'),\n", // one leg is counted
    "  ('cadence', 'cycling_cadence', 1,                   'on wheels')),\n",
    include_str!("models/series.sql")
);
