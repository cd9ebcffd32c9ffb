//! Files made to break a reader, and archives packed in every odd way: the first end with exit 7, the place and the
//! reason, in little time and with nothing visible; the second are read like any other.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Phone;
use super::exports::{Export, zipped};
use crate::support::rows::{count, rows, value};

fn small() -> Export {
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 12, 120);
    export
}

/// Refused with the reason, the place where there is one, and in little time.
#[track_caller]
fn refused(phone: &Phone, name: &str, content: impl AsRef<[u8]>, reasons: &[&str]) {
    let run = phone.import_text(name, content).expect(7);
    for reason in reasons {
        assert!(run.stderr.contains(reason), "{name} says no {reason:?}: {}", run.report());
    }
    assert!(
        ["error:", "kept:  nothing from it is visible", "next:"].iter().all(|l| run.stderr.contains(l))
            || run.stderr.contains("kept:  the database is as before"),
        "{}",
        run.report()
    );
    assert!(run.took.as_secs() < 20, "{name} took {:?}", run.took);
    phone.expect_nothing();
}

#[test]
fn a_document_cut_all_along_leaves_nothing_visible() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 1, 120);
    let xml = export.xml();
    let whole = xml.trim_end().len();
    let names: Vec<String> = (0..whole).step_by(3).map(|n| format!("cut-{n}.xml")).collect();
    names.iter().enumerate().for_each(|(n, name)| drop(phone.file(name, &xml.as_bytes()[..n * 3])));
    for some in names.chunks(150) {
        let mut args = vec!["ingest", "apple-health", "--json"];
        args.extend(some.iter().map(String::as_str));
        args.push("cut-0.xml"); // never one file alone
        let said = phone.home.health(&args).expect(7).json();
        for file in &said["files"].as_array().expect("files")[..some.len()] {
            assert_eq!(file["exit"], 7, "{file}");
            let text = file["error"].as_str().expect("a reason");
            assert!(text.contains("byte ") || text.contains("is empty"), "a place: {text}");
        }
    }
    phone.expect_nothing();
}

#[test]
fn what_has_no_end_is_refused_where_it_begins() {
    let phone = Phone::new();
    let xml = small().xml();
    let (before, _) = xml.split_once("</HealthData>").expect("an end");
    let long = "x".repeat(12 << 20);
    for (name, tail) in [
        ("attribute.xml", format!(" <Record type=\"HKQuantityTypeIdentifierStepCount\" value=\"{long}")),
        ("name.xml", format!(" <{long}")),
        ("attributes.xml", format!(" <Record {}", "a=\"1\" ".repeat(2 << 20))),
        ("comment.xml", format!(" <!-- {long}")),
        ("instruction.xml", format!(" <?{long}")),
        ("cdata.xml", format!(" <![CDATA[{long}")),
        ("text.xml", long.clone()),
        ("entity.xml", format!(" &{long}")),
    ] {
        refused(&phone, name, format!("{before}{tail}"), &["longer than 1 MiB", "after record 12", "(byte "]);
    }
    let deep = format!("{before} <Record startDate=\"2026-01-01 00:00:00 +0000\">{}", "<a>".repeat(1 << 20));
    refused(&phone, "deep.xml", deep, &["deeper than 128", "(byte "]);
    refused(&phone, "prologue.xml", format!("<!-- {long}"), &["no root element in its first MiB"]);
    refused(
        &phone,
        "doctype.xml",
        format!("<!DOCTYPE HealthData [<!ENTITY a \"{long}"),
        &["no root element in its first MiB"],
    );
    refused(&phone, "root.xml", format!("<{long}"), &["no root element in its first MiB"]);
}

#[test]
fn what_is_no_archive_and_what_lies_about_itself_is_refused() {
    let phone = Phone::new();
    let xml = small().xml();
    let whole = zipped(&[("export.xml", &xml)]);
    for (name, magic) in [
        ("export.gz", &b"\x1f\x8b\x08\0\0\0\0\0"[..]),
        ("export.7z", b"7z\xbc\xaf\x27\x1c\0\x04"),
        ("export.rar", b"Rar!\x1a\x07\x01\0"),
        ("export.tar", b"export.xml\0\0\0\0\0\0"),
        ("export.pdf", b"%PDF-1.7\n"),
        ("zeros.xml", &[0; 4096]),
    ] {
        refused(&phone, name, magic, &["is not XML"]);
    }
    // Sizes and methods that the directory states and the entry does not have.
    let directory = whole.windows(4).rposition(|w| w == b"PK\x01\x02").expect("a directory");
    let header = whole.windows(4).position(|w| w == b"PK\x03\x04").expect("a header");
    let patched = |at: usize, bytes: &[u8]| {
        let mut zip = whole.clone();
        zip[at..at + bytes.len()].copy_from_slice(bytes);
        zip
    };
    refused(&phone, "larger.zip", patched(directory + 24, &900_000u32.to_le_bytes()), &["another size"]);
    refused(&phone, "smaller.zip", patched(directory + 24, &200u32.to_le_bytes()), &["declared"]);
    refused(&phone, "method.zip", patched(directory + 10, &99u16.to_le_bytes()), &["compression method"]);
    refused(&phone, "elsewhere.zip", patched(directory + 42, &u32::MAX.to_le_bytes()[..]), &["zip archive"]);
    refused(&phone, "headless.zip", patched(header, &[0; 4]), &["is not XML"]);
    let compressed = header + 30 + "export.xml".len() + 40;
    refused(&phone, "deflate.zip", patched(compressed, &[0xff; 16]), &["corrupt deflate stream"]);
    // A bomb hides in any entry that claims to be the document; a nested archive is not opened.
    let bomb = format!("{}<!--{}-->", xml.trim_end(), " ".repeat(64 << 20));
    refused(&phone, "bomb.zip", zipped(&[("a/b/export.xml", &bomb)]), &["200 times"]);
    let inner = zipped(&[("export.xml", &xml)]);
    let mut outer = ZipWriter::new(Cursor::new(Vec::new()));
    outer.start_file("export.zip", SimpleFileOptions::default()).expect("an entry");
    outer.write_all(&inner).expect("content");
    refused(&phone, "outer.zip", outer.finish().expect("a zip").into_inner(), &["another archive; unpack it once"]);
}

#[cfg(unix)]
#[test]
fn links_and_devices_are_not_followed() {
    let phone = Phone::new();
    let secret = phone.file("elsewhere/export.xml", small().xml());
    std::fs::create_dir(phone.home.work().join("folder")).expect("a folder");
    std::os::unix::fs::symlink(&secret, phone.home.work().join("folder/export.xml")).expect("a link");
    phone.import("folder").expect(7).says("holds no file that ends in .xml");
    phone.home.health(&["ingest", "apple-health", "--file", "/dev/zero"]).expect(7).says("neither a file nor a folder");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("export.xml", secret.to_str().expect("a path"), SimpleFileOptions::default()).expect("a link");
    refused(&phone, "link.zip", zip.finish().expect("a zip").into_inner(), &["holds no file that ends in .xml"]);
}

#[test]
fn names_do_not_matter_and_lead_nowhere() {
    let phone = Phone::new();
    let xml = small().xml();
    phone.import_text("first.zip", zipped(&[("apple_health_export/export.xml", &xml)])).expect(0).says("is file 1");
    let deep = format!("{}export.xml", "d/".repeat(60));
    for (number, name) in [
        "Export.xml",
        "apple_health_export/exportar.xml",
        "apple_health_export/eksport.xml",
        "apple_health_export/vienti.xml",
        "apple_health_export/\u{5bfc}\u{51fa}.xml",
        "apple_health_export/\u{3c3}\u{bb}\u{255d}\u{3c3}\u{e7}\u{2551}.xml",
        "apple_health_export\\EXPORT.XML",
        "../../../outside.xml",
        "/absolute.xml",
        deep.as_str(),
    ]
    .iter()
    .enumerate()
    {
        let run = phone.import_text(&format!("{number}.zip"), zipped(&[(name, &xml)]));
        run.expect(0).says("already file 1");
    }
    // The bytes of the name are in a code page that the archive does not state.
    let mut zip = zipped(&[("apple_health_export/xxxxxx.xml", &xml)]);
    while let Some(at) = zip.windows(6).position(|w| w == b"xxxxxx") {
        zip[at..at + 6].copy_from_slice(b"\xe5\xaf\xbc\xe5\x87\xba");
    }
    phone.import_text("bytes.zip", zip).expect(0).says("already file 1");
    assert!(!phone.home.work().join("../../../outside.xml").exists());
    assert_eq!(count(&mut phone.sql(), "meta.import_file"), 1);
}

#[test]
fn archives_packed_anew_are_the_same_export() {
    let phone = Phone::new();
    let xml = small().xml();
    let entries = [
        ("apple_health_export/", ""),
        ("apple_health_export/.DS_Store", "litter"),
        ("__MACOSX/apple_health_export/._export.xml", "litter"),
        ("apple_health_export/export.xml", xml.as_str()),
    ];
    // Sizes behind the data, as a Mac writes them.
    let mut streamed = Vec::new();
    let mut zip = ZipWriter::new_stream(&mut streamed);
    for (name, content) in entries {
        if name.ends_with('/') {
            zip.add_directory(name, SimpleFileOptions::default()).expect("a folder");
            continue;
        }
        zip.start_file(name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(content.as_bytes()).expect("content");
    }
    let _ = zip.finish().expect("a zip");
    assert!(zip_flags(&streamed).iter().any(|flags| flags & 8 != 0), "data descriptors");
    phone.import_text("mac.zip", &streamed).expect(0).says("is file 1");

    let packed = |options: SimpleFileOptions, note: &str| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.set_comment(note).expect("a comment");
        zip.start_file("apple_health_export/export.xml", options).expect("an entry");
        zip.write_all(xml.as_bytes()).expect("content");
        zip.finish().expect("a zip").into_inner()
    };
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [
        ("zip64.zip", packed(SimpleFileOptions::default().large_file(true), "")),
        ("stored.zip", packed(stored, "")),
        ("comment.zip", packed(SimpleFileOptions::default(), &"PK\u{5}\u{6}".repeat(1000))),
    ] {
        phone.import_text(name, content).expect(0).says("already file 1");
    }
    assert_eq!(count(&mut phone.sql(), "meta.import_file"), 1);
}

/// The general purpose flags in the directory of an archive.
fn zip_flags(zip: &[u8]) -> Vec<u16> {
    let entries = zip.windows(12).filter(|w| w.starts_with(b"PK\x01\x02"));
    entries.map(|w| u16::from_le_bytes([w[8], w[9]])).collect()
}

#[test]
fn comments_instructions_and_a_broken_document_type_stand_before_the_root() {
    let phone = Phone::new();
    let xml = small().xml();
    let (_, body) = xml.split_once("]>\n").expect("a document type");
    let before = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <HealthData> isn't here -->\n<?x <HealthData>?>\n\
         <!--{}-->\n<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 12 -->\n<!ENTITY x SYSTEM \"file:///etc/passwd\">\n\
         <!ATTLIST VisionPrescription\n type CDATA #REQUIRED\n<!ELEMENT RightEye EMPTY>\n>\n>\ndevice CDATA #IMPLIED\n>\n]>\n<!-- more -->\n",
        " ".repeat(500_000)
    );
    phone.import_text("export.xml", format!("{before}{body}<!-- the end -->\n")).expect(0).says("12 records");
    let mut sql = phone.sql();
    assert_eq!(value(&mut sql, "select format_version from apple_health_raw.exports").as_deref(), Some("12"));
    assert_eq!(count(&mut sql, "apple_health_raw.published_records"), 12);
}

#[test]
fn control_bytes_and_attributes_that_occur_twice_cost_nothing() {
    let phone = Phone::new();
    let xml = small().xml();
    let xml = xml.replacen("sourceVersion=\"11.2\"", "sourceVersion=\"11\u{b}2\u{1}&#11;\"", 1);
    let xml = xml.replacen(" value=\"120\"", " value=\"120\" value=\"999\" sourceName=\"second\"", 1);
    phone.import_text("export.xml", xml).expect(0);
    let mut sql = phone.sql();
    let found = rows(
        &mut sql,
        "select source_version, value, source_name from apple_health_raw.published_records order by start_at limit 1",
    );
    assert_eq!((&found[0]["source_version"], &found[0]["value"]), (&"11 2  ".into(), &120.into()));
    assert_eq!(found[0]["source_name"], "Alex\u{2019}s\u{a0}Watch");
    assert_eq!(count(&mut sql, "meta.rejects"), 0);
}
