//! What stands at the top of an export beside records: kept whole, the same in every export, counted like records,
//! retired like records. Records that stand inside a correlation alone are records too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Phone;
use super::corpus::{corpus, end_of_tag, text_of};
use super::exports::{Export, WORKOUT, in_zone, record};
use crate::support::cli::Run;
use crate::support::rows::{count, fingerprint, rows, value};

const SUMMARY: &str = " <ActivitySummary dateComponents=\"2026-01-06\" activeEnergyBurned=\"412.5\" activeEnergyBurnedGoal=\"500\" \
                       activeEnergyBurnedUnit=\"kcal\" appleStandHours=\"11\"/>\n";

/// One of each element, in the offset of the export.
fn one_of_each() -> Export {
    let mut export = Export::year();
    export.rest = format!(
        "{WORKOUT}{SUMMARY} <Audiogram type=\"HKDataTypeIdentifierAudiogram\" sourceName=\"Ears\" startDate=\"{{at:2026-01-08 09:00:00}}\" \
         endDate=\"{{at:2026-01-08 09:00:00}}\">\n  <SensitivityPoint frequencyValue=\"1000\" frequencyUnit=\"Hz\" leftEarValue=\"15\" leftEarUnit=\"dBHL\"/>\n </Audiogram>\n \
         <VisionPrescription type=\"glasses\" dateIssued=\"{{at:2026-01-02 09:00:00}}\" expirationDate=\"{{at:2027-01-02 09:00:00}}\">\n  \
         <RightEye sphere=\"-1.25\" sphereUnit=\"D\"/><LeftEye sphere=\"-1\" sphereUnit=\"D\"/><Attachment identifier=\"a1\"/></VisionPrescription>\n \
         <ClinicalRecord type=\"Condition\" identifier=\"c1\" sourceName=\"Clinic\" sourceURL=\"https://example.org/\" fhirVersion=\"4.0.1\" \
         receivedDate=\"{{at:2026-01-09 10:00:00}}\" resourceFilePath=\"/clinical-records/Condition-c1.json\"/>\n \
         <Mood startDate=\"some day\" valence=\"0.5\">good &amp; &#8217;calm<Label/></Mood>\n"
    );
    export
}

fn published(phone: &Phone, element: &str) -> Vec<Value> {
    rows(
        &mut phone.sql(),
        &format!(
            "select *, extract(epoch from start_at)::bigint as start_s, extract(epoch from created_at)::bigint as created_s
               from apple_health_raw.published_elements where element = '{element}' order by source_id"
        ),
    )
}

#[test]
fn every_element_is_kept_whole() {
    let phone = Phone::new();
    let run = phone.import_text("export.xml", one_of_each().xml()).expect(0);
    assert!(run.stderr.contains("not known to this version, kept as written: 1 Mood"), "{}", run.report());
    let workout = &published(&phone, "Workout")[0];
    assert_eq!(
        (&workout["source_name"], &workout["tz_name"], &workout["tz_basis"]),
        (&json!("Watch"), &json!("Asia/Tokyo"), &json!("record"))
    );
    assert_eq!((&workout["utc_offset_s"], &workout["start_s"]), (&json!(32_400), &json!(1_767_805_200)));
    let payload = &workout["payload"];
    assert_eq!(payload["element"], "Workout");
    assert_eq!(payload["attributes"]["workoutActivityType"], "HKWorkoutActivityTypeRunning");
    let children = payload["children"].as_array().expect("children");
    let names: Vec<&str> = children.iter().filter_map(|child| child["element"].as_str()).collect();
    assert_eq!(
        names,
        [
            "MetadataEntry",
            "MetadataEntry",
            "WorkoutEvent",
            "WorkoutActivity",
            "WorkoutStatistics",
            "WorkoutStatistics",
            "WorkoutRoute"
        ]
    );
    assert_eq!(
        children[0],
        json!({"element": "MetadataEntry", "attributes": {"key": "HKTimeZone", "value": "Asia/Tokyo"}})
    );
    assert_eq!(children[3]["children"][0]["attributes"]["average"], "151");
    assert_eq!(
        children[6]["children"][1],
        json!({"element": "FileReference", "attributes": {"path": "/workout-routes/route_1.gpx"}})
    );
    let summary = &published(&phone, "ActivitySummary")[0];
    assert_eq!((&summary["start_at"], &summary["tz_basis"]), (&Value::Null, &json!("home")));
    assert_eq!(
        summary["payload"],
        json!({"element": "ActivitySummary", "attributes": {"dateComponents": "2026-01-06",
        "activeEnergyBurned": "412.5", "activeEnergyBurnedGoal": "500", "activeEnergyBurnedUnit": "kcal", "appleStandHours": "11"}})
    );
    assert_eq!(published(&phone, "VisionPrescription")[0]["start_s"], 1_767_373_200);
    assert_eq!(published(&phone, "ClinicalRecord")[0]["created_s"], 1_767_981_600);
    let mood = &published(&phone, "Mood")[0];
    assert_eq!(mood["start_at"], Value::Null, "nothing is demanded of an element that is not known");
    assert_eq!(
        mood["payload"],
        json!({"element": "Mood", "attributes": {"startDate": "some day", "valence": "0.5"},
        "children": [{"element": "Label", "attributes": {}}], "text": "good & \u{2019}calm"})
    );
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "apple_health_raw.elements"), 6);
    let me = &rows(&mut sql, "select me from apple_health_raw.exports")[0]["me"];
    assert_eq!(*me, json!({"HKCharacteristicTypeIdentifierDateOfBirth": ""}));
    assert_eq!(value(&mut sql, "select elements->'Mood' from apple_health_raw.exports").as_deref(), Some("1"));
    assert_eq!(
        value(&mut sql, "select loaded - (select count(*) from apple_health_raw.records) from meta.import_file")
            .as_deref(),
        Some("6")
    );
}

#[test]
fn the_closing_summary_says_what_became_of_each_type() {
    let phone = Phone::new();
    let mut export = one_of_each();
    phone.import_text("export.xml", export.xml()).expect(0).says("LAST DAY");
    export.made = "2026-03-01".into();
    export.rest = export.rest.replace("412.5", "499") + " <Workout startDate=\"never\"/>\n";
    export.records.remove(0);
    export.add_steps("2026-02-25 07:00:00", 2, 9);
    phone.file("newer.xml", export.xml());
    let said = phone.home.health(&["ingest", "apple-health", "newer.xml", "--json"]).expect(3).json();
    let of = |kind: &str| {
        let types = said["files"][0]["types"].as_array().expect("types");
        types.iter().find(|entry| entry["type"] == kind).unwrap_or_else(|| panic!("no {kind}: {said}")).clone()
    };
    assert_eq!(
        of("ActivitySummary"),
        json!({"table": "elements", "type": "ActivitySummary", "records": 1, "new": 1, "returned": 0,
        "unchanged": 0, "retired": 1, "rejected": 0, "first_day": "2026-01-06", "last_day": "2026-01-06"})
    );
    assert_eq!((&of("Workout")["unchanged"], &of("Workout")["rejected"]), (&json!(1), &json!(1)));
    let steps = of("HKQuantityTypeIdentifierStepCount");
    assert_eq!(
        steps,
        json!({"table": "records", "type": "HKQuantityTypeIdentifierStepCount", "records": 301, "new": 2, "returned": 0,
        "unchanged": 299, "retired": 1, "rejected": 0, "first_day": steps["first_day"], "last_day": steps["last_day"]})
    );
    let days = "select min(start_at at time zone tz_name)::date || ' ' || max(start_at at time zone tz_name)::date
                  from apple_health_raw.published_records where type like '%StepCount' and missing_since_run_id is null";
    let said =
        format!("{} {}", steps["first_day"].as_str().expect("a day"), steps["last_day"].as_str().expect("a day"));
    assert_eq!(value(&mut phone.sql(), days), Some(said));
}

#[test]
fn an_element_is_the_same_in_every_export() {
    let phone = Phone::new();
    let mut export = one_of_each();
    export.rest.push_str(&correlation("", 3));
    phone.import_text("october.xml", export.xml()).expect(0);
    let before = fingerprint(&mut phone.sql());
    // In another zone, with other addresses, and with what has no order in another order.
    export.offset_hours = 1;
    export.pointer = 99;
    export.made = "2026-06-01".into();
    let (first, second) = (
        "<MetadataEntry key=\"HKTimeZone\" value=\"Asia/Tokyo\"/>",
        "<MetadataEntry key=\"HKIndoorWorkout\" value=\"0\"/>",
    );
    export.rest = export.rest.replacen(first, "{swap}", 1).replacen(second, first, 1).replacen("{swap}", second, 1);
    phone.import_text("november.xml", export.xml()).expect(0);
    let mut after = fingerprint(&mut phone.sql());
    after.insert("apple_health_raw.exports".into(), before["apple_health_raw.exports"].clone());
    assert_eq!(after, before, "not one row was written");
    // What does count.
    for (from, to) in [
        ("sum=\"3000\"", "sum=\"3001\""),
        ("dBHL", "dB"),
        ("good &amp;", "bad &amp;"),
        ("2026-01-08 09:00:00", "2026-01-08 09:00:01"),
    ] {
        let mut changed = export.clone();
        changed.rest = export.rest.replace(from, to);
        let before = count(&mut phone.sql(), "apple_health_raw.elements");
        phone.import_text("changed.xml", changed.xml()).expect(0);
        assert_eq!(count(&mut phone.sql(), "apple_health_raw.elements"), before + 1, "{to}");
    }
}

#[test]
fn equal_elements_keep_their_number_and_vanished_ones_are_retired() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 40, 100);
    let summary = |day: u16| SUMMARY.replace("2026-01-06", &format!("2026-01-{day:02}"));
    export.rest = SUMMARY.repeat(2) + &(10..20).map(summary).collect::<String>();
    phone.import_text("a.xml", export.xml()).expect(0);
    let mut sql = phone.sql();
    let there = "apple_health_raw.published_elements where missing_since_run_id is null";
    assert_eq!(count(&mut sql, there), 12);
    assert_eq!(count(&mut sql, "apple_health_raw.elements where ordinal = 2"), 1);
    // One copy less.
    export.made = "2026-02-02".into();
    export.rest = export.rest.replacen(SUMMARY, "", 1);
    phone.import_text("b.xml", export.xml()).expect(0).says("1 records are no longer");
    assert_eq!(count(&mut sql, "apple_health_raw.elements where ordinal = 2 and missing_since_run_id is not null"), 1);
    // It comes back.
    export.made = "2026-02-03".into();
    export.rest.push_str(SUMMARY);
    phone.import_text("c.xml", export.xml()).expect(0);
    assert_eq!(count(&mut sql, there), 12);
    assert_eq!(count(&mut sql, "apple_health_raw.elements where returned_run_id = 3 and missing_before_run_id = 2"), 1);
    // Too many at once: nothing of any table is marked.
    let mut less = export.clone();
    less.made = "2026-02-04".into();
    less.rest = SUMMARY.repeat(2);
    less.records.remove(0);
    phone.import_text("d.xml", less.xml()).expect(6).says("11 known records");
    assert_eq!(count(&mut sql, there), 12);
    assert_eq!(count(&mut sql, "apple_health_raw.records where missing_since_run_id is not null"), 0);
    // An export that holds no elements at all proves nothing about them.
    less.rest = String::new();
    less.made = "2026-02-05".into();
    phone.import_text("e.xml", less.xml()).expect(0).says("1 records are no longer");
    assert_eq!(count(&mut sql, there), 12);
    phone.home.health(&["ingest", "apple-health", "d.xml", "--accept-deletions"]).expect(0);
    assert_eq!(count(&mut sql, there), 12, "an export that is older than another proves nothing either");
}

/// A correlation of `n` dietary records, each with that value.
fn correlation(inside: &str, n: u16) -> String {
    let records: String = (0..n).map(|value| format!("  {}", nested(value))).collect();
    format!(
        " <Correlation type=\"HKCorrelationTypeIdentifierFood\" sourceName=\"Food\" creationDate=\"{{at:2026-01-09 12:30:00}}\" \
         startDate=\"{{at:2026-01-09 12:00:00}}\" endDate=\"{{at:2026-01-09 12:00:00}}\">\n  <MetadataEntry key=\"HKFoodType\" value=\"Soup\"/>\n{records}{inside} </Correlation>\n"
    )
}

fn nested(value: u16) -> String {
    format!(
        "<Record type=\"HKQuantityTypeIdentifierDietaryProtein\" sourceName=\"Food\" device=\"&lt;&lt;HKDevice: 0x{{pointer}}&gt;, name:Phone&gt;\" unit=\"g\" \
         startDate=\"{{at:2026-01-09 12:00:00}}\" endDate=\"{{at:2026-01-09 12:00:00}}\" value=\"{value}\">\n   <MetadataEntry key=\"HKTimeZone\" value=\"Asia/Tokyo\"/></Record>\n"
    )
}

#[test]
fn records_inside_correlations_count_once_whether_they_are_repeated_or_not() {
    let held = "select string_agg(value || 'x' || n, ' ' order by value) from (
                  select value, count(*) as n from apple_health_raw.published_records
                   where type like '%DietaryProtein' and missing_since_run_id is null group by value) q";
    for order in 0..2 {
        let phone = Phone::new();
        let mut export = Export::new("2026-02-01");
        export.add_steps("2026-01-10 09:00:00", 40, 100);
        // 0 is repeated at the top, 1 is not, 2 stands twice inside and once at the top, 3 once inside and twice at the top.
        let top = [nested(0), nested(2), nested(3), nested(3)].concat();
        let inside = [correlation("", 3), correlation(&[nested(2), nested(3)].concat(), 0)].concat();
        export.rest = if order == 0 { format!("{top}{inside}") } else { format!("{inside}{top}") };
        let protein = |run: &Run| {
            let report: Value = serde_json::from_str(&run.stdout).expect("a report");
            let types = report["files"][0]["types"].as_array().expect("types").clone();
            let of = types
                .into_iter()
                .find(|kind| kind["type"] == "HKQuantityTypeIdentifierDietaryProtein")
                .expect("protein");
            ["records", "new", "unchanged", "retired", "first_day"].map(|name| of[name].clone())
        };
        let import = |name: &str, export: &Export| {
            phone.file(name, export.xml());
            phone.home.health(&["ingest", "apple-health", name, "--json"]).expect(0)
        };
        let run = import("export.xml", &export);
        let day = json!("2026-01-10"); // in Tokyo
        assert_eq!(protein(&run), [6.into(), 6.into(), 0.into(), 0.into(), day.clone()]);
        let mut sql = phone.sql();
        assert_eq!(value(&mut sql, held).as_deref(), Some("0x1 1x1 2x2 3x2"), "{}", run.report());
        assert_eq!(count(&mut sql, "apple_health_raw.elements where element = 'Correlation'"), 2);
        let zone = "apple_health_raw.published_records where type like '%DietaryProtein' and tz_name = 'Asia/Tokyo'";
        assert_eq!(count(&mut sql, zone), 6);
        // The same later, elsewhere: nothing changes. Then one less inside.
        export.made = "2026-02-02".into();
        (export.offset_hours, export.pointer) = (3, 7);
        let run = import("same.xml", &export);
        assert_eq!(protein(&run), [6.into(), 0.into(), 6.into(), 0.into(), day.clone()], "{}", run.report());
        assert_eq!(
            count(&mut sql, "apple_health_raw.records where file_id = 2 or missing_since_run_id is not null"),
            0
        );
        export.made = "2026-02-03".into();
        export.rest = export.rest.replacen(&nested(1), "", 1);
        let run = import("less.xml", &export);
        assert_eq!(protein(&run), [5.into(), 0.into(), 5.into(), 1.into(), day.clone()], "{}", run.report());
        assert_eq!(value(&mut sql, held).as_deref(), Some("0x1 2x2 3x2"));
        // Another day differs, and this one does not.
        export.made = "2026-02-04".into();
        export.rest.push_str(&correlation("", 1).replace("2026-01-09", "2026-01-12"));
        let run = import("more.xml", &export);
        assert_eq!(protein(&run), [6.into(), 1.into(), 5.into(), 0.into(), day], "{}", run.report());
    }
}

#[test]
fn elements_that_cannot_be_used_are_rejects() {
    let phone = Phone::new();
    let mut export = Export::year();
    let good = i64::try_from(export.records.len()).expect("small");
    export.rest = [
        " <Workout startDate=\"yesterday\"/>\n".to_owned(),
        " <Workout startDate=\"{at:2026-01-09 12:00:00}\" note=\"&nope;\"/>\n".to_owned(),
        format!(" <Workout {}/>\n", (0..300).map(|n| format!("a{n}=\"\" ")).collect::<String>()),
        format!(" <{}/>\n", "x".repeat(100)),
        " <Mood>&nope;</Mood>\n".to_owned(),
        correlation("<Record type=\"HKQuantityTypeIdentifierDietaryProtein\" value=\"much\" startDate=\"{at:2026-01-09 12:00:00}\"/>\n", 1),
        correlation("<MetadataEntry key=\"&nope;\"/>\n", 2),
    ]
    .concat();
    phone.import_text("export.xml", export.xml()).expect(3).says("7 rejected");
    let mut sql = phone.sql();
    let kept = rows(
        &mut sql,
        "select resource, code, locator, convert_from(payload, 'UTF8') as payload from meta.rejects order by (locator->>'offset')::int",
    );
    let codes: Vec<String> = kept
        .iter()
        .map(|row| format!("{}/{}", row["resource"].as_str().expect("text"), row["code"].as_str().expect("text")))
        .collect();
    assert_eq!(
        codes,
        [
            "elements/bad_date",
            "elements/bad_text",
            "elements/too_many_attributes",
            "elements/bad_name",
            "elements/bad_text",
            "records/bad_number",
            "elements/bad_text"
        ]
    );
    assert_eq!((&kept[1]["locator"]["element"], &kept[1]["locator"]["number"]), (&json!("Workout"), &json!(2)));
    assert!(kept[5]["payload"].as_str().is_some_and(|text| text.starts_with("<Record") && text.contains("much")));
    assert_eq!(count(&mut sql, "apple_health_raw.elements"), 1, "the correlation around a bad record is kept");
    assert_eq!(count(&mut sql, "apple_health_raw.records"), good + 3, "good records inside a bad correlation are kept");
}

#[test]
fn a_record_that_holds_more_is_kept_whole_beside_the_records() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    let mut odd = record("StepCount", "count", "5", "2026-01-05 07:00:00");
    odd.inside = "<Later a=\"1\"/>";
    export.records.push(odd);
    phone.import_text("export.xml", export.xml()).expect(0);
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.records"), 1);
    let kept = published(&phone, "Record");
    assert_eq!(kept[0]["payload"]["children"], json!([{"element": "Later", "attributes": {"a": "1"}}]));
}

/// The text of every element at the top but records, by a scan for tags that shares nothing with the reader.
fn elements_of(xml: &str) -> Vec<(String, String)> {
    let body = &xml[xml.rfind("<HealthData").expect("a root")..];
    let (mut found, mut depth, mut at, mut began) = (Vec::new(), 0, 0, 0);
    while let Some(next) = body[at..].find('<') {
        let start = at + next;
        let end = end_of_tag(body, start).expect("a tag");
        let tag = &body[start..=end];
        at = end + 1;
        if tag.starts_with("</") {
            depth -= 1;
        } else {
            if depth == 1 {
                began = start;
            }
            depth += 1;
            if tag.ends_with("/>") {
                depth -= 1;
            }
        }
        if depth == 1 && (tag.starts_with("</") || tag.ends_with("/>")) {
            let text = body[began..=end].to_owned();
            let name = text[1..].split([' ', '\n', '>', '/']).next().expect("a name").to_owned();
            found.push((name, text));
        }
    }
    found
}

#[test]
fn real_elements_equal_an_independent_count() {
    for path in corpus() {
        let phone = Phone::new();
        let name = path.to_str().expect("a path");
        phone.import(name).expect(0);
        let found = elements_of(&text_of(&path));
        let (mut counts, mut tags, mut attributes) = (BTreeMap::<String, i64>::new(), 0, 0);
        for (name, text) in &found {
            if !matches!(name.as_str(), "Record" | "ExportDate" | "Me") {
                *counts.entry(name.clone()).or_default() += 1;
                tags += text.matches('<').count() - text.matches("</").count();
                attributes += text.matches("=\"").count();
            }
        }
        let mut sql = phone.sql();
        let held = rows(&mut sql, "select element, payload from apple_health_raw.published_elements");
        let (mut held_counts, mut held_tags, mut held_attributes) = (BTreeMap::<String, i64>::new(), 0, 0);
        for row in &held {
            *held_counts.entry(row["element"].as_str().expect("a name").to_owned()).or_default() += 1;
            let mut open = vec![&row["payload"]];
            while let Some(node) = open.pop() {
                held_tags += 1;
                held_attributes += node["attributes"].as_object().expect("attributes").len();
                open.extend(node["children"].as_array().into_iter().flatten());
            }
        }
        assert_eq!(held_counts, counts, "{name}");
        let twice = usize::from(name.ends_with("ios16.xml")); // of two attributes with one name the first counts
        assert_eq!((held_tags, held_attributes), (tags, attributes - twice), "{name}");
        let me = found.iter().filter(|(name, _)| name == "Me").count();
        assert_eq!(
            count(&mut sql, "apple_health_raw.exports where me is not null"),
            i64::try_from(me).expect("small"),
            "{name}"
        );
        let distinct: std::collections::BTreeSet<String> = held.iter().map(|row| row["payload"].to_string()).collect();
        let copies = i64::try_from(held.len() - distinct.len()).expect("small");
        assert_eq!(count(&mut sql, "apple_health_raw.elements where ordinal > 1"), copies, "{name}: copies");
    }
    assert_eq!(in_zone("{at:2026-01-01 00:00:00} {pointer}", 1, 10), "2026-01-01 01:00:00 -0700 a");
}
