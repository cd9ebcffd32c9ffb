//! WHOOP: cycles, recoveries, sleeps and workouts of the developer API v2.
//!
//! Facts: `docs/sources/whoop.md`. Both tokens die on a refresh; there is no "updated since" filter, so the last days
//! are read again; scores arrive after the record; the current cycle has no end and keeps growing.

use std::time::Duration;

use crate::canonical::Table;
use crate::source::{
    Api, Auth, Limits, Model, Paging, Provisional, Resource, Revoke, Source, Stamp, Window, by_status,
};

pub(crate) static SOURCE: Source = Source {
    id: "whoop",
    aliases: &[],
    title: "WHOOP",
    brings: "recovery, sleep, strain, workouts",
    needs: "membership, own app",
    api: Some(Api {
        base_url: "https://api.prod.whoop.com/developer",
        auth: AUTH,
        limits: LIMITS,
        verdict: by_status,
        owner: "/user_id",
        terms: &[],
        resources: RESOURCES,
    }),
    files: None,
    models: MODELS,
    shown: &[],
    references: &[],
    notices: &[],
};

const AUTH: Auth = Auth {
    authorize_url: "https://api.prod.whoop.com/oauth/oauth2/auth",
    token_url: "https://api.prod.whoop.com/oauth/oauth2/token",
    scopes: &[
        "offline",
        "read:recovery",
        "read:cycles",
        "read:workout",
        "read:sleep",
        "read:profile",
        "read:body_measurement",
    ],
    offline_scope: Some("offline"),
    pkce: false, // not documented, and no client is known to use it
    refresh_params: &[("scope", "offline")],
    revoke: Revoke::Delete("/v2/user/access"),
    console: "https://developer-dashboard.whoop.com",
    notes: &["WHOOP has been reported to refuse plain-http addresses now and then; then paste the address you end on."],
    ..Auth::USUAL
};

/// 100 requests a minute and 10,000 a day, per application.
const LIMITS: Limits =
    Limits { requests: 100, per: Duration::from_mins(1), max_wait: Duration::from_secs(90), quotas: &[] };

const RESOURCES: &[Resource] = &[
    Resource::get("user_basic_profile", "/v2/user/profile/basic").scope("read:profile").key(&["/user_id"]),
    Resource::get("user_body_measurement", "/v2/user/measurement/body").scope("read:body_measurement").may_be_absent(),
    collection("cycles", "/v2/cycle").scope("read:cycles").provisional(&[Provisional::Missing("/end"), PENDING]),
    collection("recoveries", "/v2/recovery").scope("read:recovery").key(&["/cycle_id"]).at("").near("/created_at"),
    collection("sleeps", "/v2/activity/sleep").scope("read:sleep").provisional(&[PENDING]),
    collection("workouts", "/v2/activity/workout").scope("read:workout").provisional(&[PENDING]),
];

/// A score that comes later, within minutes as a rule.
const PENDING: Provisional = Provisional::Says("/score_state", "PENDING_SCORE");

const MODELS: &[Model] = &[
    Model::new(
        "user_identity",
        "user_basic_profile",
        &[],
        Table::UserIdentity,
        include_str!("models/user_identity.sql"),
    ),
    Model::new(
        "sleep_sessions",
        "sleeps",
        &[],
        Table::SleepSessions,
        concat!(include_str!("models/sleep_sessions.sql"), include_str!("../night.sql")),
    ),
    Model::new(
        "workouts",
        "workouts",
        &[],
        Table::Workouts,
        concat!(include_str!("models/workouts.sql"), include_str!("../workout.sql")),
    ),
    Model::new("vitals_sleeps", "sleeps", &[], Table::BiometricsVitals, include_str!("models/vitals_sleeps.sql")),
    Model::new(
        "vitals_recoveries",
        "recoveries",
        &["sleeps", "cycles"],
        Table::BiometricsVitals,
        include_str!("models/vitals_recoveries.sql"),
    ),
    Model::new(
        "vitals_body",
        "user_body_measurement",
        &["cycles"],
        Table::BiometricsVitals,
        include_str!("models/vitals_body.sql"),
    ),
    Model::new("scores_sleeps", "sleeps", &[], Table::Scores, include_str!("models/scores_sleeps.sql")),
    Model::new(
        "scores_recoveries",
        "recoveries",
        &["sleeps", "cycles"],
        Table::Scores,
        include_str!("models/scores_recoveries.sql"),
    ),
    Model::new("scores_cycles", "cycles", &["sleeps"], Table::Scores, include_str!("models/scores_cycles.sql")),
    // A day may hold two cycles (see the model), so that one's change touches the other's row.
    Model::new(
        "daily_summaries",
        "cycles",
        &["cycles", "sleeps"],
        Table::DailySummaries,
        include_str!("models/daily_summaries.sql"),
    ),
];

/// WHOOP's lists all page, filter and name their array the same way: newest first, `start` inclusive, `end` exclusive.
/// The window filters on a record's own start and end, and it is not said what becomes of one that lies across a border.
const fn collection(name: &'static str, path: &'static str) -> Resource {
    Resource::get(name, path)
        .window(Window::Range { start: "start", end: "end", format: Stamp::Rfc3339, max_days: None })
        .paging(Paging::Token { at: "/next_token", param: "nextToken", size: Some(("limit", 25)) })
        .records("/records")
        .key(&["/id"])
        .at("/start")
        .ends("/end")
        .version("/updated_at")
        .lookback(7)
}
