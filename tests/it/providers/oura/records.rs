//! Documents as Oura sends them, each with the canonical rows that it means: the mapping section of `docs/sources/oura.md`
//! and the canonical model, stated a second time.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::truth::{Columns, offset_s};

/// One canonical row of a document.
#[derive(Clone, Debug)]
pub struct Row {
    pub table: &'static str,
    pub what: &'static str,
    pub columns: Columns,
}

/// One document of a collection.
#[derive(Clone, Debug)]
pub struct Doc {
    pub resource: &'static str,
    /// What tells it from others: its id, or what the documents name in its place.
    pub id: String,
    /// What windows compare, on the clock of the person.
    pub time: NaiveDateTime,
    /// From when on it is there.
    pub since: DateTime<Utc>,
    pub value: Value,
    pub rows: Vec<Row>,
}

impl Doc {
    pub fn new(resource: &'static str, time: NaiveDateTime, since: DateTime<Utc>, value: Value) -> Self {
        let id = value["id"].as_str().unwrap_or_default().to_owned();
        Doc { resource, id, time, since, value, rows: vec![] }
    }

    /// A document from a file, placed in time as its collection is.
    pub fn sent(resource: &'static str, value: Value) -> Self {
        let field = match resource {
            "sleep" => "bedtime_start",
            "workout" | "session" => "start_datetime",
            "enhanced_tag" => "start_time",
            "rest_mode_period" => "start_day",
            "daily_activity" | "tag" | "heartrate" | "ring_battery_level" => "timestamp",
            _ => "day",
        };
        let said = value[field].as_str().expect("a time").to_owned();
        let instant = DateTime::parse_from_rfc3339(&said).ok();
        let time = instant.map_or_else(|| midnight(said.parse().expect("a day")), |t| t.naive_local());
        let mut doc = Doc::new(resource, time, DateTime::UNIX_EPOCH, value);
        match (resource, instant) {
            ("heartrate", Some(at)) => {
                let source = doc.value["source"].as_str().expect("a source");
                doc.id = format!("{}|{source}", at.to_utc().format("%Y-%m-%dT%H:%M:%SZ"));
            }
            ("daily_cardiovascular_age", _) => doc.id = said,
            _ => {}
        }
        doc
    }

    /// What tells the record from others that it is part of: readings of an hour at Greenwich, and of one activity, are one.
    pub fn record(&self) -> String {
        if !super::ROWS.contains(&self.resource) {
            return self.id.clone();
        }
        let hour = self.time.format("%Y-%m-%dT%H:00:00Z");
        self.value["source"].as_str().map_or_else(|| hour.to_string(), |source| format!("{hour}|{source}"))
    }

    pub fn row(mut self, table: &'static str, what: &'static str, columns: &[(&'static str, Value)]) -> Self {
        self.rows.push(Row { table, what, columns: columns.iter().cloned().collect() });
        self
    }
}

/// A moment on the person's clock, with its offset.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    pub clock: NaiveDateTime,
    pub offset: &'static str,
}

impl Local {
    pub fn utc(self) -> DateTime<Utc> {
        (self.clock - TimeDelta::seconds(offset_s(self.offset))).and_utc()
    }

    /// As Oura writes it; every other one with milliseconds.
    pub fn text(self) -> String {
        let millis = if self.clock.and_utc().timestamp() % 2 == 0 { ".000" } else { "" };
        format!("{}{millis}{}", self.clock.format("%Y-%m-%dT%H:%M:%S"), self.offset)
    }

    pub fn plus(self, seconds: i64) -> Self {
        Local { clock: self.clock + TimeDelta::seconds(seconds), ..self }
    }

    pub fn instant(self) -> Value {
        json!(crate::support::truth::stamp(self.utc()))
    }
}

/// A night or nap of day `i` with a hypnogram of its own; `kind` is Oura's type.
pub fn sleep(id: &str, i: i64, kind: &'static str, start: Local, seconds: i64) -> Doc {
    let end = start.plus(seconds);
    let steps = (seconds + 29) / 30;
    let digits: String = (0..steps)
        .map(|n| ["4", "2", "1", "2", "3"][usize::try_from((n / (17 + i % 5)) % 5).expect("a place")])
        .collect();
    let of = |digit: char| {
        let whole = i64::try_from(digits.chars().filter(|c| *c == digit).count()).expect("a count") * 30;
        if digits.ends_with(digit) { whole - (steps * 30 - seconds) } else { whole }
    };
    let [deep, light, rem, awake] = ['1', '2', '3', '4'].map(of);
    let lowest = if i % 7 == 3 { 255 } else { 44 + i % 12 };
    // The evening nap that counts for the next day is dated there.
    let day = if end.clock.time() >= "18:00:00".parse().expect("a time") {
        end.clock.date().succ_opt()
    } else {
        Some(end.clock.date())
    };
    let value = json!({
        "id": id, "day": day, "type": kind, "period": i % 3, "bedtime_start": start.text(), "bedtime_end": end.text(),
        "time_in_bed": seconds, "total_sleep_duration": deep + light + rem, "deep_sleep_duration": deep,
        "light_sleep_duration": light, "rem_sleep_duration": rem, "awake_time": awake, "latency": 300 + i % 240,
        "efficiency": 80 + i % 15, "average_heart_rate": 52.125 + f64::from(u8::try_from(i % 9).expect("small")),
        "lowest_heart_rate": lowest, "average_hrv": 30 + i % 50, "average_breath": 14.25, "low_battery_alert": false,
        "heart_rate": {"interval": 300.0, "items": [null, 55.0, 54.0], "timestamp": start.text()},
        "hrv": {"interval": 300.0, "items": [null, 41.0, 38.0], "timestamp": start.text()},
        "sleep_phase_30_sec": digits, "sleep_phase_5_min": "4", "movement_30_sec": "1", "restless_periods": i % 40,
        "readiness": null, "readiness_score_delta": null, "sleep_score_delta": null, "sleep_algorithm_version": "v2",
        "sleep_analysis_reason": null, "ring_id": null,
    });
    let doc = Doc::new("sleep", start.clock, end.utc(), value);
    if ["rest", "deleted"].contains(&kind) {
        return doc;
    }
    let doc = doc.row(
        "sleep_sessions",
        "",
        &[
            ("start_at", start.instant()),
            ("end_at", end.instant()),
            ("utc_offset_s", json!(offset_s(start.offset))),
            ("end_utc_offset_s", json!(offset_s(end.offset))),
            ("tz_basis", json!("record")),
            ("local_date", json!(end.clock.date())),
            ("kind", json!(if kind == "long_sleep" { "main" } else { "nap" })),
            ("in_bed_s", json!(seconds)),
            ("asleep_s", json!(deep + light + rem)),
            ("awake_s", json!(awake)),
            ("deep_s", json!(deep)),
            ("light_s", json!(light)),
            ("rem_s", json!(rem)),
            ("latency_s", json!(300 + i % 240)),
            ("efficiency_pct", json!(80 + i % 15)),
            ("hr_avg", json!(52.125 + f64::from(u8::try_from(i % 9).expect("small")))),
            ("hr_min", if lowest == 255 { Value::Null } else { json!(lowest) }),
            ("hrv_rmssd_ms", json!(30 + i % 50)),
            ("hrv_sdnn_ms", Value::Null),
            ("resp_rate", json!(14.25)),
            ("stage_scheme", json!("stages")),
        ],
    );
    let at_waking = |value: Value| {
        [
            ("value_num", value),
            ("observed_at", end.instant()),
            ("local_date", json!(end.clock.date())),
            ("utc_offset_s", json!(offset_s(end.offset))),
        ]
    };
    let series = [("utc_offset_s", json!(offset_s(start.offset))), ("raw_path", json!("hrv"))];
    let doc = doc
        .row("biometrics_vitals", "hrv_rmssd", &at_waking(json!(30 + i % 50)))
        .row("biometrics_vitals", "respiratory_rate", &at_waking(json!(14.25)))
        .row("sample_origins", "", &series);
    if kind == "long_sleep" && lowest != 255 {
        return doc.row("biometrics_vitals", "heart_rate_resting", &at_waking(json!(lowest)));
    }
    doc
}

/// The sleep score of a day; a few days have none.
pub fn daily_sleep(id: &str, i: i64, day: NaiveDate, since: DateTime<Utc>) -> Doc {
    let score = (i % 19 != 4).then_some(60 + i % 40);
    let value = json!({
        "id": id, "day": day, "timestamp": format!("{day}T00:00:00+00:00"), "score": score,
        "contributors": {"deep_sleep": 90 - i % 30, "efficiency": 88, "latency": null, "rem_sleep": 71, "restfulness": 65,
                         "timing": 99, "total_sleep": 80},
    });
    let components = value["contributors"].clone();
    let doc = Doc::new("daily_sleep", midnight(day), since, value);
    match score {
        Some(score) => doc.row(
            "scores",
            "sleep",
            &[
                ("value_num", json!(score)),
                ("scale_lo", json!(1)),
                ("scale_hi", json!(100)),
                ("local_date", json!(day)),
                ("components", components),
                ("observed_at", Value::Null),
            ],
        ),
        None => doc,
    }
}

/// A workout with the habits of day `i`: a run with distance, weights without, a sport nobody knows.
pub fn workout(id: &str, i: i64, start: Local) -> Doc {
    let seconds = 2_280 + i % 60;
    let end = start.plus(seconds);
    let (activity, sport) = [
        ("running", "running"),
        ("quidditch", "other"),
        ("weightlifting", "strength_training"),
        ("skiing", "alpine_skiing"),
    ][usize::try_from(i % 4).expect("a place")];
    let calories = 200.5 + f64::from(u8::try_from(i % 100).expect("small"));
    let distance = (activity == "running").then_some(5_000.25);
    let value = json!({
        "id": id, "day": start.clock.date(), "activity": activity, "intensity": "moderate", "source": "confirmed",
        "start_datetime": start.text(), "end_datetime": end.text(), "calories": calories, "distance": distance, "label": null,
    });
    Doc::new("workout", start.clock, end.utc(), value).row(
        "workouts",
        "",
        &[
            ("start_at", start.instant()),
            ("end_at", end.instant()),
            ("utc_offset_s", json!(offset_s(start.offset))),
            ("tz_basis", json!("record")),
            ("local_date", json!(start.clock.date())),
            ("elapsed_s", json!(seconds)),
            ("sport", json!(sport)),
            ("sport_raw", json!(activity)),
            ("energy_active_kcal", json!(calories)),
            ("distance_m", json!(distance)),
            ("hr_avg", Value::Null),
        ],
    )
}

pub fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(chrono::NaiveTime::MIN)
}
