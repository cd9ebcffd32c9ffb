//! Files that are cut, hostile, or something else: exit 7 with the reason, and nothing visible. Records that are wrong:
//! exit 3, kept as they are, and their neighbours land.

use std::io::Write as _;

use super::Phone;
use super::exports::{Export, zipped};
use crate::support::rows::{count, rows, value};

/// Imports many files in one call and expects each to end with exit 7.
#[track_caller]
fn all_refused(phone: &Phone, names: &[String]) {
    for some in names.chunks(67) {
        let mut args = vec!["ingest", "apple-health", "--json"];
        args.extend(some.iter().map(String::as_str));
        let said = phone.home.health(&args).expect(7).json();
        let files = said["files"].as_array().expect("files");
        assert_eq!(files.len(), some.len());
        for (file, name) in files.iter().zip(some) {
            assert_eq!(file["exit"], 7, "{name}: {file}");
        }
    }
    phone.expect_nothing();
}

#[test]
fn a_file_cut_anywhere_leaves_nothing_visible() {
    let phone = Phone::new();
    let xml = Export::year().xml();
    let zip = zipped(&[("apple_health_export/export.xml", &xml)]);
    let mut names = Vec::new();
    for n in 0..100 {
        names.push(format!("cut-{n}.xml"));
        phone.file(&names[names.len() - 1], &xml.as_bytes()[..xml.trim_end().len() * n / 100]);
        names.push(format!("cut-{n}.zip"));
        phone.file(&names[names.len() - 1], &zip[..zip.len() * n / 100]);
    }
    names.push("almost.xml".into());
    phone.file("almost.xml", &xml[..xml.trim_end().len() - 1]);
    all_refused(&phone, &names);
    let run = phone.import("cut-50.xml").expect(7);
    assert!(run.stderr.contains("byte ") && run.stderr.contains("record "), "{}", run.report());
    assert!(["error:", "kept:", "next:"].iter().all(|label| run.stderr.contains(label)), "{}", run.report());
    // The whole file is none of them.
    phone.import_text("whole.zip", &zip).expect(0);
    assert_eq!(count(&mut phone.sql(), "meta.import_file where status = 'published'"), 1);
}

#[test]
fn a_small_file_cut_at_every_byte_leaves_nothing_visible() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 1, 120);
    let zip = zipped(&[("export.xml", &export.xml())]);
    let names: Vec<String> = (0..zip.len()).map(|n| format!("cut-{n}.zip")).collect();
    names.iter().enumerate().for_each(|(n, name)| drop(phone.file(name, &zip[..n])));
    all_refused(&phone, &names);
}

#[test]
fn what_is_no_export_is_refused() {
    let phone = Phone::new();
    let xml = Export::year().xml();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.xml", vec![], "is empty"),
        ("prolog.xml", b"<?xml version=\"1.0\"?>\n<!-- -->".to_vec(), "ends before its first element"),
        ("cda.xml", b"<ClinicalDocument/>".to_vec(), "CDA"),
        ("page.html", b"<!DOCTYPE html><html></html>".to_vec(), "web page"),
        ("photo.jpg", b"\xff\xd8\xff\xe0 JFIF".to_vec(), "not XML"),
        ("twice.xml", format!("{xml}{xml}").into_bytes(), "goes on after"),
        ("junk.xml", format!("{xml}junk").into_bytes(), "goes on after"),
        (
            "latin.xml",
            xml.replace('\u{2019}', "?")
                .replace("sourceVersion", "\u{e9}")
                .into_bytes()
                .into_iter()
                .filter(|b| *b != 0xc3)
                .collect(),
            "UTF-8",
        ),
        ("utf16.xml", b"\xff\xfe<\0H\0".to_vec(), "UTF-16"),
        ("deep.xml", format!("<HealthData>{}", "<a>".repeat(100_000)).into_bytes(), "deeper"),
        ("long.xml", format!("<HealthData><a b=\"{}\"/></HealthData>", "x".repeat(5 << 20)).into_bytes(), "1 MiB"),
        ("many.xml", format!("<HealthData><a {}/></HealthData>", "b=\"1\" ".repeat(800_000)).into_bytes(), "1 MiB"),
        ("open.xml", b"<HealthData><Record startDate=\"\n".to_vec(), "before its first record"),
        ("no.zip", b"PK\x03\x04 and then nothing".to_vec(), "zip"),
        ("other.zip", zipped(&[("readme.txt", "hello"), ("export_cda.xml", "<ClinicalDocument/>")]), "CDA"),
        ("nothing.zip", zipped(&[("readme.txt", "hello")]), "no file that ends in .xml"),
        ("nested.zip", zipped(&[("export.zip", "PK")]), "another archive"),
        ("two.zip", zipped(&[("a/export.xml", &xml), ("b/export.xml", &xml)]), "2 exports"),
        (
            "bomb.zip",
            zipped(&[("export.xml", &format!("<HealthData>{}</HealthData>", " ".repeat(20 << 20)))]),
            "200 times",
        ),
        ("secret.zip", encrypted(&zipped(&[("export.xml", &xml)])), "encrypted"),
        ("crc.zip", damaged(&zipped(&[("export.xml", &xml)])), "cannot be read"),
    ];
    for (name, content, reason) in cases {
        let run = phone.import_text(name, content).expect(7).says(reason);
        assert!(["error:", "kept:", "next:"].iter().all(|label| run.stderr.contains(label)), "{}", run.report());
        assert!(run.took.as_secs() < 20, "{name} took {:?}", run.took);
    }
    phone.home.health(&["ingest", "apple-health", "--file", "nowhere.xml"]).expect(7).says("does not exist");
    phone.expect_nothing();
}

/// Sets the flag that says an entry is encrypted, in its header and in the directory.
fn encrypted(zip: &[u8]) -> Vec<u8> {
    let mut zip = zip.to_vec();
    for (mark, flag) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = zip.windows(4).position(|window| window == mark).expect("a header");
        zip[at + flag] |= 1;
    }
    zip
}

/// Changes the checksum that the directory and the header hold.
fn damaged(zip: &[u8]) -> Vec<u8> {
    let mut zip = zip.to_vec();
    for (mark, crc) in [(b"PK\x03\x04", 14), (b"PK\x01\x02", 16)] {
        let at = zip.windows(4).position(|window| window == mark).expect("a header");
        zip[at + crc] ^= 0xff;
    }
    zip
}

#[test]
fn entities_open_nothing_and_expand_to_nothing() {
    let phone = Phone::new();
    phone.file("secret.txt", "canary-7f3a");
    let path = phone.home.work().join("secret.txt");
    let laughs: String =
        (1..30).fold(String::new(), |all, n| all + &format!("<!ENTITY l{n} \"&l{0};&l{0};&l{0};\">\n", n - 1));
    let xml = Export::year().xml().replacen(
        "<!ELEMENT HealthData",
        &format!("<!ENTITY l0 \"ha\">\n{laughs}<!ENTITY f SYSTEM \"file://{}\">\n<!ELEMENT HealthData", path.display()),
        1,
    );
    let xml = xml.replacen("sourceVersion=\"11.2\"", "sourceVersion=\"&f;\"", 1).replacen(
        "sourceVersion=\"11.2\"",
        "sourceVersion=\"&l29;\"",
        1,
    );
    phone.import_text("export.xml", xml).expect(3).says("2 rejected");
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "apple_health_raw.source_versions"), 1);
    assert_eq!(count(&mut sql, "meta.rejects r where position('canary-7f3a'::bytea in payload) > 0"), 0);
}

#[test]
fn single_bad_records_are_kept_and_their_neighbours_land() {
    let phone = Phone::new();
    let mut export = Export::year();
    let good = export.records.len();
    let bad = |attributes: &str| format!(" <Record type=\"HKQuantityTypeIdentifierStepCount\" {attributes}/>\n");
    let dates = "startDate=\"2026-01-01 00:00:00 -0800\" endDate=\"2026-01-01 00:00:00 -0800\"";
    for one in [
        bad(&format!("value=\"a dozen\" {dates}")),
        bad(&format!("value=\"1e400\" {dates}")),
        bad("value=\"1\" startDate=\"yesterday\" endDate=\"2026-01-01 00:00:00 -0800\""),
        bad("value=\"1\" startDate=\"2026-02-30 00:00:00 -0800\""),
        bad("value=\"1\""),
        bad(&format!("value=\"1\" sourceName=\"&nope;\" {dates}")),
        bad(&format!("value=\"1\" sourceName=\"\0\" {dates}")),
        bad(&format!("value=\"1\" {dates} {}", "a=\"\" ".repeat(300))),
        format!(" <Record {dates} value=\"1\"/>\n"),
    ] {
        export.rest.push_str(&one);
    }
    phone.import_text("export.xml", export.xml()).expect(3).says("9 rejected").says("health rejects");
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "apple_health_raw.records"), i64::try_from(good).expect("small"));
    let kept = rows(
        &mut sql,
        "select code, detail, locator, convert_from(payload, 'UTF8') as payload from meta.rejects where position('\\x00'::bytea in payload) = 0 order by reject_id",
    );
    assert_eq!(kept.len(), 8);
    assert!(kept[0]["payload"].as_str().is_some_and(|text| text.contains("a dozen")), "{kept:?}");
    assert!(kept.iter().all(|row| row["locator"]["offset"].is_number() && row["locator"]["record"].is_number()));
    assert!(
        !kept.iter().any(|row| row["detail"].as_str().is_some_and(|text| text.contains("dozen"))),
        "never the value"
    );
    let codes = "select string_agg(distinct code, ' ' order by code) from meta.rejects";
    assert_eq!(
        value(&mut sql, codes).as_deref(),
        Some("bad_date bad_number bad_text no_start no_type too_many_attributes")
    );
    // The same rejects in a newer export are counted, not repeated.
    export.made = "2026-03-01".into();
    export.add_steps("2026-02-21 12:00:00", 1, 1);
    phone.import_text("newer.xml", export.xml()).expect(3);
    assert_eq!((count(&mut sql, "meta.rejects"), count(&mut sql, "meta.rejects where times = 2")), (9, 9));
}

#[test]
fn a_file_full_of_bad_records_is_refused_whole() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 100, 120);
    let bad = " <Record type=\"HKQuantityTypeIdentifierStepCount\" startDate=\"soon\" value=\"1\"/>\n";
    export.rest = bad.repeat(40);
    phone.import_text("export.xml", export.xml()).expect(6).says("40 of 140 records cannot be used");
    phone.expect_nothing();
    export.rest = bad.repeat(12_000);
    phone.import_text("many.xml", export.xml()).expect(6).says("10001 records cannot be used");
    phone.expect_nothing();
}

#[test]
fn what_ios_16_wrote_is_read() {
    let phone = Phone::new();
    let mut file = std::fs::File::create(phone.home.work().join("export.xml")).expect("a file");
    file.write_all(include_bytes!("../fixtures/apple_health/ios16.xml")).expect("content");
    phone.import("export.xml").expect(0).says("Workout");
    let found = rows(
        &mut phone.sql(),
        "select type, unit, value, source_name, device, metadata from apple_health_raw.published_records order by start_at",
    );
    assert_eq!(found.len(), 3);
    assert_eq!(found[0]["source_name"], "Health Mate\u{a0}v2");
    assert_eq!(found[1]["unit"], "count");
    assert_eq!(found[1]["metadata"]["HKMetadataKeySyncVersion"], serde_json::json!(["1", "2"]));
    assert_eq!(found[2]["value"], serde_json::Value::Null);
}
