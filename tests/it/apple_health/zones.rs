//! Days of records that name no zone: they follow from where the person was, and from nothing that an export says.

use serde_json::Value;

use super::Phone;
use super::exports::{Export, record, zipped};
use crate::support::rows::{count, fingerprint, rows, run_states, value};

/// A walk in the first hour of 2 July in Los Angeles, which winter writes as the last hour of 1 July.
fn summer_walk(made: &str, offset_hours: i64) -> Export {
    let mut export = Export::new(made);
    export.offset_hours = offset_hours;
    export.add_steps("2025-07-01 23:20:00", 1, 700);
    export
}

#[test]
fn one_summer_walk_exported_in_two_seasons_is_one_walk() {
    let facts =
        "select raw_source_id, start_at, end_at, local_date, utc_offset_s, tz_name, value_num from canonical.samples";
    let of = |export: &Export| {
        let phone = Phone::new();
        phone.import_text("export.xml", export.xml()).expect(0);
        (phone.raw(), rows(&mut phone.sql(), facts))
    };
    let (summer, winter) = (summer_walk("2025-08-01", 1), summer_walk("2025-12-01", 0));
    assert!(summer.xml().contains("2025-07-02 00:20:00 -0700") && winter.xml().contains("2025-07-01 23:20:00 -0800"));
    assert_eq!(of(&summer), of(&winter));
    let phone = Phone::new();
    phone.import_text("august.xml", summer.xml()).expect(0);
    let before = phone.raw();
    phone.import_text("december.xml", winter.xml()).expect(0);
    assert_eq!(phone.raw(), before, "the second export brings nothing");
    let walk = rows(&mut phone.sql(), facts);
    assert_eq!(walk.len(), 1);
    assert_eq!((&walk[0]["local_date"], &walk[0]["utc_offset_s"]), (&"2025-07-02".into(), &(-25200).into()));
    assert_eq!(walk[0]["start_at"], "2025-07-02T07:20:00+00:00");
}

/// Steps every six hours from 20 February to 20 March, and a sleep record in the middle that names its zone.
fn spring() -> Export {
    let mut export = Export::new("2025-04-01");
    for day in 0..28u32 {
        for hour in [1, 7, 13, 19] {
            let date = chrono::NaiveDate::from_ymd_opt(2025, 2, 20).expect("a day") + chrono::Days::new(day.into());
            export.records.push(record("StepCount", "count", "50", &format!("{date} {hour:02}:30:00")));
        }
    }
    let mut sleep = record("SleepAnalysis", "", "HKCategoryValueSleepAnalysisAsleepDeep", "2025-03-05 10:00:00");
    sleep.metadata = vec![("HKTimeZone", "Asia/Seoul")];
    export.records.push(sleep);
    export
}

fn raw_rows(phone: &Phone) -> Vec<Value> {
    let all = "select source_id, start_at, type, utc_offset_s, tz_name, tz_basis, run_id from apple_health_raw.published_records order by start_at, source_id";
    rows(&mut phone.sql(), all)
}

fn days(phone: &Phone) -> Vec<Value> {
    rows(
        &mut phone.sql(),
        "select start_at, local_date, utc_offset_s, tz_name, value_num from canonical.samples where retired_at is null order by start_at",
    )
}

#[test]
fn a_trip_set_afterwards_moves_its_days_and_nothing_else() {
    let phone = Phone::new();
    phone.import_text("export.xml", spring().xml()).expect(0);
    let (before, days_before) = (raw_rows(&phone), days(&phone));
    let set = ["zones", "set", "Asia/Tokyo", "--from", "2025-03-01", "--until", "2025-03-10"];
    let print = fingerprint(&mut phone.sql());
    let dry = phone.home.health(&[&set[..], &["--dry-run"]].concat()).expect(0);
    dry.says("would set  Asia/Tokyo from 2025-03-01 until 2025-03-10").says("40 raw rows would take another offset");
    assert_eq!((fingerprint(&mut phone.sql()), count(&mut phone.sql(), "meta.zones")), (print, 0));

    phone.home.health(&set).expect(0).says("ok  Asia/Tokyo").says("40 raw rows took another offset");
    // Tokyo's ten days, as instants.
    let in_trip = |row: &Value| {
        let at = row["start_at"].as_str().expect("an instant");
        ("2025-02-28T15:00:00+00:00".."2025-03-10T15:00:00+00:00").contains(&at)
    };
    let (after, days_after) = (raw_rows(&phone), days(&phone));
    assert_eq!((before.len(), days_before.len()), (after.len(), days_after.len()));
    for (old, new) in before.iter().zip(&after) {
        if in_trip(new) && new["tz_basis"] == "home" {
            assert_eq!((&new["tz_name"], &new["utc_offset_s"]), (&"Asia/Tokyo".into(), &32400.into()));
        } else {
            assert_eq!(old, new, "the run included");
        }
    }
    let mut moved = 0;
    for (old, new) in days_before.iter().zip(&days_after) {
        if in_trip(new) {
            assert_eq!((&new["utc_offset_s"], &new["value_num"]), (&32400.into(), &old["value_num"]));
            moved += usize::from(old["local_date"] != new["local_date"]);
        } else {
            assert_eq!(old, new);
        }
    }
    assert!(moved > 20, "{moved} steps belong to another day");

    // The same again is nothing; a newer export lands on the same days.
    let (print, runs) = (fingerprint(&mut phone.sql()), run_states(&mut phone.sql()));
    phone.home.health(&set).expect(0).says("0 raw rows took another offset");
    assert_eq!((fingerprint(&mut phone.sql()), run_states(&mut phone.sql())), (print, runs));
    let mut newer = spring();
    newer.made = "2025-05-01".into();
    newer.offset_hours = 1;
    newer.records.push(record("StepCount", "count", "99", "2025-03-04 22:00:00"));
    phone.import_text("newer.xml", newer.xml()).expect(0);
    let late = "select local_date || ' ' || tz_name from canonical.samples where value_num = 99";
    assert_eq!(value(&mut phone.sql(), late).as_deref(), Some("2025-03-05 Asia/Tokyo"));

    // Taken back, everything is as it was.
    phone.home.health(&["zones", "remove", "2025-03-01"]).expect(0).says("ok  removed  Asia/Tokyo");
    let without_new: Vec<Value> = days(&phone).into_iter().filter(|row| row["value_num"] != 99).collect();
    assert_eq!(without_new, days_before);
}

#[test]
fn workouts_and_electrocardiograms_follow_as_well() {
    let phone = Phone::new();
    let mut export = spring();
    let workout = |zone: &str| {
        format!(
            " <Workout workoutActivityType=\"HKWorkoutActivityTypeWalking\" sourceName=\"a\" startDate=\"2025-03-05 20:00:00 -0800\" \
             endDate=\"2025-03-05 21:00:00 -0800\">{zone}</Workout>\n"
        )
    };
    export.rest = workout("") + &workout("<MetadataEntry key=\"HKTimeZone\" value=\"Asia/Seoul\"/>");
    let ecg = "Name,A\nDate of Birth,B\nRecorded Date,2025-03-06 05:00:00 +0100\nClassification,C\nSymptoms,\nSoftware Version,1\n\
               Device,D\nSample Rate,512 hertz\n\nLead,Lead I\nUnit,\u{b5}V\n\n1.5\n";
    phone
        .import_text("export.zip", zipped(&[("e/export.xml", &export.xml()), ("e/electrocardiograms/ecg.csv", ecg)]))
        .expect(0);
    let zones = "select string_agg(tz_name || ' ' || utc_offset_s, ', ' order by tz_basis, tz_name)
                   from (select tz_basis, tz_name, utc_offset_s from apple_health_raw.elements where element = 'Workout'
                         union all select 'ecg', tz_name, utc_offset_s from apple_health_raw.ecgs) z";
    let (home, seoul) = ("America/Los_Angeles -28800", "Asia/Seoul 32400");
    assert_eq!(value(&mut phone.sql(), zones), Some(format!("{home}, {home}, {seoul}")));
    phone.home.health(&["zones", "set", "Asia/Kathmandu", "--from", "2025-03-01", "--until", "2025-03-10"]).expect(0);
    let away = "Asia/Kathmandu 20700";
    assert_eq!(value(&mut phone.sql(), zones), Some(format!("{away}, {away}, {seoul}")));
}

/// Every canonical row that holds, but for when and by which run.
fn canonical(phone: &Phone) -> Vec<Value> {
    let tables = ["samples", "daily_summaries", "biometrics_vitals", "sleep_sessions"].map(|table| {
        format!(
            "select '{table}' as t, to_jsonb(c) - 'run_id' - 'created_at' - 'updated_at' as row from canonical.{table} c where retired_at is null"
        )
    });
    rows(&mut phone.sql(), &format!("{} order by 1, 2", tables.join(" union all ")))
}

#[test]
fn before_the_import_or_after_it_a_trip_means_the_same() {
    let mut export = Export::year();
    export.records.extend(spring().records);
    let set = ["zones", "set", "Asia/Tokyo", "--from", "2026-01-03", "--until", "2026-01-12"];
    let (early, late) = (Phone::new(), Phone::new());
    early.home.health(&set).expect(0);
    early.import_text("export.xml", export.xml()).expect(0);
    late.import_text("export.xml", export.xml()).expect(0);
    let home = canonical(&late);
    late.home.health(&set).expect(0);
    let away = canonical(&early);
    assert!(away.len() > 600 && away != home);
    assert_eq!(canonical(&late), away);
    late.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert_eq!(canonical(&late), away, "and made again from raw");
    late.home.health(&["zones", "remove", "2026-01-03"]).expect(0);
    assert_eq!(canonical(&late), home);
}

#[test]
fn a_kill_between_offsets_and_days_is_completed_by_the_next_call() {
    let set = ["zones", "set", "Asia/Tokyo", "--from", "2025-03-01", "--until", "2025-03-10"];
    let expected = Phone::new();
    expected.import_text("export.xml", spring().xml()).expect(0);
    expected.home.health(&set).expect(0);
    let phone = Phone::new();
    phone.import_text("export.xml", spring().xml()).expect(0);
    phone.home.set("HEALTH_FAILPOINT", "list");
    let passed = phone.home.health(&[&set[..], &["--dry-run"]].concat()).expect(0).stderr;
    assert!(!passed.contains("zones.moved"), "a rehearsal commits nothing");
    for point in ["zones.before_commit", "zones.moved"] {
        phone.home.set("HEALTH_FAILPOINT", point);
        phone.home.health(&set).expect(137);
        let moved = value(
            &mut phone.sql(),
            "select count(*) from apple_health_raw.records where utc_offset_s = 32400 and not zone_from_record",
        );
        let all_or_nothing = if point == "zones.moved" { "40" } else { "0" };
        assert_eq!(
            (moved.as_deref(), count(&mut phone.sql(), "meta.zones")),
            (Some(all_or_nothing), i64::from(point == "zones.moved"))
        );
    }
    phone.home.unset("HEALTH_FAILPOINT");
    phone.home.health(&["transform", "apple-health"]).expect(0);
    assert_eq!(days(&phone), days(&expected));
}

#[test]
fn a_list_of_moves_and_trips_is_shown_and_refused_where_it_makes_no_sense() {
    let phone = Phone::new();
    phone.home.health(&["zones"]).expect(0).says("home: America/Los_Angeles");
    phone.home.health(&["zones", "set", "Europe/Berlin", "--from", "2025-06-01"]).expect(0).says("0 raw rows");
    phone
        .home
        .health(&["zones", "set", "Asia/Tokyo", "--from", "2025-07-01T18:20+09:00", "--until", "2025-07-04"])
        .expect(0);
    let said = phone.home.health(&["zones", "--json"]).expect(0).json();
    assert_eq!(said["schema"], "health.zones/1");
    assert_eq!(
        said["zones"],
        serde_json::json!([
            {"from": "2025-05-31T22:00:00Z", "until": null, "zone": "Europe/Berlin"},
            {"from": "2025-07-01T09:20:00Z", "until": "2025-07-04T15:00:00Z", "zone": "Asia/Tokyo"},
        ])
    );
    let list = phone.home.health(&["zones", "list"]).expect(0).stdout;
    let row = list.lines().find(|line| line.ends_with("Asia/Tokyo")).unwrap_or_default();
    let row: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(row, ["2025-07-01T18:20+09:00", "2025-07-04", "Asia/Tokyo"], "{list}");
    // Another end for the same beginning replaces it.
    let set = phone.home.health(&[
        "zones",
        "set",
        "Europe/Berlin",
        "--from",
        "2025-06-01",
        "--until",
        "2025-06-30",
        "--json",
    ]);
    assert_eq!(set.expect(0).json()["zones"][0]["until"], "2025-06-30T22:00:00Z");

    let refused = |words: &[&str], code: i32, reason: &str| {
        let run = phone.home.health(&[&["zones"], words].concat()).expect(code).says(reason);
        assert!(["error:", "next:"].iter().all(|label| run.stderr.contains(label)), "{}", run.report());
    };
    refused(&["set", "Mars/Olympus", "--from", "2025-01-01"], 13, "is not a name of the IANA database");
    refused(&["set", "Asia/Tokyo", "--from", "someday"], 2, "is not a date");
    refused(&["set", "Asia/Tokyo", "--from", "2025-03-10", "--until", "2025-03-01"], 2, "--until is before --from");
    refused(&["remove", "2024-01-01"], 2, "no stay begins");
    assert_eq!(count(&mut phone.sql(), "meta.zones"), 2);
    phone.home.health(&["zones", "remove", "2025-07-01T18:20+09:00", "--dry-run"]).expect(0).says("would remove");
    phone.home.health(&["zones", "remove", "2025-07-01T18:20+09:00"]).expect(0);
    assert_eq!(count(&mut phone.sql(), "meta.zones"), 1);

    // Two stays may begin on one day of their own; the way out is a command that works.
    for zone in ["Asia/Tokyo", "Europe/Paris"] {
        phone.home.health(&["zones", "set", zone, "--from", "2025-08-01"]).expect(0);
    }
    let both = phone.home.health(&["zones", "remove", "2025-08-01"]).expect(2).says("2 stays begin");
    assert!(both.stderr.contains("2025-08-01T00:00:00+02:00 in Europe/Paris"), "{}", both.report());
    let next = both.next();
    let command = next.split("    ").next().expect("a command");
    assert_eq!(command, "health zones remove 2025-08-01T00:00:00+09:00");
    phone.home.health(&command.split(' ').skip(1).collect::<Vec<_>>()).expect(0).says("removed  Asia/Tokyo");
}
