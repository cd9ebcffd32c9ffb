//! Apple Health exports through the real program: what lands, what stays out, and what happens when it is cut off.

mod broken;
mod canonical;
mod canonical_daily;
mod canonical_mapping;
mod canonical_nutrition;
mod canonical_sleep;
mod canonical_workouts;
mod corpus;
mod digests;
mod elements;
pub mod exports;
mod hostile;
mod journeys;
mod kept;
mod kills;
mod mended;
mod odd;
mod parts;
mod reckoned;
mod rewritten;
mod side;
mod sums;
mod torn;
mod truncated;
mod undo;
mod zones;

use std::path::PathBuf;

use postgres::Client;
use serde_json::Value;

use crate::support::cli::{Home, Run};
use crate::support::pg::Database;
use crate::support::rows::{count, fingerprint, rows, run_states, value};
use exports::{Export, zipped};

/// A person with a migrated database and files to import.
pub struct Phone {
    pub home: Home,
    pub db: Database,
}

impl Phone {
    pub fn new() -> Self {
        let (home, db) = (Home::new(), Database::migrated());
        home.set("HEALTH_DATABASE_URL", &db.url);
        Phone { home, db }
    }

    pub fn sql(&self) -> Client {
        self.db.client()
    }

    /// Writes a file into the folder that the program is started in.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.work().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, content).expect("a file");
        path
    }

    #[track_caller]
    pub fn import(&self, name: &str) -> Run {
        self.home.health(&["ingest", "apple-health", name])
    }

    #[track_caller]
    pub fn import_text(&self, name: &str, content: impl AsRef<[u8]>) -> Run {
        self.file(name, content);
        self.import(name)
    }

    /// Every raw row, whatever file, run or number of a word it has. Digests are held against the rows on the way.
    #[track_caller]
    pub fn raw(&self) -> Vec<Value> {
        digests::true_digests(self);
        rows(
            &mut self.sql(),
            "select source_id, encode(hash, 'hex') as hash, type, unit, value, value_text, source_name, source_version, device,
                    start_at, end_at, created_at, utc_offset_s, tz_name, tz_basis, metadata, beat_s, beat_bpm,
                    missing_since_run_id is not null as missing
               from apple_health_raw.published_records order by source_id",
        )
    }

    /// Every other element, likewise.
    pub fn elements(&self) -> Vec<Value> {
        rows(
            &mut self.sql(),
            "select source_id, encode(hash, 'hex') as hash, element, start_at, end_at, created_at, source_name, utc_offset_s, tz_name,
                    tz_basis, payload, missing_since_run_id is not null as missing
               from apple_health_raw.published_elements order by source_id",
        )
    }

    /// Every canonical row, but for when and by which run.
    pub fn canonical(&self) -> Vec<Value> {
        let mut sql = self.sql();
        let without = "- 'run_id' - 'created_at' - 'updated_at'";
        let mut all = rows(
            &mut sql,
            &format!(
                "select to_jsonb(s) {without} as row from canonical.samples s order by metric_code, start_at, sample_key"
            ),
        );
        for (table, key) in [
            ("biometrics_vitals", "vital_id"),
            ("sleep_sessions", "sleep_id"),
            ("sleep_stages", "sleep_id, seq"),
            ("workouts", "workout_id"),
            ("nutrition_entries", "entry_id"),
            ("daily_summaries", "local_date, metric_code, stat, origin"),
        ] {
            // Stages have no life of their own: those of a retired session are as much retired.
            let joined = if table == "sleep_stages" {
                "|| (select jsonb_build_object('retired_at', p.retired_at) from canonical.sleep_sessions p where p.sleep_id = v.sleep_id)"
            } else {
                ""
            };
            all.extend(rows(
                &mut sql,
                &format!("select to_jsonb(v) {without} {joined} as row from canonical.{table} v order by {key}"),
            ));
        }
        all
    }

    /// Nothing of a file that failed may be seen anywhere.
    #[track_caller]
    pub fn expect_nothing(&self) {
        let mut sql = self.sql();
        for table in [
            "apple_health_raw.published_records",
            "apple_health_raw.records",
            "apple_health_raw.elements",
            "apple_health_raw.exports",
            "apple_health_raw.elements",
            "apple_health_raw.routes",
            "apple_health_raw.ecgs",
            "apple_health_raw.clinical_records",
            "apple_health_raw.attachments",
            "canonical.samples",
            "canonical.biometrics_vitals",
            "meta.rejects",
        ] {
            assert_eq!(count(&mut sql, table), 0, "{table}");
        }
        assert_eq!(count(&mut sql, "meta.import_file where status in ('published', 'scanning', 'loading')"), 0);
    }
}

#[test]
fn the_same_file_again_writes_nothing_at_all() {
    let phone = Phone::new();
    let xml = Export::year().xml();
    phone.import_text("export.xml", &xml).expect(0).says("is file 1");
    let (before, runs) = (fingerprint(&mut phone.sql()), run_states(&mut phone.sql()));
    phone.import("export.xml").expect(0).says("already file 1").says("Nothing to do");
    phone
        .import_text("zipped.zip", zipped(&[("apple_health_export/exportar.xml", &xml)]))
        .expect(0)
        .says("already file 1");
    assert_eq!(fingerprint(&mut phone.sql()), before);
    assert_eq!(run_states(&mut phone.sql()), runs);
    assert_eq!(count(&mut phone.sql(), "meta.import_file"), 1);
}

#[test]
fn a_zip_a_file_a_folder_and_a_stream_give_the_same_rows() {
    let xml = Export::year().xml();
    let cda = "<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"/></ClinicalDocument>";
    let reference = Phone::new();
    reference.import_text("export.xml", &xml).expect(0);
    let expected = (reference.raw(), reference.canonical());
    assert!(expected.0.len() > 500 && expected.1.len() > 300);

    let phone = Phone::new();
    let entries = [
        ("__MACOSX/apple_health_export/._export.xml", "litter"),
        ("apple_health_export/export_cda.xml", cda),
        ("apple_health_export/\u{3c3}\u{bb}\u{255d}.XML", xml.as_str()),
        ("apple_health_export/workout-routes/route.gpx", "<gpx/>"),
    ];
    phone.import_text("export.zip", zipped(&entries)).expect(0);
    assert!((phone.raw(), phone.canonical()) == expected, "a zip");

    let phone = Phone::new();
    phone.file("unpacked/apple_health_export/export_cda.xml", cda);
    phone.file("unpacked/apple_health_export/eksport.xml", &xml);
    phone.import("unpacked").expect(0);
    assert!((phone.raw(), phone.canonical()) == expected, "a folder");

    let phone = Phone::new();
    let stream = |args: &[&str]| {
        let mut running = phone.home.start_with_input(args);
        running.type_line(&xml);
        running.close_input();
        running.wait(&phone.home)
    };
    stream(&["ingest", "apple-health", "-"]).expect(0).says("is file 1");
    assert!((phone.raw(), phone.canonical()) == expected, "a stream");
    let before = fingerprint(&mut phone.sql());
    stream(&["ingest", "apple-health", "--file", "-"]).expect(0).says("already file 1");
    assert_eq!(fingerprint(&mut phone.sql()), before);
    assert_eq!(count(&mut phone.sql(), "meta.import_file"), 1);
}

#[test]
fn a_newer_export_adds_exactly_the_difference() {
    let phone = Phone::new();
    let first = Export::year();
    phone.import_text("october.zip", zipped(&[("export.xml", &first.xml())])).expect(0);
    let before = phone.raw();
    // Exported in another zone, with other addresses and another order; a day more, two samples gone.
    let mut second = first.clone();
    second.offset_hours = 1;
    second.pointer = 77;
    second.made = "2026-06-01".into();
    second.records.remove(3);
    second.records.remove(10);
    second.records.reverse();
    second.add_steps("2026-03-01 12:00:00", 4, 33);
    let run = phone.import_text("november.zip", zipped(&[("export.xml", &second.xml())])).expect(0);
    run.says("2 records are no longer in the export");
    let after = phone.raw();
    let (gone, held): (Vec<_>, Vec<_>) = after.iter().partition(|row| row["missing"] == true);
    assert_eq!((gone.len(), held.len()), (2, before.len() - 2 + 4));
    let fresh = held.iter().filter(|row| !before.contains(row)).count();
    assert_eq!(fresh, 4, "everything else is exactly as it was");
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "apple_health_raw.records where file_id = 2"), 4);
    assert_eq!(count(&mut sql, "canonical.samples where retired_reason = 'missing_upstream'"), 2);
    // They come back.
    let mut third = second.clone();
    third.records = first.records.clone();
    third.add_steps("2026-03-01 12:00:00", 4, 33);
    third.made = "2026-07-01".into();
    phone.import_text("december.xml", third.xml()).expect(0);
    assert_eq!(count(&mut sql, "apple_health_raw.published_records where missing_since_run_id is not null"), 0);
    assert_eq!(count(&mut sql, "canonical.samples where retired_at is not null"), 0);
}

#[test]
fn copies_keep_their_number() {
    let phone = Phone::new();
    let mut export = Export::new("2026-01-01");
    export.add_steps("2025-12-31 08:00:00", 1, 10);
    let one = export.records[0].clone();
    export.records.extend([one.clone(), one.clone()]);
    export.add_steps("2025-12-31 09:00:00", 20, 10);
    phone.import_text("a.xml", export.xml()).expect(0);
    let mut sql = phone.sql();
    let held = "select array_agg(ordinal order by ordinal)::text from apple_health_raw.records where missing_since_run_id is null and start_at = '2025-12-31 16:00Z'";
    assert_eq!(value(&mut sql, held).as_deref(), Some("{1,2,3}"));
    assert_eq!(count(&mut sql, "canonical.samples where start_at = '2025-12-31 16:00Z'"), 3);
    // One copy less, later one more: the others stay what they are.
    export.records.remove(0);
    export.made = "2026-01-02".into();
    phone.import_text("b.xml", export.xml()).expect(0);
    assert_eq!(value(&mut sql, held).as_deref(), Some("{1,2}"));
    export.records.extend([one.clone(), one]);
    export.made = "2026-01-03".into();
    phone.import_text("c.xml", export.xml()).expect(0);
    assert_eq!(value(&mut sql, held).as_deref(), Some("{1,2,3,4}"));
}

#[test]
fn deletions_beyond_the_fuse_are_held_back_until_a_person_says_so() {
    let phone = Phone::new();
    let full = Export::year();
    phone.import_text("full.xml", full.xml()).expect(0);
    let mut half = Export::new("2026-06-01");
    half.records = full.records[..full.records.len() / 2].to_vec();
    half.add_steps("2026-05-01 12:00:00", 1, 5);
    phone.import_text("half.xml", half.xml()).expect(6).says("too many to be believed").says("nothing was marked");
    let said = phone.home.health(&["ingest", "apple-health", "half.xml", "--force", "--json"]).expect(6).json();
    assert_eq!(said["result"]["next"][0], "health ingest apple-health half.xml --accept-deletions", "{said}");
    let mut sql = phone.sql();
    let missing = "apple_health_raw.published_records where missing_since_run_id is not null";
    assert_eq!(count(&mut sql, missing), 0);
    assert_eq!(count(&mut sql, "apple_health_raw.records where file_id = 2"), 1, "what is new landed");
    phone.home.health(&["ingest", "apple-health", "half.xml", "--accept-deletions"]).expect(0);
    let gone = i64::try_from(full.records.len() - full.records.len() / 2).expect("small");
    assert_eq!(count(&mut sql, missing), gone);
    // An older export, and one without any record, prove nothing.
    let mut old = Export::new("2020-01-01");
    old.add_steps("2019-05-01 12:00:00", 1, 5);
    phone.import_text("old.xml", old.xml()).expect(0);
    phone.import_text("none.xml", Export::new("2026-08-01").xml()).expect(0).says("no records");
    assert_eq!(count(&mut sql, missing), gone);
}

#[test]
fn nothing_of_an_unpublished_file_is_shown() {
    let phone = Phone::new();
    phone.import_text("export.xml", Export::year().xml()).expect(0);
    let mut sql = phone.sql();
    assert!(count(&mut sql, "apple_health_raw.published_records") > 0);
    for status in ["scanning", "loading", "failed", "withdrawn"] {
        sql.execute("update meta.import_file set status = $1", &[&status]).expect("an update");
        assert_eq!(count(&mut sql, "apple_health_raw.published_records"), 0, "{status}");
    }
}

#[test]
fn two_imports_at_once_are_one_too_many() {
    let phone = Phone::new();
    let export = Export::year();
    let mut first = phone.home.start_with_input(&["ingest", "apple-health", "-"]);
    first.type_line("<HealthData>");
    crate::support::world::until(|| count(&mut phone.sql(), "meta.import_runs") == 1);
    phone.import_text("export.xml", export.xml()).expect(10).says("is being read by");
    first.type_line("</HealthData>");
    first.close_input();
    first.wait(&phone.home).expect(0);
    phone.import("export.xml").expect(0);
}

#[test]
fn what_happened_is_said_to_programs_too() {
    let phone = Phone::new();
    phone.file("export.xml", Export::year().xml());
    phone.file("cut.xml", &Export::year().xml()[..5000]);
    let run = phone.home.health(&["ingest", "apple-health", "export.xml", "cut.xml", "--json"]).expect(3);
    let said = run.json();
    assert_eq!(said["schema"], "health.ingest/1");
    assert_eq!(said["files"][0]["status"], "published");
    assert_eq!(said["files"][0]["new"], said["files"][0]["records"]);
    assert_eq!((&said["files"][1]["status"], &said["files"][1]["exit"]), (&"failed".into(), &7.into()));
    assert_eq!(said["result"]["exit"], 3);
    let dry = phone.home.health(&["ingest", "apple-health", "export.xml", "--dry-run"]).expect(0);
    dry.says("already file 1");
}
