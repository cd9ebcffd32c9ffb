//! Strava: activities with details, laps, zones, series and gear of the API v3.
//!
//! Facts: `docs/sources/strava.md`. The list filters on the start of an activity and knows no "changed since": the last weeks
//! are read again, and everything once a week. An application has few requests, so what is read activity by activity is
//! spread over days, newest first.

mod models;

use std::time::Duration;

use crate::canonical::Table;
use crate::extract::paging::standard_call;
use crate::source::{
    Announced, Api, Auth, Call, Limits, Model, Notice, PageToken, Paging, Quota, Reply, Resource, Revoke, Slice,
    Source, Stamp, Verdict, Window, by_status, day,
};

pub(crate) static SOURCE: Source = Source {
    id: "strava",
    aliases: &[],
    title: "Strava",
    brings: "activities with laps, zones and series, gear, weight",
    needs: "subscription, own app",
    api: Some(Api {
        base_url: "https://www.strava.com/api/v3",
        auth: AUTH,
        limits: LIMITS,
        verdict,
        owner: "/athlete/id",
        terms: TERMS,
        resources: RESOURCES,
    }),
    files: None,
    models: MODELS,
    shown: &[],
    references: &[],
    notices: NOTICES,
};

const NOTICES: &[Notice] = &[
    Notice {
        kind: Announced::Subscription,
        on: day(2026, 6, 30),
        text: "Strava serves only applications whose owner has a paid Strava subscription",
        next: "subscribe, or ask Strava for the archive of your account: docs/sources/strava.md",
    },
    Notice {
        kind: Announced::Addresses,
        on: day(2027, 6, 1),
        text: "Strava moves its interface to https://www.api-v3.strava.com",
        next: "take the version of health that knows it, or set STRAVA_BASE_URL: docs/sources/strava.md",
    },
];

const AUTH: Auth = Auth {
    authorize_url: "https://www.strava.com/oauth/authorize",
    token_url: "https://www.strava.com/oauth/token",
    redirect_host: "localhost",
    scopes: &["read", "read_all", "profile:read_all", "activity:read_all"],
    scope_separator: ",",
    dead_errors: &["RefreshToken refresh_token invalid"],
    revoke: Revoke::Basic("/oauth/revoke"),
    console: "https://www.strava.com/settings/api",
    form: &[
        ("Authorization Callback Domain", "{host}"),
        ("Website, category, picture", "whatever you like; the form wants them"),
    ],
    notes: &["Leave every box on Strava's page ticked: what is not granted is left out."],
    ..Auth::USUAL
};

/// What the owner of an application agrees to (June 2026).
const TERMS: &[&str] = &[
    "An application works only while its owner has a paid Strava subscription.",
    "Strava's API policy forbids keeping its data for more than seven days, and combining it with other data for analysis.",
    "An archive of your own, which this program makes, is against the letter of that policy. It is your account and your choice.",
    "The archive that Strava makes of your account (settings, \"Download your account\") is under no such rule.",
    "Nothing that comes from this interface may be given to an AI model.",
];

/// Windows of a quarter of an hour and of a day, one pair for all requests and one for those that only read.
const LIMITS: Limits = Limits {
    requests: 100,
    per: Duration::from_secs(1), // the quotas are what binds
    max_wait: Duration::from_mins(16),
    quotas: &[
        quota(200, Duration::from_mins(15), ALL, 0),
        quota(2_000, Duration::from_hours(24), ALL, 1),
        quota(100, Duration::from_mins(15), READS, 0),
        quota(1_000, Duration::from_hours(24), READS, 1),
    ],
};

const ALL: (&str, &str) = ("x-ratelimit-limit", "x-ratelimit-usage");
const READS: (&str, &str) = ("x-readratelimit-limit", "x-readratelimit-usage");

const fn quota(requests: u32, per: Duration, headers: (&'static str, &'static str), place: usize) -> Quota {
    Quota { requests, per, limit: headers.0, usage: headers.1, place }
}

const RESOURCES: &[Resource] = &[
    Resource::get("athlete", "/athlete").scope("read|profile:read_all").key(&["/id"]).owner("/id"),
    Resource::get("athlete_zones", "/athlete/zones").scope("profile:read_all").may_be_absent(),
    Resource::get("activities", "/athlete/activities")
        .scope("activity:read_all|activity:read")
        .window(Window::Range { start: "after", end: "before", format: Stamp::Epoch, max_days: None })
        .paging(Paging::Number { page: "page", size: ("per_page", 200) })
        .list()
        .key(&["/id"])
        .at("/start_date")
        .lookback(30)
        .sweep(7)
        .call(activities),
    of_activity("activity_details", "/activities/{id}", include_str!("due/details.sql")),
    of_activity("activity_streams", "/activities/{id}/streams", include_str!("due/streams.sql")).call(streams),
    of_activity("activity_zones", "/activities/{id}/zones", include_str!("due/zones.sql")),
    Resource::get("activity_laps", "/activities/{id}/laps")
        .scope("activity:read_all|activity:read")
        .each(&["activity_details"], include_str!("due/laps.sql")),
    Resource::get("gear", "/gear/{id}")
        .scope("read|profile:read_all")
        .each(&["athlete", "activities"], include_str!("due/gear.sql")),
    Resource::get("athlete_stats", "/athletes/{id}/stats")
        .scope("read|profile:read_all")
        .each(&["athlete", "activities"], include_str!("due/stats.sql")),
];

const fn of_activity(name: &'static str, path: &'static str, due: &'static str) -> Resource {
    Resource::get(name, path).scope("activity:read_all|activity:read").each(&["activities"], due)
}

/// It is not documented whether the ends count: a second more is asked for at either. From the beginning of time on, no
/// beginning is named.
fn activities(resource: &Resource, slice: &Slice, token: Option<&PageToken>) -> Call {
    let second = chrono::TimeDelta::seconds(1);
    let wider = Slice { from: slice.from - second, to: slice.to + second };
    match standard_call(resource, &wider, token) {
        Call::Get { path, mut query } => {
            query.retain(|(name, _)| name != "after" || slice.from.timestamp() > 0);
            Call::Get { path, query }
        }
        other => other,
    }
}

/// Without names only the distance comes.
fn streams(resource: &Resource, slice: &Slice, token: Option<&PageToken>) -> Call {
    const KEYS: &str = "time,distance,latlng,altitude,velocity_smooth,heartrate,cadence,watts,temp,moving,grade_smooth";
    match standard_call(resource, slice, token) {
        Call::Get { path, .. } => {
            let query = [("keys", KEYS), ("key_by_type", "true")];
            Call::Get { path, query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec() }
        }
        other => other,
    }
}

/// Strava says with 401 what others say with 403, and with 403 that the application has been put to rest.
fn verdict(reply: &Reply) -> Verdict {
    match reply.status {
        401 if names(reply.body, "code", "missing") => Verdict::Forbidden,
        402 => Verdict::Empty, // for subscribers alone
        403 if names(reply.body, "field", "Status") && names(reply.body, "code", "Inactive") => Verdict::Closed {
            what: "Strava says that the application is inactive: since 30 June 2026 its owner needs a Strava subscription",
            next: "subscribe and activate it again at https://www.strava.com/settings/api, or ask Strava for the archive of your account: docs/sources/strava.md",
        },
        _ => by_status(reply),
    }
}

/// Whether one of the errors in an answer says `value` for `name`.
fn names(body: &[u8], name: &str, value: &str) -> bool {
    let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    said["errors"].as_array().is_some_and(|errors| errors.iter().any(|error| error[name] == value))
}

const MODELS: &[Model] = &[
    Model::new("user_identity", "athlete", &[], Table::UserIdentity, include_str!("models/user_identity.sql")),
    Model::new(
        "workouts",
        "activities",
        &["activity_details", "activity_zones", "activity_laps", "gear"],
        Table::Workouts,
        concat!(include_str!("models/workouts.sql"), include_str!("../workout.sql")),
    ),
    Model::new("vitals_athlete", "athlete", &[], Table::BiometricsVitals, include_str!("models/vitals_athlete.sql")),
    Model::new("series_body", "activity_streams", &[], Table::SampleOrigins, models::SERIES_BODY).in_pieces(),
    Model::new("series_effort", "activity_streams", &[], Table::SampleOrigins, models::SERIES_EFFORT).in_pieces(),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Verdict {
        verdict(&Reply { status, content_type: "application/json", retry_after: None, body: body.as_bytes() })
    }

    #[test]
    fn what_strava_refuses_is_told_apart() {
        let error = |resource: &str, field: &str, code: &str| {
            format!(r#"{{"message":"x","errors":[{{"resource":"{resource}","field":"{field}","code":"{code}"}}]}}"#)
        };
        assert!(matches!(judged(403, &error("Application", "Status", "Inactive")), Verdict::Closed { .. }));
        assert!(matches!(judged(403, &error("Athlete", "limit", "exceeded")), Verdict::Reject(_)));
        assert_eq!(judged(401, &error("AccessToken", "activity:read_permission", "missing")), Verdict::Forbidden);
        assert_eq!(judged(401, &error("Application", "", "invalid")), Verdict::Reauthorize);
        assert_eq!(judged(402, ""), Verdict::Empty);
        assert!(matches!(judged(429, r#"{"errors":"Rate Limit Exceeded","status":429}"#), Verdict::Wait(_)));
    }
}
