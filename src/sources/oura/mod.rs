//! Oura: sleep, readiness, activity, heart rate, workouts and tags of the API v2.
//!
//! Facts: `docs/sources/oura.md`. Which token endpoint knows an application depends on where it was registered. Windows are
//! days of the person's own calendar and filter on a time of the record, so they are asked for with a margin. There is no
//! "updated since" filter: the last days are read again.

use std::time::Duration;

use crate::canonical::Table;
use crate::source::{Api, Auth, Limits, Model, Paging, Resource, Revoke, Source, Stamp, Window, by_status};

pub(crate) static SOURCE: Source = Source {
    id: "oura",
    aliases: &[],
    title: "Oura",
    brings: "sleep stages, readiness, activity, heart rate, workouts, tags",
    needs: "ring with membership, own app",
    api: Some(Api {
        base_url: "https://api.ouraring.com",
        auth: AUTH,
        limits: LIMITS,
        verdict: by_status,
        owner: "", // records do not say whose they are; personal_info does
        resources: RESOURCES,
    }),
    files: None,
    models: MODELS,
    shown: &[],
    references: &[],
};

const AUTH: Auth = Auth {
    authorize_url: "https://cloud.ouraring.com/oauth/authorize",
    token_url: "https://api.ouraring.com/oauth/token",
    token_endpoints: &[
        ("legacy", "https://api.ouraring.com/oauth/token"),
        ("portal", "https://moi.ouraring.com/oauth/v2/ext/oauth-token"),
    ],
    redirect_host: "localhost", // the only name that plain http is accepted for
    scopes: &[
        "email",
        "personal",
        "daily",
        "heartrate",
        "workout",
        "tag",
        "session",
        "spo2", // the OpenAPI file says spo2Daily, which does not work
        "ring_configuration",
        "stress",
        "heart_health",
    ],
    offline_scope: None,
    pkce: false, // not documented
    rotates: true,
    refresh_params: &[],
    dead_errors: &["invalid_grant", "invalid_request"], // either, once each endpoint has refused
    revoke: Revoke::Post("/oauth/revoke", "access_token"),
    console: "https://developer.ouraring.com",
    notes: &[
        "Tick everything on Oura's page: a scope that is not ticked leaves its collections out.",
        "Without an active membership a ring of the third generation or later gives no data.",
    ],
};

/// 5,000 requests in five minutes, per access token and per application.
const LIMITS: Limits = Limits { requests: 5_000, per: Duration::from_mins(5), max_wait: Duration::from_secs(90) };

const RESOURCES: &[Resource] = &[
    Resource::get("personal_info", "/v2/usercollection/personal_info").scope("personal").key(&["/id"]).owner("/id"),
    documents("sleep", "/v2/usercollection/sleep").scope("daily").window(days(Some(180))).at("/bedtime_start"),
    documents("daily_sleep", "/v2/usercollection/daily_sleep").scope("daily"),
    documents("workout", "/v2/usercollection/workout").scope("workout").at("/start_datetime"),
];

const MODELS: &[Model] = &[
    Model::new("user_identity", "personal_info", &[], Table::UserIdentity, include_str!("models/user_identity.sql")),
    Model::new("sleep_sessions", "sleep", &[], Table::SleepSessions, include_str!("models/sleep_sessions.sql")),
    Model::new("scores_sleep", "daily_sleep", &[], Table::Scores, include_str!("models/scores_sleep.sql")),
    Model::new("workouts", "workout", &[], Table::Workouts, include_str!("models/workouts.sql")),
];

/// The list of a collection of documents: filtered by days, a few thousand documents to a page as it seems.
const fn documents(name: &'static str, path: &'static str) -> Resource {
    Resource::get(name, path)
        .window(days(None))
        .begins(2015)
        .paging(PAGES)
        .records("/data")
        .key(&["/id"])
        .at("/day")
        .lookback(7)
}

/// No largest window is documented, and one of fourteen months was answered whole. Documents that carry a series are asked
/// for by the half year, for the sake of memory. A day is local midnight, both ends inclusive; what a document is compared
/// by may be 04:00 of its day or the evening before, and the person may be up to 14 hours ahead of Greenwich.
const fn days(max_days: Option<u16>) -> Window {
    Window::Range { start: "start_date", end: "end_date", format: Stamp::Days { before: 1, after: 2 }, max_days }
}

const PAGES: Paging = Paging::Token { at: "/next_token", param: "next_token", size: None };
