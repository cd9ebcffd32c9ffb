//! WHOOP: cycles, recoveries, sleeps and workouts of the developer API v2.
//!
//! Facts: `docs/sources/whoop.md`. Both tokens die on a refresh; there is no "updated since" filter, so the last days
//! are read again; scores arrive after the record; the current cycle has no end and keeps growing.

use std::time::Duration;

use crate::canonical::Table;
use crate::source::{Api, Auth, Limits, Model, Paging, Provisional, Resource, Source, Stamp, Window, by_status};

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
        resources: RESOURCES,
    }),
    files: None,
    models: MODELS,
    shown: &[],
    references: &[],
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
    rotates: true,
    refresh_params: &[("scope", "offline")],
    dead_errors: &["invalid_grant"],
    revoke_path: Some("/v2/user/access"),
    console: "https://developer-dashboard.whoop.com",
    notes: &["WHOOP has been reported to refuse plain-http addresses now and then; then paste the address you end on."],
};

/// 100 requests a minute and 10,000 a day, per application.
const LIMITS: Limits = Limits { requests: 100, per: Duration::from_mins(1), max_wait: Duration::from_secs(90) };

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
    model("user_identity", "user_basic_profile", &[], Table::UserIdentity, include_str!("models/user_identity.sql")),
    model("sleep_sessions", "sleeps", &[], Table::SleepSessions, include_str!("models/sleep_sessions.sql")),
    model("workouts", "workouts", &[], Table::Workouts, include_str!("models/workouts.sql")),
    model("vitals_sleeps", "sleeps", &[], Table::BiometricsVitals, include_str!("models/vitals_sleeps.sql")),
    model(
        "vitals_recoveries",
        "recoveries",
        &["sleeps", "cycles"],
        Table::BiometricsVitals,
        include_str!("models/vitals_recoveries.sql"),
    ),
    model(
        "vitals_body",
        "user_body_measurement",
        &["cycles"],
        Table::BiometricsVitals,
        include_str!("models/vitals_body.sql"),
    ),
    model("scores_sleeps", "sleeps", &[], Table::Scores, include_str!("models/scores_sleeps.sql")),
    model(
        "scores_recoveries",
        "recoveries",
        &["sleeps", "cycles"],
        Table::Scores,
        include_str!("models/scores_recoveries.sql"),
    ),
    model("scores_cycles", "cycles", &["sleeps"], Table::Scores, include_str!("models/scores_cycles.sql")),
    // A day may hold two cycles (see the model), so that one's change touches the other's row.
    model(
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

const fn model(
    name: &'static str,
    reads: &'static str,
    joins: &'static [&'static str],
    into: Table,
    select: &'static str,
) -> Model {
    Model { name, reads, joins, into, select, many: 1_000 }
}
