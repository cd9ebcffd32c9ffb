//! The canonical tables as models fill them, and the metric dictionary. The columns are PostgreSQL's to know
//! (`migrations/core`); here stands only what the engine must know about a table.

pub(crate) mod metrics;

/// A canonical table that models fill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Table {
    UserIdentity,
    Samples,
    DailySummaries,
    BiometricsVitals,
    SleepSessions,
    Workouts,
    Scores,
}

/// What the engine must know to write rows of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Name in schema `canonical`.
    pub(crate) name: &'static str,
    /// Column that holds the digest of the natural key; none where the key is made of the row's own columns.
    pub(crate) id: Option<&'static str>,
    /// Columns after `user_id` that identify a row.
    pub(crate) key: &'static [&'static str],
    /// Whether an earlier state is copied to `row_history` (docs/data-model.md: not for rewritten totals).
    pub(crate) history: bool,
}

/// The natural key of every table whose rows are entities (docs/data-model.md).
const LINEAGE_KEY: &[&str] = &["source_system", "account_id", "raw_source_id", "raw_path"];

impl Table {
    pub(crate) const fn shape(self) -> Shape {
        const fn entity(name: &'static str, id: &'static str) -> Shape {
            Shape { name, id: Some(id), key: LINEAGE_KEY, history: true }
        }
        match self {
            Self::UserIdentity => entity("user_identity", "identity_id"),
            Self::BiometricsVitals => entity("biometrics_vitals", "vital_id"),
            Self::SleepSessions => entity("sleep_sessions", "sleep_id"),
            Self::Workouts => entity("workouts", "workout_id"),
            Self::Scores => entity("scores", "score_id"),
            Self::Samples => {
                Shape { name: "samples", id: None, key: &["metric_code", "start_at", "sample_key"], history: false }
            }
            Self::DailySummaries => Shape {
                name: "daily_summaries",
                id: None,
                key: &["local_date", "metric_code", "source_system", "account_id", "device_key", "stat", "origin"],
                history: false,
            },
        }
    }
}
