//! `--allow-truncated`: what is there of a document that is cut off, and no conclusions from what is not.

use super::Phone;
use super::exports::{Export, WORKOUT, zipped};
use crate::support::rows::{count, fingerprint, value};

fn import(phone: &Phone, name: &str) -> crate::support::cli::Run {
    phone.home.health(&["ingest", "apple-health", name, "--allow-truncated"])
}

fn export() -> Export {
    let mut export = Export::year();
    export.rest = WORKOUT.repeat(3);
    export
}

#[test]
fn what_is_there_is_loaded_and_nothing_is_retired() {
    let phone = Phone::new();
    let xml = export().xml();
    phone.import_text("whole.xml", &xml).expect(0);
    let mut later = export();
    later.made = "2026-03-01".into();
    let mut records = later.records.clone();
    later.records.clear();
    later.add_steps("2026-02-25 12:00:00", 4, 7);
    later.records.append(&mut records);
    let later = later.xml();
    // Inside the tenth record of the old ones: four new records and nine known ones are whole.
    let cut = later.match_indices("<Record").nth(13).expect("records").0 + 40;
    let run = phone.import_text("later.xml", &later[..cut]).expect(7).says("--allow-truncated");
    assert!(run.next().contains("--allow-truncated"), "{}", run.report());
    let mut sql = phone.sql();
    let records = count(&mut sql, "apple_health_raw.records");
    let run = import(&phone, "later.xml").expect(3).says("cut off").says("nothing was marked as gone");
    assert!(run.stderr.contains("after record 13 (byte "), "{}", run.report());
    assert_eq!(count(&mut sql, "apple_health_raw.records"), records + 4);
    assert_eq!(count(&mut sql, "apple_health_raw.records where missing_since_run_id is not null"), 0);
    let modes = "select string_agg(mode, ' ' order by file_id) from meta.import_file where status = 'published'";
    assert_eq!(value(&mut sql, modes).as_deref(), Some("complete truncated"));
    assert_eq!(
        value(&mut sql, "select complete_scope from meta.import_runs order by run_id desc limit 1").as_deref(),
        Some("[]")
    );
    // The same again is known; the whole of it is not, and retires what it lacks.
    let before = fingerprint(&mut sql);
    import(&phone, "later.xml").expect(0).says("already file");
    assert_eq!(fingerprint(&mut sql), before);
    let whole = later.replacen(WORKOUT_NAME, "HKWorkoutActivityTypeRowing", 1);
    phone.import_text("later.xml", whole).expect(0).says("1 records are no longer");
    assert_eq!(value(&mut sql, modes).as_deref(), Some("complete truncated complete"));
}

const WORKOUT_NAME: &str = "HKWorkoutActivityTypeRunning";

#[test]
fn cut_anywhere_as_many_whole_elements_are_loaded_as_stand_before() {
    let xml = export().xml();
    let begin = xml.find(" <Record").expect("a record");
    let length = xml.trim_end().len();
    for n in 1..12 {
        let cut = begin + (length - begin) * n / 12;
        let cut = (0..cut).rev().find(|at| xml.is_char_boundary(*at)).expect("a boundary");
        let phone = Phone::new();
        phone.file("cut.xml", &xml[..cut]);
        let run = import(&phone, "cut.xml").expect(3);
        let records = xml[..cut].matches("</Record>").count() + xml[..cut].matches(" value=\"12\"/>").count();
        let held = usize::try_from(count(&mut phone.sql(), "apple_health_raw.records")).expect("a count");
        assert!(held >= records.min(1) && held <= xml[..cut].matches("<Record").count(), "{}", run.report());
        let closed = xml[..cut].matches("<Record").count();
        assert!(closed - held <= 1, "cut at {cut}: {held} of {closed}");
        let workouts = i64::try_from(xml[..cut].matches("</Workout>").count()).expect("small");
        assert_eq!(count(&mut phone.sql(), "apple_health_raw.elements"), workouts, "cut at {cut}");
    }
}

#[test]
fn standard_input_and_a_damaged_archive_are_read_as_far_as_they_go() {
    let phone = Phone::new();
    let xml = export().xml();
    let half = &xml[..xml.match_indices("<Record").nth(100).expect("records").0];
    let mut running = phone.home.start_with_input(&["ingest", "apple-health", "-", "--allow-truncated"]);
    running.type_line(half);
    running.close_input();
    running.wait(&phone.home).expect(3).says("cut off");
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.records"), 100);
    // A checksum that is wrong shows at the end, when everything has been read.
    let phone = Phone::new();
    let mut zip = zipped(&[("export.xml", &xml)]);
    for (mark, crc) in [(b"PK\x03\x04", 14), (b"PK\x01\x02", 16)] {
        let at = zip.windows(4).position(|window| window == mark).expect("a header");
        zip[at + crc] ^= 0xff;
    }
    phone.file("export.zip", &zip);
    phone.import("export.zip").expect(7);
    import(&phone, "export.zip").expect(3).says("cut off");
    let mut sql = phone.sql();
    assert!(count(&mut sql, "apple_health_raw.records") > 500);
    let before = fingerprint(&mut sql);
    import(&phone, "export.zip").expect(0).says("already file 1");
    assert_eq!(fingerprint(&mut sql), before);
}

#[test]
fn what_is_broken_or_hostile_is_refused_all_the_same() {
    let phone = Phone::new();
    let xml = export().xml();
    for (name, content) in [
        ("nothing.xml", b"<HealthData>".to_vec()),
        ("empty.xml", vec![]),
        ("mixed.xml", xml.replacen("</Record>", "</Workout>", 1).into_bytes()),
        ("twice.xml", format!("{xml}<a").into_bytes()),
        ("long.xml", format!("<HealthData><b/><a b=\"{}\"/></HealthData>", "x".repeat(5 << 20)).into_bytes()),
        ("deep.xml", format!("<HealthData><b/>{}", "<a>".repeat(200)).into_bytes()),
        ("bomb.zip", zipped(&[("export.xml", &format!("<HealthData><b/>{}</HealthData>", " ".repeat(20 << 20)))])),
    ] {
        phone.file(name, content);
        import(&phone, name).expect(7);
    }
    phone.expect_nothing();
}
