//! Records in their oddest forms, with the canonical rows that they mean, stated by hand.

use serde_json::{Value, json};

use crate::providers::withings::{Doc, Withings};
use crate::support::rows::{count, rows};
use crate::support::truth::{instant, same};
use crate::support::world::{World, now};

/// A world whose person has just these records.
pub(super) fn world_of(records: &[(&'static str, Value)]) -> World<Withings> {
    let mut withings = Withings::nobody();
    withings.docs = records.iter().map(|(resource, value)| Doc::sent(resource, value.clone())).collect();
    let world = World::connected(withings);
    world.ingest().expect(0);
    world
}

pub(super) fn group(attrib: i64, measures: &Value) -> Value {
    json!({"grpid": 5_109_691_092_i64, "attrib": attrib, "date": 1_795_158_000, "created": 1_795_158_030,
           "modified": 1_795_158_030, "category": 1, "deviceid": "d", "hash_deviceid": "d", "measures": measures,
           "modelid": 10, "model": "Body Scan", "comment": null})
}

pub(super) fn vitals(world: &World<Withings>) -> Vec<Value> {
    rows(
        &mut world.sql(),
        "select metric_code, value_num, value_raw, unit_raw, body_site, raw_path, flags, is_self_reported, method, value_code
           from canonical.biometrics_vitals where retired_at is null order by raw_path, metric_code",
    )
}

#[track_caller]
pub(super) fn assert_rows(found: &[Value], expected: &[Value]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        for (column, value) in expected.as_object().expect("columns") {
            assert!(same(value, &found[column]), "{column}: {} is not {value} in {found}", found[column]);
        }
    }
}

#[test]
fn a_body_scan_has_parts_and_says_some_things_twice() {
    let measures = json!([
        {"value": 95_908, "type": 1, "unit": -3}, {"value": 7_680, "type": 5, "unit": -2, "position": 7},
        {"value": 7_680, "type": 5, "unit": -2, "position": 7}, {"value": 2_139, "type": 168, "unit": -2, "position": 6},
        {"value": 33, "type": 170, "unit": -1, "position": 7}, {"value": 3_981, "type": 173, "unit": -2, "position": 12},
        {"value": 505, "type": 173, "unit": -2, "position": 3}, {"value": 2_252, "type": 226, "unit": 0, "position": 7},
        {"value": 54_897, "type": 196, "unit": -3}, {"value": 1_600, "type": 4, "unit": -3}, {"value": 97, "type": 4_711, "unit": 0},
    ]);
    let world = world_of(&[("measures", group(0, &measures))]);
    assert_rows(
        &vitals(&world),
        &[
            json!({"metric_code": "weight", "value_num": 95.908, "value_raw": "95.908", "unit_raw": "kg", "raw_path": "measures.1"}),
            json!({"metric_code": "water_mass_extracellular", "value_num": 21.39, "raw_path": "measures.168@6"}),
            json!({"metric_code": "visceral_fat_index", "value_num": 3.3, "raw_path": "measures.170@7"}),
            json!({"metric_code": "segment_lean_mass", "value_num": 39.81, "body_site": "torso", "raw_path": "measures.173@12"}),
            json!({"metric_code": "segment_lean_mass", "value_num": 5.05, "body_site": "left arm", "raw_path": "measures.173@3"}),
            json!({"metric_code": "bmr", "value_num": 2252, "raw_path": "measures.226@7"}),
            json!({"metric_code": "height", "value_num": 160, "value_raw": "1.6", "unit_raw": "m", "raw_path": "measures.4"}),
            json!({"metric_code": "lean_mass", "value_num": 76.8, "body_site": null, "raw_path": "measures.5@7"}),
        ],
    );
}

#[test]
fn pressures_and_pulse_are_one_event_and_decimals_are_exact() {
    let measures = json!([{"value": 10_600, "type": 9, "unit": -2}, {"value": 143, "type": 10, "unit": 0}, {"value": 8_250, "type": 11, "unit": -2}]);
    let world = world_of(&[("measures", group(17, &measures))]);
    assert_rows(
        &vitals(&world),
        &[
            json!({"metric_code": "bp_systolic", "value_num": 143, "value_raw": "143", "unit_raw": "mmHg", "flags": []}),
            json!({"metric_code": "heart_rate", "value_num": 82.5, "value_raw": "82.5"}),
            json!({"metric_code": "bp_diastolic", "value_num": 106, "value_raw": "106", "is_self_reported": false}),
        ],
    );
    let events = "select count(distinct event_id) as events, min(observed_at) as at, min(local_date) as day from canonical.biometrics_vitals";
    let found = rows(&mut world.sql(), events);
    assert_eq!(
        (&found[0]["events"], &found[0]["day"]),
        (&json!(1), &json!("2026-11-19")),
        "home is eight hours behind"
    );
    assert!(same(&json!("2026-11-20T07:00:00Z"), &found[0]["at"]));
}

#[test]
fn whose_a_measure_is_and_where_it_came_from() {
    let weight = json!([{"value": 743_100, "type": 1, "unit": -4}]);
    // Somebody else's, perhaps.
    let world = world_of(&[("measures", group(1, &weight))]);
    assert_eq!((vitals(&world).len(), count(&mut world.sql(), "withings_raw.measures")), (0, 1));
    // The person says that it is theirs: the same group under another attribute.
    world.provider.with(|sim| {
        sim.docs = vec![Doc::sent("measures", group(7, &weight))];
        sim.docs[0].changed_at(now());
    });
    world.ingest().expect(0);
    assert_rows(&vitals(&world), &[json!({"value_num": 74.31, "value_raw": "74.31", "flags": []})]);
    let world = world_of(&[("measures", group(2, &weight))]);
    assert_rows(&vitals(&world), &[json!({"value_num": 74.31, "flags": ["manual"], "is_self_reported": true})]);
    let mut copied = group(0, &weight);
    copied["modelid"] = json!(1_058);
    let world = world_of(&[("measures", copied)]);
    assert_rows(&vitals(&world), &[json!({"value_num": 74.31, "flags": ["foreign_copy"]})]);
    let mut goal = group(0, &weight);
    goal["category"] = json!(2);
    assert_eq!(vitals(&world_of(&[("measures", goal)])).len(), 0, "a goal is no weight");
    let share = json!([{"value": 97, "type": 54, "unit": -2}, {"value": 96, "type": 54, "unit": 0, "position": 1}]);
    assert_rows(
        &vitals(&world_of(&[("measures", group(0, &share))])),
        &[
            json!({"value_num": 97, "value_raw": "0.97", "flags": ["unit_assumed"]}),
            json!({"value_num": 96, "value_raw": "96", "flags": [], "body_site": "left wrist"}),
        ],
    );
}

#[test]
fn an_impossible_exponent_costs_its_group_alone() {
    let odd = json!({"grpid": 7, "attrib": 0, "date": 1_795_158_000, "created": 1, "modified": 1_795_158_030, "category": 1,
                     "measures": [{"value": 1, "type": 1, "unit": 400_000}]});
    let mut withings = Withings::nobody();
    let good = group(0, &json!([{"value": 80, "type": 1, "unit": 0}]));
    withings.docs = vec![Doc::sent("measures", odd), Doc::sent("measures", good)];
    let world = World::connected(withings);
    world.ingest().expect(3);
    assert_rows(&vitals(&world), &[json!({"value_num": 80})]);
    assert_eq!(count(&mut world.sql(), "meta.rejects where resource = 'withings.vitals_measures'"), 1);
    assert_eq!(count(&mut world.sql(), "withings_raw.measures"), 2, "and raw keeps it");
}

pub(super) fn night(id: i64, start: i64, end: i64, data: &Value) -> Value {
    json!({"id": id, "timezone": "Europe/Paris", "model": 32, "model_id": 63, "hash_deviceid": "mat", "startdate": start, "enddate": end,
           "date": "2026-11-19", "created": end, "modified": end, "data": data})
}

pub(super) fn stretch(start: i64, end: i64, state: i64, more: &Value) -> Value {
    let mut value = json!({"startdate": start, "enddate": end, "state": state, "model": "Aura Sensor V2", "model_id": 63, "hash_deviceid": "mat"});
    value.as_object_mut().expect("a stretch").extend(more.as_object().expect("values").clone());
    value
}

#[test]
fn a_night_is_made_of_its_stretches_and_a_nap_is_the_shorter_sleep() {
    let start = instant("2026-11-18T22:30:00Z").timestamp();
    let at = |minutes: i64| start + 60 * minutes;
    let data = json!({"total_sleep_time": 18_660, "wakeupduration": 3_060, "lightsleepduration": 10_440, "deepsleepduration": 5_820,
                      "remsleepduration": 2_400, "sleep_efficiency": 0.86, "durationtosleep": 540, "hr_average": 0, "hr_min": 0,
                      "rmssd_start_avg": 41, "rmssd_end_avg": 55, "rr_average": 14, "sleep_score": 37});
    let copied = json!({"asleepduration": 3_600, "lightsleepduration": null, "sleep_score": null});
    let mut nap = night(2, at(900), at(960), &copied);
    nap["model_id"] = json!(1_058);
    let minute = |n: i64| at(n).to_string();
    let values = json!({"hr": {minute(0): 58, minute(1): 0}, "rmssd": {minute(0): 40.5}, "sdnn_1": {minute(0): 61}, "rr": {}, "snoring": {minute(0): 60}});
    let world = world_of(&[
        ("sleep_summary", night(1, at(0), at(362), &data)),
        ("sleep_summary", nap),
        // Neither sorted nor without gaps; one of another device, one that reaches beyond the end.
        ("sleep", stretch(at(300), at(400), 15, &json!({}))),
        ("sleep", stretch(at(0), at(60), 0, &values)),
        ("sleep", stretch(at(90), at(300), 5, &json!({}))),
        ("sleep", stretch(at(60), at(80), 3, &json!({}))),
        ("sleep", {
            let mut other = stretch(at(10), at(20), 2, &json!({}));
            other["hash_deviceid"] = json!("watch");
            other
        }),
    ]);
    let mut sql = world.sql();
    let sessions = rows(
        &mut sql,
        "select raw_source_id, kind, local_date, asleep_s, asleep_unstaged_s, light_s, latency_s, efficiency_pct, hr_avg, hr_min, hrv_rmssd_ms,
                resp_rate, score, stage_scheme, utc_offset_s, tz_name, flags, detail->>'writer' as writer
           from canonical.sleep_sessions order by raw_source_id",
    );
    assert_rows(
        &sessions,
        &[
            json!({"raw_source_id": "1", "kind": "main", "local_date": "2026-11-19", "asleep_s": 18_660, "light_s": 10_440, "latency_s": 540,
                   "efficiency_pct": 86, "hr_avg": null, "hr_min": null, "hrv_rmssd_ms": null, "resp_rate": 14, "score": 37,
                   "stage_scheme": "stages", "utc_offset_s": 3_600, "tz_name": "Europe/Paris", "flags": [], "writer": null}),
            json!({"raw_source_id": "2", "kind": "nap", "asleep_s": 3_600, "asleep_unstaged_s": 3_600, "light_s": null, "score": null,
                   "stage_scheme": "asleep_only", "flags": ["foreign_copy"], "writer": "other"}),
        ],
    );
    let stages = rows(
        &mut sql,
        "select seq, stage, stage_raw, extract(epoch from g.start_at)::bigint as from_s, extract(epoch from g.end_at)::bigint as to_s
           from canonical.sleep_stages g order by seq",
    );
    let of = |seq: i64, stage: &str, raw: &str, from: i64, to: i64| json!({"seq": seq, "stage": stage, "stage_raw": raw, "from_s": at(from), "to_s": at(to)});
    assert_rows(
        &stages,
        &[
            of(0, "awake", "0", 0, 60),
            of(1, "rem", "3", 60, 80),
            of(2, "unknown", "5", 90, 300),
            of(3, "out_of_bed", "15", 300, 362),
        ],
    );
    let points =
        rows(&mut sql, "select metric_code, value_num, local_date, end_at from canonical.sample_points order by seq");
    assert_rows(
        &points,
        &[
            json!({"metric_code": "heart_rate", "value_num": 58, "local_date": "2026-11-18", "end_at": null}),
            json!({"metric_code": "hrv_rmssd", "value_num": 40.5}),
            json!({"metric_code": "hrv_sdnn", "value_num": 61}),
        ],
    );
    let variability = rows(
        &mut sql,
        "select value_num, method from canonical.biometrics_vitals where metric_code = 'hrv_rmssd' order by value_num",
    );
    assert_rows(
        &variability,
        &[
            json!({"value_num": 41, "method": "mean at the beginning of the sleep"}),
            json!({"value_num": 55, "method": "mean at the end of the sleep"}),
        ],
    );
}

#[test]
fn an_hour_of_activity_has_stretches_and_instants() {
    let entries = json!({
        "1795158000": {"heart_rate": 62, "spo2_auto": 97, "duration": 60, "model": "ScanWatch 2", "model_id": 94, "deviceid": "d3"},
        "1795158060": {"steps": 31, "elevation": 0, "calories": 1.2, "distance": 24.5, "duration": 60, "rmssd": 0, "sdnn1": 48},
        "1795158120": {"duration": 600},
    });
    let world = world_of(&[("intraday_activity", entries)]);
    let points = rows(
        &mut world.sql(),
        "select metric_code, value_num, extract(epoch from start_at)::bigint as from_s, extract(epoch from end_at)::bigint as to_s
           from canonical.sample_points order by metric_code",
    );
    assert_rows(
        &points,
        &[
            json!({"metric_code": "distance_total", "value_num": 24.5, "from_s": 1_795_158_060_i64, "to_s": 1_795_158_120_i64}),
            json!({"metric_code": "energy_active", "value_num": 1.2}),
            json!({"metric_code": "floors", "value_num": 0}),
            json!({"metric_code": "heart_rate", "value_num": 62, "from_s": 1_795_158_000_i64, "to_s": null}),
            json!({"metric_code": "hrv_sdnn", "value_num": 48, "to_s": null}),
            json!({"metric_code": "spo2", "value_num": 97}),
            json!({"metric_code": "steps", "value_num": 31, "to_s": 1_795_158_120_i64}),
        ],
    );
}
