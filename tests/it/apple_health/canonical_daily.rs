//! Figures of a day: what adds up, what does not, and phone and watch that count the same steps.

use serde_json::{Value, json};

use super::Phone;
use super::exports::{Export, Record, record};
use crate::support::rows::{count, rows, value};

/// A record of a length, in minutes, at a time of day of the 10th of January.
fn during(kind: &'static str, unit: &'static str, amount: &str, from: &str, minutes: i64) -> Record {
    let mut one = record(kind, unit, amount, &format!("2026-01-10 {from}:00"));
    one.seconds = minutes * 60;
    one
}

/// The records of several writers in one export: name and device of each take the place of the fixture's.
fn written_by(export: &mut Export, name: &str, device: &str, records: Vec<Record>) {
    let other = Export { records, rest: String::new(), ..export.clone() };
    for line in other.xml().split_inclusive('\n') {
        let is_part = [" <Record", "  <MetadataEntry", " </Record"].iter().any(|begin| line.starts_with(begin));
        if is_part {
            let line = line.replace("Alex\u{2019}s\u{a0}Watch", name).replace("name:Watch, model:Watch", device);
            export.rest.push_str(&line);
        }
    }
}

const PHONE: &str = "name:iPhone, manufacturer:Apple Inc., model:iPhone";

fn totals(phone: &Phone, metric: &str) -> Vec<Value> {
    rows(
        &mut phone.sql(),
        &format!(
            "select local_date, stat, origin, round(value_num::numeric, 3)::text as value, is_partial, flags
               from canonical.daily_summaries where metric_code = '{metric}' and retired_at is null order by local_date, stat"
        ),
    )
}

fn total(value: &str) -> Value {
    json!({"local_date": "2026-01-10", "stat": "total", "origin": "computed", "value": value, "is_partial": false,
        "flags": ["computed_totals"]})
}

/// Watch 1000 in 10:00-10:10; phone 800 in 10:05-10:15 keeps 400 and 500 in 11:00-11:10 keeps 500; another app 2400 in
/// 10:00-12:00 keeps the 95 minutes that neither covers: 1900. Typed in 10:00-10:01 comes before all, so the watch keeps 900.
#[test]
fn of_steps_counted_twice_the_better_device_counts() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.records = vec![during("StepCount", "count", "1000", "10:00", 10)];
    let walk = vec![during("StepCount", "count", "800", "10:05", 10), during("StepCount", "count", "500", "11:00", 10)];
    written_by(&mut export, "Alex\u{2019}s iPhone", PHONE, walk);
    written_by(
        &mut export,
        "Pedometer",
        "name:Band, model:B1",
        vec![during("StepCount", "count", "2400", "10:00", 120)],
    );
    phone.import_text("a.xml", export.xml()).expect(0);
    assert_eq!(totals(&phone, "steps"), [total("3800.000")]);
    let mut typed = during("StepCount", "count", "50", "10:00", 1);
    typed.metadata = vec![("HKWasUserEntered", "1")];
    export.records.push(typed);
    export.made = "2026-02-02".into();
    phone.import_text("b.xml", export.xml()).expect(0);
    assert_eq!(totals(&phone, "steps"), [total("3750.000")]);
    assert_eq!(
        count(&mut phone.sql(), "canonical.samples where metric_code = 'steps'"),
        5,
        "every record keeps its row"
    );
}

#[test]
fn moments_count_whole_unless_a_better_device_was_there() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.records = vec![during("ActiveEnergyBurned", "kcal", "30", "10:00", 10)];
    let moments = vec![
        during("ActiveEnergyBurned", "kcal", "5", "10:05", 0),
        during("ActiveEnergyBurned", "kcal", "7", "12:00", 0),
    ];
    written_by(&mut export, "Alex\u{2019}s iPhone", PHONE, moments);
    export.records.push(during("DietaryProtein", "g", "20", "13:00", 0));
    export.records.push(during("DietaryProtein", "mg", "500", "13:00", 0));
    phone.import_text("a.xml", export.xml()).expect(0);
    assert_eq!(totals(&phone, "energy_active"), [total("37.000")]);
    assert_eq!(totals(&phone, "protein_intake"), [total("20.500")]);
}

#[test]
fn what_does_not_add_up_has_a_mean_and_its_ends() {
    let phone = Phone::new();
    let mut export = Export::new("2026-01-11");
    for (at, pulse) in [("08:00", "50"), ("12:00", "70"), ("18:00", "90")] {
        export.records.push(during("HeartRate", "count/min", pulse, at, 0));
    }
    export.records.push(record("HeartRate", "count/min", "61", "2026-01-11 07:00:00")); // the day of the export
    export.records.push(during("OxygenSaturation", "%", "0.95", "03:00", 0));
    phone.import_text("a.xml", export.xml()).expect(0);
    let said: Vec<_> = totals(&phone, "heart_rate")
        .iter()
        .map(|row| {
            format!("{} {} {} {} {}", row["local_date"], row["stat"], row["value"], row["is_partial"], row["flags"])
                .replace('"', "")
        })
        .collect();
    assert_eq!(
        said,
        [
            "2026-01-10 avg 70.000 false [computed_totals]",
            "2026-01-10 max 90.000 false [computed_totals]",
            "2026-01-10 min 50.000 false [computed_totals]",
            "2026-01-11 avg 61.000 true [computed_totals,partial_day]",
            "2026-01-11 max 61.000 true [computed_totals,partial_day]",
            "2026-01-11 min 61.000 true [computed_totals,partial_day]",
        ]
    );
    let spo2 = "select value_num::text from api.daily_preferred where metric_code = 'spo2' and stat = 'avg'";
    assert_eq!(value(&mut phone.sql(), spo2).as_deref(), Some("95"));
}

/// Only days whose records changed are added up again; one that lost all of them has no figure any more.
#[test]
fn a_day_is_added_up_again_when_its_records_change() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    for day in 1..=20 {
        export.records.push(record("StepCount", "count", "100", &format!("2026-01-{day:02} 09:00:00")));
    }
    phone.import_text("a.xml", export.xml()).expect(0);
    export.records.remove(4); // the 5th
    export.records.push(record("StepCount", "count", "11", "2026-01-09 10:00:00"));
    export.made = "2026-02-03".into();
    phone.import_text("b.xml", export.xml()).expect(0);
    let mut sql = phone.sql();
    let of = |date: &str| {
        format!(
            "select value_num::text || ' ' || coalesce(retired_reason, '-') || ' ' || run_id from canonical.daily_summaries where local_date = '{date}'"
        )
    };
    assert_eq!(value(&mut sql, &of("2026-01-05")).as_deref(), Some("100 superseded 2"));
    assert_eq!(value(&mut sql, &of("2026-01-09")).as_deref(), Some("111 - 2"));
    assert_eq!(count(&mut sql, "canonical.daily_summaries where run_id = 1"), 18);
    assert_eq!(count(&mut sql, "apple_health_raw.days where run_id = 2"), 2);
    let before = phone.canonical();
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(phone.canonical() == before);
}
