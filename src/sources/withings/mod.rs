//! Withings: weight, blood pressure, activity, workouts and sleep of the public health data API.
//!
//! Facts: `docs/sources/withings.md`. Each call is a POST form with an `action`, each answer an envelope whose own status
//! counts. A listing by `lastupdate` shows what came or changed; what was deleted shows only in a listing by times.
//! Fields beside a few have to be asked for by name.

mod envelope;
mod models;

use std::time::Duration;

use crate::source::{Api, Auth, Holds, Limits, Paging, Provisional, Resource, Revoke, Source, Stamp, Window};

pub(crate) static SOURCE: Source = Source {
    id: "withings",
    aliases: &[],
    title: "Withings",
    brings: "weight, body composition, blood pressure, sleep, activity, workouts, ECG",
    needs: "device or app, own app",
    notices: &[],
    api: Some(Api {
        base_url: "https://wbsapi.withings.net",
        terms: &[],
        auth: AUTH,
        limits: LIMITS,
        verdict: envelope::verdict,
        owner: "", // no record says whose it is; the token answer does
        resources: RESOURCES,
    }),
    files: None,
    models: models::ALL,
    shown: &[],
    references: &[],
};

const AUTH: Auth = Auth {
    authorize_url: "https://account.withings.com/oauth2_user/authorize2",
    token_url: "https://wbsapi.withings.net/v2/oauth2",
    scopes: &["user.info", "user.metrics", "user.activity"],
    scope_separator: ",",
    token_params: &[("action", "requesttoken")],
    token_at: "/body",
    dead_statuses: &[100, 101, 102, 200, 401, 503],
    // Until then, or until the new access token is used for the first time.
    second_chance: Some(Duration::from_hours(8)),
    revoke: Revoke::Signed { path: "/v2/oauth2", nonce: "/v2/signature" },
    console: "https://developer.withings.com/dashboard",
    form: &[
        ("Kind", "public API integration, left in development"),
        ("Callback URL to paste there, exactly", "{redirect}"),
    ],
    notes: &[
        "The code at the end of Withings' page is good for 30 seconds: an address that has to be pasted must be pasted at once.",
        "An address of this machine is taken only while the application is in development, which allows 10 users.",
    ],
    ..Auth::USUAL
};

/// 120 requests a minute, of all users of an application together.
const LIMITS: Limits =
    Limits { requests: 120, per: Duration::from_mins(1), max_wait: Duration::from_secs(90), quotas: &[] };

const RESOURCES: &[Resource] = &[
    Resource::post("devices", "/v2/user", &[("action", "getdevice")])
        .scope("user.info")
        .records("/body/devices")
        .key(&["/hash_deviceid"]),
    Resource::post("goals", "/v2/user", &[("action", "getgoals")])
        .scope("user.info")
        .records("/body/goals")
        .holds(Holds::One),
    listed("measures", "/measure", &[("action", "getmeas")])
        .scope("user.metrics")
        .records("/body/measuregrps")
        .window(EPOCHS)
        .begins(1971) // weights may be entered for any day; 0 may pass for no date at all
        .key(&["/grpid", "/attrib"])
        .at("/date")
        .version("/modified")
        .changed_since(LASTUPDATE),
    listed("activity", "/v2/measure", &[("action", "getactivity"), ("data_fields", ACTIVITY)])
        .records("/body/activities")
        .key(&["/date", "?/deviceid", "?/brand"])
        .at("/date")
        .version("/modified")
        .changed_since(LASTUPDATE),
    listed("workouts", "/v2/measure", &[("action", "getworkouts"), ("data_fields", WORKOUTS)])
        .key(&["/id"])
        .at("/startdate")
        .version("/modified")
        .changed_since(LASTUPDATE),
    // By the day of waking.
    listed("sleep_summary", "/v2/sleep", &[("action", "getsummary"), ("data_fields", SLEEP_SUMMARY)])
        .key(&["/id"])
        .at("/enddate")
        .version("/modified")
        .provisional(&[Provisional::Says("/completed", "false")])
        .changed_since(LASTUPDATE),
    by_day("sleep", "/v2/sleep", &[("action", "get"), ("data_fields", SLEEP)])
        .key(&["/startdate", "?/hash_deviceid"])
        .at("/startdate")
        .ends("/enddate")
        .led_by("sleep_summary"),
    by_day("intraday_activity", "/v2/measure", &[("action", "getintradayactivity"), ("data_fields", INTRADAY)])
        .holds(Holds::Hours)
        .led_by("activity"),
    listed("heart", "/v2/heart", &[("action", "list")])
        .scope("user.metrics")
        .window(EPOCHS)
        .begins(1971)
        .key(&["/timestamp", "?/deviceid"])
        .at("/timestamp"),
    Resource::post("heart_signal", "/v2/heart", &[("action", "get"), ("signalid", "{id}")])
        .scope("user.metrics")
        .records("/body")
        .each(&["heart"], include_str!("due/heart_signal.sql")),
    listed("stetho", "/v2/stetho", &[("action", "list")])
        .scope("user.metrics")
        .window(EPOCHS)
        .begins(1971)
        .key(&["/timestamp", "?/deviceid"])
        .at("/timestamp"),
];

/// A listing by days of the person's own calendar, in pages of a size that nobody can choose.
const fn listed(name: &'static str, path: &'static str, fields: &'static [(&'static str, &'static str)]) -> Resource {
    Resource::post(name, path, fields)
        .scope("user.activity")
        .records("/body/series")
        // Both ends are taken to be inclusive, and the person to be anywhere: a day more on either side costs nothing.
        .window(Window::Range {
            start: "startdateymd",
            end: "enddateymd",
            format: Stamp::Days { before: 1, after: 2 },
            max_days: A_LIFE,
        })
        .begins(2000) // of what other programs brought along
        .paging(Paging::Offset { more: "/body/more", at: "/body/offset", param: "offset" })
        .lookback(7)
}

/// Details: of a window of more than a day only the first may come, and nothing says so.
const fn by_day(name: &'static str, path: &'static str, fields: &'static [(&'static str, &'static str)]) -> Resource {
    listed(name, path, fields)
        .window(Window::Range { start: "startdate", end: "enddate", format: Stamp::EpochDays, max_days: Some(1) })
        .begins(2009)
        .paging(Paging::Single)
        .lookback(2)
}

const EPOCHS: Window = Window::Range { start: "startdate", end: "enddate", format: Stamp::Epoch, max_days: A_LIFE };

/// What is much is paged and not cut off: one window holds everything, and nobody looks for a cut.
const A_LIFE: Option<u16> = Some(36_500);

const LASTUPDATE: &str = "lastupdate";

const ACTIVITY: &str = "steps,distance,elevation,soft,moderate,intense,active,calories,totalcalories,hr_average,hr_min,hr_max,\
hr_zone_0,hr_zone_1,hr_zone_2,hr_zone_3";

const WORKOUTS: &str = "calories,intensity,manual_intensity,manual_distance,manual_calories,hr_average,hr_min,hr_max,hr_zone_0,\
hr_zone_1,hr_zone_2,hr_zone_3,pause_duration,algo_pause_duration,spo2_average,core_body_temperature_avg,\
core_body_temperature_min,core_body_temperature_max,core_body_temperature_status,steps,distance,elevation,pool_laps,strokes,\
pool_length";

const INTRADAY: &str = "steps,elevation,calories,distance,stroke,pool_lap,duration,heart_rate,spo2_auto,rmssd,sdnn1,hrv_quality,\
core_body_temperature,rr,chest_movement_rate";

const SLEEP: &str =
    "hr,rr,snoring,sdnn_1,rmssd,hrv_quality,mvt_score,chest_movement_rate,withings_index,breathing_sounds";

/// `durationtosleep` and `durationtowakeup` are deprecated and come unasked.
const SLEEP_SUMMARY: &str = "total_timeinbed,total_sleep_time,asleepduration,lightsleepduration,remsleepduration,\
deepsleepduration,sleep_efficiency,sleep_latency,wakeup_latency,wakeupduration,wakeupcount,waso,nb_rem_episodes,\
out_of_bed_count,hr_average,hr_min,hr_max,rr_average,rr_min,rr_max,breathing_disturbances_intensity,apnea_hypopnea_index,\
withings_index,snoring,snoringepisodecount,sleep_score,night_events,mvt_score_avg,mvt_active_duration,rmssd_start_avg,\
rmssd_end_avg,chest_movement_rate_average,chest_movement_rate_min,chest_movement_rate_max,breathing_sounds,\
breathing_sounds_episode_count,core_body_temperature_avg,core_body_temperature_min,core_body_temperature_max,\
core_body_temperature_status";
