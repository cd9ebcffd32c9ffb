//! Records as Withings sends them, each with the canonical rows that it means: the mapping section of `docs/sources/withings.md`
//! and the canonical model, stated a second time.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::truth::{Columns, offset_s, stamp};

/// One canonical row of a record.
#[derive(Clone, Debug)]
pub struct Row {
    pub table: &'static str,
    pub what: &'static str,
    pub columns: Columns,
}

/// One record of a listing.
#[derive(Clone, Debug)]
pub struct Doc {
    pub resource: &'static str,
    /// What tells it from others.
    pub id: String,
    /// What windows of instants compare.
    pub at: DateTime<Utc>,
    /// What windows of days compare, on the calendar of the person.
    pub day: NaiveDate,
    /// When it came, or last changed.
    pub since: DateTime<Utc>,
    pub value: Value,
    pub rows: Vec<Row>,
}

/// Where the person is, with the offset of the moment.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub zone: &'static str,
    pub offset: &'static str,
}

/// A moment on the person's clock.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    pub clock: NaiveDateTime,
    pub place: Place,
}

impl Local {
    pub fn utc(self) -> DateTime<Utc> {
        (self.clock - TimeDelta::seconds(offset_s(self.place.offset))).and_utc()
    }

    pub fn plus(self, seconds: i64) -> Self {
        Local { clock: self.clock + TimeDelta::seconds(seconds), ..self }
    }

    pub fn instant(self) -> Value {
        json!(stamp(self.utc()))
    }

    pub fn epoch(self) -> i64 {
        self.utc().timestamp()
    }
}

impl Doc {
    /// A record that changed when its `modified` says so, else when it was made.
    pub fn new(resource: &'static str, id: String, at: Local, value: Value) -> Self {
        let changed = value["modified"].as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        Doc {
            resource,
            id,
            at: at.utc(),
            day: at.clock.date(),
            since: changed.unwrap_or(at.utc()),
            value,
            rows: vec![],
        }
    }

    /// A record from a file or written by hand, placed in time as its listing is.
    pub fn sent(resource: &'static str, value: Value) -> Self {
        let at = |name: &str| value[name].as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let text = |name: &str| match &value[name] {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => "-".to_owned(),
        };
        let hour = || {
            let first = value.as_object()?.keys().min()?.parse::<i64>().ok()?;
            DateTime::from_timestamp(first.div_euclid(3_600) * 3_600, 0)
        };
        let (id, time) = match resource {
            "measures" => (format!("{}|{}", text("grpid"), text("attrib")), at("date")),
            "activity" => (format!("{}|{}|{}", text("date"), text("deviceid"), text("brand")), at("modified")),
            "sleep_summary" => (text("id"), at("enddate")),
            "sleep" => (format!("{}|{}", text("startdate"), text("hash_deviceid")), at("startdate")),
            "heart" => (format!("{}|{}", text("timestamp"), text("deviceid")), at("timestamp")),
            "intraday_activity" => (hour().expect("an hour").format("%Y-%m-%dT%H:%M:%SZ").to_string(), hour()),
            "devices" => (text("hash_deviceid"), Some(DateTime::UNIX_EPOCH)),
            _ => (text("id"), at("startdate")),
        };
        let time = time.expect("a time");
        let day = value["date"].as_str().and_then(|day| day.parse().ok()).unwrap_or_else(|| time.date_naive());
        let since = at("modified").unwrap_or(time);
        Doc { resource, id, at: time, day, since, value, rows: vec![] }
    }

    pub fn row(mut self, table: &'static str, what: &'static str, columns: &[(&'static str, Value)]) -> Self {
        self.rows.push(Row { table, what, columns: columns.iter().cloned().collect() });
        self
    }

    /// It changed: now it says so, and a listing of changes shows it.
    pub fn changed_at(&mut self, now: DateTime<Utc>) {
        self.since = now;
        if self.value["modified"].is_number() {
            self.value["modified"] = json!(now.timestamp());
        }
    }
}

/// A measure: value, type, power of ten.
type Measure = (i64, i64, i64);

/// A group of measures as device and app send it. `rows` are the metrics, their values and the values as text.
pub fn group(grpid: i64, attrib: i64, at: Local, measures: &[Measure], rows: &[(&'static str, Value, &str)]) -> Doc {
    let manual = attrib == 2;
    let device = if manual { Value::Null } else { json!("51e8d0e7d16da9ff673accf10958ca94fea55d6e") };
    let measures: Vec<Value> = measures
        .iter()
        .map(|(value, kind, unit)| json!({"value": value, "type": kind, "unit": unit, "algo": 0, "fm": 3}))
        .collect();
    let value = json!({
        "grpid": grpid, "attrib": attrib, "date": at.epoch(), "created": at.epoch() + 30, "modified": at.epoch() + 30,
        "category": 1, "deviceid": device, "hash_deviceid": device, "measures": measures,
        "modelid": if manual { Value::Null } else { json!(13) }, "model": if manual { Value::Null } else { json!("Body+") },
        "comment": null,
    });
    let doc = Doc::new("measures", format!("{grpid}|{attrib}"), at, value);
    rows.iter().fold(doc, |doc, (metric, number, raw)| {
        let row = [
            ("value_num", number.clone()),
            ("value_raw", json!(raw)),
            ("observed_at", at.instant()),
            ("tz_basis", json!("home")),
            ("is_self_reported", json!(manual)),
            ("flags", if manual { json!(["manual"]) } else { json!([]) }),
        ];
        doc.row("biometrics_vitals", metric, &row)
    })
}

/// A workout with the habits of day `i`: a walk, something entered by hand, a sport that nobody knows.
pub fn workout(id: i64, i: i64, start: Local) -> Doc {
    let seconds = 2_280 + i % 60;
    let end = start.plus(seconds);
    let (category, sport) = [(1, "walking"), (99_999, "other"), (16, "strength_training"), (308, "indoor_cycling")]
        [usize::try_from(i % 4).expect("a place")];
    let manual = i % 4 == 2;
    let distance = if manual { 0 } else { 5_000 + i % 700 };
    let value = json!({
        "id": id, "category": category, "attrib": if manual { 2 } else { 0 }, "timezone": start.place.zone, "model": 93,
        "startdate": start.epoch(), "enddate": end.epoch(), "date": start.clock.date(), "modified": end.epoch() + 60,
        "deviceid": null, "hash_deviceid": null,
        "data": {
            "calories": if manual { 0 } else { 200 + i % 100 }, "manual_calories": if manual { 321 } else { 0 },
            "distance": distance, "manual_distance": 0, "intensity": 50, "manual_intensity": 0, "steps": 3_000 + i % 500,
            "elevation": 3, "hr_average": if manual { 0 } else { 110 + i % 20 }, "hr_min": 0,
            "hr_max": if manual { 0 } else { 150 + i % 20 }, "hr_zone_0": 600, "hr_zone_1": 900, "hr_zone_2": 500, "hr_zone_3": 40,
            "pause_duration": 120, "spo2_average": null, "pool_laps": 0, "strokes": 0, "pool_length": 0,
        },
    });
    Doc::new("workouts", id.to_string(), start, value).row(
        "workouts",
        "",
        &[
            ("start_at", start.instant()),
            ("end_at", end.instant()),
            ("utc_offset_s", json!(offset_s(start.place.offset))),
            ("tz_basis", json!("record")),
            ("tz_name", json!(start.place.zone)),
            ("local_date", json!(start.clock.date())),
            ("elapsed_s", json!(seconds)),
            ("moving_s", json!(seconds - 120)),
            ("sport", json!(sport)),
            ("sport_raw", json!(category.to_string())),
            ("energy_active_kcal", if manual { json!(321) } else { json!(200 + i % 100) }),
            ("distance_m", if manual { Value::Null } else { json!(distance) }),
            ("steps", json!(3_000 + i % 500)),
            ("hr_avg", if manual { Value::Null } else { json!(110 + i % 20) }),
            ("hr_max", if manual { Value::Null } else { json!(150 + i % 20) }),
            ("hr_zone_s", json!([600, 900, 500, 40])),
            ("hr_zone_scheme", json!("withings_0_to_3")),
            ("is_indoor", if category == 308 { json!(true) } else { Value::Null }),
            ("flags", if manual { json!(["manual"]) } else { json!([]) }),
        ],
    )
}

/// An electrocardiogram, or a blood pressure, which comes with the measures as well.
pub fn heart(i: i64, at: Local) -> Doc {
    let device = "0b5f4b1ed1a3d0c9";
    let ecg = i % 3 != 2;
    let afib = i % 4;
    let mut value = json!({"deviceid": device, "model": 93, "heart_rate": 58 + i % 30, "timestamp": at.epoch(), "modified": at.epoch()});
    if ecg {
        value["ecg"] = json!({"signalid": 7_000 + i, "afib": afib});
    } else {
        value["bloodpressure"] = json!({"diastole": 80, "systole": 120});
    }
    let doc = Doc::new("heart", format!("{}|{device}", at.epoch()), at, value);
    if !ecg {
        return doc;
    }
    let code = ["negative", "positive", "inconclusive", "other"][usize::try_from(afib).expect("a place")];
    let of = |columns: &[(&'static str, Value)]| [&[("observed_at", at.instant())][..], columns].concat();
    doc.row(
        "biometrics_vitals",
        "ecg_afib_result",
        &of(&[("value_code", json!(code)), ("value_raw", json!(afib.to_string()))]),
    )
    .row("biometrics_vitals", "heart_rate", &of(&[("value_num", json!(58 + i % 30))]))
}

/// The signal of the electrocardiogram of that day, if it has one. Kept raw.
pub fn signal(i: i64, at: Local) -> Option<Doc> {
    let microvolts: Vec<i64> = (0..30).map(|n| (n * n * 7 + i) % 900 - 200).collect();
    let value = json!({"signal": microvolts, "sampling_frequency": 300, "wearposition": 1});
    (i % 3 != 2).then(|| Doc::new("heart_signal", (7_000 + i).to_string(), at, value))
}

/// Kept raw.
pub fn stetho(i: i64, at: Local) -> Doc {
    let value = json!({"deviceid": null, "model": 44, "stethosignalid": 9_000 + i, "timestamp": at.epoch(), "timezone": at.place.zone});
    Doc::new("stetho", format!("{}|-", at.epoch()), at, value)
}
