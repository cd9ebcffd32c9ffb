//! Days that the importer has added up, and what it leaves to the models: both give the same figures to the last digit.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use super::Phone;
use crate::support::rows::{count, rows, value};

const WATCH: (&str, &str) = ("Alex\u{2019}s Watch", "name:Watch, model:Watch");
const IPHONE: (&str, &str) = ("Alex\u{2019}s iPhone", "name:iPhone, model:iPhone");
const BAND: (&str, &str) = ("Band", "name:Band, model:B1");

/// Records in the order in which they are added.
#[derive(Default)]
struct Document(String);

impl Document {
    /// `at`: minutes after the beginning of 2026-01-10 at home.
    fn add(&mut self, kind: &str, writer: (&str, &str), unit: &str, at: i64, seconds: i64, value: &str) -> &mut Self {
        self.with(kind, writer, unit, (at, seconds), value, "")
    }

    fn with(
        &mut self,
        kind: &str,
        (name, device): (&str, &str),
        unit: &str,
        (at, seconds): (i64, i64),
        value: &str,
        key: &str,
    ) -> &mut Self {
        let begin = DateTime::from_timestamp(1_768_032_000, 0).expect("2026-01-10") + TimeDelta::minutes(at);
        let shown = |seconds: i64| (begin + TimeDelta::seconds(seconds)).format("%Y-%m-%d %H:%M:%S +0000").to_string();
        let unit = if unit.is_empty() { String::new() } else { format!(" unit=\"{unit}\"") };
        let inside = if key.is_empty() { String::new() } else { format!("<MetadataEntry key=\"{key}\" value=\"1\"/>") };
        let _ = writeln!(
            self.0,
            " <Record type=\"HK{kind}\" sourceName=\"{name}\" device=\"&lt;&lt;HKDevice: 0x1&gt;, {device}&gt;\"{unit} \
             creationDate=\"{}\" startDate=\"{}\" endDate=\"{}\" value=\"{value}\">{inside}</Record>",
            shown(seconds),
            shown(0),
            shown(seconds)
        );
        self
    }

    fn xml(&self) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<HealthData locale=\"en_US\">\n <ExportDate value=\"2026-05-01 10:00:00 +0000\"/>\n{}</HealthData>\n",
            self.0
        )
    }
}

const STEPS: &str = "QuantityTypeIdentifierStepCount";
const DISTANCE: &str = "QuantityTypeIdentifierDistanceWalkingRunning";
const ENERGY: &str = "QuantityTypeIdentifierActiveEnergyBurned";
const DAY: i64 = 24 * 60;

/// Every way in which a day can be odd, in one export.
fn everything() -> Document {
    let mut all = Document::default();
    // Phone and watch over four days, with parts that do not divide evenly, one typed in, a moment and an overlap of one writer.
    for n in 0..40 {
        let at = n * 144 + 30;
        all.add(STEPS, IPHONE, "count", at, 601, &(100 + n * 7).to_string());
        all.add(STEPS, WATCH, "count", at + 3, 407, &(90 + n * 3).to_string());
        all.add(STEPS, WATCH, "count", at + 5, 60, "11");
    }
    all.with(STEPS, IPHONE, "count", (40, 120), "77", "HKWasUserEntered");
    all.add(STEPS, BAND, "count", 10, 7_200, "2400").add(STEPS, BAND, "count", 35, 0, "5");
    // Two units on one day; a value that is too large for a sum; days with one writer.
    all.add(DISTANCE, IPHONE, "km", 60, 600, "0.8").add(DISTANCE, WATCH, "mi", 64, 600, "0.45");
    all.add(DISTANCE, IPHONE, "m", DAY + 60, 600, "3e12").add(DISTANCE, WATCH, "m", DAY + 60, 600, "20");
    all.add(DISTANCE, IPHONE, "furlong", 2 * DAY + 60, 600, "4").add(DISTANCE, WATCH, "m", 2 * DAY + 61, 600, "20");
    all.add(DISTANCE, WATCH, "m", 3 * DAY + 60, 600, "12.345678901");
    // What does not add up; a fraction that is a percentage already; a sensor, a meal and a finger stick.
    for n in 0..30 {
        all.add("QuantityTypeIdentifierHeartRate", WATCH, "count/min", n * 200, 0, &(50 + n).to_string());
    }
    for n in 0..30 {
        let share = if n % 5 == 0 { "97" } else { "0.96" };
        all.add("QuantityTypeIdentifierOxygenSaturation", WATCH, "%", n * 200, 0, share);
    }
    for n in 0..30 {
        let writer = if n % 2 == 0 { ("Dexcom G7", "name:G7") } else { ("Meter", "name:M") };
        let key = if n % 3 == 0 { "HKBloodGlucoseMealTime" } else { "" };
        all.with("QuantityTypeIdentifierBloodGlucose", writer, "mg/dL", (n * 200, 0), &(90 + n).to_string(), key);
    }
    // Categories, by name and by number, and lengths.
    for n in 0..10 {
        let value = if n % 3 == 0 { "HKCategoryValueAppleStandHourIdle" } else { "HKCategoryValueAppleStandHourStood" };
        all.add("CategoryTypeIdentifierAppleStandHour", WATCH, "", n * 60, 3_600, value);
        let number = if n % 3 == 0 { "1" } else { "0" };
        all.add("CategoryTypeIdentifierAppleStandHour", WATCH, "", DAY + n * 60, 3_600, number);
    }
    for n in 0..10 {
        all.add("CategoryTypeIdentifierMindfulSession", IPHONE, "", n * 150, 600 + n, "HKCategoryValueNotApplicable");
        all.add("CategoryTypeIdentifierMindfulSession", BAND, "", n * 150 + 4, 600, "HKCategoryValueNotApplicable");
    }
    // More than is kept at once (2,000 where the program is built for tests), and then a day that has been let go.
    for n in 0..1_500 {
        all.add(ENERGY, IPHONE, "kcal", n * 20, 900, "3.7").add(ENERGY, WATCH, "kcal", n * 20 + 7, 611, "4.1");
    }
    all.add(ENERGY, BAND, "kcal", 100, 3_000, "9");
    // A type that comes back.
    all.add(STEPS, BAND, "count", 3 * DAY + 500, 3_600, "321");
    // Nutrients that stand in a food only: they go through the stage.
    all.add("QuantityTypeIdentifierDietaryProtein", IPHONE, "g", 5 * DAY, 0, "20");
    all.0.push_str(
        " <Correlation type=\"HKCorrelationTypeIdentifierFood\" sourceName=\"Food\" creationDate=\"2026-01-15 12:00:00 +0000\" \
         startDate=\"2026-01-15 12:00:00 +0000\" endDate=\"2026-01-15 12:00:00 +0000\">\n  <Record \
         type=\"HKQuantityTypeIdentifierDietaryProtein\" sourceName=\"Food\" unit=\"g\" creationDate=\"2026-01-15 12:00:00 +0000\" \
         startDate=\"2026-01-15 12:00:00 +0000\" endDate=\"2026-01-15 12:00:00 +0000\" value=\"7.5\"/>\n </Correlation>\n",
    );
    all
}

fn figures(phone: &Phone) -> Vec<Value> {
    rows(
        &mut phone.sql(),
        "select local_date, metric_code, stat, value_num, is_partial, utc_offset_s, encode(raw_hash, 'hex') as hash, flags, quality
           from canonical.daily_summaries where origin = 'computed' and retired_at is null order by 1, 2, 3",
    )
}

const LEFT: &str = "select string_agg(t.type || ' ' || d.local_date, ', ' order by t.type, d.local_date)
  from apple_health_raw.days d join apple_health_raw.types t using (user_id, account_id, type_id)
 where not exists (select from apple_health_raw.sums s where s.type_id = d.type_id and s.local_date = d.local_date and s.run_id = d.run_id)";

#[test]
fn what_the_importer_added_up_is_what_the_records_say() {
    let phone = Phone::new();
    phone.import_text("a.xml", everything().xml()).expect(3); // the furlong is rejected from canonical
    let added_up = figures(&phone);
    assert!(added_up.len() > 80, "{}", added_up.len());
    assert!(
        count(&mut phone.sql(), "apple_health_raw.sums where counted_parts is not null") > 30,
        "days with several writers"
    );
    let stood = "select string_agg(value_num::text, ' ' order by local_date) from canonical.daily_summaries where metric_code = 'stand_hours'";
    let stood: Option<String> = value(&mut phone.sql(), stood);
    assert_eq!(stood.as_deref(), Some("6 6"), "by name, and by number as old exports have it");
    let left: String = value(&mut phone.sql(), LEFT).expect("days without sums");
    let left = left.replace("HKQuantityTypeIdentifier", "");
    assert!(
        left.starts_with("ActiveEnergyBurned 2026-01-10, ") && left.contains("DietaryProtein 2026-01-15"),
        "a day that had been let go, and one with a row in the stage: {left}"
    );
    for day in ["DistanceWalkingRunning 2026-01-10", "DistanceWalkingRunning 2026-01-11", "StepCount 2026-01-13"] {
        assert!(left.contains(day), "{day}: {left}");
    }
    assert_eq!(left.matches("StepCount").count(), 1, "{left}");
    assert_eq!(left.matches("ActiveEnergyBurned").count(), 1, "{left}");
    phone.sql().batch_execute("delete from apple_health_raw.sums").expect("no sums");
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(3);
    assert_eq!(figures(&phone), added_up);
}

/// A day that a later run touches is added up from its records; the others keep their sums.
#[test]
fn a_day_that_changes_is_added_up_anew() {
    let phone = Phone::new();
    let mut all = everything();
    phone.import_text("a.xml", all.xml()).expect(3);
    all.add(STEPS, WATCH, "count", 2 * DAY + 5, 600, "1000");
    phone.import_text("b.xml", all.xml().replace("2026-05-01", "2026-05-02")).expect(0);
    let after = figures(&phone);
    let left: String = value(&mut phone.sql(), LEFT).expect("days without sums");
    assert!(left.contains("StepCount 2026-01-12"), "{left}");
    phone.sql().batch_execute("delete from apple_health_raw.sums").expect("no sums");
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(3);
    assert_eq!(figures(&phone), after);
}
