//! What the mapping of types makes of records: units of every locale, percentages, codes, clocks that are wrong, and the way
//! a query for one metric takes through the raw key.

use serde_json::{Value, json};

use super::Phone;
use super::exports::{Export, Record, record};
use crate::support::rows::{count, rows, value};

fn at(
    kind: &'static str,
    unit: &'static str,
    said: &str,
    start: &str,
    metadata: &[(&'static str, &'static str)],
) -> Record {
    let mut one = record(kind, unit, said, start);
    one.metadata = metadata.to_vec();
    one
}

/// Type, unit, value as exported; metric, value or code, flags as they must be.
type Case = (&'static str, &'static str, &'static str, &'static str, Value, &'static [&'static str]);

const NONE: &[&str] = &[];

fn cases() -> Vec<Case> {
    vec![
        ("DistanceWalkingRunning", "mi", "2", "distance_walk_run", json!(3218.688), NONE),
        ("DistanceWalkingRunning", "km", "1.5", "distance_walk_run", json!(1500), NONE),
        ("ActiveEnergyBurned", "kJ", "418.4", "energy_active", json!(100), NONE),
        ("BasalEnergyBurned", "Cal", "12", "energy_basal", json!(12), NONE),
        ("AppleExerciseTime", "min", "3", "active_time", json!(180), NONE),
        ("OxygenSaturation", "%", "0.97", "spo2", json!(97), NONE),
        ("OxygenSaturation", "%", "96", "spo2", json!(96), &["unit_assumed"]),
        ("WalkingSpeed", "km/hr", "3.6", "walking_speed", json!(1), NONE),
        ("WalkingStepLength", "in", "30", "walking_step_length", json!(76.2), NONE),
        ("PhysicalEffort", "kcal/hr·kg", "4.5", "met", json!(4.5), NONE),
        ("RespiratoryRate", "count/min", "400", "respiratory_rate", json!(400), &["implausible"]),
        ("UVExposure", "count", "5", "uv_index", json!(5), NONE),
        ("Headache", "", "HKCategoryValueSeverityMild", "symptom_headache", json!("mild"), NONE),
        ("MenstrualFlow", "", "HKCategoryValueVaginalBleedingHeavy", "menstrual_flow", json!("heavy"), NONE),
        ("OvulationTestResult", "", "2", "ovulation_test_result", json!("luteinizing_hormone_surge"), NONE),
        ("HighHeartRateEvent", "", "HKCategoryValueNotApplicable", "high_heart_rate_event", json!("noted"), NONE),
        ("AppleStandHour", "", "HKCategoryValueAppleStandHourStood", "stand_hours", json!(1), NONE),
        ("MindfulSession", "", "HKCategoryValueNotApplicable", "mindful_time", json!(60), NONE),
    ]
}

#[test]
fn units_percentages_and_codes_are_those_of_the_dictionary() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    for (day, (kind, unit, said, ..)) in cases().into_iter().enumerate() {
        export.records.push(record(kind, unit, said, &format!("2026-01-{:02} 09:00:00", day + 1)));
    }
    phone.import_text("export.xml", export.xml()).expect(0);
    let found = rows(
        &mut phone.sql(),
        "select metric_code, round(value_num::numeric, 9)::float8 as value_num, value_code, flags, raw_table, mapping_version
           from canonical.samples order by start_at",
    );
    assert_eq!(found.len(), cases().len());
    for (row, (kind, _, said, metric, expected, flags)) in found.iter().zip(cases()) {
        let made = if row["value_code"].is_null() { &row["value_num"] } else { &row["value_code"] };
        assert_eq!(
            (&row["metric_code"], made, &row["flags"]),
            (&json!(metric), &expected, &json!(flags)),
            "{kind} {said}"
        );
        assert_eq!(row["raw_table"], "apple_health_raw.published_records");
        assert!(
            row["mapping_version"].as_str().is_some_and(|v| v.starts_with("apple_health.samples/") && v.len() == 29)
        );
    }
}

#[test]
fn measurements_become_vitals_with_their_event() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    let entered: &[(&str, &str)] = &[("HKWasUserEntered", "1")];
    export.records = vec![
        at("BloodPressureSystolic", "mmHg", "121", "2026-01-03 08:00:00", &[]),
        at("BloodPressureDiastolic", "mmHg", "79", "2026-01-03 08:00:00", &[]),
        at("BloodPressureSystolic", "mmHg", "130", "2026-01-03 08:05:00", entered),
        at("BodyFatPercentage", "%", "0.215", "2026-01-04 07:00:00", &[]),
        at("BodyMass", "lb", "150", "2026-01-04 07:00:00", &[]),
        at("Height", "ft", "6", "2026-01-04 07:01:00", entered),
        at("BodyTemperature", "degF", "98.6", "2026-01-05 07:00:00", &[]),
        at("HeartRateVariabilitySDNN", "ms", "45.5", "2026-01-06 07:00:00", &[]),
        at("BloodGlucose", "mmol<180.1558800000541>/L", "5.5", "2026-01-07 07:00:00", entered),
        at("RestingHeartRate", "count/min", "52", "2026-01-08 07:00:00", &[]),
    ];
    phone.import_text("export.xml", export.xml()).expect(0);
    let mut sql = phone.sql();
    let found = rows(
        &mut sql,
        "select metric_code as metric, round(value_num::numeric, 4)::text as value, is_self_reported as by_hand
           from canonical.biometrics_vitals order by observed_at, metric_code",
    );
    let expected = [
        ("bp_diastolic", "79.0000", false),
        ("bp_systolic", "121.0000", false),
        ("bp_systolic", "130.0000", true),
        ("fat_pct", "21.5000", false),
        ("weight", "68.0389", false),
        ("height", "182.8800", true),
        ("body_temperature", "37.0000", false),
        ("hrv_sdnn", "45.5000", false),
        ("glucose_capillary", "99.0857", true),
        ("heart_rate_resting", "52.0000", false),
    ];
    let expected: Vec<Value> =
        expected.iter().map(|(m, v, h)| json!({"metric": m, "value": v, "by_hand": h})).collect();
    assert_eq!(found, expected);
    assert_eq!(count(&mut sql, "canonical.samples"), 0, "a record is in one place only");
    let pressures = "select string_agg(coalesce(systolic_mmhg::text, '-') || '/' || coalesce(diastolic_mmhg::text, '-'), ' ' order by observed_at) from api.blood_pressure";
    assert_eq!(value(&mut sql, pressures).as_deref(), Some("121/79 130/-"));
    let scale = "select round(weight_kg::numeric, 1) || ' ' || fat_pct from api.body_composition";
    assert_eq!(value(&mut sql, scale).as_deref(), Some("68.0 21.5"));
}

/// A sensor's glucose is a stream, a finger stick is a measurement.
#[test]
fn glucose_goes_where_it_was_measured() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    let meal: &[(&str, &str)] = &[("HKBloodGlucoseMealTime", "1")];
    export.records = vec![at("BloodGlucose", "mg/dL", "101", "2026-01-07 07:00:00", &[])];
    let sensor = export.xml().replace("name:Watch, model:Watch", "name:Dexcom G7, model:G7");
    let mut stick = Export::new("2026-02-02");
    stick.records = vec![at("BloodGlucose", "mg/dL", "99", "2026-01-07 08:00:00", meal)];
    let stick = stick.xml().replace("name:Watch, model:Watch", "name:Dexcom G7, model:G7");
    phone.import_text("sensor.xml", sensor).expect(0);
    phone.import_text("stick.xml", stick).expect(0);
    let mut sql = phone.sql();
    let of = |table: &str| {
        format!(
            "select string_agg(metric_code || ' ' || value_num, ',') from {table} where retired_at is null and local_date = '2026-01-07'"
        )
    };
    assert_eq!(value(&mut sql, &of("canonical.biometrics_vitals")).as_deref(), Some("glucose_capillary 99"));
    assert_eq!(count(&mut sql, "canonical.samples where metric_code = 'glucose_interstitial' and value_num = 101"), 1);
}

#[test]
fn a_clock_that_was_wrong_is_flagged_and_kept() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    for start in ["1969-12-31 10:00:00", "2026-01-10 09:00:00", "2030-01-01 09:00:00"] {
        export.records.push(record("HeartRate", "count/min", "60", start));
    }
    phone.import_text("export.xml", export.xml()).expect(0);
    let odd = "select string_agg(extract(year from start_at)::text, ' ' order by start_at) from api.samples where 'clock_wrong' = any(flags)";
    assert_eq!(value(&mut phone.sql(), odd).as_deref(), Some("1969 2030"));
    assert_eq!(count(&mut phone.sql(), "api.samples"), 3);
}

#[test]
fn a_unit_that_becomes_known_is_no_reject_any_more() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.records.push(record("HeartRate", "furlong", "7", "2026-01-11 09:00:00"));
    export.records.push(record("Headache", "", "HKCategoryValueSeverityUnheardOf", "2026-01-11 09:00:00"));
    phone.import_text("export.xml", export.xml()).expect(3);
    let mut sql = phone.sql();
    let open = "meta.rejects where resolved_run_id is null";
    assert_eq!(count(&mut sql, open), 2);
    // With nothing new nobody looks at them again.
    phone.home.health(&["transform", "apple-health"]).expect(0);
    assert_eq!(value(&mut sql, "select max(times) from meta.rejects").as_deref(), Some("1"));
    // A newer export in which they are gone.
    let mut next = Export::new("2026-03-01");
    next.add_steps("2026-01-10 09:00:00", 1, 120);
    phone.import_text("next.xml", next.xml()).expect(0);
    assert_eq!(count(&mut sql, open), 0);
}

/// One metric in a stretch of time is read through the key of the raw records, not by reading all of them.
#[test]
fn a_query_for_one_metric_takes_the_raw_key() {
    let phone = Phone::new();
    let mut export = Export::new("2026-04-01");
    for (month, kind, unit) in [("01", "HeartRate", "count/min"), ("02", "StepCount", "count")] {
        for n in 0..4000u16 {
            let mut one = record(kind, unit, &(60 + n % 30).to_string(), &format!("2026-{month}-01 00:00:00"));
            one.start += chrono::TimeDelta::minutes(i64::from(n) * 10);
            export.records.push(one);
        }
    }
    phone.import_text("export.xml", export.xml()).expect(0);
    let query = "select start_at, value_num, flags from api.samples
                  where user_id = 1 and metric_code = 'heart_rate' and start_at >= '2026-01-10Z' and start_at < '2026-01-11Z'";
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, &format!("({query}) q")), 144);
    let plan: Vec<String> =
        sql.query(&format!("explain {query}"), &[]).expect("a plan").iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("records_1_1_pkey"), "{plan}");
    assert!(!plan.contains("Seq Scan on records"), "{plan}");
}
