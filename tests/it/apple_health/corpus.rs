//! Real exports, against a count made by other means: a scan for tags that shares nothing with the reader. The folder is
//! `HEALTH_CORPUS/apple_health`; with it set a missing file fails, without it the fixtures stand in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Phone;
use crate::support::rows::{count, rows};

/// Folder and file of the corpus.
const FILES: [&str; 6] = [
    "alxdrcirilo/export.xml",
    "alxdrcirilo/export.zip",
    "ashtom-hkimport/export.xml",
    "paulstaab/export.xml",
    "paulstaab/export.zip",
    "tdda/export6s3sample.xml",
];

pub(super) fn corpus() -> Vec<PathBuf> {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: real exports are not read, the fixtures stand in for them");
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/apple_health/ios16.xml");
        return vec![fixture.into()];
    };
    let files: Vec<PathBuf> = FILES.iter().map(|name| PathBuf::from(&folder).join("apple_health").join(name)).collect();
    let missing: Vec<_> = files.iter().filter(|path| !path.exists()).collect();
    assert!(missing.is_empty(), "HEALTH_CORPUS lacks {missing:?}");
    files
}

/// The text of every `Record` at the top, by a scan for tags. Good for real files only.
fn records(xml: &str) -> Vec<String> {
    let body = &xml[xml.rfind("<HealthData").expect("a root")..];
    let (mut found, mut at, mut correlations) = (Vec::new(), 0, 0);
    while let Some(next) = body[at..].find('<') {
        let start = at + next;
        let end = start + body[start..].find('>').expect("a tag");
        let end = end_of_tag(body, start).unwrap_or(end);
        let tag = &body[start..=end];
        at = end + 1;
        match tag.trim_start_matches('<').split([' ', '\n', '>', '/']).next() {
            Some("Correlation") if !tag.ends_with("/>") => correlations += 1,
            _ if tag == "</Correlation>" => correlations -= 1,
            Some("Record") => {
                if !tag.ends_with("/>") {
                    at += body[at..].find("</Record>").expect("its end") + "</Record>".len();
                }
                if correlations == 0 {
                    found.push(body[start..at].to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

/// The `>` that is not inside quotes.
pub(super) fn end_of_tag(body: &str, start: usize) -> Option<usize> {
    let mut quoted = false;
    body[start..].char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(start + at)
    })
}

fn kind(record: &str) -> String {
    record.split("type=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a type").to_owned()
}

/// Where the mapping puts records of a type; glucose in these files is typed in and so no sensor's.
fn place(kind: &str) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sources/apple_health/mapping/types.csv");
    let rows = std::fs::read_to_string(file).expect("the mapping");
    let of_kind = rows.lines().map(|line| line.split(',').collect::<Vec<_>>()).filter(|row| row[0] == kind);
    let places: Vec<_> = of_kind.filter(|row| row[3] != "sensor").map(|row| row[2].to_owned()).collect();
    places.first().cloned().unwrap_or_default()
}

/// The record without the address of its device.
fn without_address(record: &str) -> String {
    match record.split_once("HKDevice: 0x") {
        Some((before, after)) => before.to_owned() + after.trim_start_matches(|c: char| c.is_ascii_hexdigit()),
        None => record.to_owned(),
    }
}

pub(super) fn text_of(path: &PathBuf) -> String {
    let bytes = std::fs::read(path).expect("a file");
    if !bytes.starts_with(b"PK") {
        return String::from_utf8(bytes).expect("UTF-8");
    }
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    let name = zip
        .file_names()
        .map(|name| name.expect("a name").into_owned())
        .find(|n| n.ends_with("export.xml") && !n.contains("MACOSX"));
    std::io::read_to_string(zip.by_name(&name.expect("an export")).expect("an entry")).expect("UTF-8")
}

#[test]
fn counts_by_type_equal_an_independent_count() {
    for path in corpus() {
        let phone = Phone::new();
        let name = path.to_str().expect("a path");
        phone.import(name).expect(0);
        let records = records(&text_of(&path));
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for record in &records {
            *expected.entry(kind(record)).or_default() += 1;
        }
        let mut sql = phone.sql();
        let held: BTreeMap<String, i64> =
            rows(&mut sql, "select type, count(*) as n from apple_health_raw.published_records group by type")
                .iter()
                .map(|row| (row["type"].as_str().expect("a type").to_owned(), row["n"].as_i64().expect("a count")))
                .collect();
        assert_eq!(held, expected, "{name}");
        let distinct: BTreeSet<String> = records.iter().map(|record| without_address(record)).collect();
        let copies = i64::try_from(records.len() - distinct.len()).expect("small");
        assert_eq!(count(&mut sql, "apple_health_raw.records where ordinal > 1"), copies, "{name}: copies");
        // Three types stated by hand, so that the mapping is not its own judge.
        for (kind, table, metric) in [
            ("HKQuantityTypeIdentifierStepCount", "samples", "steps"),
            ("HKQuantityTypeIdentifierHeartRate", "samples", "heart_rate"),
            ("HKQuantityTypeIdentifierBodyMass", "biometrics_vitals", "weight"),
        ] {
            let empty = format!("apple_health_raw.published_records where type = '{kind}' and value is null");
            let whole = expected.get(kind).copied().unwrap_or_default() - count(&mut sql, &empty);
            assert_eq!(
                count(&mut sql, &format!("canonical.{table} where metric_code = '{metric}'")),
                whole,
                "{name}: {kind}"
            );
        }
        // Every record of a type that is a reading is one row, in the one place of its type.
        let mut places = BTreeMap::<String, i64>::new();
        for (kind, number) in &expected {
            *places.entry(place(kind)).or_default() += number;
        }
        let of = |place: &str| places.get(place).copied().unwrap_or_default();
        let without = count(
            &mut sql,
            "apple_health_raw.published_records where type like 'HKQuantityType%' and value is null
                and type in (select type from apple_health_raw.mapping where place = 'samples')",
        );
        assert_eq!(count(&mut sql, "canonical.samples"), of("samples") - without, "{name}");
        assert_eq!(count(&mut sql, "canonical.biometrics_vitals"), of("vitals"), "{name}");
        assert_eq!(count(&mut sql, "meta.rejects"), 0, "{name}");
        let workouts = text_of(&path).matches("<Workout ").count();
        assert_eq!(count(&mut sql, "canonical.workouts"), i64::try_from(workouts).expect("small"), "{name}: workouts");
        super::canonical_sleep::assert_invariants(&phone);
        phone.import(name).expect(0).says("already file 1");
    }
}
