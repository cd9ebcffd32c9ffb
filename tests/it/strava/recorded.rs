//! Recorded answers of Strava, with the rows that they mean stated by hand, and Strava's own description of its interface.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::providers::strava::{Activity, Strava};
use crate::support::faults::{What, When};
use crate::support::rows::{count, rows};
use crate::support::subject::Subject;
use crate::support::truth::same;
use crate::support::world::{World, now};

/// A file of the corpus; none where it is not there.
fn read(file: &str) -> Option<Value> {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: {file} is not read");
        return None;
    };
    let text = std::fs::read_to_string(format!("{folder}/strava/{file}")).unwrap_or_else(|e| panic!("{file}: {e}"));
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}")))
}

const LISTS: &[&str] = &[
    "athlete_activities",
    "athlete_activities_page_37",
    "athlete_activities_page_38",
    "athlete_activities_december_2018",
    "all_athlete_activities_latest",
];

const MARATHON: i64 = 1_946_417_534;
const RIDE: i64 = 7_142_833_299;
const LATEST: i64 = 16_195_505_756;
const WITH_LAPS: i64 = 15_605_032_352;
const LAST_IN_HAVANA: i64 = 1_314_949_435;

/// Everything that one athlete's account answered, and what is at hand of others in the places that it left empty.
fn recorded() -> Option<Strava> {
    let mut all: BTreeMap<i64, Activity> = BTreeMap::new();
    for list in LISTS {
        for summary in read(&format!("api/{list}.json"))?.as_array().expect("a list") {
            let mut detail = summary.clone();
            detail["laps"] = json!([]);
            let activity = Activity::sent(summary.clone(), detail);
            all.insert(activity.id, activity);
        }
    }
    let marathon = all.get_mut(&MARATHON).expect("the marathon is in a list");
    marathon.detail = read("api/activity.json")?;
    marathon.zones = Some(read("api/activity_zones.json")?);
    marathon.streams = Some(read("api/activity_streams.json")?);
    let ride = read("api/activity_ride.json")?;
    let mut ride = Activity::sent(ride.clone(), ride);
    ride.streams = Some(read("synthetic/streams_array_form.json")?);
    all.insert(RIDE, ride);
    let latest = all.get_mut(&LATEST).expect("the latest is in a list");
    latest.zones = Some(read("stravalib/example_zone_response.json")?);
    latest.streams = Some(read("synthetic/streams_key_by_type.json")?);
    // The recorded laps are of an activity that no list has: the latest under its number.
    let mut with_laps = latest.clone();
    with_laps.id = WITH_LAPS;
    with_laps.laps = read("api/activity_laps.json")?;
    with_laps.summary["id"] = json!(WITH_LAPS);
    with_laps.detail["id"] = json!(WITH_LAPS);
    with_laps.detail.as_object_mut().expect("an object").remove("laps");
    all.insert(WITH_LAPS, with_laps);
    let mut strava = Strava::nobody();
    strava.activities = all.into_values().collect();
    strava.most_a_page = 30;
    strava.athlete = read("api/athlete.json")?;
    strava.athlete_zones = read("api/athlete_zones.json")?;
    strava.totals = Some(read("api/athlete_stats.json")?);
    strava.gear.clear();
    for file in ["gear_0", "gear_1"] {
        let gear = read(&format!("api/{file}.json"))?;
        strava.gear.insert(gear["id"].as_str().expect("an id").to_owned(), gear);
    }
    Some(strava)
}

#[track_caller]
fn assert_row(world: &World<Strava>, sql: &str, expected: &Value) {
    let found = rows(&mut world.sql(), sql);
    assert_eq!(found.len(), 1, "{sql}: {found:#?}");
    for (name, value) in expected.as_object().expect("columns") {
        assert!(same(value, &found[0][name]), "{sql}: {name} is {}, not {value}", found[0][name]);
    }
}

fn workout(id: i64) -> String {
    format!("select * from canonical.workouts where raw_source_id = '{id}'")
}

#[test]
fn recorded_answers_land_and_make_rows() {
    let Some(strava) = recorded() else { return };
    let (activities, gear) = (strava.activities.clone(), strava.gear.len());
    let world = World::connected(strava);
    let run = world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "meta.rejects"), 0, "{}", run.report());
    let number = |n: usize| i64::try_from(n).expect("a count");
    assert_eq!(activities.len(), 92, "ninety are listed, and two were recorded alone");
    for table in ["strava_raw.activities", "strava_raw.activity_details", "canonical.workouts"] {
        assert_eq!(count(&mut sql, table), number(activities.len()), "{table}");
    }
    for (table, held) in [("activity_streams", 4), ("activity_zones", 3), ("activity_laps", 1), ("gear", number(gear))]
    {
        let held_now = count(&mut sql, &format!("strava_raw.{table}"));
        // Gear that was not recorded is named too: Strava has nothing, and it is not asked for again.
        assert_eq!(held_now, if table == "gear" { held_now.min(held) } else { held }, "{table}");
    }
    for activity in &activities {
        let stored =
            format!("select payload::text as text from strava_raw.activities where source_id = '{}'", activity.id);
        assert_eq!(rows(&mut sql, &stored)[0]["text"], json!(activity.summary.to_string()));
    }
    assert_row(
        &world,
        &workout(MARATHON),
        &json!({"sport": "running", "sport_raw": "Run", "title": "TCS NYC Marathon 2018", "start_at": "2018-11-04T14:53:46Z",
                "end_at": "2018-11-04T18:35:59Z", "local_date": "2018-11-04", "utc_offset_s": -18000, "tz_name": "America/New_York",
                "elapsed_s": 13333, "moving_s": 13085, "distance_m": 42268.1, "energy_total_kcal": 3760, "elev_gain_m": 270.9,
                "hr_avg": 170.1, "hr_max": 187, "hr_zone_s": [19, 57, 1390, 6934, 4685], "hr_zone_scheme": "strava_5",
                "speed_avg_mps": 3.17, "speed_max_mps": 5.6, "cadence_avg": null, "power_avg_w": null, "training_load": 656,
                "training_load_kind": "strava_relative_effort", "rpe": null, "is_indoor": false, "start_lat": 40.601_937,
                "upstream_hint": "17900304917.tcx", "flags": []}),
    );
    let told = "select detail->>'device_name' as device, detail->>'gear' as gear, jsonb_array_length(laps) as laps,
                       jsonb_array_length(detail->'splits_metric') as km, jsonb_array_length(detail->'splits_standard') as miles
                  from canonical.workouts where raw_source_id = '1946417534'";
    let expected = json!({"device": "Fitbit Ionic", "gear": "Adidas Supernova ST", "laps": 1, "km": 43, "miles": 27});
    assert_row(&world, told, &expected);
    assert_row(
        &world,
        &workout(RIDE),
        &json!({"sport": "cycling", "start_at": "2022-05-14T18:21:19Z", "end_at": "2022-05-14T19:01:51Z", "utc_offset_s": -14400,
                "local_date": "2022-05-14", "distance_m": 101_529, "energy_total_kcal": 377, "is_indoor": true,
                "hr_avg": 120.7, "training_load": 9, "hr_zone_s": null, "upstream_hint": "garmin_push_8823414069"}),
    );
    assert_row(
        &world,
        &workout(LATEST),
        &json!({"cadence_avg": 156.8, "elev_gain_m": 34, "hr_avg": 146.8, "start_lat": 40.75533, "start_lon": -74.002_571,
                "hr_zone_s": [589, 2732, 0, 0, 0], "utc_offset_s": -14400, "local_date": "2025-10-19", "title": "Should Not Have"}),
    );
    let laps = "select laps->0->>'name' as name, laps->0->'average_cadence' as cadence from canonical.workouts where raw_source_id = '15605032352'";
    assert_row(&world, laps, &json!({"name": "Lap 1", "cadence": 61.5}));
    assert_row(
        &world,
        &workout(LAST_IN_HAVANA),
        &json!({"tz_name": "America/Havana", "utc_offset_s": -18000, "cadence_avg": null}),
    );
    assert_row(
        &world,
        "select * from canonical.user_identity",
        &json!({"external_user_id": "26462176", "given_name": "Sample", "family_name": "Athlete", "sex": "M"}),
    );
    let weight = json!({"metric_code": "weight", "value_num": 95.255, "unit_raw": "kg", "method": "profile", "is_self_reported": true});
    assert_row(&world, "select * from canonical.biometrics_vitals", &weight);
    world.ingest().expect(0);
}

#[test]
fn recorded_series_become_points() {
    let Some(strava) = recorded() else { return };
    let world = World::loaded(strava);
    let points = "select o.raw_source_id as id, p.metric_code as metric, count(*)::integer as points, min(p.value_num) as lowest, max(p.value_num) as highest,
                         min(p.start_at) as first, max(p.start_at) as last
                    from canonical.sample_origins o join canonical.sample_points p using (user_id, origin_id)
                   where o.raw_source_id in ('1946417534', '7142833299', '16195505756') group by 1, 2 order by 1, 2";
    let found = rows(&mut world.sql(), points);
    let (first, last) = ("2025-10-19T20:00:00Z", "2025-10-19T20:01:55Z");
    let row = |id: i64, metric: &str, points: i64, lowest: f64, highest: f64, first: &str, last: &str| json!({"id": id.to_string(), "metric": metric, "points": points, "lowest": lowest, "highest": highest, "first": first, "last": last});
    // The marathon was asked for without names: there is a distance and no time, and nothing that could be dated.
    // The latest has watts, and nothing says that a meter measured them.
    let expected = [
        row(LATEST, "altitude", 24, 33.0, 35.0, first, last),
        row(LATEST, "heart_rate", 24, 98.0, 121.0, first, last),
        row(LATEST, "step_cadence", 24, 164.0, 164.0, first, last),
        row(RIDE, "altitude", 24, 33.0, 35.0, "2022-05-14T18:21:19Z", "2022-05-14T18:23:14Z"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(&expected) {
        for (name, value) in expected.as_object().expect("columns") {
            assert!(same(value, &found[name]), "{name} of {found} is not {value}");
        }
    }
}

#[test]
fn older_bodies_are_understood() {
    let mut strava = Strava::nobody();
    for file in ["activity.3", "activity-manual.3"] {
        let Some(body) = read(&format!("stravalib/{file}.json")) else { return };
        strava.activities.push(Activity::sent(body.clone(), body));
    }
    let Some(athlete) = read("stravalib/athlete.3.json") else { return };
    strava.athlete = athlete;
    let world = World::connected(strava);
    let run = world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), "meta.rejects"), 0, "{}", run.report());
    assert_row(
        &world,
        &workout(96_089_609),
        // There is no utc_offset: the clock of the person tells. The word for the sport is the older one.
        &json!({"sport": "hiking", "sport_raw": "Hike", "start_at": "2013-11-17T16:00:00Z", "end_at": "2013-11-18T02:45:00Z",
                "utc_offset_s": -28800, "tz_basis": "record", "local_date": "2013-11-17", "distance_m": 22530.8,
                "energy_total_kcal": 2_084.438_266, "start_lat": 38.742_638, "start_lon": -120.435_763, "flags": ["manual"]}),
    );
    assert_row(
        &world,
        &workout(99_895_560),
        &json!({"sport": "running", "distance_m": 5781.1, "energy_total_kcal": 537.9, "elapsed_s": 3140, "moving_s": 2892,
                "utc_offset_s": -28800, "upstream_hint": "620D5DDD-B836-4F6B-8760-F905B8C2895F", "hr_avg": null}),
    );
    assert_eq!(world.provider.requests("activity_streams").len(), 1, "one was entered by hand");
    let weight = "select * from canonical.biometrics_vitals";
    assert_row(&world, weight, &json!({"value_num": 75.2963, "metric_code": "weight"}));
}

#[test]
fn recorded_refusals_mean_what_they_say() {
    for (file, status, code) in [
        ("synthetic/error_401_scope_missing.json", 401, 3),
        ("synthetic/error_401_token_invalid.json", 401, 3),
        ("api/authorization_error.json", 401, 3),
        ("synthetic/error_403_application_inactive.json", 403, 6),
        ("api/activity_with_ratelimit_exceeded.json", 429, 3),
    ] {
        let Some(body) = read(file) else { return };
        let world = World::<Strava>::loaded_few();
        let body: &'static str = Box::leak(body.to_string().into_boxed_str());
        let fault = world.fault(When::resource("activities"), What::Answer(status, vec![], body));
        world.health(&["ingest", "strava", "--max-time", "2s"]).expect(code);
        world.later(std::time::Duration::from_mins(15));
        world.oracle().fired(&fault).check();
    }
}

/// The paths of the description that a request of ours means.
fn described(path: &str) -> String {
    let parts = path.trim_start_matches("/api/v3").split('/').map(|part| {
        let is_id = part.chars().any(|c| c.is_ascii_digit());
        if is_id { "{id}" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn requests_are_those_that_the_description_knows() {
    let Some(description) = read("strava_swagger.json") else { return };
    let world = World::connected(Strava::many(now()));
    world.ingest().expect(0);
    world.later(std::time::Duration::from_hours(24));
    world.ingest().expect(0);
    let mut asked = BTreeSet::new();
    for entry in world.provider.data_requests() {
        let path = described(&entry.path);
        let operation = &description["paths"][&path]["get"];
        assert!(operation.is_object(), "{path} is no path");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let name = |parameter: &Value| match parameter["$ref"].as_str() {
            Some(reference) => description.pointer(&reference[1..]).expect("a parameter")["name"].clone(),
            None => parameter["name"].clone(),
        };
        let known: Vec<Value> = parameters.map(name).collect();
        for (name, _) in &entry.query {
            assert!(known.contains(&json!(name)), "{path}: {name} is no parameter of {known:?}");
        }
        asked.insert(path);
    }
    assert_eq!(asked.len(), 9, "{asked:?}");
}

fn members(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| members(item, into)),
        Value::Object(object) => into.extend(object.keys().cloned()),
        _ => {}
    }
}

/// Every property that the description shows, or a recorded answer has, is either read by a model or named in the document.
#[test]
fn every_property_is_accounted_for() {
    let Some(description) = read("strava_swagger.json") else { return };
    let page = include_str!("../../../docs/sources/strava.md");
    let world = World::new(Strava::nobody());
    let models: String = ["user_identity", "workouts", "vitals_athlete", "series_body", "series_effort"]
        .iter()
        .map(|name| world.health(&["transform", "--show", &format!("strava.{name}")]).expect(0).stdout)
        .collect();
    let mut shown: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for path in [
        "/athlete",
        "/athlete/activities",
        "/activities/{id}",
        "/activities/{id}/laps",
        "/activities/{id}/zones",
        "/activities/{id}/streams",
        "/gear/{id}",
        "/athlete/zones",
        "/athletes/{id}/stats",
    ] {
        let example = &description["paths"][path]["get"]["responses"]["200"]["examples"]["application/json"];
        members(example, shown.entry(path).or_default());
    }
    for (path, file) in [
        ("/athlete", "athlete"),
        ("/athlete/activities", "athlete_activities"),
        ("/activities/{id}", "activity"),
        ("/activities/{id}", "activity_ride"),
        ("/activities/{id}/laps", "activity_laps"),
        ("/activities/{id}/zones", "activity_zones"),
        ("/gear/{id}", "gear_0"),
        ("/gear/{id}", "gear_1"),
        ("/athlete/zones", "athlete_zones"),
        ("/athletes/{id}/stats", "athlete_stats"),
    ] {
        let Some(answer) = read(&format!("api/{file}.json")) else { return };
        members(&answer, shown.entry(path).or_default());
    }
    let mut forgotten = vec![];
    for (path, properties) in &shown {
        for property in properties {
            let is_read = models.contains(&format!("'{property}'")) || models.contains(&format!("->>'{property}'"));
            if !is_read && !page.contains(&format!("`{property}`")) {
                forgotten.push(format!("{path} {property}"));
            }
        }
    }
    assert!(forgotten.is_empty(), "neither read nor named as kept raw: {forgotten:#?}");
}
