//! The same history, exported at home, in summer time and on a journey: the phone writes every date in another offset,
//! names routes and electrocardiograms by other local times, and gives devices other addresses. Nothing of it is news.

use std::fmt::Write as _;

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::Value;

use super::Phone;
use super::exports::{Export, WORKOUT, in_zone};
use super::side::{Entries, packed};
use crate::support::rows::{count, fingerprint, rows, value};

/// Ends of workouts, in Pacific standard time. An hour to the east the route of the first has the name that the route of
/// the second has at home.
const RUNS: [&str; 3] = ["2026-01-07 09:30:00", "2026-01-07 10:30:00", "2026-01-09 17:45:00"];
const SPORTS: [&str; 3] = ["Running", "Walking", "Hiking"];
const RECORDED: &str = "2026-01-08 22:10:30";

fn instant(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a time")
}

/// A time in the offset of the export, as files are named.
fn named(at: &str, hours: i64) -> String {
    (instant(at) + TimeDelta::hours(hours)).format("%Y-%m-%d_%-I.%M%P").to_string()
}

/// What stands before the track differs from export to export.
fn route(number: usize, hours: i64, made: &str) -> String {
    let end = RUNS[number];
    let (end, name) = (instant(end), (instant(end) + TimeDelta::hours(hours)).format("%Y-%m-%d %-I:%M%P"));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"Apple Health Export\">\n <metadata>\n  \
         <time>{made}T18:00:07Z</time>\n </metadata>\n <trk>\n  <name>Route {name}</name>\n  <trkseg>\n"
    );
    for n in 0..60 {
        let at = end + TimeDelta::hours(8) - TimeDelta::seconds(60 - n);
        let _ = writeln!(
            text,
            "   <trkpt lon=\"-122.{n:06}\" lat=\"37.{:06}\"><ele>{n}.25</ele><time>{}</time></trkpt>",
            n + 1000 * i64::try_from(number).expect("small"),
            at.format("%Y-%m-%dT%H:%M:%SZ")
        );
    }
    text + "  </trkseg>\n </trk>\n</gpx>\n"
}

/// The header is in the language of the phone, and so are decimals.
fn ecg(hours: i64, is_german: bool) -> String {
    let date = in_zone(&format!("{{at:{RECORDED}}}"), hours, 0);
    let [birth, day, class, symptoms, software, device, rate, lead, unit] = if is_german {
        [
            "Geburtsdatum,1.1.1990",
            "Aufgezeichnet am",
            "Klassifizierung,Sinusrhythmus",
            "Symptome,",
            "Softwareversion,1.9",
            "Ger\u{e4}t,\"Watch5,4\"",
            "Abtastrate,\"512,25 Hertz\"",
            "Ableitung,Ableitung I",
            "Einheit,\u{b5}V",
        ]
    } else {
        [
            "Date of Birth,Jan 1, 1990",
            "Recorded Date",
            "Classification,Sinus Rhythm",
            "Symptoms,",
            "Software Version,1.9",
            "Device,\"Watch5,4\"",
            "Sample Rate,512.25 hertz",
            "Lead,Lead I",
            "Unit,\u{b5}V",
        ]
    };
    let mut text = format!(
        "Name,Ada\n{birth}\n{day},{date}\n{class}\n{symptoms}\n{software}\n{device}\n{rate}\n\n\n{lead}\n{unit}\n\n"
    );
    for n in 0..200 {
        let _ = writeln!(text, "-{n}{}125", if is_german { ',' } else { '.' });
    }
    text
}

/// The export that the phone makes of its history.
fn made(day: &str, hours: i64, pointer: u64) -> Entries {
    let mut export = Export { made: day.into(), offset_hours: hours, pointer, ..Export::year() };
    for (n, end) in RUNS.iter().enumerate() {
        let start = (instant(end) - TimeDelta::minutes(30)).format("%Y-%m-%d %H:%M:%S").to_string();
        export.rest.push_str(
            &WORKOUT
                .replace("Running", SPORTS[n])
                .replace("2026-01-07 09:00:00", &start)
                .replace("2026-01-07 09:30:00", end)
                .replace("/workout-routes/route_1.gpx", &format!("/workout-routes/route_{}.gpx", named(end, hours))),
        );
    }
    export.rest.push_str(
        " <Correlation type=\"HKCorrelationTypeIdentifierBloodPressure\" sourceName=\"Cuff\" startDate=\"{at:2026-01-08 07:00:00}\" \
         endDate=\"{at:2026-01-08 07:00:00}\"><Record type=\"HKQuantityTypeIdentifierBloodPressureSystolic\" unit=\"mmHg\" value=\"121\" \
         sourceName=\"Cuff\" startDate=\"{at:2026-01-08 07:00:00}\" endDate=\"{at:2026-01-08 07:00:00}\"/></Correlation>\n \
         <ActivitySummary dateComponents=\"2026-01-08\" activeEnergyBurned=\"512\" activeEnergyBurnedUnit=\"Cal\" appleStandHours=\"11\"/>\n",
    );
    let of = |name: &str, content: String| (format!("apple_health_export/{name}"), content.into_bytes());
    let mut entries = vec![of("export.xml", export.xml())];
    for (number, end) in RUNS.iter().enumerate() {
        entries.push(of(&format!("workout-routes/route_{}.gpx", named(end, hours)), route(number, hours, day)));
    }
    let local = instant(RECORDED) + TimeDelta::hours(hours);
    entries.push(of(&format!("electrocardiograms/ecg_{}.csv", local.format("%Y-%m-%d")), ecg(hours, hours > 8)));
    entries
}

/// Side files, but for where they lay.
fn beside(phone: &Phone) -> Vec<Value> {
    let query = "select to_jsonb(r) - 'paths' as row from apple_health_raw.routes r
                 union all select to_jsonb(e) - 'paths' from apple_health_raw.ecgs e order by 1";
    rows(&mut phone.sql(), query)
}

#[test]
fn the_same_history_from_another_zone_is_no_news() {
    let phone = Phone::new();
    phone.import_text("home.zip", packed(&made("2026-02-20", 0, 1))).expect(0);
    let mut sql = phone.sql();
    let places = "select string_agg(sport || ' ' || start_lat, ', ' order by start_at) from canonical.workouts";
    assert_eq!(value(&mut sql, places).as_deref(), Some("running 37, walking 37.001, hiking 37.002"));
    let (before, raw) = (fingerprint(&mut sql), (phone.raw(), phone.elements(), phone.canonical(), beside(&phone)));
    let held = i64::try_from(raw.0.len() + raw.1.len() + raw.3.len()).expect("small");
    for (day, hours, pointer) in [("2026-04-01", 1, 77), ("2026-05-01", 17, 4242), ("2026-05-02", -10, 9)] {
        phone.file("journey.zip", packed(&made(day, hours, pointer)));
        let run = phone.home.health(&["ingest", "apple-health", "journey.zip", "--json"]).expect(0);
        let report: Value = serde_json::from_str(&run.stdout).expect("a report");
        let file = &report["files"][0];
        for none in ["new", "returned", "retired", "rejected", "deletions_held_back"] {
            assert_eq!(file[none], 0, "{hours} hours: {none}: {}", run.report());
        }
        assert_eq!(file["unchanged"], held, "{}", run.report());
        for (model, counts) in file["models"].as_object().expect("models") {
            let counts = counts.as_object().expect("counts");
            assert!(counts.values().all(|count| *count == 0), "{hours} hours: {model}: {counts:?}");
        }
        let mut after = fingerprint(&mut sql);
        // The document is described, and a file is found where it lay this time.
        for table in ["exports", "routes", "ecgs"] {
            let table = format!("apple_health_raw.{table}");
            after.insert(table.clone(), before[&table].clone());
        }
        assert_eq!(after, before, "{hours} hours: not one row was written");
        assert_eq!(beside(&phone), raw.3, "{hours} hours");
    }
    assert_eq!((phone.raw(), phone.elements(), phone.canonical()), (raw.0, raw.1, raw.2.clone()));
    assert_eq!(count(&mut sql, "apple_health_raw.routes where cardinality(paths) = 4"), 3);
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(phone.canonical() == raw.2, "a rebuild says the same");
}

/// A workout that comes later and goes again, in exports from other zones.
#[test]
fn a_rebuild_finds_the_same_workouts_after_changes() {
    let phone = Phone::new();
    let mut first = made("2026-02-20", 0, 1);
    let without = String::from_utf8(first[0].1.clone()).expect("text");
    let (begin, end) = (without.find(" <Workout ").expect("a workout"), without.find(" </Workout>").expect("its end"));
    first[0].1 = [&without[..begin], &without[end + " </Workout>\n".len()..]].concat().into_bytes();
    first.remove(1);
    phone.import_text("first.zip", packed(&first)).expect(0);
    assert_eq!(count(&mut phone.sql(), "canonical.workouts"), 2);
    phone.import_text("second.zip", packed(&made("2026-04-01", 1, 5))).expect(0);
    // The first workout is gone again from the phone, with its route.
    let mut third = made("2026-05-01", 9, 6);
    let text = String::from_utf8(third[0].1.clone()).expect("text");
    let (begin, end) = (text.find(" <Workout ").expect("a workout"), text.find(" </Workout>").expect("its end"));
    third[0].1 = [&text[..begin], &text[end + " </Workout>\n".len()..]].concat().into_bytes();
    third.remove(1);
    phone.import_text("third.zip", packed(&third)).expect(0).says("no longer in the export");
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "canonical.workouts where retired_at is null"), 2);
    assert_eq!(count(&mut sql, "canonical.workouts where retired_at is not null"), 1);
    let before = phone.canonical();
    for _ in 0..2 {
        phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
        assert!(phone.canonical() == before);
    }
}
