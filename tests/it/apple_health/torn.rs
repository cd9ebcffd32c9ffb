//! Archives that have lost their end, as interrupted downloads leave them: refused, and with `--allow-truncated` read as
//! far as they go.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::Phone;
use super::exports::{Export, WORKOUT};
use super::side::{self, Entries, held};
use crate::support::cli::Run;
use crate::support::rows::{count, fingerprint, value};

fn import(phone: &Phone, name: &str) -> Run {
    phone.home.health(&["ingest", "apple-health", name, "--allow-truncated"])
}

fn export() -> Export {
    let other = WORKOUT.replace("HKWorkoutActivityTypeRunning", "HKWorkoutActivityTypeRowing");
    Export { rest: format!("{WORKOUT}{other}"), ..Export::year() }
}

fn entries(export: &Export) -> Entries {
    let mut entries = side::entries(export);
    entries[0].0 = "apple_health_export/\u{3c3}\u{bb}\u{255d}\u{3c3}\u{e7}\u{2551}.xml".into();
    entries
}

/// The ways in which archives are written.
fn written(entries: &Entries) -> Vec<(&'static str, Vec<u8>)> {
    let plain = SimpleFileOptions::default();
    let in_memory = |options: SimpleFileOptions| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        fill(&mut zip, entries, options);
        zip.finish().expect("a zip").into_inner()
    };
    let streamed = |options: SimpleFileOptions| {
        let mut bytes = Vec::new();
        let mut zip = ZipWriter::new_stream(&mut bytes);
        fill(&mut zip, entries, options);
        let _ = zip.finish().expect("a zip");
        bytes
    };
    vec![
        ("plain", in_memory(plain)),
        ("stored", in_memory(plain.compression_method(CompressionMethod::Stored))),
        ("large", in_memory(plain.large_file(true))),
        ("streamed", streamed(plain)),
        ("streamed-large", streamed(plain.large_file(true))),
    ]
}

fn fill<W: std::io::Write + std::io::Seek>(zip: &mut ZipWriter<W>, entries: &Entries, options: SimpleFileOptions) {
    zip.add_directory("apple_health_export/", options).expect("a folder");
    for (name, content) in entries {
        zip.start_file(name.as_str(), options).expect("an entry");
        zip.write_all(content).expect("content");
    }
}

/// Where the data of an entry begin and end.
fn data(zip: &[u8], index: usize) -> (usize, usize) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("an archive");
    let entry = archive.by_index_raw(index).expect("an entry");
    let from = usize::try_from(entry.data_start().expect("a place")).expect("small");
    (from, from + usize::try_from(entry.compressed_size()).expect("small"))
}

/// Of the entries that [`fill`] writes.
const DOCUMENT: usize = 1;
const SECOND_ROUTE: usize = 4;

#[test]
fn what_is_there_of_an_archive_without_its_end_is_loaded() {
    let entries = entries(&export());
    let whole = Phone::new();
    whole.import_text("whole.zip", side::packed(&entries)).expect(0);
    let (raw, elements, beside) = (whole.raw(), whole.elements(), held(&whole));
    for (name, zip) in written(&entries) {
        let ((from, end), (route, _)) = (data(&zip, DOCUMENT), data(&zip, SECOND_ROUTE));
        let phone = Phone::new();
        // In the middle of the document; in the middle of the second route; in the middle of the directory.
        for (place, cut) in
            [("document", usize::midpoint(from, end)), ("route", route + 9), ("directory", zip.len() - 60)]
        {
            let file = format!("{name}-{place}.zip");
            let refused = phone.import_text(&file, &zip[..cut]).expect(7).says("is not a complete zip archive");
            let refused = refused.says(&format!("ends at byte {cut} without its directory"));
            assert!(refused.next().contains("--allow-truncated"), "{}", refused.report());
            let before = fingerprint(&mut phone.sql());
            if place == "document" {
                phone.expect_nothing();
            }
            let run = import(&phone, &file).expect(3).says("cut off: the document").says("nothing was marked as gone");
            let mut sql = phone.sql();
            let records = count(&mut sql, "apple_health_raw.published_records");
            let routes = count(&mut sql, "apple_health_raw.published_routes");
            let all = i64::try_from(raw.len()).expect("small");
            match place {
                "document" => assert!(records > 10 && records < all && routes == 0, "{name}: {records}"),
                "route" => assert!(records == all && routes == 1, "{name}: {records}, {routes}"),
                _ => assert!(records == all && routes == 2, "{name}: {records}, {routes}"),
            }
            if place == "document" {
                assert!(!run.stderr.contains("unreadable") && run.stderr.contains("after record"), "{}", run.report());
            } else {
                let _ = run.says("is whole, but its archive is cut off (byte ");
            }
            let set_aside = "meta.rejects where detail = 'the file cannot be read: it is cut off' \
                             and locator->>'file' = '/workout-routes/route_2026-01-11_1.01pm.gpx'";
            assert_eq!(count(&mut sql, set_aside), i64::from(place != "document"), "{name}, {place}");
            assert_ne!(fingerprint(&mut sql), before);
            let before = fingerprint(&mut sql);
            import(&phone, &file).expect(0).says("already file");
            assert_eq!(fingerprint(&mut sql), before);
        }
        // The whole archive is another file, although its document was there before.
        phone.import_text("whole.zip", &zip).expect(0).says("is file");
        assert_eq!((phone.raw(), phone.elements(), held(&phone)), (raw.clone(), elements.clone(), beside.clone()));
        let modes = "select string_agg(mode, ' ' order by file_id) from meta.import_file where status = 'published'";
        assert_eq!(value(&mut phone.sql(), modes).as_deref(), Some("truncated truncated truncated complete"));
    }
}

#[test]
fn nothing_is_concluded_from_what_an_archive_without_its_end_lacks() {
    let phone = Phone::new();
    phone.import_text("first.zip", side::packed(&entries(&export()))).expect(0);
    let mut later = export();
    later.made = "2026-03-01".into();
    later.records.truncate(later.records.len() - 3);
    later.rest = WORKOUT.into();
    later.add_steps("2026-02-25 12:00:00", 4, 7);
    let mut all = entries(&later);
    all.retain(|(name, _)| !name.contains("2026-01-11"));
    let zip = side::packed(&all);
    phone.file("later.zip", &zip[..zip.len() - 30]);
    import(&phone, "later.zip").expect(3).says("is whole, but its archive is cut off");
    let mut sql = phone.sql();
    let missing = |table: &str| format!("apple_health_raw.{table} where missing_since_run_id is not null");
    for table in ["records", "elements", "routes"] {
        assert_eq!(count(&mut sql, &missing(table)), 0, "{table}");
    }
    phone.file("whole.zip", &zip);
    import(&phone, "whole.zip").expect(0).says("are no longer in the export");
    assert_eq!(["records", "elements", "routes"].map(|table| count(&mut sql, &missing(table))), [3, 1, 1]);
}

#[test]
fn cut_anywhere_an_archive_gives_what_is_whole_in_it() {
    let entries = entries(&export());
    for (name, zip) in [written(&entries).swap_remove(0), written(&entries).swap_remove(3)] {
        let routes: Vec<usize> = (3..=4).map(|index| data(&zip, index).1).collect();
        let (mut last, step) = (0, zip.len() / 9);
        for cut in (1..zip.len()).step_by(step) {
            let phone = Phone::new();
            phone.file("cut.zip", &zip[..cut]);
            let run = import(&phone, "cut.zip");
            let mut sql = phone.sql();
            let records = count(&mut sql, "apple_health_raw.published_records");
            assert!(records >= last, "{name} cut at {cut}: {records} after {last}: {}", run.report());
            last = records;
            // What describes an entry may stand behind its data, in at most 24 bytes.
            let sure = routes.iter().filter(|end| **end + 24 <= cut).count();
            let may = routes.iter().filter(|end| **end <= cut).count();
            let held = usize::try_from(count(&mut sql, "apple_health_raw.published_routes")).expect("small");
            assert!((sure..=may).contains(&held), "{name} cut at {cut}: {held} routes");
            if records > 0 {
                run.expect(3)
            } else {
                run.expect(7)
            };
        }
    }
}

#[test]
fn hostile_archives_without_an_end_are_refused_all_the_same() {
    let phone = Phone::new();
    let xml = export().xml();
    let cut = |zip: Vec<u8>| zip[..zip.len() - 30].to_vec();
    let with = |name: &str, content: &[u8]| vec![(name.to_owned(), content.to_vec())];
    let bomb = format!("{}<!--{}-->", xml.trim_end(), " ".repeat(64 << 20));
    let bombs = written(&with("a/export.xml", bomb.as_bytes()));
    let mut locked = side::packed(&with("export.xml", xml.as_bytes()));
    locked[6] |= 1;
    let mut method = side::packed(&with("export.xml", xml.as_bytes()));
    method[8] = 99;
    let mut name = side::packed(&with("export.xml", xml.as_bytes()));
    name[26..28].copy_from_slice(&u16::MAX.to_le_bytes());
    let header = side::packed(&with("x", b"")).drain(..33).collect::<Vec<u8>>();
    let mut twice = with("a/export.xml", xml.as_bytes());
    twice.extend(with("b/export.xml", xml.as_bytes()));
    for (file, content, reason) in [
        ("bomb.zip", cut(bombs[0].1.clone()), "200 times"),
        ("streamed-bomb.zip", cut(bombs[3].1.clone()), "200 times"),
        ("locked.zip", cut(locked), "it is encrypted"),
        ("method.zip", cut(method), "packed by method 99"),
        ("name.zip", cut(name), "name in it is too long"),
        ("many.zip", header.repeat(100_002), "too many files"),
        ("none.zip", cut(side::packed(&with("readme.txt", b"x"))), "no file that ends in .xml"),
        ("empty.zip", b"PK\x03\x04".to_vec(), "no file that ends in .xml"),
        ("cda.zip", cut(side::packed(&with("export_cda.xml", b"<ClinicalDocument/>"))), "CDA"),
        ("twice.zip", cut(side::packed(&twice)), "2 exports"),
    ] {
        phone.file(file, content);
        let run = import(&phone, file).expect(7).says(reason);
        assert!(run.took.as_secs() < 20, "{file} took {:?}", run.took);
    }
    phone.expect_nothing();
}
