//! Google Health's own oddities, beyond the contract: consent, aliases, types, filters, roll-ups, readings by the hour.

mod first_day;
mod odd;
mod tracks;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::providers::google_health::{Google, Point};
use crate::support::cli::Home;
use crate::support::faults::{What, When};
use crate::support::rows::{count, rows, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

#[test]
fn the_consent_asks_for_a_lasting_login_and_proves_itself() {
    let world = World::connected(Google::few(now()));
    let asked = world.provider.grants(|grants| grants.asked.clone());
    let of = |name: &str| asked[0].get(name).map(String::as_str);
    assert_eq!(
        (of("access_type"), of("prompt"), of("include_granted_scopes")),
        (Some("offline"), Some("consent"), Some("true"))
    );
    assert_eq!((of("code_challenge_method"), of("response_type")), (Some("S256"), Some("code")));
    assert!(of("scope").is_some_and(|scope| scope.split(' ').count() == 12), "{:?}", of("scope"));
    // The refresh token stays the same, and the second renewal sends it again.
    for _ in 0..2 {
        world.token_expires();
        world.ingest().expect(0);
    }
    let sent = world
        .provider
        .grants(|grants| grants.refreshes().iter().map(|post| post.credential.clone()).collect::<Vec<_>>());
    assert!(sent.len() == 2 && sent[0] == sent[1], "{} renewals", sent.len());
}

#[test]
fn the_grant_is_withdrawn_by_a_form() {
    let world = World::connected(Google::few(now()));
    world.health(&["auth", "fitbit", "--revoke"]).expect(0).says("withdrew the grant");
    let sent = world.provider.requests("revoke");
    assert_eq!((sent.len(), sent[0].path.as_str(), sent[0].method.as_str()), (1, "/revoke", "POST"));
    assert!(sent[0].body.starts_with("token=") && sent[0].headers.iter().all(|(name, _)| name != "authorization"));
    assert_eq!(world.provider.grants(|grants| grants.live(now())), 0);
}

#[test]
fn a_login_in_testing_says_when_it_ends() {
    let world = World::new(Google::few(now()));
    world.provider.grants(|grants| grants.with_code = json!({"refresh_token_expires_in": 604_799}));
    world.login().says("ends this login after 7 days");
    // Google ends it: a person must log in, and is told where to.
    world.provider.grants(crate::support::tokens::Grants::revoke_all);
    world.token_expires();
    let run = world.ingest().expect(4);
    assert_eq!(run.next(), "health auth google-health", "{}", run.report());
}

#[test]
fn fitbit_is_another_name_and_says_what_happened() {
    let home = Home::new();
    let said = home.health(&["auth", "fitbit", "--dry-run"]).expect(0);
    let told = said.stderr.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(said.stderr.contains("2 November 2026") && told == 3, "{}", said.report());
    assert!(!home.health(&["auth", "google-health", "--dry-run"]).expect(0).stderr.contains("2 November"));
    let list =
        home.health(&["sources", "fitbit"]).expect(0).says("Google Health").says("activity_and_fitness").says("  any ");
    assert!(!list.stdout.contains("googleapis.com/auth"), "a table that fits a terminal: {}", list.report());
    // Who leaves needs no word about beginning.
    for end in ["--forget", "--revoke"] {
        let left = home.health(&["auth", "fitbit", end]).expect(0).says("Google Health was not connected");
        assert!(left.stderr.is_empty(), "{}", left.report());
    }
}

#[test]
fn refusals_that_a_person_can_mend_say_how_in_full() {
    let refusal = |status: u16, reason: &str| {
        let word = if status == 403 { "PERMISSION_DENIED" } else { "INVALID_ARGUMENT" };
        json!({"error": {"code": status, "message": "no", "status": word, "details": [{"reason": reason}]}}).to_string()
    };
    let world = World::<Google>::loaded_few();
    for (status, reason, happened, next) in [
        (
            403,
            "SERVICE_DISABLED",
            "is not enabled",
            "https://console.cloud.google.com/apis/library/health.googleapis.com, ",
        ),
        (400, "ACCOUNT_NOT_LINKED", "has no Google Health profile", "health auth google-health --again"),
    ] {
        let body: &'static str = refusal(status, reason).leak();
        world.provider.clear_log();
        let fault = world.fault(When::any(), What::Answer(status, vec![], body));
        let run = world.ingest().expect(6).says(happened);
        assert!(run.next().contains(next) && !run.stderr.contains('…'), "{}", run.report());
        assert_eq!(world.provider.data_requests().len(), 1, "nothing else is asked");
        fault.assert();
        world.provider.no_faults();
    }
    let denied: &'static str = refusal(403, "").leak();
    let one = world.fault(When::resource("sleep"), What::Answer(403, vec![], denied));
    world.ingest().expect(3).says("refuses sleep: permission denied");
    one.assert();
    world.provider.no_faults();
    let all = world.fault(When::any(), What::Answer(403, vec![], denied));
    let run = world.ingest().expect(6).says("myaccount.google.com/connections").says("the grant is broken");
    let again = run.next().lines().next().is_some_and(|next| next.ends_with("health auth google-health --again"));
    assert!(again && run.error().contains("refuses all resources but"), "{}", run.report());
    assert!(!run.error().contains("daily_vo2_max") && !run.stderr.contains('…'), "{}", run.report());
    world.provider.no_faults();
    world.oracle().fired(&all).check();
}

#[test]
fn google_fit_has_ended() {
    let home = Home::new();
    for command in [&["auth", "google-fit"][..], &["ingest", "google_fit"]] {
        let run = home.health(command).expect(6).says("Google Fit").says("takeout.google.com");
        assert_eq!(run.next(), "health auth google-health");
    }
    // Of the year alone is known, so its last day counts. Whoever lists sources is told, and asking for it is no mistake.
    for (now, words, near) in [
        ("2026-09-30T18:00:00Z", "in 92 days, on 2026-12-31", None),
        ("2026-11-20T18:00:00Z", "in 41 days, on 2026-12-31", Some("ahead")),
        ("2027-02-01T18:00:00Z", "since 2026-12-31", Some("past")),
    ] {
        home.set("HEALTH_NOW", now);
        let list = home.health(&["sources"]).expect(0);
        assert_eq!(list.stdout.contains(&format!("notice: Google Fit, {words}")), near.is_some(), "{}", list.report());
        home.health(&["sources", "google-fit"]).expect(0).says(words).says("takeout.google.com").says("google-health");
        for args in [&["sources", "--json"][..], &["sources", "google_fit", "--json"]] {
            let told = home.health(args).expect(0).json()["retired"][0].clone();
            let notice = &told["notices"][0];
            assert_eq!((&told["id"], &notice["kind"]), (&json!("google_fit"), &json!("retirement")));
            assert_eq!((&notice["on"], &notice["near"]), (&json!("2026-12-31"), &json!(near)));
        }
    }
}

/// The points of a recorded or written answer.
fn of_file(folder: &str, file: &str, resource: &'static str) -> Vec<Point> {
    let text = std::fs::read_to_string(format!("{folder}/google-health/{file}.json")).expect("an answer");
    let answer: Value = serde_json::from_str(&text).expect("an answer");
    let list = if resource.ends_with("_roll_up") { &answer["rollupDataPoints"] } else { &answer["dataPoints"] };
    list.as_array().expect("points").iter().map(|value| Point::sent(resource, value.clone())).collect()
}

/// The answers at hand, and what each is an answer of.
const ANSWERS: &[(&str, &str)] = &[
    ("stozo04-exercise_all", "exercise"),
    ("stozo04-steps_rollup", "steps_roll_up"),
    ("synthetic/sleep_list", "sleep"),
    ("synthetic/heart_rate_list", "heart_rate"),
    ("synthetic/hrv_list", "heart_rate_variability"),
    ("synthetic/oxygen_saturation_list", "oxygen_saturation"),
    ("synthetic/weight_list", "weight"),
    ("synthetic/body_fat_list", "body_fat"),
    ("synthetic/blood_glucose_list", "blood_glucose"),
    ("synthetic/daily_hrv_list", "daily_heart_rate_variability"),
    ("synthetic/daily_oxygen_saturation_list", "daily_oxygen_saturation"),
    ("synthetic/daily_respiratory_rate_list", "daily_respiratory_rate"),
    ("synthetic/daily_resting_heart_rate_list", "daily_resting_heart_rate"),
    ("synthetic/daily_sleep_temperature_list", "daily_sleep_temperature_derivations"),
    ("synthetic/total_calories_daily_rollup", "total_calories_roll_up"),
];

#[test]
fn recorded_answers_land_and_make_rows() {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: recorded answers are not read");
        return;
    };
    let mut google = Google::nobody();
    for (file, resource) in ANSWERS {
        google.points.extend(of_file(&folder, file, resource));
    }
    let exercises = google.points.iter().filter(|point| point.resource == "exercise").count();
    let world = World::connected(google);
    let run = world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "meta.rejects"), 0, "{}", run.report());
    let raw: Vec<String> =
        world.differences().into_iter().filter(|line| line.contains("raw")).filter(|l| !l.contains("Spot")).collect();
    assert!(raw.is_empty(), "{raw:#?}");
    assert_eq!(usize::try_from(count(&mut sql, "canonical.workouts")).expect("a count"), exercises);
    // Stated by hand from the documents.
    let said = |sql: &mut postgres::Client, query: &str| value(sql, query).unwrap_or_default();
    let of_exercise = "select concat_ws('|', sport, sport_raw, moving_s, elapsed_s, hr_avg, energy_total_kcal, hr_zone_s::text, local_date, utc_offset_s, upstream_hint)
                         from canonical.workouts where raw_source_id like '%/dataPoints/";
    assert_eq!(
        said(&mut sql, &format!("{of_exercise}1'")),
        "other|CARDIO_WORKOUT|934|934|134|122|{120,600,240,0}|2026-06-02|-18000"
    );
    let imported = "strength_training|STRENGTH_TRAINING|2345|2345|0|2026-06-15|-18000|com.speediance.speediance_mobile";
    assert_eq!(said(&mut sql, &format!("{of_exercise}5'")), imported);
    let night = "select concat_ws('|', kind, in_bed_s, asleep_s, awake_s, light_s, deep_s, rem_s, latency_s, local_date, stage_scheme,
                        (select count(*) from canonical.sleep_stages g where g.sleep_id = s.sleep_id), jsonb_array_length(detail->'short_awakenings'))
                   from canonical.sleep_sessions s where raw_source_id like '%/";
    assert_eq!(
        said(&mut sql, &format!("{night}8201555512345678'")),
        "main|28800|27480|1320|20880|4200|2400|720|2026-11-20|stages|6|1"
    );
    assert_eq!(said(&mut sql, &format!("{night}8201555512345699'")), "nap|3000|2520|300|0|2026-11-19|classic|3");
    let vitals = "select string_agg(metric_code || ' ' || value_num, ', ' order by metric_code, local_date) from canonical.biometrics_vitals where local_date = '2026-11-20'";
    assert_eq!(
        said(&mut sql, vitals),
        "fat_pct 18.4, glucose_capillary 92, heart_rate_resting 55, hrv_rmssd 41.7, respiratory_rate 14.8, skin_temperature 33.42, skin_temperature_delta 0.32, spo2 96.1, weight 74.31"
    );
    let points = "select string_agg(distinct metric_code || ' ' || value_num, ', ') from canonical.sample_points where metric_code like 'hrv%' or metric_code = 'spo2'";
    assert_eq!(said(&mut sql, points), "hrv_rmssd 39.4, hrv_sdnn 52.8, spo2 96.5");
    let totals = "select string_agg(metric_code || ' ' || local_date || ' ' || value_num, ', ' order by metric_code, local_date) from canonical.daily_summaries";
    assert_eq!(
        said(&mut sql, totals),
        "energy_total 2026-11-18 2198, energy_total 2026-11-19 2412.5, steps 2026-06-15 10000, steps 2026-06-16 8000"
    );
}

/// A night that another answer has too, from before it was processed: it is read alone.
#[test]
fn a_written_night_in_progress_and_merged_steps_make_rows() {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: recorded answers are not read");
        return;
    };
    let mut google = Google::nobody();
    google.points = of_file(&folder, "synthetic/sleep_unprocessed", "sleep");
    google.points.extend(of_file(&folder, "synthetic/steps_reconcile", "steps"));
    let world = World::connected(google);
    world.ingest().expect(0);
    let mut sql = world.sql();
    let night = "select kind, in_bed_s, asleep_s, local_date, utc_offset_s, stage_scheme, is_final, flags from canonical.sleep_sessions";
    assert_eq!(
        rows(&mut sql, night),
        [
            json!({"kind": "unknown", "in_bed_s": null, "asleep_s": null, "local_date": "2026-11-20", "utc_offset_s": 3_600,
                "stage_scheme": null, "is_final": false, "flags": ["tentative"]})
        ]
    );
    let steps = "select o.raw_source_id as id, p.metric_code as metric, p.value_num as value, extract(epoch from p.end_at - p.start_at)::integer as lasts, p.local_date as day
                   from canonical.sample_points p join canonical.sample_origins o using (user_id, origin_id)";
    assert_eq!(
        rows(&mut sql, steps),
        [json!({"id": "2026-11-20T08:00:00Z|-|-|-", "metric": "steps", "value": 57, "lasts": 60, "day": "2026-11-20"})]
    );
    assert_eq!(count(&mut sql, "meta.rejects"), 0);
}

#[test]
fn a_night_that_is_not_processed_is_read_again() {
    let world = World::connected(Google::many(now()));
    let edit = |world: &World<Google>, done: bool| {
        world.provider.with(|sim| {
            let nights = sim
                .points
                .iter_mut()
                .filter(|p| p.resource == "sleep" && p.value["sleep"]["metadata"]["mainSleep"] == true);
            let night = nights.max_by_key(|p| p.at).expect("a night");
            night.value["sleep"]["metadata"] =
                if done { json!({"processed": true, "mainSleep": true}) } else { json!({"mainSleep": true}) };
            night.value["sleep"]["updateTime"] =
                json!(if done { "2026-11-20T18:30:00Z" } else { "2026-11-20T17:00:00Z" });
            night.rows[0].columns.insert("is_final", json!(done));
            night.at
        })
    };
    let ended = edit(&world, false);
    world.ingest().expect(0);
    world.assert_truth();
    let covered = "select upper(covered)::text from meta.coverage where resource = 'sleep'";
    let until = value(&mut world.sql(), covered).expect("coverage");
    assert!(until.starts_with(&ended.format("%Y-%m-%d %H:%M").to_string()), "{until} is not held back to {ended}");
    let is_tentative = "canonical.sleep_sessions where not is_final and flags @> '{tentative}'";
    assert_eq!(count(&mut world.sql(), is_tentative), 1);
    world.later(Duration::from_hours(1));
    edit(&world, true);
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), is_tentative), 0);
    world.oracle().check();
}

#[test]
fn readings_of_an_hour_become_points_with_their_device_apart() {
    let world = World::<Google>::loaded_few();
    let mut sql = world.sql();
    let day = "2026-11-18"; // Greenwich and the coast agree on it at ten in the morning there
    let query = format!(
        "select o.raw_source_id as id, p.seq, p.metric_code as metric, p.value_num as value, extract(epoch from p.end_at - p.start_at)::integer as lasts
           from canonical.sample_points p join canonical.sample_origins o using (user_id, origin_id)
          where p.local_date = '{day}' and p.metric_code = 'steps' order by 1, 2"
    );
    let held: Vec<(String, i64, f64, i64)> = rows(&mut sql, &query)
        .iter()
        .map(|row| {
            let id = row["id"].as_str().expect("an id").split_once('|').expect("an origin").1.to_owned();
            (
                id,
                row["seq"].as_i64().expect("a place"),
                row["value"].as_f64().expect("a value"),
                row["lasts"].as_i64().expect("a length"),
            )
        })
        .collect();
    let watch = "FITBIT|Pixel Watch 4|-".to_owned();
    let phone = "HEALTH_CONNECT|-|org.example.walk".to_owned();
    assert_eq!(
        held,
        [(watch.clone(), 0, 57.0, 60), (watch.clone(), 1, 0.0, 60), (phone, 0, 49.0, 60), (watch, 0, 31.0, 60)]
    );
    let apart = "select string_agg(metric_code || ' ' || value_num || ' ' || seq, ', ' order by start_at, metric_code) from canonical.sample_points
                  where metric_code like 'hrv%' and local_date = '2026-11-18'";
    assert_eq!(value(&mut sql, apart).as_deref(), Some("hrv_rmssd 39.5 0, hrv_sdnn 52.75 0, hrv_sdnn 44.5 0"));
    // A reading that comes late changes its hour alone.
    world.provider.with(|sim| {
        let like = sim
            .points
            .iter()
            .find(|p| p.resource == "heart_rate" && p.civil.date().to_string() == day)
            .expect("a rate")
            .clone();
        let mut late = like;
        let at = (late.at + TimeDelta::minutes(3)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        late.value["heartRate"]["sampleTime"]["physicalTime"] = json!(at);
        late.at += TimeDelta::minutes(3);
        sim.points.push(late);
    });
    let before = count(&mut sql, "canonical.sample_points where metric_code = 'heart_rate'");
    world.ingest().expect(0);
    assert_eq!(count(&mut sql, "google_health_raw.history where resource = 'heart_rate'"), 1);
    assert_eq!(count(&mut sql, "canonical.sample_points where metric_code = 'heart_rate'"), before + 1);
    world.oracle().check();
}

#[test]
fn requests_and_properties_are_those_of_the_description() {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: the description is not read");
        return;
    };
    let text = std::fs::read_to_string(format!("{folder}/google-health/health_v4_discovery-20260416.json"))
        .expect("a description");
    let description: Value = serde_json::from_str(&text).expect("a description");
    let world = World::connected(Google::many(now()));
    world.ingest().expect(0);
    let points = &description["resources"]["users"]["resources"]["dataTypes"]["resources"]["dataPoints"]["methods"];
    let mut asked = BTreeSet::new();
    for entry in world.provider.data_requests() {
        if !asked.insert(entry.path.clone()) {
            continue;
        }
        let method = match (entry.path.rsplit_once(':').map(|(_, way)| way), entry.path.contains("/dataPoints")) {
            (Some(way), true) => &points[way],
            (None, true) => &points["list"],
            // Younger than the description.
            _ if entry.path.ends_with("/irnProfile") || entry.path.ends_with("/pairedDevices") => continue,
            _ => {
                let last = entry.path.rsplit('/').next().expect("a word");
                &description["resources"]["users"]["methods"][format!("get{}{}", last[..1].to_uppercase(), &last[1..])]
            }
        };
        assert_eq!(method["httpMethod"], entry.method.as_str(), "{}", entry.path);
        for (name, _) in &entry.query {
            assert!(method["parameters"].get(name).is_some(), "{}: {name} is no parameter", entry.path);
        }
        if entry.method == "POST" {
            let body: Value = serde_json::from_str(&entry.body).expect("a body");
            let schema = &description["schemas"][method["request"]["$ref"].as_str().expect("a request")];
            for name in body.as_object().expect("members").keys() {
                assert!(schema["properties"].get(name).is_some(), "{}: {name} is no member", entry.path);
            }
        }
    }
    assert!(asked.len() > 50, "{asked:?}");
    // Every type that is described is read, and every property of it is read by a model or named in the page.
    let page = include_str!("../../docs/sources/google_health.md");
    let models = world.health(&["sources", "google-health", "--json"]).expect(0).json();
    let read: Vec<&str> = models["sources"][0]["resources"]
        .as_array()
        .expect("resources")
        .iter()
        .filter_map(|r| r["name"].as_str())
        .collect();
    let texts = model_texts();
    let schemas = &description["schemas"];
    let mut open: Vec<&str> = vec!["DataPoint", "Identity", "Profile", "Settings", "DailyRollupDataPoint"];
    let mut seen = BTreeSet::new();
    let of_range = [
        "HeartRateVariabilityPersonalRangeRollupValue",
        "RestingHeartRatePersonalRangeRollupValue",
        "BodyFatRollupValue",
        "WeightRollupValue",
        "RunVO2MaxRollupValue",
        "HydrationLogRollupValue",
        "ActivityLevelRollupValue",
    ];
    while let Some(name) = open.pop() {
        if !seen.insert(name) || of_range.contains(&name) || ["CivilDateTime", "Date", "TimeOfDay"].contains(&name) {
            continue;
        }
        for (property, said) in schemas[name]["properties"].as_object().into_iter().flatten() {
            let reference = said["$ref"].as_str().or_else(|| said["items"]["$ref"].as_str());
            open.extend(reference);
            if ["DataPoint", "DailyRollupDataPoint"].contains(&name) {
                let snake: String = property
                    .chars()
                    .map(|c| if c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.into() })
                    .collect();
                let known = read.iter().any(|one| *one == snake || *one == format!("{snake}_roll_up"));
                let other = ["name", "data_source", "civil_start_time", "civil_end_time"].contains(&snake.as_str())
                    || snake.ends_with("personal_range");
                assert!(known || other, "{name}: {property} is not read");
                continue;
            }
            let is_known =
                texts.contains(property.as_str()) || page.contains(&format!("`{property}`")) || property == "name";
            assert!(is_known, "{name}.{property} is neither read nor named as kept raw");
        }
    }
    assert!(seen.len() > 60, "{seen:?}");
}

/// The text of all models.
fn model_texts() -> String {
    include_str!("../../src/sources/google_health/models.rs").to_owned()
        + &[
            "user_identity",
            "sleep_sessions",
            "workouts",
            "vitals",
            "totals",
            "series",
            "nutrition_log",
            "hydration_log",
            "coded",
            "moods",
        ]
        .map(|name| {
            std::fs::read_to_string(format!(
                "{}/src/sources/google_health/models/{name}.sql",
                env!("CARGO_MANIFEST_DIR")
            ))
            .expect("a model")
        })
        .concat()
}
