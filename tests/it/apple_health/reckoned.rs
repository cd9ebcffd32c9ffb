//! Figures worked out by hand where a plain sum, or a plain maximum, would be wrong.

use std::fmt::Write as _;

use super::Phone;
use crate::support::rows::{rows, value};

/// The one text that a query gives.
#[track_caller]
pub(super) fn said(sql: &mut postgres::Client, query: &str) -> String {
    value(sql, query).expect("a value")
}

pub(super) const EXPORTED: &str = "2026-02-01 10:00:00";

/// A record as an export writes it; `meta` is what stands inside.
pub(super) fn record(kind: &str, unit: &str, said: &str, from: &str, to: &str, source: &str) -> String {
    let unit = if unit.is_empty() { String::new() } else { format!(" unit=\"{unit}\"") };
    format!(
        " <Record type=\"HK{kind}\" sourceName=\"{source}\"{unit} creationDate=\"{to} +0000\" startDate=\"{from} +0000\" \
         endDate=\"{to} +0000\" value=\"{said}\"/>\n"
    )
}

pub(super) fn export(made: &str, content: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<HealthData>\n <ExportDate value=\"{made} +0000\"/>\n{content}</HealthData>\n")
}

pub(super) fn stage(stage: &str, from: &str, to: &str, source: &str) -> String {
    let value = format!("HKCategoryValueSleepAnalysis{stage}");
    record("CategoryTypeIdentifierSleepAnalysis", "", &value, from, to, source)
}

/// The phone writes time in bed, another app the whole night, the watch its stages: one night, and a nap beside it.
#[test]
fn a_night_that_three_apps_wrote_counts_once() {
    let phone = Phone::new();
    let mut all = String::new();
    for (what, from, to, source) in [
        ("InBed", "2026-01-10 04:45:00", "2026-01-10 13:15:00", "Alex\u{2019}s iPhone"),
        ("AsleepUnspecified", "2026-01-10 04:45:00", "2026-01-10 13:15:00", "AutoSleep"),
        ("AsleepCore", "2026-01-10 05:00:00", "2026-01-10 11:00:00", "Alex\u{2019}s Apple Watch"),
        ("AsleepDeep", "2026-01-10 11:00:00", "2026-01-10 12:00:00", "Alex\u{2019}s Apple Watch"),
        ("AsleepCore", "2026-01-10 22:00:00", "2026-01-10 23:00:00", "Alex\u{2019}s Apple Watch"),
        ("AsleepUnspecified", "2026-01-10 22:00:00", "2026-01-10 23:10:00", "AutoSleep"),
    ] {
        all += &stage(what, from, to, source);
    }
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(0);
    let mut sql = phone.sql();
    let night = "select raw_source_id || ' ' || stage_scheme || ' ' || deep_s || ' ' || (detail->>'writer') from api.sleep_night_preferred";
    assert_eq!(said(&mut sql, night), "Alex\u{2019}s Apple Watch stages 3600 watch");
    let day = "select asleep_s || ' ' || in_bed_s || ' ' || extra_asleep_s || ' ' || sessions from api.sleep_day";
    assert_eq!(said(&mut sql, day), "28800 28800 3600 2");
}

/// A night in bed is longer than an afternoon's sleep.
#[test]
fn the_main_sleep_is_the_longest() {
    let phone = Phone::new();
    let all = stage("InBed", "2026-01-10 06:00:00", "2026-01-10 14:00:00", "App")
        + &stage("AsleepUnspecified", "2026-01-10 21:00:00", "2026-01-10 22:00:00", "App");
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(0);
    let kinds = "select string_agg(kind, ' ' order by start_at) from canonical.sleep_sessions";
    assert_eq!(said(&mut phone.sql(), kinds), "main nap");
}

const FOOD: &str = "QuantityTypeIdentifierDietary";

/// Micrograms written in grams; a glass of water beside a meal.
#[test]
fn nutrients_keep_their_digits_and_meals_their_place() {
    let phone = Phone::new();
    let at = "2026-01-10 20:00:00";
    let mut all = String::new();
    for (kind, unit, said, source) in [
        ("EnergyConsumed", "Cal", "400", "MFP"),
        ("EnergyConsumed", "Cal", "300", "MFP"),
        ("VitaminB12", "g", "0.0000024", "MFP"),
        ("VitaminB12", "g", "0.0000024", "Other"),
        ("VitaminD", "g", "0.0000154", "MFP"),
        ("Water", "mL", "250", "WaterMinder"),
    ] {
        all += &record(&format!("{FOOD}{kind}"), unit, said, at, at, source);
    }
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(0);
    let mut sql = phone.sql();
    let day = "select energy_kcal || ' ' || water_ml from api.nutrition_day";
    assert_eq!(said(&mut sql, day), "700 250");
    let totals = "select string_agg(value_num::text, ' ' order by metric_code) from canonical.daily_summaries where metric_code like 'vitamin%'";
    let by_importer = said(&mut sql, totals);
    assert_eq!(by_importer, "4.8 15.4");
    sql.batch_execute("delete from apple_health_raw.sums").expect("no sums");
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert_eq!(said(&mut sql, totals), by_importer, "the model says the same");
}

#[test]
fn one_value_is_its_own_mean() {
    let phone = Phone::new();
    let at = "2026-01-10 20:00:00";
    let weight = record("QuantityTypeIdentifierBodyMass", "lb", "176.123456789", at, at, "Scale");
    phone.import_text("a.xml", export(EXPORTED, &weight)).expect(0);
    let same = "select count(distinct value_num)::text from canonical.daily_summaries where metric_code = 'weight'";
    assert_eq!(said(&mut phone.sql(), same), "1");
}

/// Two readings typed in for one minute, one whose parts are a second apart, and two that no correlation holds.
#[test]
fn the_two_pressures_of_a_reading_belong_together() {
    let phone = Phone::new();
    let (mut all, mut correlations) = (String::new(), String::new());
    let pressure = |which: &str, said: &str, at: &str, source: &str| {
        record(&format!("QuantityTypeIdentifierBloodPressure{which}"), "mmHg", said, at, at, source)
    };
    let pairs = [
        ("120", "85", "2026-01-10 20:00:00", "2026-01-10 20:00:00"),
        ("130", "80", "2026-01-10 20:00:00", "2026-01-10 20:00:00"),
        ("125", "81", "2026-01-11 20:00:00", "2026-01-11 20:00:01"),
    ];
    for (high, low, from, to) in pairs {
        let inside = pressure("Systolic", high, from, "Health") + &pressure("Diastolic", low, to, "Health");
        all += &inside;
        let _ = write!(
            correlations,
            " <Correlation type=\"HKCorrelationTypeIdentifierBloodPressure\" sourceName=\"Health\" creationDate=\"{to} +0000\" \
             startDate=\"{from} +0000\" endDate=\"{to} +0000\">\n{inside} </Correlation>\n"
        );
    }
    let alone = "2026-01-12 20:00:00";
    all += &(pressure("Systolic", "118", alone, "Cuff") + &pressure("Diastolic", "79", alone, "Cuff"));
    phone.import_text("a.xml", export(EXPORTED, &(all + &correlations))).expect(0);
    let readings = "select string_agg(systolic_mmhg || '/' || diastolic_mmhg, ' ' order by local_date, systolic_mmhg) from api.blood_pressure";
    assert_eq!(said(&mut phone.sql(), readings), "120/85 130/80 125/81 118/79");
}

#[test]
fn two_weigh_ins_of_one_minute_are_two() {
    let phone = Phone::new();
    let at = "2026-01-10 20:00:00";
    let weight = |said: &str| record("QuantityTypeIdentifierBodyMass", "kg", said, at, at, "Health");
    phone.import_text("a.xml", export(EXPORTED, &(weight("70") + &weight("71")))).expect(0);
    let weights = "select string_agg(weight_kg::text, ' ' order by weight_kg) from api.body_composition";
    assert_eq!(said(&mut phone.sql(), weights), "70 71");
}

/// The day of an export is whole once a later export was made, also one that brings nothing of it.
#[test]
fn a_day_is_partial_until_an_export_was_made_after_it() {
    let phone = Phone::new();
    let weight = |day: &str| {
        let at = format!("2026-01-{day} 17:00:00");
        record("QuantityTypeIdentifierBodyMass", "kg", "70", &at, &at, "Scale")
    };
    let summary = " <ActivitySummary dateComponents=\"2026-01-10\" activeEnergyBurned=\"500\" activeEnergyBurnedGoal=\"600\" \
         activeEnergyBurnedUnit=\"kcal\"/>\n";
    let partial = |phone: &Phone| {
        let found = rows(
            &mut phone.sql(),
            "select origin, bool_or(is_partial) as partial from canonical.daily_summaries where local_date = '2026-01-10' group by 1 order by 1",
        );
        found.iter().map(|row| row["partial"] == true).collect::<Vec<_>>()
    };
    phone.import_text("a.xml", export("2026-01-10 20:00:00", &(weight("10") + summary))).expect(0);
    assert_eq!(partial(&phone), [true, true]);
    phone.import_text("b.xml", export("2026-01-17 20:00:00", &(weight("10") + &weight("17") + summary))).expect(0);
    assert_eq!(partial(&phone), [false, false]);
    phone.import_text("c.xml", export("2026-01-18 20:00:00", &(weight("10") + &weight("17") + summary))).expect(0);
    let left = "select count(*)::text from canonical.daily_summaries where is_partial";
    assert_eq!(said(&mut phone.sql(), left), "0", "an export that says nothing new");
}

/// A type that is gone whole is more than may be believed, however few its records are beside the others.
#[test]
fn a_type_does_not_vanish_behind_a_larger_one() {
    let phone = Phone::new();
    let (mut pulses, mut weights) = (String::new(), String::new());
    for n in 0..1_000 {
        let at = format!("2026-01-{:02} {:02}:{:02}:00", 1 + n / 100, n % 100 / 5, n % 60);
        pulses += &record("QuantityTypeIdentifierHeartRate", "count/min", "60", &at, &at, "Watch");
    }
    for n in 0..20 {
        let at = format!("2026-01-{:02} 17:00:00", 1 + n);
        weights +=
            &record("QuantityTypeIdentifierBodyMass", "kg", &format!("7{}.{}", n / 10, n % 10), &at, &at, "Scale");
    }
    phone.import_text("a.xml", export(EXPORTED, &format!("{pulses}{weights}"))).expect(0);
    phone.import_text("b.xml", export("2026-02-02 10:00:00", &pulses)).expect(6).says("20 known records");
    let live = "select count(*)::text from apple_health_raw.records where missing_since_run_id is null";
    assert_eq!(said(&mut phone.sql(), live), "1020");
}

/// A setting of the phone writes all distances in miles: the same walks, not as many again.
#[test]
fn another_unit_does_not_double_the_days() {
    let phone = Phone::new();
    let walks = |unit: &str, said: &str, source: &str| {
        (1..=28).fold(String::new(), |all, day| {
            let (from, to) = (format!("2026-01-{day:02} 20:00:00"), format!("2026-01-{day:02} 20:20:00"));
            all + &record("QuantityTypeIdentifierDistanceWalkingRunning", unit, said, &from, &to, source)
        })
    };
    let days = "select string_agg(distinct round(value_num::numeric, 2)::text, ' ') || ' ' || count(*) from canonical.daily_summaries
                 where metric_code = 'distance_walk_run' and retired_at is null";
    phone.import_text("km.xml", export(EXPORTED, &walks("km", "1.609344", "Watch"))).expect(0);
    assert_eq!(said(&mut phone.sql(), days), "1609.34 28");
    phone.import_text("mi.xml", export("2026-02-02 10:00:00", &walks("mi", "1", "Watch"))).expect(0).says("mi");
    assert_eq!(said(&mut phone.sql(), days), "1609.34 28", "another unit");
    phone
        .import_text("name.xml", export("2026-02-03 10:00:00", &walks("mi", "1", "Her Watch")))
        .expect(0)
        .says("Her Watch");
    assert_eq!(said(&mut phone.sql(), days), "1609.34 28", "another name");
}
