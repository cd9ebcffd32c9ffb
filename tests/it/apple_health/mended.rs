//! Files in an order, and settings between them, that used to leave something false behind.

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Phone;
use super::exports::{Export, WORKOUT, zipped};
use super::side::{ecg, gpx};
use crate::support::cli::Run;
use crate::support::rows::{count, fingerprint, rows, value};

/// Steps of these days of May 2025, one record a day.
fn days(made: &str, days: impl IntoIterator<Item = u32>) -> Export {
    let mut export = Export::new(made);
    for day in days {
        export.add_steps(&format!("2025-05-{day:02} 22:30:00"), 1, 100);
    }
    export
}

#[test]
fn another_zone_in_the_settings_does_not_mix_with_the_persons() {
    let phone = Phone::new();
    let zones = "select string_agg(distinct tz_name || ' ' || tz_basis, ', ') from apple_health_raw.published_records";
    let home = Some("America/Los_Angeles home".to_owned());
    let import = |name: &str| phone.home.health(&["ingest", "apple-health", name]).expect(0);
    phone.file("1.xml", days("2025-06-01", 1..=4).xml());
    assert!(!import("1.xml").stderr.contains("warning"));

    // The zone of the machine says nothing about where a person lives.
    phone.home.unset("HEALTH_TZ");
    phone.home.set("TZ", "Asia/Tokyo");
    phone.file("2.xml", days("2025-06-02", 1..=5).xml());
    assert!(!import("2.xml").stderr.contains("warning"));
    phone.home.health(&["zones"]).expect(0).says("home: America/Los_Angeles");
    assert_eq!(phone.home.health(&["status", "--json"]).expect(0).json()["tz"], "America/Los_Angeles");

    phone.home.set("HEALTH_TZ", "Asia/Tokyo");
    phone.home.set("HEALTH_NOW", "2025-07-01T12:00:00Z");
    phone.file("3.xml", days("2025-06-03", 1..=6).xml());
    let run = import("3.xml");
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.contains("warning")).collect();
    assert!(
        matches!(&warnings[..], [one] if one.contains("the home zone of me is America/Los_Angeles")),
        "{}",
        run.report()
    );
    assert_eq!(value(&mut phone.sql(), zones), home);
    let days = "select local_date from canonical.samples order by start_at";
    assert_eq!(rows(&mut phone.sql(), days)[5]["local_date"], "2025-05-06");

    // For what is typed and shown in one call there is a flag, and what is stored does not follow it.
    let shown = phone.home.health(&["--tz", "Europe/Berlin", "status", "--json"]).expect(0).json();
    assert_eq!(shown["tz"], "Europe/Berlin");

    // What the warning says to do about a move can be done, and silences it.
    let command = warnings[0].split_once("health zones").expect("a command").1.split(';').next().expect("its end");
    let words: Vec<&str> = std::iter::once("zones").chain(command.split_whitespace()).collect();
    phone.home.health(&words).expect(0).says("ok  Asia/Tokyo from 2025-07-01");
    assert!(!phone.home.health(&["zones"]).expect(0).stderr.contains("warning"));
    assert_eq!(value(&mut phone.sql(), zones), home, "days before the move stay");
}

fn force(phone: &Phone, name: &str) -> Run {
    phone.home.health(&["ingest", "apple-health", name, "--force"])
}

fn undo(phone: &Phone, file: &str) -> Run {
    phone.home.health(&["ingest", "apple-health", "--undo", file])
}

/// The days of May 2025 that hold, in raw and in canonical.
#[track_caller]
fn expect_days(phone: &Phone, expected: impl IntoIterator<Item = u32>) {
    let expected: Vec<u32> = expected.into_iter().collect();
    let raw = "select extract(day from start_at at time zone 'America/Los_Angeles')::integer as day
                 from apple_health_raw.published_records where missing_since_run_id is null order by start_at";
    let sums = "select extract(day from local_date)::integer as day from canonical.daily_summaries
                 where retired_at is null and metric_code = 'steps' order by local_date";
    for (what, query) in [("raw", raw), ("canonical", sums)] {
        let days: Vec<u32> = rows(&mut phone.sql(), query)
            .iter()
            .map(|row| u32::try_from(row["day"].as_u64().expect("a day")).expect("a day"))
            .collect();
        assert_eq!(days, expected, "{what}");
    }
}

#[test]
fn an_older_file_read_again_is_no_newer_one() {
    let phone = Phone::new();
    phone.import_text("a.xml", days("2025-06-01", 1..=8).xml()).expect(0);
    phone.import_text("b.xml", days("2025-06-05", 2..=10).xml()).expect(0);
    expect_days(&phone, 2..=10);
    force(&phone, "a.xml").expect(0);
    expect_days(&phone, 2..=10);
    let run = undo(&phone, "1").expect(6).says("file 1 is not the newest");
    assert!(run.next().contains("--undo 2"), "{}", run.report());
    phone.import("b.xml").expect(0).says("already file 2");
    expect_days(&phone, 2..=10);
    undo(&phone, "2").expect(0);
    expect_days(&phone, 1..=8);
    undo(&phone, "1").expect(0);
    expect_days(&phone, []);
}

#[test]
fn what_a_newer_export_retired_does_not_come_back_with_an_older_one() {
    let phone = Phone::new();
    let mut first = days("2025-06-02", 1..=8);
    first.rest = WORKOUT.into();
    let with_route = |export: &Export, names: &[&str]| {
        let xml = export.xml();
        let routes: Vec<(String, String)> = names
            .iter()
            .zip(20..)
            .map(|(name, hour)| (format!("e/workout-routes/{name}.gpx"), gpx(hour, 10)))
            .collect();
        let mut entries = vec![("e/export.xml", xml.as_str())];
        entries.extend(routes.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        zipped(&entries)
    };
    // Of everything the newer one lacks something.
    let mut second = days("2025-06-05", 2..=9);
    second.rest = WORKOUT.replace("Running", "Cycling");
    let live = |phone: &Phone| {
        let count = |table: &str| {
            count(&mut phone.sql(), &format!("apple_health_raw.{table} where missing_since_run_id is null"))
        };
        [count("records"), count("elements"), count("routes")]
    };
    phone.import_text("1.zip", with_route(&first, &["a", "b"])).expect(0);
    phone.import_text("2.zip", with_route(&second, &["a"])).expect(0);
    assert_eq!(live(&phone), [8, 1, 1]);
    expect_days(&phone, 2..=9);

    // Older than both, with what is gone, and with a day that nobody knew.
    let mut older = days("2025-06-01", (1..=4).chain([20]));
    older.rest = WORKOUT.into();
    phone.import_text("older.zip", with_route(&older, &["a", "b"])).expect(0);
    assert_eq!(live(&phone), [9, 1, 1]);
    expect_days(&phone, (2..=9).chain([20]));
    let mut undated = days("2025-06-01", 1..=3);
    undated.rest = WORKOUT.into();
    let undated = undated.xml().lines().filter(|line| !line.contains("<ExportDate")).collect::<Vec<_>>().join("\n");
    phone.import_text("undated.xml", undated).expect(0);
    force(&phone, "1.zip").expect(0);
    assert_eq!(live(&phone), [9, 1, 1]);
    expect_days(&phone, (2..=9).chain([20]));

    // Taken back, the newer one no longer stands against it.
    for (file, held) in [("4", [9, 1, 1]), ("3", [8, 1, 1]), ("2", [8, 1, 2])] {
        undo(&phone, file).expect(0);
        assert_eq!(live(&phone), held, "without file {file}");
    }
    expect_days(&phone, 1..=8);
    // A newer one brings back what it holds, and an older one what was never retired.
    phone.import("2.zip").expect(0);
    let mut newest = second.clone();
    newest.made = "2025-06-09".into();
    newest.records.extend(days("", [1]).records);
    phone.import_text("newest.zip", with_route(&newest, &["a", "b"])).expect(0);
    expect_days(&phone, 1..=9);
    assert_eq!(live(&phone), [9, 1, 2]);
}

#[test]
fn rows_of_a_withdrawn_file_come_with_any_other() {
    let phone = Phone::new();
    phone.import_text("1.xml", days("2025-06-02", 1..=3).xml()).expect(0);
    phone.import_text("2.xml", days("2025-06-05", 1..=5).xml()).expect(0);
    // Its rows are still there, as missing ones.
    phone.home.health(&["ingest", "apple-health", "--undo", "2", "--raw-only"]).expect(0);
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.records"), 5);
    phone.import_text("older.xml", days("2025-06-01", 3..=4).xml()).expect(0);
    expect_days(&phone, 1..=4);
    undo(&phone, "3").expect(0);
    expect_days(&phone, 1..=3);
}

/// One steps record that cannot be used, and a workout that cannot.
const BAD: &str = " <Record type=\"HKQuantityTypeIdentifierStepCount\" unit=\"count\" value=\"x\" startDate=\"2025-05-02 00:00:00 -0800\" \
    endDate=\"2025-05-02 00:00:00 -0800\"/>\n";

#[test]
fn what_the_newest_complete_export_no_longer_holds_is_no_open_reject() {
    let phone = Phone::new();
    let mut sql = phone.sql();
    let of = |made: &str, rest: &str, route: &str| {
        let mut export = days(made, 1..=8);
        export.rest = rest.into();
        zipped(&[("e/export.xml", &export.xml()), ("e/workout-routes/a.gpx", route)])
    };
    let open = "select string_agg(resource, ' ' order by resource) from meta.rejects where resolved_run_id is null";
    let both = Some("records routes".to_owned());
    let shown =
        |phone: &Phone| phone.home.health(&["status", "--json"]).expect(0).json()["sources"][0]["rejects"].clone();
    phone.import_text("1.zip", of("2025-06-02", BAD, "<gpx><trk>")).expect(3);
    assert_eq!(value(&mut sql, open), both);
    // The same again meets them again; one that is older, or bare, or cut off says nothing about them.
    phone.import_text("2.zip", of("2025-06-03", &format!("{BAD} "), "<gpx><trk>")).expect(3);
    phone.import_text("older.zip", of("2025-06-01", "", &gpx(20, 4))).expect(0);
    let whole = days("2025-06-04", 1..=8).xml();
    phone.file("cut.xml", &whole[..whole.len() - 100]);
    phone.home.health(&["ingest", "apple-health", "cut.xml", "--allow-truncated"]).expect(3);
    assert_eq!((value(&mut sql, open), shown(&phone)), (both.clone(), 2.into()));
    phone.import_text("bare.xml", days("2025-06-05", 1..=8).xml()).expect(0);
    assert_eq!(value(&mut sql, open).as_deref(), Some("routes"), "of routes it holds none");
    phone.import_text("5.zip", of("2025-06-06", "", &gpx(20, 6))).expect(0);
    assert_eq!((value(&mut sql, open), shown(&phone)), (None, 0.into()));
    // Taken back, they are open as before.
    undo(&phone, "6").expect(0);
    assert_eq!(value(&mut sql, open).as_deref(), Some("routes"));
    undo(&phone, "5").expect(0);
    assert_eq!(value(&mut sql, open), both);
}

#[test]
fn a_damaged_archive_does_not_keep_the_intact_one_out() {
    let mut export = days("2025-06-02", 1..=8);
    export.rest = " ".into();
    let observation = format!("{{\"resourceType\": \"Observation\", \"id\": \"{}\"}}", "a".repeat(200));
    let xml = export.xml();
    let intact = zipped(&[
        ("e/export.xml", &xml),
        ("e/workout-routes/a.gpx", &gpx(20, 30)),
        ("e/clinical-records/Observation-1.json", &observation),
        ("e/electrocardiograms/ecg.csv", &ecg(3)),
    ]);
    // Bytes in the data of two entries, well behind their headers.
    let mut damaged = intact.clone();
    for name in ["e/workout-routes/a.gpx", "e/clinical-records/Observation-1.json"] {
        let at = (0..intact.len()).find(|at| intact[*at..].starts_with(name.as_bytes())).expect("an entry");
        for byte in &mut damaged[at + name.len() + 30..][..3] {
            *byte ^= 0x55;
        }
    }
    for begun_with in [None, Some(days("2025-06-01", 1..=2))] {
        let (phone, mut number) = (Phone::new(), 1);
        if let Some(export) = begun_with {
            phone.import_text("before.xml", export.xml()).expect(0);
            number += 1;
        }
        phone.import_text("damaged.zip", &damaged).expect(3).says("2 unreadable");
        let before = fingerprint(&mut phone.sql());
        phone.import("damaged.zip").expect(0).says(&format!("already file {number}"));
        assert_eq!(fingerprint(&mut phone.sql()), before);
        phone.import_text("intact.zip", &intact).expect(0).says(&format!("is file {}", number + 1));
        let mut sql = phone.sql();
        for table in ["routes", "clinical_records", "ecgs"] {
            assert_eq!(count(&mut sql, &format!("apple_health_raw.{table} where missing_since_run_id is null")), 1);
        }
        assert_eq!(count(&mut sql, "meta.rejects where resolved_run_id is null"), 0);
        phone.import_text("renamed.zip", &intact).expect(0).says(&format!("already file {}", number + 1));
        phone.import("damaged.zip").expect(0).says(&format!("already file {number}"));
    }
}

/// Runs what a failure names next, word by word as a shell takes it.
fn follow(phone: &Phone, run: &Run) -> Run {
    let next = run.next();
    assert!(next.starts_with("health ingest apple-health ") && !next.contains("  "), "{}", run.report());
    let words = std::process::Command::new("sh").args(["-c", &format!("printf '%s\\n' {next}")]).output().expect("sh");
    let words = String::from_utf8(words.stdout).expect("text");
    phone.home.health(&words.lines().skip(1).collect::<Vec<_>>())
}

#[test]
fn what_a_failure_names_next_can_be_pasted() {
    let phone = Phone::new();
    let export = days("2025-06-02", 1..=9);
    let whole = export.xml();
    let cut = phone.import_text("it's mine/my export.xml", &whole[..whole.len() - 60]).expect(7);
    follow(&phone, &cut).expect(3).says("is file 1");
    let zip = zipped(&[("e/export.xml", &whole), ("e/electrocardiograms/ecg.csv", &ecg(3))]);
    let torn = phone.import_text("$(cut) off.zip", &zip[..zip.len() - 100]).expect(7);
    follow(&phone, &torn).expect(3).says("is file 2");
    let flagged = phone.home.health(&["ingest", "apple-health", "it's mine/my export.xml", "--since", "7d"]).expect(2);
    follow(&phone, &flagged).expect(0).says("already file 1");

    phone.import_text("all.xml", &whole).expect(0);
    phone.file("-half.xml", days("2025-06-09", 1..=2).xml());
    let half = phone.home.health(&["ingest", "apple-health", "--file=-half.xml"]).expect(6).says("7 known records");
    follow(&phone, &half).expect(0).says("7 records are no longer in the export");

    // Nothing of a file that is refused whole is stored, so what is wrong with it is said at once.
    let mut bad = days("2025-06-10", 1..=31);
    bad.records.extend(bad.records.clone());
    bad.records[..20].iter_mut().for_each(|record| record.value = "x".into());
    let refused = phone.import_text("bad.xml", bad.xml()).expect(6).says("20 of 62 records").says("20 bad_number");
    assert!(!refused.next().contains("health "), "{}", refused.report());
}

#[test]
fn a_file_that_is_stopped_says_that_it_begins_again() {
    let phone = Phone::new();
    let mut running = phone.home.start_with_input(&["ingest", "apple-health", "-"]);
    running.type_line("<HealthData>");
    let mut sql = phone.sql();
    while count(&mut sql, "meta.import_runs") == 0 {
        assert!(running.is_running(), "it has ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    running.signal(Signal::SIGINT);
    let run = running.wait(&phone.home).expect(130);
    assert!(run.next().contains("begins again from its start"), "{}", run.report());
}

#[test]
fn deletions_that_are_held_back_are_said_as_long_as_nothing_newer_came() {
    let phone = Phone::new();
    phone.import_text("1.xml", days("2025-06-02", 1..=9).xml()).expect(0);
    let half = days("2025-06-03", 1..=2);
    phone.import_text("half.xml", half.xml()).expect(6).says("7 known records");
    let before = fingerprint(&mut phone.sql());
    let again =
        phone.import("half.xml").expect(6).says("already file 2").says("7 known records are not in this export");
    assert_eq!(again.next(), "health ingest apple-health half.xml --accept-deletions");
    let said = phone.home.health(&["ingest", "apple-health", "half.xml", "--json"]).expect(6).json();
    assert_eq!((&said["files"][0]["deletions_held_back"], &said["files"][0]["status"]), (&7.into(), &"known".into()));
    assert_eq!(said["result"]["next"][0], "health ingest apple-health half.xml --accept-deletions");
    let archive = zipped(&[("e/export.xml", &half.xml())]);
    phone.import_text("half.zip", archive).expect(6).says("already file 2").says("7 known records");
    assert_eq!(fingerprint(&mut phone.sql()), before);
    // The other file is no newer one by being read again, and one that is newer says more.
    force(&phone, "1.xml").expect(0);
    phone.import("half.xml").expect(6);
    phone.import_text("3.xml", days("2025-06-04", 1..=9).xml()).expect(0);
    phone.import("half.xml").expect(0).says("already file 2").says("Nothing to do");
    undo(&phone, "3").expect(0);
    follow(&phone, &phone.import("half.xml").expect(6)).expect(0);
    phone.import("half.xml").expect(0).says("Nothing to do");
    expect_days(&phone, 1..=2);
}

#[test]
fn an_empty_value_and_a_reference_to_a_control_character_cost_nothing() {
    let phone = Phone::new();
    let mut export = days("2025-06-02", 1..=3);
    export.records[0].value = String::new();
    let at = "startDate=\"2025-05-04 08:00:00 -0800\" endDate=\"2025-05-04 09:00:00 -0800\"";
    export.rest = format!(
        " <Record type=\"HKQuantityTypeIdentifierBodyMass\" sourceName='a' unit=\"kg\" value=\"\" {at}>\
          <MetadataEntry key=\"a&#11;\" value=\"\"/></Record>\n \
         <Workout workoutActivityType=\"HKWorkoutActivityTypeRunning\" sourceName=\"a&#11;b\" duration=\"\" durationUnit=\"min\" {at}>\
          <WorkoutStatistics type=\"HKQuantityTypeIdentifierDistanceWalkingRunning\" {at} sum=\"\" unit=\"km\"/></Workout>\n \
         <ActivitySummary dateComponents=\"2025-05-04\" activeEnergyBurned=\"\" activeEnergyBurnedGoal=\"\" \
          activeEnergyBurnedUnit=\"\" appleMoveTime=\"\" appleExerciseTime=\"12\" appleStandHours=\"\"/>\n"
    );
    let xml = export.xml().replacen("sourceVersion=\"11.2\"", "sourceVersion=\"11&#11;2\"", 1);
    phone.import_text("1.xml", xml).expect(0);
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "meta.rejects"), 0);
    let held = "select source_version, value, metadata from apple_health_raw.published_records order by start_at";
    let held = rows(&mut sql, held);
    assert_eq!((&held[0]["source_version"], &held[0]["value"]), (&"11 2".into(), &Value::Null));
    assert_eq!(held[3]["metadata"]["a "], "");
    let elements =
        "select string_agg(source_name, ',') from apple_health_raw.published_elements where element = 'Workout'";
    assert_eq!(value(&mut sql, elements).as_deref(), Some("a b"));
    // What has no value makes no reading, and of a day's figures the others are there.
    let figures = "select string_agg(metric_code || ' ' || value_num, ', ') from canonical.daily_summaries where origin = 'provider'";
    assert_eq!(value(&mut sql, figures).as_deref(), Some("active_time 720"));
    assert_eq!((count(&mut sql, "canonical.samples"), count(&mut sql, "canonical.biometrics_vitals")), (2, 0));
}
