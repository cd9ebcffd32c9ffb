//! The canonical tables as models fill them, and the metric dictionary. The columns are PostgreSQL's to know
//! (`migrations/core`); here stands only what the engine must know about a table.

pub(crate) mod metrics;

/// A canonical table that models fill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Table {
    UserIdentity,
    DailySummaries,
    BiometricsVitals,
    SleepSessions,
    Workouts,
    Scores,
    NutritionEntries,
    MoodEntries,
    /// One reading each, of a source whose records are readings.
    SampleValues,
    /// Records that carry a series; its values are their parts.
    SampleOrigins,
    /// No canonical table: the model names raw records that cannot be used (`raw_source_id`, `code`, `detail`), and they
    /// become rejects.
    Rejects,
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
    /// Its parts.
    pub(crate) children: Option<Children>,
}

/// Rows that belong to a row and have its lineage. A model gives them as one column: a jsonb array of objects, or, for many
/// of them, an array of rows of the table, complete with person and parent's id; a model that does not leaves them alone. They are replaced as a whole and leave no history: raw has what they were made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Children {
    /// Name in schema `canonical`; its key begins with `user_id` and the parent's id.
    pub(crate) table: &'static str,
    /// The model's column.
    pub(crate) column: &'static str,
    /// Their own columns in the key, besides the parent's id.
    pub(crate) key: &'static [&'static str],
}

/// The natural key of every table whose rows are entities (docs/data-model.md).
const LINEAGE_KEY: &[&str] = &["source_system", "account_id", "raw_source_id", "raw_path"];

impl Table {
    pub(crate) const fn shape(self) -> Shape {
        const fn entity(name: &'static str, id: &'static str) -> Shape {
            Shape { name, id: Some(id), key: LINEAGE_KEY, history: true, children: None }
        }
        match self {
            Self::UserIdentity => entity("user_identity", "identity_id"),
            Self::BiometricsVitals => entity("biometrics_vitals", "vital_id"),
            Self::SleepSessions => Shape {
                children: Some(Children { table: "sleep_stages", column: "stages", key: &["seq"] }),
                ..entity("sleep_sessions", "sleep_id")
            },
            Self::Workouts => entity("workouts", "workout_id"),
            Self::Scores => entity("scores", "score_id"),
            Self::NutritionEntries => entity("nutrition_entries", "entry_id"),
            Self::MoodEntries => entity("mood_entries", "entry_id"),
            Self::SampleValues => Shape {
                name: "sample_values",
                id: None,
                key: &["metric_code", "start_at", "sample_key"],
                history: false,
                children: None,
            },
            Self::SampleOrigins => Shape {
                history: false,
                children: Some(Children { table: "sample_points", column: "points", key: &["metric_code", "seq"] }),
                ..entity("sample_origins", "origin_id")
            },
            Self::Rejects => Shape { name: "rejects", id: None, key: &[], history: false, children: None },
            Self::DailySummaries => Shape {
                name: "daily_summaries",
                id: None,
                key: &["local_date", "metric_code", "source_system", "account_id", "device_key", "stat", "origin"],
                history: false,
                children: None,
            },
        }
    }
}
