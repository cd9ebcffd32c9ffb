//! `--undo`: the newest file is taken back as if it had never been imported; whatever kills it on the way, the same
//! command goes on from there.

use serde_json::Value;

use super::Phone;
use super::exports::{Export, WORKOUT};
use crate::support::rows::{count, fingerprint, value};

/// What counts: raw rows, and canonical rows that are not retired.
fn state(phone: &Phone) -> (Vec<Value>, Vec<Value>) {
    let raw = [phone.raw(), phone.elements()].concat();
    let canonical: Vec<Value> = phone.canonical().into_iter().map(|row| row["row"].clone()).collect();
    // The stages of a night go with it.
    let gone: Vec<Value> =
        canonical.iter().filter(|row| !row["retired_at"].is_null()).map(|row| row["sleep_id"].clone()).collect();
    let counts =
        |row: &Value| row["retired_at"].is_null() && (row["seq"].is_null() || !gone.contains(&row["sleep_id"]));
    (raw, canonical.into_iter().filter(counts).collect())
}

/// Three exports: the second adds and lacks, in the third something is back that the second lacked.
fn exports() -> [Export; 3] {
    let mut first = Export::year();
    first.rest = WORKOUT.into();
    let mut second = first.clone();
    second.made = "2026-03-01".into();
    second.records.drain(3..6);
    second.rest = WORKOUT.replace("Running", "Cycling");
    second.add_steps("2026-02-25 12:00:00", 5, 40);
    let mut third = second.clone();
    third.made = "2026-04-01".into();
    third.records.extend(first.records[3..5].to_vec());
    third.records.remove(7);
    third.rest.push_str(WORKOUT);
    third.add_steps("2026-03-25 12:00:00", 5, 40);
    [first, second, third]
}

fn undo(phone: &Phone, file: &str) -> crate::support::cli::Run {
    phone.home.health(&["ingest", "apple-health", "--undo", file])
}

#[test]
fn the_newest_file_is_taken_back_one_after_the_other() {
    let phone = Phone::new();
    let mut states = Vec::new();
    for (number, export) in exports().iter().enumerate() {
        states.push(state(&phone));
        phone.import_text(&format!("{number}.xml"), export.xml()).expect(0);
    }
    let whole = state(&phone);
    let mut sql = phone.sql();
    assert!(count(&mut sql, "apple_health_raw.records where returned_run_id is not null") > 0, "something came back");
    let before = fingerprint(&mut sql);
    let run = undo(&phone, "1").expect(6).says("file 1 is not the newest");
    assert!(run.next().contains("--undo 3"), "{}", run.report());
    undo(&phone, "9").expect(2).says("no file 9");
    phone.home.health(&["ingest", "apple-health", "--undo", "3", "--dry-run"]).expect(0).says("would be taken back");
    assert_eq!(fingerprint(&mut sql), before);

    undo(&phone, "3").expect(0).says("file 3 (2.xml) is taken back");
    assert!(state(&phone) == states[2], "as after the second");
    for table in ["records", "elements"] {
        assert_eq!(count(&mut sql, &format!("apple_health_raw.{table} where file_id = 3")), 0, "{table}");
    }
    let before = fingerprint(&mut sql);
    undo(&phone, "3").expect(0).says("taken back already");
    assert_eq!(fingerprint(&mut sql), before);
    undo(&phone, "2").expect(0);
    assert!(state(&phone) == states[1], "as after the first");
    undo(&phone, "1").expect(0);
    assert!(state(&phone) == states[0], "as before all");
    assert_eq!(count(&mut sql, "apple_health_raw.records"), 0);
    assert_eq!(count(&mut sql, "meta.import_file where status = 'withdrawn' and loaded = 0"), 3);

    // All of them again.
    for number in 0..3 {
        phone.import(&format!("{number}.xml")).expect(0).says(&format!("is file {}", number + 4));
    }
    assert!(state(&phone) == whole, "as after the third");
    assert_eq!(value(&mut sql, "select max(file_id) from apple_health_raw.published_records").as_deref(), Some("6"));
    assert_eq!(
        count(
            &mut sql,
            "canonical.biometrics_vitals where retired_at is not null and raw_source_id not in
        (select source_id from apple_health_raw.published_records where missing_since_run_id is not null)"
        ),
        0
    );
}

#[test]
fn canonical_rows_can_be_made_again_after_an_undo() {
    let phone = Phone::new();
    let [first, second, _] = exports();
    phone.import_text("1.xml", first.xml()).expect(0);
    let before = state(&phone);
    phone.import_text("2.xml", second.xml()).expect(0);
    let said = phone.home.health(&["ingest", "apple-health", "--undo", "2", "--json"]).expect(0).json();
    assert_eq!((&said["files"][0]["status"], &said["files"][0]["back"]), (&"withdrawn".into(), &4.into()));
    assert_eq!(said["files"][0]["gone"], 6);
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(state(&phone) == before);
}

#[test]
fn a_file_read_twice_is_taken_back_with_all_that_it_did() {
    let phone = Phone::new();
    let full = Export::year();
    phone.import_text("full.xml", full.xml()).expect(0);
    let before = state(&phone);
    let mut half = Export::new("2026-06-01");
    half.records = full.records[..full.records.len() / 2].to_vec();
    half.add_steps("2026-05-01 12:00:00", 1, 5);
    half.rest =
        " <Record type=\"HKQuantityTypeIdentifierStepCount\" value=\"x\" startDate=\"2026-01-01 00:00:00 -0800\"/>\n"
            .into();
    phone.import_text("half.xml", half.xml()).expect(6);
    phone.home.health(&["ingest", "apple-health", "half.xml", "--accept-deletions"]).expect(3);
    phone.home.health(&["ingest", "apple-health", "half.xml", "--force"]).expect(3);
    undo(&phone, "2").expect(0);
    assert!(state(&phone) == before);
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "apple_health_raw.records where file_id = 2"), 0);
    assert_eq!(count(&mut sql, "meta.rejects where resolved_run_id is null"), 0);
}

#[test]
fn an_undo_killed_at_any_point_ends_the_same() {
    let [first, second, _] = exports();
    let expected = {
        let phone = Phone::new();
        phone.import_text("1.xml", first.xml()).expect(0);
        state(&phone)
    };
    let prepared = || {
        let phone = Phone::new();
        phone.import_text("1.xml", first.xml()).expect(0);
        phone.import_text("2.xml", second.xml()).expect(0);
        phone
    };
    let list = prepared();
    list.home.set("HEALTH_FAILPOINT", "list");
    let passed = undo(&list, "2").expect(0).stderr;
    let points: Vec<&str> = passed.lines().filter_map(|line| line.strip_prefix("failpoint ")).collect();
    for point in ["undo.before_commit", "undo.committed", "model.half", "undo.before_forget", "undo.forgotten"] {
        assert!(points.contains(&point), "{point} is not passed: {points:?}");
    }
    let mut fired = 0;
    for point in points.iter().filter(|point| !point.starts_with("lock") && !point.starts_with("fence")) {
        fired += 1;
        let phone = prepared();
        let whole = state(&phone);
        phone.home.set("HEALTH_FAILPOINT", point);
        undo(&phone, "2").expect(137);
        phone.home.unset("HEALTH_FAILPOINT");
        if count(&mut phone.sql(), "meta.import_file where status = 'withdrawn'") == 0 {
            assert!(state(&phone) == whole, "{point}: half an undo is seen");
        }
        undo(&phone, "2").expect(0);
        assert!(state(&phone) == expected, "{point}: not the same end state");
        assert_eq!(count(&mut phone.sql(), "apple_health_raw.records where file_id = 2"), 0, "{point}");
        phone.import("2.xml").expect(0);
        assert!(state(&phone) == whole, "{point}: not the same after another import");
    }
    println!("named kill points, taking back a file: {fired} fired");
}

#[test]
fn an_import_after_an_undo_that_was_killed_takes_its_rows_over() {
    let [first, second, _] = exports();
    let phone = Phone::new();
    phone.import_text("1.xml", first.xml()).expect(0);
    phone.import_text("2.xml", second.xml()).expect(0);
    let whole = state(&phone);
    phone.home.set("HEALTH_FAILPOINT", "undo.committed");
    undo(&phone, "2").expect(137);
    phone.home.unset("HEALTH_FAILPOINT");
    phone.import("2.xml").expect(0).says("is file 3");
    assert!(state(&phone) == whole);
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "apple_health_raw.records where file_id = 2"), 0);
    assert_eq!(count(&mut sql, "apple_health_raw.records where file_id = 3"), 5);
}

/// When everything was taken back the next export is a first one again, by the short way of first exports: into a part of
/// the table that is made for it.
#[test]
fn what_comes_after_everything_was_taken_back_comes_as_the_first() {
    let phone = Phone::new();
    let part = "select array_to_string(array_agg(c.oid), ' ') from pg_class c where c.relname like 'records\\_%\\_%' and c.relkind = 'r'";
    phone.import_text("export.xml", exports()[0].xml()).expect(0);
    let mut sql = phone.sql();
    let (first, whole) = (value(&mut sql, part), state(&phone));
    assert!(first.is_some());
    undo(&phone, "1").expect(0);
    assert_eq!(count(&mut sql, "apple_health_raw.records"), 0);
    phone.import("export.xml").expect(0);
    let second = value(&mut sql, part);
    assert!(second.is_some() && second != first, "{first:?}, then {second:?}");
    assert!(state(&phone) == whole);
    // Somebody looks at the table all the while: it stays, and the export comes all the same.
    let file = value(&mut sql, "select max(file_id) from meta.import_file where status = 'published'").expect("a file");
    undo(&phone, &file).expect(0);
    let mut reader = phone.sql();
    reader.batch_execute("begin; select count(*) from apple_health_raw.records").expect("a reader");
    phone.import("export.xml").expect(0);
    reader.batch_execute("rollback").expect("an end");
    assert_eq!(value(&mut sql, part), second);
    assert!(state(&phone) == whole);
    phone.import("export.xml").expect(0).says("already file");
}
