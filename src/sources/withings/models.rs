//! The models. What several of them share is written once and put in front of each SELECT.

use crate::canonical::Table;
use crate::source::Model;

pub(super) const ALL: &[Model] = &[
    Model::new("vitals_measures", "measures", &[], Table::BiometricsVitals, include_str!("models/vitals_measures.sql")),
    Model::new("scores_measures", "measures", &[], Table::Scores, include_str!("models/scores_measures.sql")),
    Model::new("daily_activity", "activity", &[], Table::DailySummaries, include_str!("models/daily_activity.sql")),
    Model::new(
        "workouts",
        "workouts",
        &[],
        Table::Workouts,
        concat!(include_str!("models/workouts.sql"), include_str!("../workout.sql")),
    ),
    Model::new("sleep_sessions", "sleep_summary", &["sleep_summary", "sleep"], Table::SleepSessions, SLEEP_SESSIONS),
    Model::new("vitals_sleep", "sleep_summary", &["sleep_summary"], Table::BiometricsVitals, VITALS_SLEEP),
    Model::new("scores_sleep", "sleep_summary", &[], Table::Scores, SCORES_SLEEP),
    Model::new("series_sleep", "sleep", &[], Table::SampleOrigins, SERIES_SLEEP),
    Model::new("series_intraday", "intraday_activity", &[], Table::SampleOrigins, SERIES_INTRADAY),
    Model::new("vitals_heart", "heart", &[], Table::BiometricsVitals, include_str!("models/vitals_heart.sql")),
];

/// Whether a sleep is the night shows beside the others of its day: it follows all sleeps of the account.
const SLEEP_SESSIONS: &str = concat!(
    include_str!("models/sleep_stages.sql"),
    include_str!("models/sleep_nights.sql"),
    include_str!("models/sleep_sessions.sql"),
    include_str!("../night.sql")
);

const VITALS_SLEEP: &str = concat!(
    "-- grain: one row per value of a Withings sleep, dated at waking: breaths, lowest heart rate, RMSSD, breathing, temperature\n",
    "with\n",
    include_str!("models/sleep_nights.sql"),
    include_str!("models/vitals_sleep.sql")
);

const SCORES_SLEEP: &str = concat!(
    "-- grain: one row per Withings sleep that has a score\n",
    "with\n",
    include_str!("models/sleep_nights.sql"),
    include_str!("models/scores_sleep.sql")
);

const SERIES_SLEEP: &str = concat!(
    include_str!("models/series_sleep.sql"),
    include_str!("models/series_told.sql"),
    include_str!("models/series_by_field.sql"),
    include_str!("models/series.sql")
);

const SERIES_INTRADAY: &str = concat!(
    include_str!("models/series_intraday.sql"),
    include_str!("models/series_told.sql"),
    include_str!("models/series_by_entry.sql"),
    include_str!("models/series.sql")
);
