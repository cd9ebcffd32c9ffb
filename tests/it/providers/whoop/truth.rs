//! What WHOOP's records mean: the mapping section of `docs/sources/whoop.md` and the canonical model, stated a second time.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::Whoop;
use super::records::{Recovery, Scored, Sleep, Workout};
use crate::support::truth::{Columns, Truth, local_date, offset_s, stamp};

const KILOJOULE_PER_KCAL: f64 = 4.184;

pub fn of(whoop: &Whoop) -> Truth {
    let p = &whoop.person;
    let user = p.profile.user_id;
    let mut truth = Truth::default();
    let started = |at: DateTime<Utc>| at < whoop.now;
    let spoiled = |resource: &'static str, id: &str| whoop.poisoned.get(&(resource, id.to_owned()));
    let raw = |truth: &mut Truth, resource: &'static str, id: String, text: String| -> bool {
        let key = (resource.to_owned(), id.clone());
        if let Some(other) = spoiled(resource, &id) {
            truth.optional_raw.insert(key.clone());
            truth.raw.insert(key, other.clone());
            return false;
        }
        truth.raw.insert(key, text);
        true
    };

    raw(&mut truth, "user_basic_profile", user.to_string(), p.profile.text());
    identity(&mut truth, whoop);
    if let Some(body) = &p.body {
        truth.snapshots.insert("user_body_measurement".into(), body.text());
        let height = number(&body.height_meter) * 100.0;
        for (what, value) in [("weight", number(&body.weight_kilogram)), ("height", height)] {
            truth.row(
                "biometrics_vitals",
                "whoop_raw.user_body_measurement",
                "*",
                what,
                columns(&[("value_num", json!(value))]),
            );
        }
    }

    let mut wakes: HashMap<i64, NaiveDate> = HashMap::new();
    let mut nights: HashMap<&str, &Sleep> = HashMap::new();
    for sleep in p.sleeps.iter().filter(|s| started(s.start)) {
        nights.insert(&sleep.id, sleep);
        if !sleep.nap {
            wakes.insert(sleep.cycle_id, local_date(sleep.end, sleep.offset));
        }
        if raw(&mut truth, "sleeps", sleep.id.clone(), sleep.text(user)) {
            sleep_session(&mut truth, sleep);
        }
    }
    for recovery in &p.recoveries {
        let Some(sleep) = nights.get(recovery.sleep_id.as_str()) else { continue };
        if raw(&mut truth, "recoveries", recovery.cycle_id.to_string(), recovery.text(user)) {
            recovered(&mut truth, recovery, sleep);
        }
    }
    for cycle in p.cycles.iter().filter(|c| started(c.start)) {
        let id = cycle.id.to_string();
        if !raw(&mut truth, "cycles", id.clone(), cycle.text(user)) || cycle.state == Scored::Unscorable {
            continue;
        }
        let day = wakes.get(&cycle.id).copied();
        if cycle.state == Scored::Yes && cycle.end.is_some() {
            let kcal = number(&cycle.kilojoule) / KILOJOULE_PER_KCAL;
            let mut energy =
                columns(&[("value_num", json!(kcal)), ("stat", json!("total")), ("origin", json!("provider"))]);
            let mut strain = columns(&[
                ("value_num", json!(number(&cycle.strain))),
                ("scale_lo", json!(0)),
                ("scale_hi", json!(21)),
            ]);
            strain.insert("raw_path", json!("score.strain"));
            if let Some(day) = day {
                energy.insert("local_date", json!(day));
                strain.insert("local_date", json!(day));
            }
            truth.row("daily_summaries", "whoop_raw.cycles", &id, "energy_total", energy);
            truth.row("scores", "whoop_raw.cycles", &id, "strain", strain);
        } else {
            // The open cycle keeps growing: its energy is no day total; its strain may be shown as not final.
            truth.may_have("scores", "whoop_raw.cycles", &id, "strain");
        }
    }
    for workout in p.workouts.iter().filter(|w| started(w.start)) {
        if raw(&mut truth, "workouts", workout.id.clone(), workout.text(user)) {
            exercise(&mut truth, workout);
        }
    }
    truth
}

fn identity(truth: &mut Truth, whoop: &Whoop) {
    let p = &whoop.person.profile;
    let plain = |text: &str| -> Value { serde_json::from_str(&format!("\"{text}\"")).expect("a JSON string") };
    let row = columns(&[
        ("external_user_id", json!(p.user_id.to_string())),
        ("email", plain(&p.email)),
        ("given_name", plain(&p.first_name)),
        ("family_name", plain(&p.last_name)),
    ]);
    truth.row("user_identity", "whoop_raw.user_basic_profile", &p.user_id.to_string(), "", row);
}

fn sleep_session(truth: &mut Truth, s: &Sleep) {
    let day = local_date(s.end, s.offset);
    let [awake, _, light, deep, rem] = s.stages;
    let mut row = columns(&[
        ("start_at", json!(stamp(s.start))),
        ("end_at", json!(stamp(s.end))),
        ("utc_offset_s", json!(offset_s(s.offset))),
        ("end_utc_offset_s", json!(offset_s(s.offset))),
        ("tz_basis", json!("record")),
        ("local_date", json!(day)),
        ("kind", json!(if s.nap { "nap" } else { "main" })),
        ("is_final", json!(s.state != Scored::Pending)),
    ]);
    let scored = s.state == Scored::Yes;
    let known = |v: i64| if scored { json!(v) } else { Value::Null };
    let said = |v: &Option<String>| v.as_ref().filter(|_| scored).map_or(Value::Null, |v| json!(number(v)));
    row.insert("in_bed_s", known(s.in_bed()));
    row.insert("asleep_s", known(light + deep + rem));
    row.insert("awake_s", known(awake));
    row.insert("light_s", known(light));
    row.insert("deep_s", known(deep));
    row.insert("rem_s", known(rem));
    row.insert("latency_s", Value::Null);
    row.insert("efficiency_pct", said(&s.efficiency));
    row.insert("resp_rate", said(&s.respiratory_rate));
    row.insert("score", said(&s.performance));
    truth.row("sleep_sessions", "whoop_raw.sleeps", &s.id, "", row);
    if !scored {
        return;
    }
    if let Some(rate) = &s.respiratory_rate {
        let row = columns(&[
            ("value_num", json!(number(rate))),
            ("observed_at", json!(stamp(s.end))),
            ("local_date", json!(day)),
            ("utc_offset_s", json!(offset_s(s.offset))),
        ]);
        truth.row("biometrics_vitals", "whoop_raw.sleeps", &s.id, "respiratory_rate", row);
    }
    if let Some(performance) = &s.performance {
        let row = columns(&[
            ("value_num", json!(number(performance))),
            ("local_date", json!(day)),
            ("scale_lo", json!(0)),
            ("scale_hi", json!(100)),
        ]);
        truth.row("scores", "whoop_raw.sleeps", &s.id, "sleep", row);
    }
}

fn recovered(truth: &mut Truth, r: &Recovery, sleep: &Sleep) {
    if r.state != Scored::Yes {
        return;
    }
    let id = r.cycle_id.to_string();
    let day = json!(local_date(sleep.end, sleep.offset));
    let metrics = [
        ("heart_rate_resting", Some(&r.resting)),
        ("hrv_rmssd", Some(&r.hrv)),
        ("spo2", r.spo2.as_ref()),
        ("skin_temperature", r.skin.as_ref()),
    ];
    for (metric, value) in metrics {
        if let Some(value) = value {
            let row = columns(&[("value_num", json!(number(value))), ("local_date", day.clone())]);
            truth.row("biometrics_vitals", "whoop_raw.recoveries", &id, metric, row);
        }
    }
    let row = columns(&[
        ("value_num", json!(number(&r.score))),
        ("local_date", day),
        ("scale_lo", json!(0)),
        ("scale_hi", json!(100)),
        ("raw_path", json!("score.recovery_score")),
    ]);
    truth.row("scores", "whoop_raw.recoveries", &id, "recovery", row);
}

fn exercise(truth: &mut Truth, w: &Workout) {
    let mut row = columns(&[
        ("start_at", json!(stamp(w.start))),
        ("end_at", json!(stamp(w.end))),
        ("utc_offset_s", json!(offset_s(w.offset))),
        ("tz_basis", json!("record")),
        ("local_date", json!(local_date(w.start, w.offset))),
        ("elapsed_s", json!((w.end - w.start).num_seconds())),
        ("sport_raw", json!(w.sport)),
    ]);
    match w.sport.as_str() {
        "running" => row.insert("sport", json!("running")),
        // Rule of the sheet: unknown names become "other", the text is kept.
        "quidditch" => row.insert("sport", json!("other")),
        _ => None,
    };
    let scored = w.state == Scored::Yes;
    let known = |v: Value| if scored { v } else { Value::Null };
    row.insert("energy_kcal", known(json!(number(&w.kilojoule) / KILOJOULE_PER_KCAL)));
    row.insert("hr_avg", known(json!(w.hr.0)));
    row.insert("hr_max", known(json!(w.hr.1)));
    row.insert("hr_zone_s", known(json!(w.zones)));
    let far = w.distance.as_ref().filter(|_| scored);
    row.insert("distance_m", far.map_or(Value::Null, |d| json!(number(&d.0))));
    row.insert("elev_gain_m", far.map_or(Value::Null, |d| json!(number(&d.1))));
    truth.row("workouts", "whoop_raw.workouts", &w.id, "", row);
    truth.may_have("scores", "whoop_raw.workouts", &w.id, "strain");
}

fn columns(pairs: &[(&'static str, Value)]) -> Columns {
    pairs.iter().cloned().collect()
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}
