//! The models, and those that differ in names alone: what a type calls its values, in front of the SELECT that all of its
//! kind share.

use crate::canonical::Table;
use crate::source::Model;

pub(super) const MODELS: &[Model] = &[
    Model::new(
        "user_identity",
        "identity",
        &["profile", "settings"],
        Table::UserIdentity,
        include_str!("models/user_identity.sql"),
    ),
    Model::new("sleep_sessions", "sleep", &[], Table::SleepSessions, include_str!("models/sleep_sessions.sql")),
    Model::new("workouts", "exercise", &[], Table::Workouts, include_str!("models/workouts.sql")),
];
