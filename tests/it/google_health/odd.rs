//! Records in their oddest forms, with the canonical rows that they mean, stated by hand.

use serde_json::{Value, json};

use crate::providers::google_health::{Google, Point};
use crate::support::rows::{count, rows};
use crate::support::world::World;

/// A world whose person has just these points.
fn world_of(points: &[(&'static str, Value)]) -> World<Google> {
    let mut google = Google::nobody();
    google.points = points.iter().map(|(resource, value)| Point::sent(resource, value.clone())).collect();
    World::connected(google)
}

fn of_day(day: i64, mut said: Value) -> Value {
    said["civilStartTime"] = json!({"date": {"year": 2026, "month": 11, "day": day}, "time": {}});
    said["civilEndTime"] = json!({"date": {"year": 2026, "month": 11, "day": day + 1}, "time": {}});
    said
}

fn of_watch(name: &str, mut said: Value) -> Value {
    said["dataSource"] =
        json!({"recordingMethod": "PASSIVELY_MEASURED", "platform": "FITBIT", "device": {"displayName": "Charge 6"}});
    if !name.is_empty() {
        said["name"] = json!(format!("users/me/dataTypes/{name}"));
    }
    said
}

fn moment(at: &str) -> Value {
    json!({"physicalTime": at, "utcOffset": "-28800s"})
}

fn interval(start: &str, end: &str) -> Value {
    json!({"startTime": start, "startUtcOffset": "-28800s", "endTime": end, "endUtcOffset": "-28800s"})
}

#[test]
fn an_empty_total_is_zero_and_one_that_is_not_there_is_unknown() {
    let world = world_of(&[
        ("steps_roll_up", of_day(17, json!({"steps": {}}))),
        ("steps_roll_up", of_day(16, json!({}))),
        ("steps_roll_up", of_day(15, json!({"steps": null}))),
        ("active_zone_minutes_roll_up", of_day(17, json!({"activeZoneMinutes": {}}))),
        ("active_zone_minutes_roll_up", of_day(16, json!({}))),
        ("active_zone_minutes_roll_up", of_day(15, json!({"activeZoneMinutes": {"sumInCardioHeartZone": "4"}}))),
        (
            "time_in_heart_rate_zone_roll_up",
            of_day(17, json!({"timeInHeartRateZone": {"timeInHeartRateZones": [{"heartRateZone": "PEAK"}]}})),
        ),
        ("time_in_heart_rate_zone_roll_up", of_day(16, json!({"timeInHeartRateZone": {"timeInHeartRateZones": null}}))),
    ]);
    world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "google_health_raw.steps_roll_up"), 3, "all are kept");
    let held = rows(
        &mut sql,
        "select metric_code as metric, local_date as day, value_num as value, flags from canonical.daily_summaries order by 1, 2",
    );
    let of = |metric: &str, day: i64, value: i64| json!({"metric": metric, "day": format!("2026-11-{day}"), "value": value, "flags": []});
    assert_eq!(
        held,
        [
            of("active_zone_minutes", 15, 4),
            of("active_zone_minutes", 17, 0),
            of("hr_zone_peak_time", 17, 0),
            of("steps", 17, 0)
        ]
    );
}

#[test]
fn units_are_converted_in_decimal() {
    let at = moment("2026-11-18T15:00:00Z");
    let meal = interval("2026-11-18T15:00:00Z", "2026-11-18T15:00:00Z");
    let nutrients = json!([{"nutrient": "SODIUM", "quantity": {"grams": 0.0019}}, {"nutrient": "CAFFEINE", "quantity": {"grams": 0.0041}}]);
    let world = world_of(&[
        ("weight", of_watch("weight/dataPoints/1", json!({"weight": {"weightGrams": 73_710, "sampleTime": at}}))),
        ("height", of_watch("height/dataPoints/1", json!({"height": {"heightMillimeters": "1783", "sampleTime": at}}))),
        (
            "daily_sleep_temperature_derivations",
            of_watch(
                "",
                json!({"dailySleepTemperatureDerivations": {"date": {"year": 2026, "month": 11, "day": 18},
                       "nightlyTemperatureCelsius": 34.1, "baselineTemperatureCelsius": 33.8}}),
            ),
        ),
        ("distance_roll_up", of_day(18, json!({"distance": {"millimetersSum": "1001"}}))),
        (
            "distance",
            of_watch(
                "",
                json!({"distance": {"millimeters": "1001", "interval": interval("2026-11-18T15:00:00Z", "2026-11-18T15:01:00Z")}}),
            ),
        ),
        (
            "nutrition_log",
            of_watch(
                "nutrition-log/dataPoints/1",
                json!({"nutritionLog": {"interval": meal, "mealType": "LUNCH", "foodDisplayName": "Broth", "nutrients": nutrients}}),
            ),
        ),
    ]);
    world.ingest().expect(0);
    let mut sql = world.sql();
    let held = rows(
        &mut sql,
        "select metric_code as metric, value_num as value from canonical.biometrics_vitals
          union all select metric_code, value_num from canonical.daily_summaries
          union all select metric_code || ' point', value_num from canonical.sample_points
          union all select 'sodium', sodium_mg from canonical.nutrition_entries
          union all select 'caffeine', caffeine_mg from canonical.nutrition_entries order by 1",
    );
    let of = |metric: &str, value: f64| json!({"metric": metric, "value": value});
    assert_eq!(
        held,
        [
            of("caffeine", 4.1),
            of("distance_total", 1.001),
            of("distance_total point", 1.001),
            of("height", 178.3),
            of("skin_temperature", 34.1),
            of("skin_temperature_delta", 0.3),
            of("sodium", 1.9),
            of("weight", 73.71),
        ]
    );
}

/// A night from 22:00 to 06:00 on the coast, so many days into November.
fn night(day: i64, said: &Value) -> (&'static str, Value) {
    let mut sleep = json!({"interval": interval(&format!("2026-11-{day}T06:00:00Z"), &format!("2026-11-{day}T14:00:00Z")), "type": "STAGES",
                           "metadata": {"processed": true, "mainSleep": true}});
    sleep.as_object_mut().expect("a sleep").extend(said.as_object().expect("members").clone());
    ("sleep", of_watch(&format!("sleep/dataPoints/{day}"), json!({"sleep": sleep})))
}

#[test]
fn a_night_without_a_summary_or_stages_says_nothing_of_them() {
    let whole = json!({"minutesInSleepPeriod": "480", "minutesAsleep": "420"});
    let world = world_of(&[
        night(15, &json!({"summary": {}, "stages": []})),
        night(16, &json!({"summary": null, "stages": null, "metadata": {"processed": true, "nap": null}})),
        night(17, &json!({"summary": {"stagesSummary": null, "minutesInSleepPeriod": "480"}})),
        night(18, &json!({"summary": whole})),
    ]);
    world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "meta.rejects"), 0);
    let held = rows(
        &mut sql,
        "select extract(day from local_date)::integer as day, kind, in_bed_s, asleep_s, awake_s, latency_s, light_s, efficiency_pct, stage_scheme, flags
           from canonical.sleep_sessions order by 1",
    );
    let unknown = |day: i64, kind: &str| {
        json!({"day": day, "kind": kind, "in_bed_s": null, "asleep_s": null, "awake_s": null, "latency_s": null, "light_s": null,
               "efficiency_pct": null, "stage_scheme": null, "flags": []})
    };
    let known = |day: i64, asleep: i64, efficiency: Value| {
        json!({"day": day, "kind": "main", "in_bed_s": 28_800, "asleep_s": asleep, "awake_s": 0, "latency_s": 0, "light_s": null,
               "efficiency_pct": efficiency, "stage_scheme": null, "flags": []})
    };
    assert_eq!(
        held,
        [unknown(15, "main"), unknown(16, "unknown"), known(17, 0, json!(0)), known(18, 25_200, json!(87.5))],
        "what a summary with a period leaves out is zero"
    );
}

#[test]
fn stages_lie_inside_their_sleep_and_beside_each_other() {
    let stage = |from: &str, to: &str, word: &str| json!({"startTime": format!("2026-11-18T{from}:00Z"), "endTime": format!("2026-11-18T{to}:00Z"), "type": word});
    let world = world_of(&[
        night(
            18,
            &json!({"stages": [stage("05:00", "07:00", "LIGHT"), stage("07:00", "07:00", "AWAKE"), stage("07:00", "15:00", "DEEP")]}),
        ),
        night(17, &{
            let text = json!([
                stage("06:00", "08:00", "LIGHT"),
                stage("07:00", "09:00", "DEEP"),
                stage("09:00", "09:30", "REM"),
                stage("09:00", "10:00", "AWAKE")
            ]);
            json!({"stages": serde_json::from_str::<Value>(&text.to_string().replace("11-18", "11-17")).expect("stages")})
        }),
    ]);
    world.ingest().expect(0);
    let mut sql = world.sql();
    let held = rows(
        &mut sql,
        "select s.flags, (s.start_at at time zone 'UTC')::date as day
              , array_agg(g.seq || ' ' || g.stage || ' ' || to_char(g.start_at at time zone 'UTC', 'HH24:MI') || '-' || to_char(g.end_at at time zone 'UTC', 'HH24:MI') order by g.seq) as stages
           from canonical.sleep_sessions s join canonical.sleep_stages g using (user_id, sleep_id) group by 1, 2 order by 2",
    );
    assert_eq!(
        held,
        [
            json!({"day": "2026-11-17", "flags": ["stage_sum_mismatch"],
                   "stages": ["0 light 06:00-07:00", "1 deep 07:00-09:00", "2 awake 09:00-10:00"]}),
            json!({"day": "2026-11-18", "flags": [], "stages": ["0 light 06:00-07:00", "1 deep 07:00-14:00"]}),
        ]
    );
}

#[test]
fn a_sport_has_one_name_and_a_time_below_zero_is_not_believed() {
    let exercise = |said: &str, active: &str| {
        let time = interval("2026-11-18T20:00:00Z", "2026-11-18T21:00:00Z");
        let value = json!({"exercise": {"exerciseType": said, "displayName": said, "activeDuration": active, "interval": time}});
        ("exercise", of_watch(&format!("exercise/dataPoints/{said}"), value))
    };
    let known = [
        ("ARCHERY", "archery"),
        ("BOWLING", "bowling"),
        ("CURLING", "curling"),
        ("ELECTRIC_BIKE", "e_biking"),
        ("FISHING", "fishing"),
        ("FITNESS_GAMING", "fitness_gaming"),
        ("HAND_CYCLING", "hand_cycling"),
        ("HUNTING", "hunting"),
        ("RACQUETBALL", "racquetball"),
        ("SNOWSHOEING", "snowshoeing"),
        ("STEP_TRAINING", "step_training"),
    ];
    let mut points: Vec<_> = known.iter().map(|(said, _)| exercise(said, "3400s")).collect();
    points.push(exercise("RUNNING", "-5s"));
    let world = world_of(&points);
    world.ingest().expect(0);
    let mut sql = world.sql();
    let held = rows(&mut sql, "select sport_raw, sport, moving_s, flags from canonical.workouts order by sport_raw");
    let mut expected: Vec<Value> = (known.iter())
        .map(|(said, sport)| json!({"sport_raw": said, "sport": sport, "moving_s": 3_400, "flags": []}))
        .collect();
    expected.push(json!({"sport_raw": "RUNNING", "sport": "running", "moving_s": -5, "flags": ["implausible"]}));
    expected.sort_by_key(|row| row["sport_raw"].as_str().expect("a word").to_owned());
    assert_eq!(held, expected);
}

#[test]
fn a_reading_that_is_no_number_costs_no_other() {
    let rate = |second: i64, said: Value| {
        let time = moment(&format!("2026-11-19T12:00:0{second}Z"));
        ("heart_rate", of_watch("", json!({"heartRate": {"beatsPerMinute": said, "sampleTime": time}})))
    };
    let steps = |minute: i64, mut said: Value| {
        said["interval"] =
            interval(&format!("2026-11-19T12:0{minute}:00Z"), &format!("2026-11-19T12:0{}:00Z", minute + 1));
        ("steps", of_watch("", json!({"steps": said})))
    };
    let world = world_of(&[
        rate(1, json!("70")),
        rate(2, json!("abc")),
        rate(3, json!(null)),
        rate(4, json!(71.5)),
        rate(5, json!({})),
        rate(6, json!("72.5")),
        steps(1, json!({"count": "12"})),
        steps(2, json!({})),
        steps(3, json!({"count": "some"})),
        steps(4, json!({"count": null})),
    ]);
    world.ingest().expect(3);
    let mut sql = world.sql();
    let points = "select metric_code as metric, seq, value_num as value from canonical.sample_points order by 1, 2";
    let of = |metric: &str, seq: i64, value: Value| json!({"metric": metric, "seq": seq, "value": value});
    assert_eq!(
        rows(&mut sql, points),
        [
            of("heart_rate", 0, json!(70)),
            of("heart_rate", 3, json!(71.5)),
            of("heart_rate", 5, json!(72.5)),
            of("steps", 0, json!(12)),
            of("steps", 1, json!(0)),
        ],
        "a count that is left out is zero, one that cannot be read is not"
    );
    let rejects = rows(&mut sql, "select resource, code from meta.rejects where resolved_run_id is null order by 1");
    let of = |model: &str| json!({"resource": format!("google_health.{model}"), "code": "22P02"});
    assert_eq!(rejects, [of("series_heart_rate"), of("series_steps")]);
    assert_eq!(count(&mut sql, "google_health_raw.heart_rate"), 1, "raw keeps the hour");
}
