//! Oura's own oddities, beyond the contract: token endpoints, windows of days, hypnograms, values that mean none.

mod odd;
mod recorded;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::providers::oura::records::Row;
use crate::providers::oura::{Doc, Oura};
use crate::support::cli::Home;
use crate::support::faults::{What, When};
use crate::support::rows::{count, rows, value};
use crate::support::subject::Subject;
use crate::support::truth::instant;
use crate::support::world::{World, now};

/// A document of the fixture file with the rows that are stated beside it.
#[derive(serde::Deserialize)]
struct Stated {
    resource: String,
    document: Value,
    rows: Vec<StatedRow>,
}

#[derive(serde::Deserialize)]
struct StatedRow {
    table: String,
    what: String,
    columns: BTreeMap<String, Value>,
}

fn lasting(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn of_fixture() -> Oura {
    let file = include_str!("fixtures/oura/documents.json");
    let mut oura = Oura::nobody();
    for stated in serde_json::from_str::<Vec<Stated>>(file).expect("documents") {
        let mut doc = Doc::sent(lasting(stated.resource), stated.document);
        doc.rows = (stated.rows.into_iter())
            .map(|row| Row {
                table: lasting(row.table),
                what: lasting(row.what),
                columns: row.columns.into_iter().map(|(name, value)| (lasting(name), value)).collect(),
            })
            .collect();
        oura.docs.push(doc);
    }
    oura
}

#[test]
fn a_lapsed_membership_is_named() {
    let world = World::<Oura>::loaded_few();
    let fault = world.fault(When::any(), What::Answer(403, vec![], r#"{"detail":"Forbidden"}"#));
    let run = world.ingest().expect(6).says("refuses all ").says("active membership");
    assert!(run.next().contains("renew the membership"), "{}", run.report());
    assert!(!run.error().contains("daily_sleep"), "no list of names: {}", run.report());
    world.oracle().fired(&fault).check();
}

#[test]
fn documents_become_the_rows_that_are_stated_beside_them() {
    let world = World::loaded(of_fixture());
    world.assert_truth();
    let stages = rows(
        &mut world.sql(),
        "select raw_source_id as id, seq, stage, stage_raw as digit, extract(epoch from g.start_at - s.start_at)::integer as \"from\",
                extract(epoch from g.end_at - s.start_at)::integer as \"to\"
           from canonical.sleep_stages g join canonical.sleep_sessions s using (user_id, sleep_id) order by 1, 2",
    );
    let night = "0f0a11aa-0000-4000-8000-000000000001";
    let nap = "0f0a11aa-0000-4000-8000-000000000002";
    // "4422113", half a minute each, and 200 seconds in bed: the last digit stands for 20 seconds.
    let expected = [
        (night, 0, "awake", "4", 0, 60),
        (night, 1, "light", "2", 60, 120),
        (night, 2, "deep", "1", 120, 180),
        (night, 3, "rem", "3", 180, 200),
        // "42", five minutes each, and nine minutes in bed.
        (nap, 0, "awake", "4", 0, 300),
        (nap, 1, "light", "2", 300, 540),
    ]
    .map(|(id, seq, stage, digit, from, to)| json!({"id": id, "seq": seq, "stage": stage, "digit": digit, "from": from, "to": to}));
    assert_eq!(stages, expected);
    let points = rows(
        &mut world.sql(),
        "select metric_code, seq, start_at, value_num from canonical.sample_points where metric_code = 'hrv_rmssd' order by seq",
    );
    let at = |n: usize| (points[n]["metric_code"].clone(), points[n]["seq"].clone(), points[n]["value_num"].as_f64());
    assert_eq!(points.len(), 2, "the first item is null");
    assert_eq!(at(0), (json!("hrv_rmssd"), json!(1), Some(41.0)));
    assert_eq!(at(1), (json!("hrv_rmssd"), json!(2), Some(38.0)));
    assert_eq!(instant(points[0]["start_at"].as_str().expect("an instant")), instant("2026-11-18T23:04:45Z"));
    world.oracle().check();
}

/// Paths of the requests to token endpoints, with their answers.
fn tokens(world: &World<Oura>) -> Vec<(String, u16)> {
    world.provider.requests("token").into_iter().map(|entry| (entry.path, entry.status)).collect()
}

const LEGACY: &str = "/oauth/token";
const PORTAL: &str = "/oauth/v2/ext/oauth-token";

fn at(path: &str, status: u16) -> (String, u16) {
    (path.to_owned(), status)
}

#[test]
fn the_endpoint_that_knows_the_application_is_found_and_remembered() {
    let world = World::connected(Oura::few(now()));
    assert_eq!(tokens(&world), [at(LEGACY, 401), at(PORTAL, 200)], "a code is offered to one after the other");
    world.provider.clear_log();
    world.token_expires();
    world.ingest().expect(0);
    assert_eq!(tokens(&world), [at(PORTAL, 200)]);
    // The application moves: its endpoint refuses, and the other one is asked once.
    world.provider.grants(|g| g.registered_at = Some(LEGACY));
    world.provider.clear_log();
    world.token_expires();
    world.ingest().expect(0);
    world.token_expires();
    world.ingest().expect(0);
    assert_eq!(tokens(&world), [at(PORTAL, 400), at(LEGACY, 200), at(LEGACY, 200)]);
    // A dead token is refused by both, and then never sent again.
    world.provider.grants(crate::support::tokens::Grants::revoke_all);
    world.provider.clear_log();
    world.token_expires();
    world.ingest().expect(4);
    world.ingest().expect(4);
    assert_eq!(tokens(&world), [at(LEGACY, 400), at(PORTAL, 400)]);
    world.login();
    world.oracle().check();
}

#[test]
fn one_endpoint_may_be_named() {
    let world = World::new(Oura::few(now()));
    let portal = format!("{}{PORTAL}", world.provider.origin());
    world.home.set("OURA_TOKEN_URL", &portal);
    world.login();
    assert_eq!(tokens(&world), [at(PORTAL, 200)]);
    world.home.set("OURA_TOKEN_URL", "portals");
    world.health(&["auth", "oura", "--again", "--no-browser"]).expect(13).says("OURA_TOKEN_URL");
}

#[test]
fn a_revoked_grant_is_gone_at_the_provider() {
    let world = World::connected(Oura::few(now()));
    world.health(&["auth", "oura", "--revoke"]).expect(0);
    assert_eq!(world.provider.requests("revoke").len(), 1);
    assert_eq!(world.provider.grants(|g| g.live(now())), 0);
    world.assert_safe(&mut world.sql());
}

#[test]
fn the_redirect_names_localhost() {
    let home = Home::new();
    home.set("OURA_CLIENT_ID", "id");
    home.set("OURA_CLIENT_SECRET", "secret");
    home.health(&["auth", "oura", "--dry-run"]).expect(0).says("http://localhost:8765/callback/oura");
}

#[test]
fn requests_are_few_and_within_the_limits() {
    let world = World::connected(Oura::few(now()));
    world.ingest().expect(0);
    let days = (now().date_naive() - NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date")).num_days();
    let windows = |days: i64, most: i64| usize::try_from(days / most + 1).expect("a count");
    for resource in Oura::LISTINGS {
        let mut asked = world.provider.requests(resource);
        asked.retain(|entry| entry.param("next_token").is_none());
        let least = match *resource {
            "heartrate" | "ring_battery_level" => windows(days, 30),
            "sleep" | "daily_activity" | "session" => windows(days, 180),
            _ => 1,
        };
        // Where no largest window is known, one that was answered with less than a year is looked at twice.
        assert!(asked.len() == least || least == 1 && asked.len() == 2, "{resource}: {} requests", asked.len());
        for entry in asked {
            let has = |name: &str| entry.param(name).is_some();
            let by_instants = least == windows(days, 30);
            assert_eq!(has("start_datetime") && has("end_datetime"), by_instants, "{resource}: {:?}", entry.query);
            assert_eq!(has("start_date") && has("end_date"), !by_instants, "{resource}: {:?}", entry.query);
        }
    }
}

#[test]
fn a_window_holds_all_that_lies_in_it_wherever_the_person_is() {
    let world = World::connected(Oura::many(now()));
    world.health(&["ingest", "oura", "--since", "2026-10-12", "--until", "2026-10-20"]).expect(0);
    let (since, until) = (instant("2026-10-13T00:00:00Z"), instant("2026-10-19T00:00:00Z")); // in any zone
    let docs = world.provider.with(|sim| sim.docs.clone());
    let mut sql = world.sql();
    let mut checked = BTreeSet::new();
    for doc in docs.iter().filter(|doc| doc.resource != "ring_configuration") {
        let said = ["bedtime_start", "start_datetime", "start_time", "timestamp"]
            .into_iter()
            .find_map(|f| doc.value[f].as_str());
        let at = said.map_or_else(|| doc.time.and_utc(), |t| DateTime::parse_from_rfc3339(t).expect("a time").to_utc());
        if at < since || at >= until {
            continue;
        }
        let held = format!("oura_raw.{} where source_id = '{}'", doc.resource, doc.record());
        assert_eq!(count(&mut sql, &held), 1, "{} {} of {at}", doc.resource, doc.id);
        checked.insert(doc.resource);
    }
    assert!(checked.len() >= Oura::LISTINGS.len() - 2, "{checked:?}");
}

#[test]
fn heart_rates_of_an_hour_are_one_record_and_dated_where_the_person_was() {
    let world = World::connected(of_fixture());
    world.health(&["zones", "set", "Europe/Berlin", "--from", "2026-11-15", "--until", "2026-11-25"]).expect(0);
    world.ingest().expect(0);
    let mut sql = world.sql();
    let raw = rows(&mut sql, "select source_id, payload from oura_raw.heartrate");
    let sent = json!({"data": [
        {"timestamp": "2026-11-19T23:00:12.000Z", "timestamp_unix": 1_795_129_212_000_i64, "bpm": 54, "source": "sleep"},
        {"timestamp": "2026-11-19T23:05:12+00:00", "bpm": 255, "source": "sleep"}]});
    assert_eq!(raw, [json!({"source_id": "2026-11-19T23:00:00Z|sleep", "payload": sent})]);
    let seen = |sql: &mut postgres::Client| {
        let row = rows(
            sql,
            "select s.value_num, s.local_date, s.utc_offset_s, s.raw_path, o.tz_name, o.tz_basis, o.context
               from api.samples s
               join canonical.sample_origins o on o.raw_source_id = s.raw_source_id and o.raw_table = s.raw_table
              where s.metric_code = 'heart_rate' and s.raw_table = 'oura_raw.heartrate'",
        );
        assert_eq!(row.len(), 1, "255 is none: {row:#?}");
        row[0].clone()
    };
    // 23:00 at Greenwich is the next day in Berlin; seq is the place in the record.
    let there = json!({"value_num": 54, "local_date": "2026-11-20", "utc_offset_s": 3600, "raw_path": "data[0]",
                       "tz_name": "Europe/Berlin", "tz_basis": "home", "context": {"source": "sleep"}});
    assert_eq!(seen(&mut sql), there);
    // The stay is taken back: the day is that of home again, without asking Oura.
    world.provider.clear_log();
    world.health(&["zones", "remove", "2026-11-15"]).expect(0);
    assert_eq!(world.provider.log().len(), 0);
    let home = seen(&mut sql);
    assert_eq!((&home["local_date"], &home["utc_offset_s"]), (&json!("2026-11-19"), &json!(-28_800)));
    world.assert_truth();
}

#[test]
fn a_part_is_not_read_without_knowing_whose_it_is() {
    let world = World::connected(Oura::few(now()));
    world.health(&["ingest", "oura", "sleep"]).expect(0);
    let owner = "select external_user_id from meta.source_accounts";
    assert_eq!(value(&mut world.sql(), owner).as_deref(), Some("04101001-5f1e-4b7e-9f53-2f3b5f6f0a01"));
    // Somebody else's ring behind the same login: nothing of it is asked for.
    world.fault(When::resource("personal_info"), Oura::other_person());
    world.provider.clear_log();
    world.health(&["ingest", "oura", "workout"]).expect(6);
    assert_eq!(world.provider.requests("workout").len(), 0);
    assert_eq!(count(&mut world.sql(), "oura_raw.workout"), 0);
}

#[test]
fn what_is_edited_weeks_later_is_found_by_the_first_run_of_a_week() {
    let world = World::<Oura>::loaded_many();
    let key = world.provider.with(|sim| sim.score_again(20));
    let version = format!("select run_id from oura_raw.daily_sleep where source_id = '{}'", key.id);
    let before = value(&mut world.sql(), &version);
    let mut days = 0;
    while value(&mut world.sql(), &version) == before && days < 7 {
        world.later(std::time::Duration::from_hours(24));
        world.ingest().expect(0);
        days += 1;
    }
    assert_ne!(value(&mut world.sql(), &version), before, "not found within a week");
    world.assert_truth();
}

#[test]
fn a_sleep_that_moves_to_another_day_stays_one_row() {
    let world = World::<Oura>::loaded_few();
    let id = world.provider.with(|sim| {
        let night =
            sim.docs.iter_mut().rfind(|d| d.resource == "sleep" && d.value["type"] == "long_sleep").expect("a night");
        night.value["day"] = json!(night.time.date() + TimeDelta::days(2));
        night.value["sleep_analysis_reason"] = json!("bedtime_edit");
        night.id.clone()
    });
    world.ingest().expect(0);
    let sessions = format!("canonical.sleep_sessions where raw_source_id = '{id}' and retired_at is null");
    assert_eq!(count(&mut world.sql(), &sessions), 1);
    let said = format!("select detail->>'analysis_reason' from canonical.sleep_sessions where raw_source_id = '{id}'");
    assert_eq!(value(&mut world.sql(), &said).as_deref(), Some("bedtime_edit"));
    // One that the person deletes keeps its place in the list.
    world.provider.with(|sim| {
        let night = sim.docs.iter_mut().find(|d| d.id == id).expect("the night");
        night.value["type"] = json!("deleted");
        night.rows.clear();
    });
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), &sessions), 0);
    world.oracle().check();
}

#[test]
fn requests_are_those_that_the_description_knows() {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: the description is not read");
        return;
    };
    let text = std::fs::read_to_string(format!("{folder}/oura/openapi/openapi-1.37.json")).expect("a description");
    let description: Value = serde_json::from_str(&text).expect("a description");
    let world = World::connected(Oura::many(now()));
    world.ingest().expect(0);
    let mut asked = BTreeSet::new();
    for entry in world.provider.data_requests() {
        if !asked.insert(entry.path.clone()) {
            continue;
        }
        let operation = &description["paths"][&entry.path]["get"];
        assert!(operation.is_object(), "{} is no path", entry.path);
        let known: Vec<&str> =
            operation["parameters"].as_array().into_iter().flatten().filter_map(|p| p["name"].as_str()).collect();
        for (name, _) in &entry.query {
            assert!(known.contains(&name.as_str()), "{}: {name} is no parameter of {known:?}", entry.path);
        }
    }
    assert_eq!(asked.len(), Oura::LISTINGS.len() + 2, "{asked:?}");
}

/// Every property of a user's documents is either read by a model or named in the document as kept raw.
#[test]
fn every_property_that_is_described_is_accounted_for() {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: the description is not read");
        return;
    };
    let page = include_str!("../../docs/sources/oura.md");
    let whole: BTreeSet<&str> =
        ["sleep_time", "rest_mode_period", "ring_configuration", "ring_battery_level"].into_iter().collect();
    let world = World::new(Oura::nobody());
    let read = world.health(&["sources", "oura", "--json"]).expect(0).stdout;
    for version in ["1.27", "1.29", "1.34", "1.37"] {
        let text =
            std::fs::read_to_string(format!("{folder}/oura/openapi/openapi-{version}.json")).expect("a description");
        let description: Value = serde_json::from_str(&text).expect("a description");
        let paths = description["paths"].as_object().expect("paths");
        for (path, operations) in paths {
            let Some(collection) =
                path.strip_prefix("/v2/usercollection/").and_then(|p| p.strip_suffix("/{document_id}"))
            else {
                continue;
            };
            let name = collection.to_lowercase();
            if name == "interbeat_interval" {
                continue; // described in 1.29 and gone by 1.34
            }
            assert!(read.contains(&format!("\"{name}\"")), "{version}: {name} is not read");
            if whole.contains(name.as_str()) {
                continue;
            }
            let schema = &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"];
            let reference = schema["$ref"].as_str().or_else(|| schema["anyOf"][0]["$ref"].as_str()).expect("a schema");
            let schema = &description["components"]["schemas"][reference.rsplit('/').next().expect("a name")];
            let models = models_of(&world, &name);
            for property in schema["properties"].as_object().expect("properties").keys() {
                let is_known = models.contains(property.as_str()) || page.contains(&format!("`{property}`"));
                assert!(is_known, "{version}: {name}.{property} is neither read nor named as kept raw");
            }
        }
    }
}

/// The text of all models over a collection, as the program shows them.
fn models_of(world: &World<Oura>, collection: &str) -> String {
    let names: &[&str] = match collection {
        "sleep" => &["sleep_sessions", "vitals_sleep", "series_sleep"],
        "workout" => &["workouts"],
        "session" => &["samples_session", "series_session", "moods_session"],
        "enhanced_tag" => &["journal_enhanced_tag"],
        "tag" => &["journal_tag"],
        "daily_sleep" => &["scores_sleep"],
        "daily_readiness" => &["scores_readiness", "vitals_readiness"],
        "daily_activity" => &["scores_activity", "daily_activity"],
        "daily_spo2" => &["vitals_spo2"],
        "daily_stress" => &["scores_stress", "daily_stress"],
        "daily_resilience" => &["scores_resilience"],
        "daily_cardiovascular_age" => &["scores_vascular", "vitals_vascular"],
        "vo2_max" => &["vitals_vo2_max"],
        other => panic!("{other} has no models"),
    };
    names.iter().map(|name| world.health(&["transform", "--show", &format!("oura.{name}")]).expect(0).stdout).collect()
}
