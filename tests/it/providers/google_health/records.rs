//! Data points as Google Health sends them, each with the canonical rows that it means: the mapping section of
//! `docs/sources/google_health.md` and the canonical model, stated a second time.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use serde_json::{Map, Value, json};

use super::types::{self, Kind};
use super::{Point, Row, instant};
use crate::support::truth::stamp;

/// A moment on the person's clock.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    pub clock: NaiveDateTime,
    pub offset_s: i64,
}

impl Local {
    pub fn utc(self) -> DateTime<Utc> {
        (self.clock - TimeDelta::seconds(self.offset_s)).and_utc()
    }

    pub fn plus(self, seconds: i64) -> Self {
        Local { clock: self.clock + TimeDelta::seconds(seconds), ..self }
    }

    pub fn stamp(self) -> Value {
        json!(stamp(self.utc()))
    }

    fn offset(self) -> Value {
        json!(format!("{}s", self.offset_s))
    }

    /// The wall clock in numbers; those that are zero are left out.
    fn civil(self) -> Value {
        let mut time = Map::new();
        let parts = [("hours", self.clock.hour()), ("minutes", self.clock.minute()), ("seconds", self.clock.second())];
        for (name, part) in parts.into_iter().filter(|(_, part)| *part > 0) {
            time.insert(name.into(), json!(part));
        }
        json!({"date": civil_day(self.clock.date()), "time": time})
    }
}

pub fn civil_day(day: NaiveDate) -> Value {
    json!({"year": day.year(), "month": day.month(), "day": day.day()})
}

pub fn interval(start: Local, end: Local) -> Value {
    json!({"startTime": instant(start.utc()), "startUtcOffset": start.offset(), "endTime": instant(end.utc()),
           "endUtcOffset": end.offset(), "civilStartTime": start.civil(), "civilEndTime": end.civil()})
}

pub fn sample_time(at: Local) -> Value {
    json!({"physicalTime": instant(at.utc()), "utcOffset": at.offset(), "civilTime": at.civil()})
}

pub fn watch() -> Value {
    json!({"recordingMethod": "PASSIVELY_MEASURED", "platform": "FITBIT",
           "device": {"formFactor": "WATCH", "displayName": "Pixel Watch 4"}})
}

pub fn phone() -> Value {
    json!({"recordingMethod": "PASSIVELY_MEASURED", "platform": "HEALTH_CONNECT", "device": {"formFactor": "PHONE"},
           "application": {"packageName": "org.example.walk"}})
}

/// What tells the origins of points apart.
pub fn origin(value: &Value) -> String {
    let source = &value["dataSource"];
    let said = [&source["platform"], &source["device"]["displayName"], &source["application"]["packageName"]];
    said.map(|part| part.as_str().unwrap_or("-").to_owned()).join("|")
}

fn merged(parts: &[&Value]) -> Value {
    let members = parts.iter().filter_map(|part| part.as_object()).flatten();
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A point of an interval, keyed as those without a name are.
pub fn of_interval(resource: &'static str, start: Local, end: Local, source: &Value, said: &Value) -> Point {
    let time = json!({"interval": interval(start, end)});
    point(resource, start, end.utc(), source, &merged(&[&time, said]))
}

/// A point of a moment.
pub fn of_moment(resource: &'static str, at: Local, source: &Value, said: &Value) -> Point {
    let time = json!({"sampleTime": sample_time(at)});
    point(resource, at, at.utc(), source, &merged(&[&time, said]))
}

/// What one day of the person's calendar is said to be. The points of some such types share a name that names nothing.
pub fn of_day(resource: &'static str, day: NaiveDate, since: DateTime<Utc>, said: &Value) -> Point {
    let of = types::by_name(resource).expect("a type");
    let payload = merged(&[&json!({"date": civil_day(day)}), said]);
    let mut value = json!({"dataSource": {"recordingMethod": "DERIVED", "platform": "FITBIT"}, of.camel(): payload});
    let mut id = format!("{day}|FITBIT");
    if resource == "daily_resting_heart_rate" {
        value["name"] = json!("users/me/dataTypes/daily-resting-heart-rate/dataPoints/-");
    }
    if !of.ways.contains('L') {
        value.as_object_mut().expect("a point").remove("dataSource");
        id = format!("{day}|-");
    }
    let civil = day.and_time(NaiveTime::MIN);
    Point { resource, id, at: civil.and_utc(), civil, since, value, rows: vec![] }
}

/// A total of one day.
pub fn total(resource: &'static str, day: NaiveDate, since: DateTime<Utc>, said: &Value) -> Point {
    let of = types::by_name(resource.strip_suffix("_roll_up").expect("a roll-up")).expect("a type");
    let midnight = |day: NaiveDate| json!({"date": civil_day(day), "time": {}});
    let value = json!({"civilStartTime": midnight(day), "civilEndTime": midnight(day.succ_opt().expect("a day")),
                       of.camel(): said});
    let civil = day.and_time(NaiveTime::MIN);
    Point { resource, id: day.to_string(), at: civil.and_utc(), civil, since, value, rows: vec![] }
}

fn point(resource: &'static str, start: Local, since: DateTime<Utc>, source: &Value, payload: &Value) -> Point {
    let of = types::by_name(resource).expect("a type");
    let mut value = json!({"dataSource": source, of.camel(): payload});
    if !of.ways.contains('L') {
        // Reconciled: whose it is is not said any more.
        value = json!({"dataPointName": "", of.camel(): payload});
    }
    let id = format!("{}|{}", start.utc().format("%Y-%m-%dT%H:%M:%SZ"), origin(&value));
    Point { resource, id, at: start.utc(), civil: start.clock, since, value, rows: vec![] }
}

impl Point {
    /// One of a type whose points have names.
    pub fn named(mut self, id: &str) -> Self {
        let of = types::by_name(self.resource).expect("a type");
        self.id = format!("users/me/dataTypes/{}/dataPoints/{id}", of.kebab());
        self.value["name"] = json!(self.id);
        self
    }

    pub fn row(mut self, table: &'static str, what: &'static str, columns: &[(&'static str, Value)]) -> Self {
        self.rows.push(Row { table, what, columns: columns.iter().cloned().collect() });
        self
    }

    /// A point from a file, placed in time as its type is.
    pub fn sent(resource: &'static str, value: Value) -> Self {
        let of = types::by_name(resource.strip_suffix("_roll_up").unwrap_or(resource)).expect("a type");
        let payload = &value[of.camel()];
        let time = |pointer: &str| {
            let said = payload.pointer(pointer).and_then(Value::as_str)?;
            Some(DateTime::parse_from_rfc3339(said).expect("an instant").to_utc())
        };
        let day = [payload.get("date"), value.pointer("/civilStartTime/date")].into_iter().flatten().next();
        let day = day.map(|day| super::civil_date(day).expect("a day").and_time(NaiveTime::MIN));
        let end = if of.kind == Kind::Sleep { "/interval/endTime" } else { "/interval/startTime" };
        let at =
            time(end).or_else(|| time("/sampleTime/physicalTime")).or(day.map(|day| day.and_utc())).expect("a time");
        let offset = ["/interval/startUtcOffset", "/sampleTime/utcOffset"].into_iter().find_map(|p| payload.pointer(p));
        let offset =
            offset.and_then(Value::as_str).map_or(0, |text| text.trim_end_matches('s').parse().expect("seconds"));
        let civil = day.unwrap_or_else(|| at.naive_utc() + TimeDelta::seconds(offset));
        let named = value["name"].as_str().filter(|name| !name.ends_with("/-")).map(str::to_owned);
        let id = match day {
            Some(day) if resource.ends_with("_roll_up") => day.date().to_string(),
            Some(day) => format!("{}|{}", day.date(), value["dataSource"]["platform"].as_str().unwrap_or("-")),
            None => named.unwrap_or_else(|| format!("{}|{}", at.format("%Y-%m-%dT%H:%M:%SZ"), origin(&value))),
        };
        Point { resource, id, at, civil, since: DateTime::UNIX_EPOCH, value, rows: vec![] }
    }
}

/// A night or nap with stages; `i` gives it its habits. Every fifth is of the kind without stages of sleep.
pub fn sleep(id: &str, i: i64, is_nap: bool, start: Local, minutes: i64) -> Point {
    let end = start.plus(minutes * 60);
    let is_classic = is_nap || i % 5 == 4;
    let words: &[&str] =
        if is_classic { &["ASLEEP", "RESTLESS", "AWAKE"] } else { &["AWAKE", "LIGHT", "DEEP", "LIGHT", "REM"] };
    let step = 11 + i % 7;
    let mut stages = vec![];
    let mut of = std::collections::BTreeMap::<&str, i64>::new();
    let (mut at, mut n) = (0, 0);
    while at < minutes {
        let length = step.min(minutes - at);
        let word = words[n % words.len()];
        let part = interval(start.plus(at * 60), start.plus((at + length) * 60));
        let mut stage = json!({"type": word, "createTime": instant(end.utc())});
        for name in ["startTime", "startUtcOffset", "endTime", "endUtcOffset"] {
            stage[name] = part[name].clone();
        }
        stages.push(stage);
        *of.entry(word).or_default() += length;
        (at, n) = (at + length, n + 1);
    }
    let total = |word: &str| of.get(word).copied().unwrap_or_default();
    let awake = total("AWAKE");
    let asleep = if is_classic { total("ASLEEP") } else { minutes - awake };
    let summed: Vec<Value> =
        of.iter().map(|(word, m)| json!({"type": word, "minutes": m.to_string(), "count": "3"})).collect();
    let latency = i % 20;
    let mut summary = json!({"minutesInSleepPeriod": minutes.to_string(), "minutesAsleep": asleep.to_string(),
                             "minutesAwake": awake.to_string()});
    if latency > 0 {
        summary["minutesToFallAsleep"] = json!(latency.to_string());
    }
    let mut metadata =
        json!({"processed": true, "stagesStatus": if is_classic { "REJECTED_COVERAGE" } else { "SUCCEEDED" }});
    if !is_classic {
        summary["stagesSummary"] = json!(summed);
    }
    metadata[if is_nap { "nap" } else { "mainSleep" }] = json!(true);
    let updated = instant(end.utc() + TimeDelta::minutes(20));
    let said = json!({"type": if is_classic { "CLASSIC" } else { "STAGES" }, "stages": stages, "summary": summary,
                      "metadata": metadata, "createTime": instant(end.utc()), "updateTime": updated});
    let mut point = of_interval("sleep", start, end, &watch(), &said).named(id);
    (point.at, point.civil) = (end.utc(), end.clock); // what filters compare
    let minutes_of = |word: &str| if is_classic { Value::Null } else { json!(60 * total(word)) };
    point.row(
        "sleep_sessions",
        "",
        &[
            ("start_at", start.stamp()),
            ("end_at", end.stamp()),
            ("utc_offset_s", json!(start.offset_s)),
            ("end_utc_offset_s", json!(end.offset_s)),
            ("tz_basis", json!("record")),
            ("local_date", json!(end.clock.date())),
            ("kind", json!(if is_nap { "nap" } else { "main" })),
            ("in_bed_s", json!(60 * minutes)),
            ("asleep_s", json!(60 * asleep)),
            ("awake_s", json!(60 * awake)),
            ("light_s", minutes_of("LIGHT")),
            ("deep_s", minutes_of("DEEP")),
            ("rem_s", minutes_of("REM")),
            ("asleep_unstaged_s", if is_classic { json!(60 * asleep) } else { Value::Null }),
            ("latency_s", json!(60 * latency)),
            ("stage_scheme", json!(if is_classic { "classic" } else { "stages" })),
            ("hrv_rmssd_ms", Value::Null),
            ("is_final", json!(true)),
        ],
    )
}

/// An exercise with the habits of day `i`: a run with distance and splits, weights without, a sport nobody knows.
pub fn exercise(id: &str, i: i64, start: Local) -> Point {
    let seconds = 2_280 + i % 60;
    let end = start.plus(seconds);
    let (said, sport, title) = [
        ("RUNNING", "running", "Lap of the lake"),
        ("QUIDDITCH", "other", "Practice"),
        ("STRENGTH_TRAINING", "strength_training", "Strength training"),
        ("SKIING", "alpine_skiing", "Skiing"),
    ][usize::try_from(i % 4).expect("a place")];
    let energy = 200.5 + f64::from(u8::try_from(i % 100).expect("small"));
    let mut summary = json!({"caloriesKcal": energy, "averageHeartRateBeatsPerMinute": "131", "activeZoneMinutes": "21",
                             "heartRateZoneDurations": {"lightTime": "120s", "moderateTime": "600s", "vigorousTime": "240s"}});
    let is_run = said == "RUNNING";
    let mut payload = json!({"exerciseType": said, "displayName": title, "activeDuration": format!("{}s", seconds - 80),
                             "exerciseMetadata": {"hasGps": is_run}, "createTime": instant(end.utc()),
                             "updateTime": instant(end.utc()), "exerciseEvents": [
                                 {"eventTime": instant(start.utc()), "eventUtcOffset": start.offset(), "exerciseEventType": "START"}]});
    if is_run {
        summary["distanceMillimeters"] = json!(5_000_250.0);
        summary["steps"] = json!("6120");
        summary["averageSpeedMillimetersPerSecond"] = json!(2187.5);
        summary["elevationGainMillimeters"] = json!(41_000.0);
        payload["splits"] = json!([{"splitType": "DISTANCE", "activeDuration": "300s"}]);
    }
    payload["metricsSummary"] = summary;
    let of_run = |value: Value| if is_run { value } else { Value::Null };
    of_interval("exercise", start, end, &watch(), &payload).named(id).row(
        "workouts",
        "",
        &[
            ("start_at", start.stamp()),
            ("end_at", end.stamp()),
            ("utc_offset_s", json!(start.offset_s)),
            ("local_date", json!(start.clock.date())),
            ("elapsed_s", json!(seconds)),
            ("moving_s", json!(seconds - 80)),
            ("sport", json!(sport)),
            ("sport_raw", json!(said)),
            ("title", json!(title)),
            ("energy_total_kcal", json!(energy)),
            ("energy_active_kcal", Value::Null),
            ("hr_avg", json!(131)),
            ("hr_max", Value::Null),
            ("hr_zone_s", json!([120, 600, 240, 0])),
            ("distance_m", of_run(json!(5_000.25))),
            ("steps", of_run(json!(6120))),
            ("speed_avg_mps", of_run(json!(2.1875))),
            ("elev_gain_m", of_run(json!(41))),
            ("track_ref", of_run(json!(format!("google_health_raw.exercise_tcx {id}")))),
            ("laps", of_run(json!([{"splitType": "DISTANCE", "activeDuration": "300s"}]))),
        ],
    )
}
