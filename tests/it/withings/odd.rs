//! Values that contradict themselves or that nobody could have measured: each counts for itself, and costs no other.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::records::{assert_rows, group, night, stretch, vitals, world_of};
use crate::providers::withings::{Doc, Withings};
use crate::support::rows::{count, rows};
use crate::support::truth::instant;
use crate::support::world::{World, now};

const STAGES: &str = "select s.flags, array_agg(g.seq || ' ' || g.stage || ' ' || to_char(g.start_at at time zone 'UTC', 'HH24:MI') || '-' || to_char(g.end_at at time zone 'UTC', 'HH24:MI') order by g.seq) as stages
                        from canonical.sleep_sessions s join canonical.sleep_stages g using (user_id, sleep_id) group by 1";

#[test]
fn stretches_lie_inside_their_sleep_and_beside_each_other() {
    let start = instant("2026-11-18T22:00:00Z").timestamp();
    let at = |minutes: i64| start + 60 * minutes;
    let of = |from: i64, to: i64, state: i64| ("sleep", stretch(at(from), at(to), state, &json!({})));
    let sleep = ("sleep_summary", night(1, at(0), at(480), &json!({"total_sleep_time": 20_000})));
    // One lasts no time.
    let world = world_of(&[sleep.clone(), of(-30, 60, 0), of(60, 60, 3), of(60, 500, 1)]);
    assert_eq!(count(&mut world.sql(), "meta.rejects"), 0);
    let expected = json!({"flags": [], "stages": ["0 awake 22:00-23:00", "1 light 23:00-06:00"]});
    assert_eq!(rows(&mut world.sql(), STAGES), [expected]);
    // Two are in one place.
    let world = world_of(&[sleep, of(0, 60, 1), of(30, 120, 2), of(120, 150, 3), of(120, 180, 0)]);
    let stages = ["0 light 22:00-22:30", "1 deep 22:30-00:00", "2 awake 00:00-01:00"];
    assert_eq!(rows(&mut world.sql(), STAGES), [json!({"flags": ["stage_sum_mismatch"], "stages": stages})]);
}

#[test]
fn a_measure_that_says_nothing_makes_no_row() {
    let measures = json!([{"value": null, "type": 1, "unit": -3}, {"value": 74_310, "type": 5}, {"value": 0, "type": 11, "unit": 0},
                          {"value": 0, "type": 54, "unit": 0}, {"value": null, "type": 155, "unit": 0}, {"value": 0, "type": 88, "unit": -2}]);
    let world = world_of(&[("measures", group(0, &measures))]);
    assert_rows(&vitals(&world), &[json!({"metric_code": "bone_mass", "value_num": 0})]);
    assert_eq!(count(&mut world.sql(), "canonical.scores"), 0);
    let mut copied = group(0, &json!([{"value": 743_100, "type": 1, "unit": -4}]));
    copied.as_object_mut().expect("a group").remove("modelid");
    copied["model_id"] = json!(1_055);
    assert_rows(&vitals(&world_of(&[("measures", copied)])), &[json!({"value_num": 74.31, "flags": ["foreign_copy"]})]);
}

#[test]
fn a_day_is_partial_where_it_was_read_before_its_end() {
    let modified = instant("2026-11-11T06:30:00Z"); // 22:30 of the day before at home
    let day = |date: &str, modified: i64| json!({"date": date, "timezone": "America/Los_Angeles", "deviceid": "d", "brand": 1, "is_tracker": true, "steps": 9_000, "modified": modified});
    let partial = "select local_date, is_partial, flags from canonical.daily_summaries order by 1";
    let mut sim = Withings::nobody();
    sim.docs = vec![
        Doc::sent("activity", day("2026-11-10", modified.timestamp())),
        Doc::sent("activity", day("2026-11-20", (now() - TimeDelta::minutes(5)).timestamp())),
    ];
    let world = World::connected(sim);
    world.ingest().expect(0);
    let of = |day: &str, is_partial: bool| json!({"local_date": day, "is_partial": is_partial, "flags": if is_partial { json!(["partial_day"]) } else { json!([]) }});
    assert_eq!(
        rows(&mut world.sql(), partial),
        [of("2026-11-10", false), of("2026-11-20", true)],
        "ten days later nothing is missing of the first"
    );
}

#[test]
fn a_sport_has_the_name_that_other_sources_give_it() {
    let start = instant("2026-11-18T20:00:00Z").timestamp();
    let known = [
        (497, "fishing"),
        (499, "snowshoeing"),
        (501, "archery"),
        (524, "gravel_cycling"),
        (525, "e_biking"),
        (526, "e_mountain_biking"),
        (527, "hand_cycling"),
        (528, "velomobile"),
        (529, "backcountry_skiing"),
        (531, "roller_skiing"),
        (532, "racquetball"),
        (564, "bowling"),
    ];
    let workouts: Vec<(&str, Value)> = (known.iter())
        .map(|(category, _)| {
            ("workouts", json!({"id": category, "category": category, "timezone": "UTC", "attrib": 0, "startdate": start, "enddate": start + 3_600,
                                "date": "2026-11-18", "modified": start + 3_700, "data": {}}))
        })
        .collect();
    let world = world_of(&workouts);
    let held = rows(&mut world.sql(), "select sport_raw::integer as said, sport from canonical.workouts order by 1");
    let expected: Vec<Value> = known.iter().map(|(said, sport)| json!({"said": said, "sport": sport})).collect();
    assert_eq!(held, expected);
}

#[test]
fn a_reading_that_is_no_number_costs_no_other() {
    let entries = json!({
        "1795158000": {"steps": 31, "duration": null, "heart_rate": "61"},
        "1795158060": {"steps": "zz", "duration": 60, "heart_rate": 62},
        "1795158120": {"steps": true, "duration": "60", "calories": "1.5", "distance": ""},
    });
    let mut withings = Withings::nobody();
    withings.docs = vec![Doc::sent("intraday_activity", entries)];
    let world = World::connected(withings);
    world.ingest().expect(3);
    let points =
        "select metric_code as metric, value_num as value, extract(epoch from end_at - start_at)::integer as lasts
                    from canonical.sample_points order by metric_code, start_at";
    let of = |metric: &str, value: Value, lasts: Value| json!({"metric": metric, "value": value, "lasts": lasts});
    let mut expected = vec![
        of("energy_active", json!(1.5), json!(60)),
        of("heart_rate", json!(61), json!(null)),
        of("heart_rate", json!(62), json!(null)),
        of("steps", json!(31), json!(null)),
    ];
    assert_eq!(rows(&mut world.sql(), points), expected);
    let rejects = "select resource, code, detail, resolved_run_id is null as is_open from meta.rejects";
    let refused = |is_open: bool| json!({"resource": "withings.series_intraday", "code": "22P02", "detail": "a text is not of the type it should be", "is_open": is_open});
    assert_eq!(rows(&mut world.sql(), rejects), [refused(true)]);
    // A rebuild makes the same of it, and what is mended at Withings is used.
    world.health(&["transform", "withings", "--rebuild"]).expect(3);
    assert_eq!(rows(&mut world.sql(), points), expected);
    world.provider.with(|sim| {
        sim.docs[0].value["1795158060"]["steps"] = json!(32);
        sim.docs[0].value["1795158120"]["steps"] = json!(33);
    });
    world.health(&["ingest", "withings", "intraday_activity", "--since", "2026-11-18", "--force"]).expect(0);
    expected.extend([of("steps", json!(32), json!(60)), of("steps", json!(33), json!(60))]);
    assert_eq!(rows(&mut world.sql(), points), expected);
    assert_eq!(rows(&mut world.sql(), rejects), [refused(false)]);
}

const POINTS: &str = "select o.raw_path, o.flags, o.quality::double precision as quality, array_agg(p.metric_code || ' ' || p.value_num order by p.seq, p.metric_code) as points
                        from canonical.sample_origins o join canonical.sample_points p using (user_id, origin_id) where o.retired_at is null group by 1, 2, 3 order by 1";

#[test]
fn an_odd_value_speaks_for_itself_alone() {
    let entries = json!({
        "1795158000": {"heart_rate": 62, "duration": 60},
        "1795158060": {"steps": 31, "duration": 60, "spo2_auto": 97},
        "1795158120": {"spo2_auto": 0.11, "heart_rate": 900},
        "1795158180": {"spo2_auto": 0, "heart_rate": 0, "spo2": 1},
        "1795158240": {"spo2_auto": 0.97},
    });
    let world = world_of(&[("intraday_activity", entries)]);
    let of = |path: &str, flags: Value, quality: Value, points: Value| json!({"raw_path": path, "flags": flags, "quality": quality, "points": points});
    let held = rows(
        &mut world.sql(),
        &POINTS.replace("o.quality::double precision", "round(o.quality::numeric, 3)::double precision"),
    );
    assert_eq!(
        held,
        [
            of("", json!([]), json!(1), json!(["heart_rate 62", "spo2 97", "steps 31"])),
            of("implausible", json!(["implausible"]), json!(0.1), json!(["heart_rate 900"])),
            of("implausible unit_assumed", json!(["implausible", "unit_assumed"]), json!(0.07), json!(["spo2 11"])),
            of("unit_assumed", json!(["unit_assumed"]), json!(0.7), json!(["spo2 97"])),
        ]
    );
}
