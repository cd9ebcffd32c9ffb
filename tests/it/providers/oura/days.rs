//! What a day brings beside its sleep, its score and its workout: one function for each collection.

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use serde_json::{Value, json};

use super::Doc;
use super::person::id;
use super::records::{Local, midnight};
use crate::support::truth::{offset_s, stamp};

/// All of it. `at` gives a time of that day, `woke` when the documents of the day appear.
pub fn of_day(day: NaiveDate, i: i64, woke: DateTime<Utc>, at: &dyn Fn(u32, i64) -> Local) -> Vec<Doc> {
    let mut docs = vec![
        readiness(day, i, woke),
        activity(day, i, woke, at(4, 0)),
        spo2(day, i, woke),
        stress(day, i, woke),
        resilience(day, i, woke),
        vascular(day, i, woke),
        bedtime(day, i, woke),
    ];
    let mut readings = vec![("sleep", at(1, 0)), ("sleep", at(1, 5))];
    match i % 3 {
        0 => readings.push(("awake", at(1, 50))),
        1 => readings.push(("workout", at(10, 5))),
        _ => {}
    }
    docs.extend(readings.into_iter().enumerate().map(|(n, (source, time))| heart_rate(i, n, source, time)));
    docs.push(battery(i, at(8, 30)));
    if i % 7 == 0 {
        docs.push(vo2_max(day, i, woke));
    }
    if i % 3 == 0 {
        docs.push(session(day, i, at(12, 30)));
    }
    if i % 4 == 0 {
        docs.push(enhanced_tag(day, i, at(19, 15)));
    }
    if i % 9 == 0 {
        docs.push(tag(day, i, at(18, 0)));
    }
    if i % 20 == 0 {
        docs.push(rest_mode(day, i, at(7, 0)));
    }
    docs
}

/// The one ring.
pub fn ring() -> Doc {
    let value = json!({"id": id(30, 1), "color": "stealth_black", "design": "heritage", "firmware_version": "2.9.32",
                       "hardware_type": "gen3", "set_up_at": "1970-01-01T00:00:00+00:00", "size": 11});
    Doc::new("ring_configuration", DateTime::UNIX_EPOCH.naive_utc(), DateTime::UNIX_EPOCH, value)
}

/// A row of one day without an instant: what most of the day's documents become.
fn of(day: NaiveDate, value: Value) -> [(&'static str, Value); 2] {
    [("local_date", json!(day)), ("value_num", value)]
}

fn small(i: i64) -> f64 {
    f64::from(i32::try_from(i).expect("small"))
}

fn readiness(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Doc {
    let deviation = (small(i % 13) - 6.0) / 10.0;
    let value = json!({
        "id": id(11, i), "day": day, "timestamp": format!("{day}T00:00:00+00:00"), "score": 50 + i % 50,
        "temperature_deviation": deviation, "temperature_trend_deviation": 0.05,
        "contributors": {"activity_balance": 88, "body_temperature": 97, "hrv_balance": null, "previous_day_activity": 70,
                         "previous_night": 66, "recovery_index": 91, "resting_heart_rate": 84, "sleep_balance": 73},
    });
    let components = value["contributors"].clone();
    let score = [&of(day, json!(50 + i % 50))[..], &[("components", components)]].concat();
    Doc::new("daily_readiness", midnight(day), since, value).row("scores", "readiness", &score).row(
        "biometrics_vitals",
        "skin_temperature_delta",
        &of(day, json!(deviation)),
    )
}

/// The day is the 24 hours from 04:00, which is also what windows compare.
fn activity(day: NaiveDate, i: i64, since: DateTime<Utc>, four: Local) -> Doc {
    let four = Local { clock: four.clock.with_second(0).expect("a time"), ..four };
    let value = json!({
        "id": id(12, i), "day": day, "timestamp": four.text(), "score": 40 + i % 60, "steps": 4_000 + i % 9_000,
        "active_calories": 300 + i % 400, "total_calories": 2_000 + i % 700, "target_calories": 450,
        "equivalent_walking_distance": 6_000, "target_meters": 8_000, "meters_to_target": -350,
        "high_activity_time": 600, "medium_activity_time": 1_800 + i % 600, "low_activity_time": 14_000,
        "sedentary_time": 30_000 + i % 1_000, "resting_time": 25_000, "non_wear_time": i % 900,
        "high_activity_met_minutes": 80, "medium_activity_met_minutes": 120, "low_activity_met_minutes": 150,
        "sedentary_met_minutes": 10, "average_met_minutes": 1.46875, "inactivity_alerts": 1, "class_5_min": "0123451",
        "met": {"interval": 60.0, "items": [0.9, 1.1, 2.5], "timestamp": four.text()},
        "contributors": {"meet_daily_targets": 60, "move_every_hour": 100, "recovery_time": 100, "stay_active": 66,
                         "training_frequency": 96, "training_volume": null},
    });
    let totals = [
        ("steps", 4_000 + i % 9_000),
        ("energy_active", 300 + i % 400),
        ("energy_total", 2_000 + i % 700),
        ("intensity_light_time", 14_000),
        ("intensity_moderate_time", 1_800 + i % 600),
        ("intensity_vigorous_time", 600),
        ("sedentary_time", 30_000 + i % 1_000),
        ("non_wear_time", i % 900),
    ];
    let doc =
        Doc::new("daily_activity", four.clock, since, value).row("scores", "activity", &of(day, json!(40 + i % 60)));
    totals.into_iter().fold(doc, |doc, (metric, total)| {
        let row =
            [&of(day, json!(total))[..], &[("stat", json!("total")), ("utc_offset_s", json!(offset_s(four.offset)))]];
        doc.row("daily_summaries", metric, &row.concat())
    })
}

fn spo2(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Doc {
    let known = i % 5 != 2;
    let percent = 94.5 + small(i % 4);
    let average = known.then(|| json!({"average": percent}));
    let value = json!({"id": id(13, i), "day": day, "spo2_percentage": average, "breathing_disturbance_index": i % 30});
    let doc = Doc::new("daily_spo2", midnight(day), since, value);
    let doc = doc.row("biometrics_vitals", "breathing_disturbances", &of(day, json!(i % 30)));
    if known { doc.row("biometrics_vitals", "spo2", &of(day, json!(percent))) } else { doc }
}

/// A day that is not over has zeros and no word yet.
fn stress(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Doc {
    let word = ["restored", "normal", "stressful"].get(usize::try_from(i % 4).expect("a place"));
    let (high, recovery) = (i % 6 * 900, i % 5 * 900);
    let value =
        json!({"id": id(14, i), "day": day, "stress_high": high, "recovery_high": recovery, "day_summary": word});
    let score = [
        ("local_date", json!(day)),
        ("value_num", Value::Null),
        ("level", json!(word)),
        ("is_final", json!(word.is_some())),
    ];
    Doc::new("daily_stress", midnight(day), since, value)
        .row("scores", "stress", &score)
        .row("daily_summaries", "stress_time_high", &of(day, json!(high)))
        .row("daily_summaries", "recovery_time_high", &of(day, json!(recovery)))
}

fn resilience(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Doc {
    let level = ["limited", "adequate", "solid", "strong", "exceptional"][usize::try_from(i % 5).expect("a place")];
    let parts = json!({"sleep_recovery": 35.4, "daytime_recovery": 34.6, "stress": 55.5});
    let value = json!({"id": id(15, i), "day": day, "level": level, "contributors": parts});
    let score =
        [("local_date", json!(day)), ("value_num", Value::Null), ("level", json!(level)), ("components", parts)];
    Doc::new("daily_resilience", midnight(day), since, value).row("scores", "resilience", &score)
}

/// Some have no id: they are known by their day.
fn vascular(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Doc {
    let mut value = json!({"day": day, "vascular_age": 30 + i % 9, "pulse_wave_velocity": 6.5});
    if i % 2 == 0 {
        value["id"] = json!(id(16, i));
    }
    let mut doc = Doc::new("daily_cardiovascular_age", midnight(day), since, value);
    doc.id = day.to_string();
    doc.row("scores", "other", &of(day, json!(30 + i % 9))).row(
        "biometrics_vitals",
        "pulse_wave_velocity",
        &of(day, json!(6.5)),
    )
}

fn vo2_max(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Doc {
    let value = json!({"id": id(17, i), "day": day, "timestamp": format!("{day}T00:00:00+00:00"), "vo2_max": 41.5});
    Doc::new("vo2_max", midnight(day), since, value).row("biometrics_vitals", "vo2max", &of(day, json!(41.5)))
}

/// Advice: kept raw.
fn bedtime(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Doc {
    let optimal = json!({"day_tz": -28_800, "start_offset": -4_500, "end_offset": -1_800});
    let value = json!({"id": id(18, i), "day": day, "optimal_bedtime": optimal,
                       "recommendation": "follow_optimal_bedtime", "status": "optimal_found"});
    Doc::new("sleep_time", midnight(day), since, value)
}

fn session(day: NaiveDate, i: i64, start: Local) -> Doc {
    let kind = ["breathing", "meditation", "nap", "body_status"][usize::try_from(i / 3 % 4).expect("a place")];
    let mood = (i % 2 == 0).then_some("good");
    let end = start.plus(277);
    let value = json!({
        "id": id(20, i), "day": day, "start_datetime": start.text(), "end_datetime": end.text(), "type": kind, "mood": mood,
        "heart_rate": {"interval": 5.0, "items": [null, 84.25, 83.0], "timestamp": start.text()},
        "heart_rate_variability": null, "motion_count": {"interval": 5.0, "items": [0.0, 3.0], "timestamp": start.text()},
    });
    let series = [("raw_path", json!("heart_rate")), ("utc_offset_s", json!(offset_s(start.offset)))];
    let mut doc = Doc::new("session", start.clock, end.utc(), value).row("sample_origins", "", &series);
    if ["breathing", "meditation"].contains(&kind) {
        let row = [&of(day, json!(277))[..], &[("start_at", start.instant()), ("end_at", end.instant())]].concat();
        doc = doc.row("samples", "mindful_time", &row);
    }
    if let Some(mood) = mood {
        let row = [
            ("kind", json!("momentary")),
            ("value_raw", json!(mood)),
            ("valence", Value::Null),
            ("observed_at", end.instant()),
        ];
        doc = doc.row("mood_entries", "", &row);
    }
    doc
}

fn enhanced_tag(day: NaiveDate, i: i64, start: Local) -> Doc {
    let named = (i % 8 == 0).then_some("late coffee");
    let code = if named.is_some() { "custom" } else { "tag_sleep_latemeal" };
    let value = json!({"id": id(21, i), "tag_type_code": code, "start_time": start.text(), "end_time": null,
                       "start_day": day, "end_day": null, "comment": "after \u{e9}clairs", "custom_name": named});
    let row = [
        ("kind", json!("journal")),
        ("labels", json!([named.unwrap_or(code)])),
        ("note", json!("after \u{e9}clairs")),
        ("local_date", json!(day)),
        ("observed_at", start.instant()),
    ];
    Doc::new("enhanced_tag", start.clock, start.utc(), value).row("mood_entries", "", &row)
}

fn tag(day: NaiveDate, i: i64, start: Local) -> Doc {
    let value =
        json!({"id": id(22, i), "day": day, "tags": ["tag_generic_sauna"], "text": null, "timestamp": start.text()});
    let row = [
        ("kind", json!("journal")),
        ("labels", json!(["tag_generic_sauna"])),
        ("note", Value::Null),
        ("local_date", json!(day)),
    ];
    Doc::new("tag", start.clock, start.utc(), value).row("mood_entries", "", &row)
}

/// Kept raw.
fn rest_mode(day: NaiveDate, i: i64, start: Local) -> Doc {
    let value = json!({"id": id(23, i), "start_day": day, "end_day": null, "start_time": start.text(), "end_time": null,
                       "episodes": [{"tags": ["tag_generic_cold"], "timestamp": start.text()}]});
    Doc::new("rest_mode_period", start.clock, start.utc(), value)
}

/// Every other one is written with an offset of zero, and without its number; now and then one has no value.
fn heart_rate(i: i64, n: usize, source: &str, time: Local) -> Doc {
    let at = time.utc();
    let bpm = if i % 11 == 5 && n == 1 { 255 } else { 50 + i % 60 + i64::try_from(n).expect("small") };
    let mut value =
        json!({"timestamp": at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string(), "bpm": bpm, "source": source});
    if i % 2 == 0 {
        value["timestamp"] = json!(stamp(at));
        value["timestamp_unix"] = json!(at.timestamp_millis());
    }
    let mut doc = Doc::new("heartrate", at.naive_utc(), at, value);
    doc.id = format!("{}|{source}", at.format("%Y-%m-%dT%H:%M:%SZ"));
    doc
}

/// Kept raw.
fn battery(i: i64, time: Local) -> Doc {
    let at = time.utc() + TimeDelta::seconds(1);
    let value = json!({"timestamp": stamp(at), "timestamp_unix": at.timestamp_millis(), "level": 20 + i % 80,
                       "charging": false, "in_charger": null});
    let mut doc = Doc::new("ring_battery_level", at.naive_utc(), at, value);
    doc.id = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    doc
}
