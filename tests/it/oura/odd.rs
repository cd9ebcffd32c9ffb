//! Documents that contradict themselves, and values that are none.

use std::time::Duration;

use serde_json::{Value, json};

use crate::providers::oura::{Doc, Oura};
use crate::support::rows::{count, rows};
use crate::support::world::World;

#[test]
fn a_workout_with_the_offset_of_greenwich_is_of_the_day_that_it_says() {
    let workout = |id: &str, day: &str, start: &str, end: &str| {
        let value = json!({"id": id, "day": day, "activity": "running", "intensity": "hard", "source": "manual", "start_datetime": start, "end_datetime": end});
        Doc::sent("workout", value)
    };
    let mut oura = Oura::nobody();
    oura.docs = vec![
        // Half past five in the afternoon at home, on the coast.
        workout("1", "2026-11-18", "2026-11-19T01:30:00+00:00", "2026-11-19T02:30:00+00:00"),
        // Of a day that neither Greenwich nor home makes of it.
        workout("2", "2026-11-16", "2026-11-18T01:30:00+00:00", "2026-11-18T02:30:00+00:00"),
        // Nothing speaks against it.
        workout("3", "2026-11-17", "2026-11-17T20:30:00+00:00", "2026-11-17T21:30:00+00:00"),
        // In London, where a day of Oura's may go on after midnight.
        workout("4", "2026-11-11", "2026-11-12T01:30:00+00:00", "2026-11-12T02:30:00+00:00"),
        // Another offset was thought of.
        workout("5", "2026-11-09", "2026-11-10T01:30:00+05:30", "2026-11-10T02:30:00+05:30"),
    ];
    let world = World::connected(oura);
    world.health(&["zones", "set", "Europe/London", "--from", "2026-11-11", "--until", "2026-11-14"]).expect(0);
    world.ingest().expect(0);
    let held = |world: &World<Oura>| {
        let sql = "select raw_source_id as id, local_date as day, utc_offset_s as offset_s, tz_name as zone, tz_basis as basis, flags from canonical.workouts order by 1";
        rows(&mut world.sql(), sql)
    };
    let of = |id: &str, day: &str, offset: Value, zone: Value, basis: &str, flags: Value| json!({"id": id, "day": day, "offset_s": offset, "zone": zone, "basis": basis, "flags": flags});
    let odd = json!(["manual", "tz_ambiguous"]);
    let mut expected = [
        of("1", "2026-11-18", json!(-28_800), json!("America/Los_Angeles"), "home", odd.clone()),
        of("2", "2026-11-16", json!(null), json!(null), "none", json!(["tz_unknown", "manual", "tz_ambiguous"])),
        of("3", "2026-11-17", json!(0), json!(null), "record", json!(["manual"])),
        of("4", "2026-11-12", json!(0), json!(null), "record", json!(["manual"])),
        of("5", "2026-11-10", json!(19_800), json!(null), "record", json!(["manual"])),
    ];
    assert_eq!(held(&world), expected);
    // The person was elsewhere: it follows, without asking Oura.
    world.health(&["zones", "set", "Pacific/Honolulu", "--from", "2026-11-17"]).expect(0);
    expected[0] = of("1", "2026-11-18", json!(-36_000), json!("Pacific/Honolulu"), "home", odd);
    assert_eq!(held(&world), expected);
}

/// What two records say of one day is one row: the one whose key comes later counts, in a first load as in any other.
#[test]
fn two_records_of_one_day_are_one_day() {
    let steps = |id: &str, day: &str, steps: u32| {
        let timestamp = format!("{day}T04:00:00-08:00");
        Doc::sent("daily_activity", json!({"id": id, "day": day, "timestamp": timestamp, "steps": steps}))
    };
    let mut oura = Oura::nobody();
    oura.docs = vec![steps("a", "2026-11-16", 5000), steps("b", "2026-11-16", 6000), steps("c", "2026-11-17", 7000)];
    let world = World::connected(oura);
    world.ingest().expect(0);
    let held = |world: &World<Oura>| {
        let sql = "select local_date as day, raw_source_id as id, value_num as steps from canonical.daily_summaries where metric_code = 'steps' and retired_at is null order by 1";
        rows(&mut world.sql(), sql)
    };
    let expected = [
        json!({"day": "2026-11-16", "id": "b", "steps": 6000}),
        json!({"day": "2026-11-17", "id": "c", "steps": 7000}),
    ];
    assert_eq!(held(&world), expected);
    world.provider.with(|oura| oura.docs[0] = steps("a", "2026-11-16", 5500));
    world.later(Duration::from_hours(1));
    world.ingest().expect(0);
    assert_eq!(held(&world), expected);
    world.health(&["transform", "oura", "--rebuild"]).expect(0);
    assert_eq!(held(&world), expected);
    assert_eq!(count(&mut world.sql(), "oura_raw.daily_activity where payload->>'steps' = '5500'"), 1);
}

#[test]
fn a_heart_rate_that_is_no_number_is_a_reject_and_its_neighbours_stay() {
    let mut oura = Oura::nobody();
    for (minute, bpm) in [(0, json!(61)), (5, json!("fast")), (10, json!(null)), (15, json!(400)), (20, json!("63"))] {
        let said = json!({"timestamp": format!("2026-11-19T10:{minute:02}:00Z"), "bpm": bpm, "source": "awake"});
        oura.docs.push(Doc::sent("heartrate", said));
    }
    let at_rest = json!({"timestamp": "2026-11-19T10:30:00Z", "bpm": 52, "source": "rest"});
    oura.docs.push(Doc::sent("heartrate", at_rest));
    oura.docs.push(Doc::sent(
        "session",
        json!({"id": "s", "day": "2026-11-19", "type": "breathing", "start_datetime": "2026-11-19T12:00:00+01:00", "end_datetime": "2026-11-19T12:10:00+01:00",
               "heart_rate": {"interval": 5.0, "timestamp": "2026-11-19T12:00:00.000+01:00", "items": [70, null, "calm", true, "71"]}}),
    ));
    let world = World::connected(oura);
    world.ingest().expect(3);
    let held = |world: &World<Oura>| {
        let sql = "select value_num, raw_source_id, raw_path, flags from api.samples where metric_code = 'heart_rate' order by start_at";
        rows(&mut world.sql(), sql)
    };
    let point = |value: i64, id: &str, path: &str, flags: &[&str]| json!({"value_num": value, "raw_source_id": id, "raw_path": path, "flags": flags});
    let (awake, rest) = ("2026-11-19T10:00:00Z|awake", "2026-11-19T10:00:00Z|rest");
    let mut expected = vec![
        point(61, awake, "data[0]", &[]),
        // One that cannot be true does not speak against its hour.
        point(400, awake, "data utc-28800 implausible[3]", &["implausible"]),
        point(63, awake, "data[4]", &[]),
        point(52, rest, "data[0]", &[]),
        point(70, "s", "heart_rate[0]", &[]),
        point(71, "s", "heart_rate[4]", &[]),
    ];
    assert_eq!(held(&world), expected);
    let rejects = "select resource, code, detail from meta.rejects where resolved_run_id is null order by 1";
    let refused = |model: &str| json!({"resource": format!("oura.{model}"), "code": "22P02", "detail": "a text is not of the type it should be"});
    assert_eq!(rows(&mut world.sql(), rejects), [refused("series_heartrate_awake"), refused("series_session")]);
    world.health(&["transform", "oura", "--rebuild"]).expect(3);
    assert_eq!(held(&world), expected);
    // What is mended at Oura is used, and the reject is closed.
    world.provider.with(|sim| {
        sim.docs[1].value["bpm"] = json!(62);
        sim.docs[6].value["heart_rate"]["items"] = json!([70, null, null, null, 71]);
    });
    world.ingest().expect(0);
    expected.insert(1, point(62, awake, "data[1]", &[]));
    assert_eq!(held(&world), expected);
    assert_eq!(count(&mut world.sql(), "meta.rejects where resolved_run_id is null"), 0);
}
