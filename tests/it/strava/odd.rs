//! Values that nobody measured, or that nobody could have measured: the first make no points, the others stand apart.

use serde_json::{Value, json};

use crate::providers::strava::{ATHLETE, Activity, Strava};
use crate::support::rows::rows;
use crate::support::world::World;

/// One activity with its series, and more of its summary.
fn activity(id: i64, sport: &str, more: &Value, streams: Option<Value>) -> Activity {
    let mut summary = json!({"id": id, "athlete": {"id": ATHLETE}, "name": "n", "type": sport, "sport_type": sport,
        "start_date": "2026-11-18T20:00:00Z", "start_date_local": "2026-11-18T12:00:00Z", "timezone": "(GMT-08:00) America/Los_Angeles",
        "utc_offset": -28_800.0, "elapsed_time": 1_600, "moving_time": 1_500, "distance": 5_000.5, "manual": false, "has_heartrate": true});
    summary.as_object_mut().expect("a summary").extend(more.as_object().expect("members").clone());
    let mut activity = Activity::sent(summary.clone(), summary);
    activity.streams = streams;
    activity
}

fn world_of(activities: Vec<Activity>) -> World<Strava> {
    ingested(activities, 0)
}

/// The exit code says whether something was rejected.
fn ingested(activities: Vec<Activity>, code: i32) -> World<Strava> {
    let mut strava = Strava::nobody();
    strava.activities = activities;
    let world = World::connected(strava);
    world.ingest().expect(code);
    world
}

const POINTS: &str = "select o.raw_source_id as id, o.raw_path, o.flags, array_agg(p.metric_code || ' ' || p.seq || ' ' || p.value_num order by p.metric_code, p.seq) as points
                        from canonical.sample_origins o join canonical.sample_points p using (user_id, origin_id) where o.retired_at is null group by 1, 2, 3 order by 1, 2";

fn series(data: &Value) -> Value {
    json!({"data": data})
}

#[test]
fn power_that_is_estimated_is_no_measurement() {
    let streams = || {
        Some(
            json!({"time": series(&json!([0, 1])), "watts": series(&json!([232, 233])), "cadence": series(&json!([80, 81]))}),
        )
    };
    let with = |id: i64, sport: &str, meter: Value| {
        activity(id, sport, &json!({"device_watts": meter, "average_watts": 200}), streams())
    };
    let world = world_of(vec![
        with(1, "Ride", json!(true)),
        with(2, "Ride", json!(false)),
        with(3, "Run", json!(null)),
        with(4, "Run", json!(true)),
    ]);
    let of = |id: i64, points: Value| json!({"id": id.to_string(), "raw_path": "cadence watts", "flags": [], "points": points});
    let found = |world: &World<Strava>| rows(&mut world.sql(), POINTS);
    let turns = json!(["cycling_cadence 0 80", "cycling_cadence 1 81"]);
    let steps = json!(["step_cadence 0 160", "step_cadence 1 162"]);
    let with_power = |mut points: Value, metric: &str| {
        let list = points.as_array_mut().expect("points");
        list.extend([json!(format!("{metric} 0 232")), json!(format!("{metric} 1 233"))]);
        list.sort_by_key(|point| point.as_str().expect("a point").to_owned());
        points
    };
    assert_eq!(
        found(&world),
        [
            of(1, with_power(turns.clone(), "cycling_power")),
            of(2, turns.clone()),
            of(3, steps.clone()),
            of(4, with_power(steps.clone(), "running_power")),
        ]
    );
    // Strava takes it back: nothing of the series itself changed.
    world.provider.with(|sim| {
        sim.activities[0].summary["device_watts"] = json!(false);
        sim.activities[0].detail["device_watts"] = json!(false);
    });
    world.ingest().expect(0);
    assert_eq!(found(&world)[0], of(1, turns));
}

#[test]
fn a_heart_rate_of_zero_is_none_and_an_impossible_one_stands_apart() {
    let streams = json!({"time": series(&json!([0, 1, 2, 3, 4])), "heartrate": series(&json!([0, 100, 0.0, 900, 101])),
                         "altitude": series(&json!([1.5, 0.0, 3, 0, 99_000]))});
    let world = world_of(vec![activity(1, "Ride", &json!({}), Some(streams))]);
    let usual = json!([
        "altitude 0 1.5",
        "altitude 1 0",
        "altitude 2 3",
        "altitude 3 0",
        "heart_rate 1 100",
        "heart_rate 4 101"
    ]);
    assert_eq!(
        rows(&mut world.sql(), POINTS),
        [
            json!({"id": "1", "raw_path": "altitude heartrate", "flags": [], "points": usual}),
            json!({"id": "1", "raw_path": "altitude heartrate implausible", "flags": ["implausible"],
                   "points": ["altitude 4 99000", "heart_rate 3 900"]}),
        ]
    );
    let shown = "select metric_code as metric, raw_path as path, value_num as value from api.samples where metric_code = 'heart_rate' order by start_at";
    assert_eq!(
        rows(&mut world.sql(), shown)[1],
        json!({"metric": "heart_rate", "path": "altitude heartrate implausible[3]", "value": 900})
    );
}

#[test]
fn a_reading_that_is_no_number_costs_no_other() {
    let streams = json!({"time": series(&json!([0, 1, 2, "soon", 4, 5])), "heartrate": series(&json!([100, "fast", "101", 102, true, 103])),
                         "altitude": series(&json!([1.5, -0.0, 1e1, null])), "cadence": series(&json!([80, [81]]))});
    let activities = vec![
        activity(1, "Ride", &json!({}), Some(streams)),
        activity(2, "Ride", &json!({}), Some(json!({"time": series(&json!([0])), "heartrate": series(&json!([99]))}))),
    ];
    let world = ingested(activities, 3);
    let usual = |points: Value| json!({"id": "1", "raw_path": "altitude heartrate", "flags": [], "points": points});
    let turns = json!({"id": "1", "raw_path": "cadence watts", "flags": [], "points": ["cycling_cadence 0 80"]});
    let other = json!({"id": "2", "raw_path": "altitude heartrate", "flags": [], "points": ["heart_rate 0 99"]});
    let height = ["altitude 0 1.5", "altitude 1 0", "altitude 2 10"];
    let body = [&height[..], &["heart_rate 0 100", "heart_rate 2 101", "heart_rate 5 103"]].concat();
    let expected = [usual(json!(body)), turns.clone(), other.clone()];
    assert_eq!(rows(&mut world.sql(), POINTS), expected);
    let rejects = "select resource, code, detail from meta.rejects where resolved_run_id is null order by 1";
    let refused = |model: &str| json!({"resource": format!("strava.{model}"), "code": "22P02", "detail": "a text is not of the type it should be"});
    assert_eq!(rows(&mut world.sql(), rejects), [refused("series_body"), refused("series_effort")]);
    world.health(&["transform", "strava", "--rebuild"]).expect(3);
    assert_eq!(rows(&mut world.sql(), POINTS), expected);
}

#[test]
fn details_without_laps_hide_no_splits() {
    let mut ride = activity(1, "Ride", &json!({}), None);
    ride.detail["laps"] = json!([]);
    ride.detail["splits_metric"] = json!([{"split": 1, "distance": 1_001.6}]);
    let world = world_of(vec![ride]);
    let laps = rows(&mut world.sql(), "select laps from canonical.workouts");
    assert_eq!(laps, [json!({"laps": [{"split": 1, "distance": 1_001.6}]})]);
    assert_eq!(world.provider.requests("activity_laps").len(), 0, "what Strava says to have none of is not asked for");
}
