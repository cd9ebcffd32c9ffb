//! Workouts and the phone's own summaries of a day, stated by hand.

use serde_json::{Value, json};

use super::Phone;
use super::exports::{Export, zipped};
use crate::support::rows::{count, rows, value};

/// An export of the first of February that holds these elements.
fn holding(elements: &str) -> String {
    let mut export = Export::new("2026-02-01");
    elements.clone_into(&mut export.rest);
    export.xml()
}

const RUN: &str = r#" <Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="25.5" durationUnit="min" totalDistance="9" totalDistanceUnit="km" sourceName="Watch" creationDate="2026-01-10 09:31:00 -0800" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800">
  <MetadataEntry key="HKTimeZone" value="Europe/Berlin"/>
  <MetadataEntry key="HKIndoorWorkout" value="0"/>
  <MetadataEntry key="HKElevationAscended" value="418 cm"/>
  <MetadataEntry key="HKExternalUUID" value="7d1c"/>
  <WorkoutEvent type="HKWorkoutEventTypeLap" date="2026-01-10 09:00:00 -0800" duration="10" durationUnit="min"/>
  <WorkoutEvent type="HKWorkoutEventTypePause" date="2026-01-10 09:10:00 -0800"/>
  <WorkoutEvent type="HKWorkoutEventTypeResume" date="2026-01-10 09:14:30 -0800"/>
  <WorkoutEvent type="HKWorkoutEventTypeLap" date="2026-01-10 09:14:30 -0800" duration="15.5" durationUnit="min"/>
  <WorkoutActivity uuid="A1" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" duration="25.5" durationUnit="min">
   <WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" sum="300" unit="Cal"/>
  </WorkoutActivity>
  <WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" sum="300" unit="Cal"/>
  <WorkoutStatistics type="HKQuantityTypeIdentifierBasalEnergyBurned" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" sum="40" unit="Cal"/>
  <WorkoutStatistics type="HKQuantityTypeIdentifierDistanceWalkingRunning" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" sum="3" unit="mi"/>
  <WorkoutStatistics type="HKQuantityTypeIdentifierHeartRate" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" average="142.5" minimum="90" maximum="171" unit="count/min"/>
  <WorkoutStatistics type="HKQuantityTypeIdentifierStepCount" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" sum="4321" unit="count"/>
  <WorkoutStatistics type="HKQuantityTypeIdentifierRunningSpeed" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800" average="10.8" maximum="14.4" unit="km/hr"/>
  <WorkoutRoute sourceName="Watch" startDate="2026-01-10 09:00:00 -0800" endDate="2026-01-10 09:30:00 -0800">
   <FileReference path="/workout-routes/route_2026-01-10_9.30am.gpx"/>
  </WorkoutRoute>
 </Workout>
"#;

#[test]
fn a_run_in_the_units_of_the_dictionary() {
    let phone = Phone::new();
    phone.import_text("export.zip", zipped(&[("apple_health_export/export.xml", &holding(RUN))]));
    let mut found = rows(
        &mut phone.sql(),
        "select sport, sport_raw, start_at, end_at, local_date, elapsed_s, moving_s, round(distance_m::numeric, 3)::text as distance_m,
                energy_active_kcal, energy_total_kcal, steps, elev_gain_m, hr_avg, hr_max, speed_avg_mps, speed_max_mps, is_indoor,
                track_ref, upstream_hint, laps, detail->'events' as events, detail->'activities' as activities, utc_offset_s, tz_name, tz_basis, flags
           from canonical.workouts",
    );
    let expected = json!({
        "sport": "running", "sport_raw": "Running", "start_at": "2026-01-10T17:00:00+00:00", "end_at": "2026-01-10T17:30:00+00:00",
        "local_date": "2026-01-10", "elapsed_s": 1800, "moving_s": 1530, "distance_m": "4828.032", "energy_active_kcal": 300,
        "energy_total_kcal": 340, "steps": 4321, "elev_gain_m": 4.18, "hr_avg": 142.5, "hr_max": 171, "speed_avg_mps": 3,
        "speed_max_mps": 4, "is_indoor": false, "track_ref": "/workout-routes/route_2026-01-10_9.30am.gpx", "upstream_hint": "7d1c",
        "laps": [{"kind": "lap", "start_at": "2026-01-10T17:00:00+00:00", "duration_s": 600},
                 {"kind": "lap", "start_at": "2026-01-10T17:14:30+00:00", "duration_s": 930}],
        "events": [{"kind": "pause", "at": "2026-01-10T17:10:00+00:00"}, {"kind": "resume", "at": "2026-01-10T17:14:30+00:00"}],
        "activities": [{"uuid": "A1", "start_at": "2026-01-10T17:00:00+00:00", "end_at": "2026-01-10T17:30:00+00:00", "duration_s": 1530}],
        "utc_offset_s": 3600, "tz_name": "Europe/Berlin", "tz_basis": "record", "flags": []
    });
    assert_eq!(found.len(), 1);
    let found = found.remove(0);
    for (name, said) in expected.as_object().expect("an object") {
        let same = match (found[name].as_f64(), said.as_f64()) {
            (Some(found), Some(said)) => (found - said).abs() < 1e-4,
            _ => &found[name] == said,
        };
        assert!(same, "{name}: {} is not {said}", found[name]);
    }
}

/// Older exports have totals as attributes; a name nobody knows is other; a unit nobody knows is no number.
#[test]
fn what_older_and_foreign_workouts_say() {
    let phone = Phone::new();
    let workout = |kind: &str, at: &str, rest: &str| {
        format!(
            " <Workout workoutActivityType=\"HKWorkoutActivityType{kind}\" sourceName=\"App\" startDate=\"2026-01-10 {at}:00:00 -0800\" \
             endDate=\"2026-01-10 {at}:45:00 -0800\" {rest}/>\n"
        )
    };
    let old = "duration=\"2700\" durationUnit=\"s\" totalDistance=\"10\" totalDistanceUnit=\"mi\" totalEnergyBurned=\"418.4\" totalEnergyBurnedUnit=\"kJ\"";
    let all = workout("Cycling", "08", old)
        + &workout("QuidditchTraining", "10", "")
        + &workout("HighIntensityIntervalTraining", "12", "totalDistance=\"3\" totalDistanceUnit=\"league\"");
    phone.import_text("export.xml", holding(&all)).expect(0);
    let found: Vec<Value> = rows(
        &mut phone.sql(),
        "select sport, sport_raw, moving_s, round(distance_m) as distance, round(energy_active_kcal::numeric, 3) as energy, flags
           from canonical.workouts order by start_at",
    );
    assert_eq!(
        found,
        [
            json!({"sport": "cycling", "sport_raw": "Cycling", "moving_s": 2700, "distance": 16093, "energy": 100.000, "flags": []}),
            json!({"sport": "other", "sport_raw": "HKWorkoutActivityTypeQuidditchTraining", "moving_s": null, "distance": null,
                "energy": null, "flags": []}),
            json!({"sport": "hiit", "sport_raw": "HighIntensityIntervalTraining", "moving_s": null, "distance": null, "energy": null,
                "flags": ["unit_unknown"]}),
        ]
    );
}

fn summary(day: &str, energy: &str, exercise: &str) -> String {
    format!(
        " <ActivitySummary dateComponents=\"{day}\" activeEnergyBurned=\"{energy}\" activeEnergyBurnedGoal=\"500\" \
         activeEnergyBurnedUnit=\"kcal\" appleMoveTime=\"0\" appleMoveTimeGoal=\"0\" appleExerciseTime=\"{exercise}\" \
         appleExerciseTimeGoal=\"30\" appleStandHours=\"11\" appleStandHoursGoal=\"12\"/>\n"
    )
}

fn days(phone: &Phone) -> Vec<String> {
    rows(
        &mut phone.sql(),
        "select local_date || ' ' || metric_code || ' ' || value_num || case when is_partial then ' so far' else '' end as said
           from canonical.daily_summaries where origin = 'provider' and retired_at is null order by local_date, metric_code",
    )
    .iter()
    .map(|row| row["said"].as_str().expect("text").to_owned())
    .collect()
}

/// The summary of the export's own day is not whole; the next export holds another, which takes its place.
#[test]
fn the_phones_own_totals_of_a_day() {
    let phone = Phone::new();
    phone
        .import_text("a.xml", holding(&(summary("2026-01-31", "612.5", "40") + &summary("2026-02-01", "100", "5"))))
        .expect(0);
    assert_eq!(
        days(&phone),
        [
            "2026-01-31 active_time 2400",
            "2026-01-31 energy_active 612.5",
            "2026-01-31 stand_hours 11",
            "2026-02-01 active_time 300 so far",
            "2026-02-01 energy_active 100 so far",
            "2026-02-01 stand_hours 11 so far",
        ]
    );
    let mut later = Export::new("2026-02-02");
    later.rest = summary("2026-01-31", "612.5", "40") + &summary("2026-02-01", "480", "31");
    phone.import_text("b.xml", later.xml()).expect(0);
    assert_eq!(
        days(&phone)[3..],
        ["2026-02-01 active_time 1860", "2026-02-01 energy_active 480", "2026-02-01 stand_hours 11"]
    );
    assert_eq!(count(&mut phone.sql(), "canonical.daily_summaries where run_id = 1"), 3, "the other day is as it was");
    let all = phone.canonical();
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(phone.canonical() == all);
}

/// Our total and the phone's stand side by side, and the phone's is preferred.
#[test]
fn the_providers_total_is_preferred_to_ours() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.records.push(super::exports::record("ActiveEnergyBurned", "kcal", "590", "2026-01-20 09:00:00"));
    export.rest = summary("2026-01-20", "600", "40");
    phone.import_text("a.xml", export.xml()).expect(0);
    let chosen = "select origin || ' ' || value_num from api.daily_preferred where metric_code = 'energy_active'";
    assert_eq!(value(&mut phone.sql(), chosen).as_deref(), Some("provider 600"));
    assert_eq!(count(&mut phone.sql(), "canonical.daily_summaries where metric_code = 'energy_active'"), 2);
}
