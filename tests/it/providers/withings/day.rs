//! What a day and a night bring that is more than one record: totals, sleep with its stretches, values by the minute.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::records::{Doc, Local};
use crate::support::truth::{offset_s, stamp};

const MAT: &str = "201d0b9a0556d6b755166b2cf8d22d3bdf0487ee";

/// The day as the watch counted it.
pub fn activity(i: i64, noon: Local, changed: DateTime<Utc>) -> Doc {
    let day = noon.clock.date();
    let watch = "9a51e8d0e7d16da9";
    let rate = if i % 5 == 1 { 0 } else { 70 + i % 10 };
    let value = json!({
        "date": day, "timezone": noon.place.zone, "deviceid": watch, "hash_deviceid": watch, "brand": 1, "is_tracker": true,
        "modified": changed.timestamp(), "model": "ScanWatch 2", "modelid": 94, "steps": 4_000 + i % 9_000, "distance": 3_210.5,
        "elevation": 7, "soft": 5_400, "moderate": 1_200, "intense": 300, "active": 1_500, "calories": 345.25,
        "totalcalories": 2_100 + i % 300, "hr_average": rate, "hr_min": 50, "hr_max": 140, "hr_zone_0": 100, "hr_zone_1": 200,
        "hr_zone_2": 300, "hr_zone_3": 400,
    });
    let totals = [
        ("steps", json!(4_000 + i % 9_000)),
        ("distance_total", json!(3_210.5)),
        ("floors", json!(7)),
        ("intensity_light_time", json!(5_400)),
        ("intensity_moderate_time", json!(1_200)),
        ("intensity_vigorous_time", json!(300)),
        ("active_time", json!(1_500)),
        ("energy_active", json!(345.25)),
        ("energy_total", json!(2_100 + i % 300)),
    ];
    let doc = Doc { since: changed, ..Doc::new("activity", format!("{day}|{watch}|1"), noon, value) };
    let beats = [("heart_rate", "avg", rate), ("heart_rate min", "min", 50), ("heart_rate max", "max", 140)];
    let doc = beats.into_iter().filter(|(_, _, beats)| *beats > 0).fold(doc, |doc, (what, stat, beats)| {
        let row = [("value_num", json!(beats)), ("stat", json!(stat)), ("local_date", json!(day))];
        doc.row("daily_summaries", what, &row)
    });
    totals.into_iter().fold(doc, |doc, (metric, total)| {
        let row = [
            ("value_num", total),
            ("stat", json!("total")),
            ("local_date", json!(day)),
            ("device_key", json!(watch)),
            ("device_type", json!("watch")),
            ("utc_offset_s", json!(offset_s(noon.place.offset))),
            ("tz_name", json!(noon.place.zone)),
        ];
        doc.row("daily_summaries", metric, &row)
    })
}

/// The same day as another program counted it and copied it here.
pub fn copied(i: i64, noon: Local, changed: DateTime<Utc>) -> Doc {
    let day = noon.clock.date();
    let value = json!({
        "date": day, "timezone": noon.place.zone, "deviceid": null, "hash_deviceid": null, "brand": 18, "is_tracker": false,
        "modified": changed.timestamp(), "model": "GoogleFit tracker", "modelid": 1055, "steps": 3_900 + i % 500,
    });
    let row = [
        ("value_num", json!(3_900 + i % 500)),
        ("device_key", json!("brand 18")),
        ("device_type", json!("other")),
        ("local_date", json!(day)),
    ];
    let doc = Doc::new("activity", format!("{day}|-|18"), noon, value).row("daily_summaries", "steps", &row);
    Doc { since: changed, ..doc }
}

/// A night or a nap with its stretches, which are sent in no order.
pub fn sleep(id: i64, i: i64, start: Local, seconds: i64, kind: &'static str) -> Vec<Doc> {
    let end = start.plus(seconds);
    let (start_at, day) = (start.epoch(), end.clock.date());
    // A fifth each; the last takes what is left.
    let states = [(0, "awake"), (1, "light"), (2, "deep"), (1, "light"), (3, "rem")];
    let fifth = seconds / 5;
    let of = |n: i64| if n == 4 { seconds - 4 * fifth } else { fifth };
    let rate = if i % 7 == 3 { 0 } else { 44 + i % 12 };
    let value = json!({
        "id": id, "timezone": start.place.zone, "model": 32, "model_id": 63, "hash_deviceid": MAT, "startdate": start_at,
        "enddate": end.epoch(), "date": day, "created": end.epoch() + 60, "modified": end.epoch() + 60, "completed": true,
        "data": {
            "total_timeinbed": seconds, "total_sleep_time": seconds - fifth, "wakeupduration": fifth,
            "lightsleepduration": 2 * fifth, "deepsleepduration": fifth, "remsleepduration": of(4), "sleep_latency": 300 + i % 200,
            "waso": 120, "wakeupcount": i % 4, "sleep_efficiency": 0.86, "hr_average": 52, "hr_min": rate, "hr_max": 80,
            "rr_average": 14, "rr_min": 10, "rr_max": 20, "sleep_score": 40 + i % 60, "snoring": 1_080, "snoringepisodecount": 18,
            "breathing_disturbances_intensity": 9, "apnea_hypopnea_index": 4, "nb_rem_episodes": 2, "out_of_bed_count": 0,
            "night_events": {"1": [0], "2": [300]}, "asleepduration": null,
        },
    });
    let at_waking = |value: Value| {
        [
            ("value_num", value),
            ("observed_at", end.instant()),
            ("local_date", json!(day)),
            ("utc_offset_s", json!(offset_s(end.place.offset))),
        ]
    };
    let summary = Doc { at: end.utc(), day, ..Doc::new("sleep_summary", id.to_string(), start, value) }
        .row(
            "sleep_sessions",
            "",
            &[
                ("start_at", start.instant()),
                ("end_at", end.instant()),
                ("utc_offset_s", json!(offset_s(start.place.offset))),
                ("tz_basis", json!("record")),
                ("tz_name", json!(start.place.zone)),
                ("local_date", json!(day)),
                ("kind", json!(kind)),
                ("in_bed_s", json!(seconds)),
                ("asleep_s", json!(seconds - fifth)),
                ("awake_s", json!(fifth)),
                ("light_s", json!(2 * fifth)),
                ("deep_s", json!(fifth)),
                ("rem_s", json!(of(4))),
                ("latency_s", json!(300 + i % 200)),
                ("waso_s", json!(120)),
                ("awakenings", json!(i % 4)),
                ("efficiency_pct", json!(86)),
                ("hr_avg", json!(52)),
                ("hr_min", if rate == 0 { Value::Null } else { json!(rate) }),
                ("hrv_rmssd_ms", Value::Null),
                ("hrv_sdnn_ms", Value::Null),
                ("resp_rate", json!(14)),
                ("score", json!(40 + i % 60)),
                ("stage_scheme", json!("stages")),
                ("is_final", json!(true)),
            ],
        )
        .row(
            "scores",
            "sleep",
            &[
                ("value_num", json!(40 + i % 60)),
                ("scale_lo", json!(0)),
                ("scale_hi", json!(100)),
                ("local_date", json!(day)),
                ("observed_at", end.instant()),
            ],
        )
        .row("biometrics_vitals", "respiratory_rate", &at_waking(json!(14)))
        .row("biometrics_vitals", "breathing_disturbances", &at_waking(json!(9)))
        .row("biometrics_vitals", "sleep_disturbance_rate", &at_waking(json!(4)));
    let summary = if rate == 0 || kind != "main" {
        summary
    } else {
        summary.row("biometrics_vitals", "heart_rate_resting", &at_waking(json!(rate)))
    };
    let came = summary.since;
    let mut docs = vec![summary];
    for (n, (state, _)) in states.into_iter().enumerate() {
        let n = i64::try_from(n).expect("a count");
        let from = start.plus(n * fifth);
        let until = from.plus(of(n));
        let minutes = |value: i64| {
            Value::Object((0..2).map(|m| ((from.epoch() + 60 * m).to_string(), json!(value + m))).collect())
        };
        let value = json!({
            "startdate": from.epoch(), "enddate": until.epoch(), "state": state, "model": "Aura Sensor V2", "model_id": 63,
            "hash_deviceid": MAT, "hr": minutes(50), "rr": minutes(13), "snoring": minutes(0), "rmssd": minutes(40),
            "sdnn_1": minutes(60),
        });
        let doc = Doc::new("sleep", format!("{}|{MAT}", from.epoch()), from, value);
        docs.push(Doc { since: came, ..doc }.row("sample_origins", "", &[("tz_basis", json!("home"))]));
    }
    docs.rotate_right(2);
    docs
}

/// An hour of the watch: steps for a minute, a heart rate, and a stretch without anything.
pub fn hour(i: i64, start: Local) -> Doc {
    let mut entries = Map::new();
    let device = json!({"model": "ScanWatch 2", "model_id": 94, "deviceid": "9a51e8d0e7d16da9"});
    let mut put = |second: i64, values: Value| {
        let mut entry = device.clone();
        entry.as_object_mut().expect("an entry").extend(values.as_object().expect("values").clone());
        entries.insert((start.epoch() + second).to_string(), entry);
    };
    put(0, json!({"duration": 60, "steps": 31 + i % 9, "elevation": 0, "calories": 1.2, "distance": 24.5}));
    put(60, json!({"duration": 60, "heart_rate": 62 + i % 30}));
    put(600, json!({"duration": 1_200}));
    let id = start.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let doc = Doc::new("intraday_activity", id, start, Value::Object(entries));
    doc.row("sample_origins", "", &[("tz_basis", json!("home")), ("flags", json!([]))])
}

/// Everything a canonical instant needs, for tests that state rows of their own.
pub fn instant(at: DateTime<Utc>) -> Value {
    json!(stamp(at))
}
