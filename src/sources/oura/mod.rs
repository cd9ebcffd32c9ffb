//! Oura: sleep, readiness, activity, heart rate, workouts and tags of the API v2.
//!
//! Facts: `docs/sources/oura.md`. Which token endpoint knows an application depends on where it was registered. Windows are
//! days of the person's own calendar and filter on a time of the record, so they are asked for with a margin. There is no
//! "updated since" filter: the last days are read again.

mod models;

use std::time::Duration;

use crate::canonical::Table;
use crate::source::{
    Api, Auth, Holds, Limits, Model, Paging, Reply, Resource, Revoke, Source, Stamp, Verdict, Window, by_status,
};

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
        verdict,
        owner: "", // records do not say whose they are; personal_info does
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
    pkce: false,                                        // not documented
    dead_errors: &["invalid_grant", "invalid_request"], // either, once each endpoint has refused
    revoke: Revoke::Post("/oauth/revoke", "access_token"),
    console: "https://developer.ouraring.com",
    notes: &[
        "Tick everything on Oura's page: a scope that is not ticked leaves its collections out.",
        "Without an active membership a ring of the third generation or later gives no data.",
    ],
    ..Auth::USUAL
};

/// 5,000 requests in five minutes, per access token and per application.
const LIMITS: Limits =
    Limits { requests: 5_000, per: Duration::from_mins(5), max_wait: Duration::from_secs(90), quotas: &[] };

const RESOURCES: &[Resource] = &[
    Resource::get("personal_info", "/v2/usercollection/personal_info").scope("personal").key(&["/id"]).owner("/id"),
    // Applications of the old portal know no scope for the ring, and need none.
    Resource::get("ring_configuration", "/v2/usercollection/ring_configuration")
        .paging(PAGES)
        .records("/data")
        .key(&["/id"]),
    documents("sleep", "/v2/usercollection/sleep").scope("daily").window(days(Some(180))).at("/bedtime_start"),
    documents("sleep_time", "/v2/usercollection/sleep_time").scope("daily"),
    documents("daily_sleep", "/v2/usercollection/daily_sleep").scope("daily"),
    documents("daily_readiness", "/v2/usercollection/daily_readiness").scope("daily"),
    documents("daily_activity", "/v2/usercollection/daily_activity").scope("daily").window(days(Some(180))),
    documents("daily_spo2", "/v2/usercollection/daily_spo2").scope("spo2"),
    documents("daily_stress", "/v2/usercollection/daily_stress").scope("stress|daily"),
    documents("daily_resilience", "/v2/usercollection/daily_resilience").scope("stress|daily"),
    // Has been seen without an id.
    documents("daily_cardiovascular_age", "/v2/usercollection/daily_cardiovascular_age")
        .scope("heart_health")
        .key(&["/day"]),
    documents("vo2_max", "/v2/usercollection/vO2_max").scope("heart_health"),
    documents("workout", "/v2/usercollection/workout").scope("workout").at("/start_datetime"),
    documents("session", "/v2/usercollection/session").scope("session").window(days(Some(180))).at("/start_datetime"),
    documents("enhanced_tag", "/v2/usercollection/enhanced_tag").scope("tag").at("/start_time"),
    documents("tag", "/v2/usercollection/tag").scope("tag"),
    documents("rest_mode_period", "/v2/usercollection/rest_mode_period").scope("daily").at("/start_day"),
    rows("heartrate", "/v2/usercollection/heartrate").scope("heartrate").key(&["/timestamp", "/source"]),
    rows("ring_battery_level", "/v2/usercollection/ring_battery_level").key(&["/timestamp"]),
];

const MODELS: &[Model] = &[
    Model::new("user_identity", "personal_info", &[], Table::UserIdentity, include_str!("models/user_identity.sql")),
    Model::new(
        "sleep_sessions",
        "sleep",
        &[],
        Table::SleepSessions,
        concat!(include_str!("models/sleep_sessions.sql"), include_str!("../night.sql")),
    ),
    Model::new("vitals_sleep", "sleep", &[], Table::BiometricsVitals, include_str!("models/vitals_sleep.sql")),
    Model::new("series_sleep", "sleep", &[], Table::SampleOrigins, models::SERIES_SLEEP),
    Model::new(
        "workouts",
        "workout",
        &[],
        Table::Workouts,
        concat!(include_str!("models/workouts.sql"), include_str!("../workout.sql")),
    )
    .zoned(),
    Model::new("scores_sleep", "daily_sleep", &[], Table::Scores, models::SCORES_SLEEP),
    Model::new("scores_readiness", "daily_readiness", &[], Table::Scores, models::SCORES_READINESS),
    Model::new("scores_activity", "daily_activity", &[], Table::Scores, models::SCORES_ACTIVITY),
    Model::new("scores_stress", "daily_stress", &[], Table::Scores, models::SCORES_STRESS),
    Model::new("scores_resilience", "daily_resilience", &[], Table::Scores, models::SCORES_RESILIENCE),
    Model::new("scores_vascular", "daily_cardiovascular_age", &[], Table::Scores, models::SCORES_VASCULAR),
    Model::new("vitals_readiness", "daily_readiness", &[], Table::BiometricsVitals, models::VITALS_READINESS),
    Model::new("vitals_spo2", "daily_spo2", &[], Table::BiometricsVitals, models::VITALS_SPO2),
    Model::new("vitals_vascular", "daily_cardiovascular_age", &[], Table::BiometricsVitals, models::VITALS_VASCULAR),
    Model::new("vitals_vo2_max", "vo2_max", &[], Table::BiometricsVitals, models::VITALS_VO2_MAX),
    Model::new("daily_activity", "daily_activity", &[], Table::DailySummaries, models::DAILY_ACTIVITY),
    Model::new("daily_stress", "daily_stress", &[], Table::DailySummaries, models::DAILY_STRESS),
    Model::new("series_heartrate_awake", "heartrate", &[], Table::SampleOrigins, models::SERIES_HEARTRATE_AWAKE)
        .zoned(),
    Model::new("series_heartrate_at_rest", "heartrate", &[], Table::SampleOrigins, models::SERIES_HEARTRATE_AT_REST)
        .zoned(),
    Model::new("samples_session", "session", &[], Table::SampleValues, include_str!("models/samples_session.sql")),
    Model::new("series_session", "session", &[], Table::SampleOrigins, models::SERIES_SESSION),
    Model::new("moods_session", "session", &[], Table::MoodEntries, models::MOODS_SESSION),
    Model::new("journal_enhanced_tag", "enhanced_tag", &[], Table::MoodEntries, models::JOURNAL_ENHANCED_TAG),
    Model::new("journal_tag", "tag", &[], Table::MoodEntries, models::JOURNAL_TAG),
];

/// Readings: filtered by instants, at most thirty days at once; those of an hour are one record. Days instead of instants would be ignored in silence.
const fn rows(name: &'static str, path: &'static str) -> Resource {
    documents(name, path)
        .window(Window::Range {
            start: "start_datetime",
            end: "end_datetime",
            format: Stamp::Rfc3339,
            max_days: Some(30),
        })
        .holds(Holds::Readings)
        .at("/timestamp")
}

/// The common reading, but that a 403 that names no scope is known to mean one thing.
fn verdict(reply: &Reply) -> Verdict {
    match by_status(reply) {
        Verdict::Reject(_) if reply.status == 403 => Verdict::Denied {
            why: "HTTP 403. Without an active membership it gives no data of a ring of the third generation or later",
            next: "renew the membership in Oura's app; where it is active: health auth oura --again",
        },
        usual => usual,
    }
}

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
        .weekly(30)
}

/// No largest window is documented, and one of fourteen months was answered whole. Documents that carry a series are asked
/// for by the half year, for the sake of memory. A day is local midnight, both ends inclusive; what a document is compared
/// by may be 04:00 of its day or the evening before, and the person may be up to 14 hours ahead of Greenwich.
const fn days(max_days: Option<u16>) -> Window {
    Window::Range { start: "start_date", end: "end_date", format: Stamp::Days { before: 1, after: 2 }, max_days }
}

const PAGES: Paging = Paging::Token { at: "/next_token", param: "next_token", size: None };
