//! A device that was renamed, a setting of units that was changed, a value that was edited: the phone writes records of all
//! history in another form. They are other records, and the summary says what they were.

use serde_json::{Value, json};

use super::Phone;
use super::exports::Export;
use crate::support::rows::count;

/// The same history a month later, with its text changed.
fn later(change: impl Fn(&str) -> String) -> String {
    change(&Export { made: "2026-03-01".into(), offset_hours: 1, pointer: 9, ..Export::year() }.xml())
}

fn first() -> Phone {
    let phone = Phone::new();
    phone.import_text("first.xml", Export::year().xml()).expect(0);
    phone
}

#[track_caller]
fn told(phone: &Phone, xml: &str, exit: i32) -> Value {
    phone.file("later.xml", xml);
    let run = phone.home.health(&["ingest", "apple-health", "later.xml", "--json"]).expect(exit);
    let report: Value = serde_json::from_str(&run.stdout).expect("a report");
    report["files"][0]["rewritten"].clone()
}

/// Changes the first records of a type.
fn in_records(xml: &str, kind: &str, many: usize, change: impl Fn(&str) -> String) -> String {
    let mut left = many;
    let lines = xml.split_inclusive('\n').map(|line| {
        if left > 0 && line.contains(kind) {
            left -= 1;
            change(line)
        } else {
            line.to_owned()
        }
    });
    lines.collect()
}

#[test]
fn a_renamed_device_takes_its_records_with_it() {
    let renamed = later(|xml| xml.replace("Alex\u{2019}s\u{a0}Watch", "Sam&#8217;s Watch"));
    let records = i64::try_from(Export::year().records.len()).expect("small");
    let pair =
        json!([{"how": "renamed", "from": "Alex\u{2019}s\u{a0}Watch", "to": "Sam\u{2019}s Watch", "records": records}]);
    let phone = first();
    assert_eq!(told(&phone, &renamed, 0), pair);
    let phone = first();
    phone.file("later.xml", &renamed);
    let run = phone.home.health(&["ingest", "apple-health", "later.xml"]).expect(0);
    let said = format!(
        "{records} of what is gone came under another name: Alex\u{2019}s\u{a0}Watch is now Sam\u{2019}s Watch"
    );
    assert!(run.stderr.contains(&said), "{}", run.report());
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.records where missing_since_run_id is not null"), records);
}

#[test]
fn units_values_and_versions_are_told_apart() {
    let phone = first();
    let xml = later(|xml| {
        let xml = in_records(xml, "BodyMass\"", 20, |line| {
            line.replace("unit=\"lb\"", "unit=\"kg\"").replace("value=\"17", "value=\"7")
        });
        let xml = in_records(&xml, "HeartRate\"", 3, |line| line.replace("value=\"", "value=\"1"));
        in_records(&xml, "StepCount\"", 5, |line| line.replace("sourceVersion=\"11.2\"", "sourceVersion=\"11.3\""))
    });
    let watch = "Alex\u{2019}s\u{a0}Watch";
    assert_eq!(
        told(&phone, &xml, 0),
        json!([
            {"how": "unit", "from": "lb", "to": "kg", "records": 20},
            {"how": "described", "from": watch, "to": null, "records": 5},
            {"how": "edited", "from": watch, "to": null, "records": 3},
        ])
    );
}

#[test]
fn what_is_only_gone_or_only_new_was_not_rewritten() {
    let phone = first();
    let mut export = Export { made: "2026-03-01".into(), ..Export::year() };
    export.records.drain(3..9);
    export.add_steps("2026-02-25 12:00:00", 6, 40);
    assert_eq!(told(&phone, &export.xml(), 0), json!([]));
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.records where missing_since_run_id is not null"), 6);
}
