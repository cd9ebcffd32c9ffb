//! Routes, electrocardiograms, clinical records and attachments beside the document: what lands, what is known again
//! whatever its name, what is set aside, and what is never retired.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Phone;
use super::exports::Export;
use crate::support::cli::Run;
use crate::support::rows::{count, fingerprint, rows, value};

const PDF: &[u8] = b"%PDF-1.7\n\x00\xff binary \x80";

/// A route of `points` points a second apart, in two segments.
pub(super) fn gpx(hour: u32, points: u32) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"Apple Health Export\" \
         xmlns=\"http://www.topografix.com/GPX/1/1\">\n <metadata><time>2026-01-12T20:00:00Z</time></metadata>\n <trk><name>Route</name><trkseg>",
    );
    for n in 0..points {
        if n == points / 2 {
            text.push_str("</trkseg><trkseg>");
        }
        text.push_str(&format!(
            "<trkpt lon=\"-122.01{n:04}\" lat=\"37.33{n:04}\"><ele>{n}.5</ele><time>2026-01-10T{hour:02}:00:{n:02}Z</time>\
             <extensions><speed>1.{n}</speed><course>271</course><hAcc>3.25</hAcc><vAcc>2.5</vAcc></extensions></trkpt>\n"
        ));
    }
    text + "</trkseg></trk></gpx>\n"
}

pub(super) fn ecg(day: u32) -> String {
    let head = format!(
        "Name,Ada Beispiel\nGeburtsdatum,15.01.1990\nAufgezeichnet am,2026-01-{day:02} 21:14:40 +0100\nKlassifizierung,Sinusrhythmus\n\
         Symptome,M\u{fc}digkeit, Schwindel\nSoftwareversion,1.51\nGer\u{e4}t,\"Watch5,4\"\nAbtastrate,\"512,844 Hertz\"\n\n\n\
         Ableitung,Ableitung I\nEinheit,\u{b5}V\n\n"
    );
    (0..50).fold(head, |all, n| all + &format!("-{n},125\n"))
}

fn observation(id: &str) -> String {
    format!(
        "{{\n  \"resourceType\" : \"Observation\",\n  \"id\" : \"{id}\", \"valueQuantity\": {{\"value\": 5.10}}\n}}\n"
    )
}

pub(super) fn export() -> Export {
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 12, 120);
    export.rest = " <ClinicalRecord type=\"HKClinicalTypeIdentifierLabResultRecord\" identifier=\"lab-1\" sourceName=\"A Clinic\" \
        sourceURL=\"https://example.org/fhir/Observation/lab-1\" fhirVersion=\"4.0.1\" receivedDate=\"2026-01-20 08:00:00 -0800\" \
        resourceFilePath=\"/clinical-records/Observation-1.json\"/>\n"
        .into();
    export
}

/// The same, made a month later.
pub(super) fn newer() -> Export {
    Export { made: "2026-03-01".into(), ..export() }
}

pub(super) type Entries = Vec<(String, Vec<u8>)>;

/// An export as a phone makes it, with localised folders where phones have them.
pub(super) fn entries(export: &Export) -> Entries {
    let of = |name: &str, content: &[u8]| (format!("apple_health_export/{name}"), content.to_vec());
    vec![
        of("export.xml", export.xml().as_bytes()),
        of("export_cda.xml", b"<ClinicalDocument/></ClinicalDocument>"),
        of("workout-routes/route_2026-01-10_12.01pm.gpx", gpx(20, 10).as_bytes()),
        of("workout-routes/route_2026-01-11_1.01pm.gpx", gpx(21, 6).as_bytes()),
        of("\u{3c3}\u{bb}\u{255d}/ecg_2026-01-12.csv", ecg(12).as_bytes()),
        of("clinical-records/Observation-1.json", observation("1").as_bytes()),
        of("attachments/8C3F", PDF),
        of(".DS_Store", b"litter"),
        ("__MACOSX/apple_health_export/workout-routes/._route.gpx".into(), b"litter".to_vec()),
    ]
}

pub(super) fn packed(entries: &Entries) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("an entry");
        zip.write_all(content).expect("content");
    }
    zip.finish().expect("a zip").into_inner()
}

/// Everything beside the document, whatever run and file it came with.
pub(super) fn held(phone: &Phone) -> Vec<Value> {
    let without = "- 'run_id' - 'file_id'";
    let all: Vec<String> = ["routes", "ecgs", "clinical_records", "attachments"]
        .iter()
        .map(|side| format!("select '{side}' as side, to_jsonb(s) {without} as row from apple_health_raw.{side} s"))
        .collect();
    rows(&mut phone.sql(), &format!("{} order by 1, 2", all.join(" union all ")))
}

#[test]
fn everything_beside_the_document_is_kept() {
    let phone = Phone::new();
    let run = phone.import_text("export.zip", packed(&entries(&export()))).expect(0);
    assert!(!run.stdout.contains("Ada") && !run.stderr.contains("Ada") && !run.stderr.contains("1990"));
    run.says("Electrocardiogram").says("Route").says("Clinical record").says("Attachment");
    let mut sql = phone.sql();
    let routes = rows(&mut sql, "select * from apple_health_raw.published_routes order by start_at");
    assert_eq!(routes.len(), 2);
    let first = &routes[0];
    assert_eq!(first["paths"], json!(["/workout-routes/route_2026-01-10_12.01pm.gpx"]));
    assert_eq!(
        (&first["points"], &first["segments"], &first["creator"]),
        (&10.into(), &json!([1, 6]), &"Apple Health Export".into())
    );
    assert_eq!(
        (&first["start_at"], &first["end_at"]),
        (&"2026-01-10T20:00:00+00:00".into(), &"2026-01-10T20:00:09+00:00".into())
    );
    assert_eq!(
        (&first["lat"][3], &first["lon"][3], &first["ele_m"][3]),
        (&json!(37.330_003), &json!(-122.010_003), &json!(3.5))
    );
    assert_eq!((&first["speed_m_s"][3], &first["course_deg"][3]), (&json!(1.3), &json!(271)));
    assert_eq!(
        (&first["h_acc_m"][3], &first["v_acc_m"][3], &first["point_at"][3]),
        (&json!(3.25), &json!(2.5), &"2026-01-10T20:00:03+00:00".into())
    );

    let ecg_row = &rows(&mut sql, "select * from apple_health_raw.published_ecgs")[0];
    assert_eq!(
        (&ecg_row["recorded_at"], &ecg_row["utc_offset_s"]),
        (&"2026-01-12T20:14:40+00:00".into(), &(-28800).into())
    );
    assert_eq!(
        (&ecg_row["classification"], &ecg_row["symptoms"]),
        (&"Sinusrhythmus".into(), &"M\u{fc}digkeit, Schwindel".into())
    );
    assert_eq!((&ecg_row["sample_rate_hz"], &ecg_row["unit"]), (&json!(512.844), &"\u{b5}V".into()));
    assert_eq!((ecg_row["voltages"].as_array().map(Vec::len), &ecg_row["voltages"][7]), (Some(50), &json!(-7.125)));
    assert!(!ecg_row.to_string().contains("Ada"), "the view does not name the person");
    let header = value(&mut sql, "select header from apple_health_raw.ecgs").expect("a header");
    assert!(ecg(12).starts_with(&header) && header.contains("Ada Beispiel"));

    let clinical =
        &rows(&mut sql, "select *, payload::text as exact from apple_health_raw.published_clinical_records")[0];
    assert_eq!(clinical["exact"], observation("1"));
    assert_eq!((&clinical["resource_type"], &clinical["resource_id"]), (&"Observation".into(), &"1".into()));
    assert_eq!((&clinical["fhir_version"], &clinical["identifier"]), (&"4.0.1".into(), &"lab-1".into()));
    assert_eq!(
        (&clinical["type"], &clinical["source_name"]),
        (&"HKClinicalTypeIdentifierLabResultRecord".into(), &"A Clinic".into())
    );
    assert_eq!(clinical["received_at"], "2026-01-20T16:00:00+00:00");

    let kept = sql
        .query_one("select content, sha256, media_type, paths from apple_health_raw.published_attachments", &[])
        .expect("one");
    assert_eq!((kept.get::<_, Vec<u8>>(0), kept.get::<_, Vec<u8>>(1)), (PDF.to_vec(), Sha256::digest(PDF).to_vec()));
    assert_eq!(
        (kept.get::<_, &str>(2), kept.get::<_, Vec<String>>(3)),
        ("application/pdf", vec!["/attachments/8C3F".to_owned()])
    );
}

#[test]
fn routes_of_a_corpus_have_as_many_points_as_an_independent_count() {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: routes of other programs' fixtures are not read");
        return;
    };
    let path = std::path::PathBuf::from(folder).join("apple_health/paulstaab/export.zip");
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).expect("a corpus")).expect("a zip");
    let mut expected = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let name = entry.name().expect("a name").into_owned();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).expect("text");
        if name.starts_with("workout-routes/") {
            expected.push(json!({"path": format!("/{name}"), "points": text.matches("<trkpt").count()}));
        }
    }
    assert_eq!(expected.len(), 4);
    expected.sort_by_key(ToString::to_string);
    let phone = Phone::new();
    phone.home.health(&["ingest", "apple-health", path.to_str().expect("a path")]).expect(0);
    let found =
        rows(&mut phone.sql(), "select paths[1] as path, points from apple_health_raw.published_routes order by 1");
    assert_eq!(found, expected);
}

#[test]
fn a_folder_and_an_archive_packed_anew_bring_the_same() {
    let phone = Phone::new();
    let all = entries(&export());
    phone.import_text("export.zip", packed(&all)).expect(0).says("is file 1");
    let expected = held(&phone);
    assert_eq!(expected.len(), 5);
    for (name, content) in &all {
        phone.file(&format!("unpacked/{name}"), content);
    }
    let print = fingerprint(&mut phone.sql());
    phone.import("unpacked").expect(0).says("already file 1");
    phone.import("unpacked/apple_health_export/export.xml").expect(0).says("already file 1");
    let renamed: Entries = all
        .iter()
        .rev()
        .map(|(name, content)| (name.replace("apple_health_export/", "x/y/"), content.clone()))
        .collect();
    phone.import_text("anew.zip", packed(&renamed)).expect(0).says("already file 1");
    assert_eq!(fingerprint(&mut phone.sql()), print);
    let other = Phone::new();
    for (name, content) in &all {
        other.file(&format!("unpacked/{name}"), content);
    }
    other.import("unpacked").expect(0);
    assert_eq!(held(&other), expected);
}

#[test]
fn side_files_land_later_and_a_bare_document_never_retires_them() {
    let phone = Phone::new();
    let xml = export().xml();
    phone.import_text("export.xml", &xml).expect(0).says("is file 1");
    assert!(held(&phone).is_empty());
    phone.import_text("export.zip", packed(&entries(&export()))).expect(0).says("is file 2");
    assert_eq!(held(&phone).len(), 5);
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.records where file_id = 1"), 12, "records are as they were");
    let print = fingerprint(&mut phone.sql());
    phone.import("export.xml").expect(0).says("already file");
    phone.import("export.zip").expect(0).says("already file 2");
    assert_eq!(fingerprint(&mut phone.sql()), print);

    let before = held(&phone);
    let mut newer = export();
    newer.made = "2026-03-01".into();
    newer.add_steps("2026-02-20 09:00:00", 1, 10);
    phone.import_text("newer.xml", newer.xml()).expect(0);
    newer.made = "2026-04-01".into();
    phone.import_text("bare.zip", packed(&vec![("export.xml".into(), newer.xml().into_bytes())])).expect(0);
    assert_eq!(held(&phone), before, "neither a document alone nor an archive of it proves anything");
}

#[test]
fn a_newer_archive_writes_the_difference_whatever_the_names() {
    let phone = Phone::new();
    phone.import_text("one.zip", packed(&entries(&export()))).expect(0);
    let rows_of = "select id, run_id, paths from apple_health_raw.routes order by start_at";
    let before = rows(&mut phone.sql(), rows_of);
    let mut second = entries(&newer());
    second[2].0 = second[2].0.replace("workout-routes", "Strecken");
    second.remove(3);
    second.push(("apple_health_export/workout-routes/route_2026-02-02_1.01pm.gpx".into(), gpx(5, 4).into_bytes()));
    phone.import_text("two.zip", packed(&second)).expect(0).says("no longer");
    let after = rows(&mut phone.sql(), rows_of);
    assert_eq!(after.len(), 3);
    assert_eq!(
        value(&mut phone.sql(), "select count(*) from apple_health_raw.routes where missing_since_run_id is not null")
            .as_deref(),
        Some("1")
    );
    let renamed = after.iter().find(|row| row["id"] == before[0]["id"]).expect("the first route");
    assert_eq!(renamed["run_id"], before[0]["run_id"], "a new name is no change");
    assert_eq!(
        renamed["paths"],
        json!(["/Strecken/route_2026-01-10_12.01pm.gpx", "/workout-routes/route_2026-01-10_12.01pm.gpx"])
    );
    // It comes back; nothing else is written.
    let latest = Export { made: "2026-04-01".into(), ..export() };
    phone.import_text("three.zip", packed(&entries(&latest))).expect(0);
    let back = "apple_health_raw.routes where returned_run_id is not null and missing_since_run_id is null";
    assert_eq!(count(&mut phone.sql(), back), 1);
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.ecgs where run_id <> 1 or file_id <> 1"), 0);
}

/// What the closing summary says of side files, but for what is new.
fn said(run: &Run) -> Vec<Value> {
    let report: Value = serde_json::from_str(&run.stdout).expect("a report");
    let kinds = report["files"][0]["types"].as_array().expect("types").clone();
    let beside = ["routes", "ecgs", "clinical_records", "attachments"];
    let mut kinds: Vec<Value> =
        kinds.into_iter().filter(|kind| beside.contains(&kind["table"].as_str().expect("a table"))).collect();
    for kind in &mut kinds {
        let rows = kind["records"].clone();
        assert!(
            kind["new"] == rows && kind["unchanged"] == 0 || kind["new"] == 0 && kind["unchanged"] == rows,
            "{kind}"
        );
        (kind["new"], kind["unchanged"]) = (Value::Null, Value::Null);
    }
    kinds
}

#[test]
fn files_that_are_held_stay_as_they_are_until_a_better_reader_comes() {
    let phone = Phone::new();
    phone.file("one.zip", packed(&entries(&export())));
    phone.file("two.zip", packed(&entries(&newer())));
    phone.file("three.zip", packed(&entries(&Export { made: "2026-04-01".into(), ..export() })));
    let import = |name: &str| phone.home.health(&["ingest", "apple-health", name, "--json"]).expect(0);
    let first = said(&import("one.zip"));
    assert_eq!(first.len(), 4);
    let before = held(&phone);
    // Marked by hand, to see what is written over.
    let mut sql = phone.sql();
    let marked = "update apple_health_raw.routes set name = 'marked'; update apple_health_raw.ecgs set lead = 'marked';
                  update apple_health_raw.clinical_records set resource_id = 'marked';
                  update apple_health_raw.attachments set media_type = 'marked'";
    sql.batch_execute(marked).expect("marks");
    let with_marks = held(&phone);
    assert_ne!(with_marks, before);
    assert_eq!(said(&import("two.zip")), first);
    assert_eq!(held(&phone), with_marks, "what is held is not read");
    let runs = "select string_agg(distinct run_id::text, ',') from apple_health_raw.routes";
    assert_eq!(value(&mut sql, runs).as_deref(), Some("1"));
    for side in ["routes", "ecgs", "clinical_records", "attachments"] {
        let older = format!("update apple_health_raw.{side} set parser_version = parser_version - 1");
        sql.batch_execute(&older).expect("an older reader");
    }
    let run = import("three.zip");
    assert_eq!(held(&phone), before, "another reader reads it again: {}", run.report());
    assert_ne!(value(&mut sql, runs).as_deref(), Some("1"), "models learn of it");
}

#[test]
fn a_workout_begins_where_its_route_does() {
    let phone = Phone::new();
    let mut with_workout = export();
    with_workout.rest.push_str(
        " <Workout workoutActivityType=\"HKWorkoutActivityTypeRunning\" duration=\"10\" durationUnit=\"min\" sourceName=\"Watch\" \
          startDate=\"2026-01-10 12:00:00 -0800\" endDate=\"2026-01-10 12:10:00 -0800\">\n  <WorkoutRoute sourceName=\"Watch\">\
          <FileReference path=\"/workout-routes/route_2026-01-10_12.01pm.gpx\"/></WorkoutRoute>\n </Workout>\n",
    );
    let mut all = entries(&with_workout);
    let begins = "select start_lat || ' ' || start_lon from canonical.workouts where retired_at is null";
    // The document alone names the route; its place comes with the file, and goes with nothing.
    phone.import_text("export.xml", with_workout.xml()).expect(0);
    assert_eq!(value(&mut phone.sql(), begins), None);
    phone.import_text("export.zip", packed(&all)).expect(0);
    assert_eq!(value(&mut phone.sql(), begins).as_deref(), Some("37.33 -122.01"));
    let before = fingerprint(&mut phone.sql());
    all[2].0 = all[2].0.replace("workout-routes", "Strecken");
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert_eq!(before["canonical.workouts"], fingerprint(&mut phone.sql())["canonical.workouts"]);
    phone.import_text("renamed.zip", packed(&all)).expect(0);
    assert_eq!(value(&mut phone.sql(), begins).as_deref(), Some("37.33 -122.01"));
    // Taken back with the archives that brought it.
    for file in ["3", "2"] {
        phone.home.health(&["ingest", "apple-health", "--undo", file]).expect(0);
    }
    assert_eq!(count(&mut phone.sql(), "canonical.workouts where retired_at is null"), 1);
    assert_eq!(value(&mut phone.sql(), begins), None);
}

#[test]
fn taking_back_a_file_takes_its_side_files_with_it() {
    let phone = Phone::new();
    phone.import_text("one.zip", packed(&entries(&export()))).expect(0);
    let before = held(&phone);
    let mut second = entries(&newer());
    second.remove(3);
    second.push(("apple_health_export/workout-routes/new.gpx".into(), gpx(5, 4).into_bytes()));
    second.push(("apple_health_export/clinical-records/new.json".into(), observation("3").into_bytes()));
    phone.import_text("two.zip", packed(&second)).expect(0);
    let after = held(&phone);
    assert_eq!((before.len(), after.len()), (5, 7));
    phone.home.health(&["ingest", "apple-health", "--undo", "2"]).expect(0).says("is taken back");
    assert_eq!(held(&phone), before, "the route that it had retired is there again");
    phone.import("two.zip").expect(0).says("is file 3");
    let again = |rows: Vec<Value>| -> Vec<Value> {
        let plain = |mut row: Value| {
            row["row"]["missing_since_run_id"] = (!row["row"]["missing_since_run_id"].is_null()).into();
            row
        };
        rows.into_iter().map(plain).collect()
    };
    assert_eq!(again(held(&phone)), again(after));
}

#[test]
fn a_broken_file_is_set_aside_alone_and_retires_nothing() {
    let phone = Phone::new();
    phone.import_text("one.zip", packed(&entries(&export()))).expect(0);
    let before = held(&phone);
    let mut second = entries(&newer());
    let whole = gpx(20, 10);
    // The same place, but damaged: it is the route that was there, and nobody can tell.
    second[2].1 = whole.as_bytes()[..whole.len() / 2].to_vec();
    second.remove(3);
    let laughs = "<!DOCTYPE gpx [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]>\
                  <gpx><trk><name>&b;&f;</name></trk></gpx>";
    let mut add = |name: &str, content: Vec<u8>| second.push((format!("apple_health_export/{name}"), content));
    add("workout-routes/laughs.gpx", laughs.into());
    add("workout-routes/deep.gpx", format!("<gpx>{}", "<a>".repeat(50_000)).into_bytes());
    add("workout-routes/bomb.gpx", format!("<gpx><trk><name>{}</name></trk></gpx>", " ".repeat(4 << 20)).into_bytes());
    add("electrocardiograms/cut.csv", ecg(13).as_bytes()[..200].to_vec());
    add("electrocardiograms/words.csv", ecg(14).replace("-7,125", "seven").into_bytes());
    add(
        "clinical-records/deep.json",
        format!("{{\"resourceType\":\"X\",\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000)).into_bytes(),
    );
    add("clinical-records/cut.json", b"{\"resourceType\": \"Observ".to_vec());
    add("clinical-records/good.json", observation("2").into_bytes());
    let run = phone.import_text("two.zip", packed(&second)).expect(3).says("rejected").says("health rejects");
    assert!(!run.stdout.contains("Ada") && !run.stderr.contains("Ada"));
    let mut sql = phone.sql();
    let rejects =
        rows(&mut sql, "select resource, code, detail, locator->>'file' as file from meta.rejects order by file");
    let said: Vec<(&str, &str)> = rejects
        .iter()
        .map(|row| (row["file"].as_str().expect("a path"), row["code"].as_str().expect("a code")))
        .collect();
    assert_eq!(
        said,
        [
            ("/clinical-records/cut.json", "bad_json"),
            ("/clinical-records/deep.json", "too_deep"),
            ("/electrocardiograms/cut.csv", "bad_header"),
            ("/electrocardiograms/words.csv", "bad_number"),
            ("/workout-routes/bomb.gpx", "unreadable"),
            ("/workout-routes/deep.gpx", "bad_gpx"),
            ("/workout-routes/laughs.gpx", "bad_text"),
            ("/workout-routes/route_2026-01-10_12.01pm.gpx", "bad_gpx"),
        ]
    );
    assert!(!rejects.iter().any(|row| row.to_string().contains("Ada") || row.to_string().contains("seven")));
    assert_eq!(count(&mut sql, "meta.rejects where position('Ada'::bytea in payload) > 0"), 0, "the person is named");
    let after = held(&phone);
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|row| after.contains(row)), "nothing was retired or changed");
    phone.home.health(&["rejects"]).expect(0).says("unreadable");
}

#[test]
fn entries_that_are_damaged_or_locked_cost_themselves() {
    let phone = Phone::new();
    let zip = packed(&entries(&export()));
    let patched = |name: &str, flag: bool| {
        let mut zip = zip.clone();
        let at = |mark: &[u8; 4], name_at: usize| {
            (0..zip.len() - 4)
                .find(|at| zip[*at..].starts_with(mark) && zip[at + name_at..].starts_with(name.as_bytes()))
        };
        let places = [(at(b"PK\x03\x04", 30), 6, 14), (at(b"PK\x01\x02", 46), 8, 16)];
        for (at, flags, crc) in places {
            let at = at.expect("a header");
            if flag { zip[at + flags] |= 1 } else { zip[at + crc] ^= 0xff }
        }
        zip
    };
    let name = "apple_health_export/workout-routes/route_2026-01-10_12.01pm.gpx";
    phone.import_text("crc.zip", patched(name, false)).expect(3).says("1 unreadable");
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.published_routes"), 1);
    let other = Phone::new();
    other.import_text("locked.zip", patched(name, true)).expect(3).says("1 unreadable");
    assert_eq!(count(&mut other.sql(), "apple_health_raw.published_routes"), 1);
    assert_eq!(count(&mut other.sql(), "apple_health_raw.published_records"), 12);
}

#[test]
fn an_archive_that_expands_without_end_is_refused_whole() {
    let phone = Phone::new();
    let mut all = entries(&export());
    for n in 0..4 {
        all.push((format!("apple_health_export/workout-routes/{n}.gpx"), vec![b' '; 25 << 20]));
    }
    phone.import_text("bomb.zip", packed(&all)).expect(7).says("200 times").says("the database is as before");
    phone.expect_nothing();
}

#[test]
fn what_lies_about_in_a_folder_of_downloads_is_left_alone() {
    let phone = Phone::new();
    phone.file("downloads/export.xml", export().xml());
    phone.file("downloads/bank.csv", "date,amount\n2026-01-01,12\n");
    phone.file("downloads/package.json", "{\"name\": \"x\"}");
    phone.file("downloads/holiday.jpg", b"\xff\xd8\xff\xe0 JFIF");
    phone.file("downloads/notes/todo.txt", "buy milk");
    phone.import("downloads").expect(0);
    assert!(held(&phone).is_empty());
    assert_eq!(count(&mut phone.sql(), "meta.rejects"), 0);
}
