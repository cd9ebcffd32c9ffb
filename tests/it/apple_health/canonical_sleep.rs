//! Nights from segments: where one ends and the next begins, what counts as asleep, which is the night and which a nap.

use serde_json::{Value, json};

use super::Phone;
use super::exports::{Export, Record, record};
use crate::support::rows::{count, rows, value};

/// A segment by its times of day in Pacific standard time; before noon is the next day.
fn segment(stage: &str, day: u32, from: &str, until: &str) -> Record {
    let at = |clock: &str| {
        let day = if clock < "12:00" { day + 1 } else { day };
        chrono::NaiveDateTime::parse_from_str(&format!("2026-01-{day:02} {clock}:00"), "%Y-%m-%d %H:%M:%S")
            .expect("a time")
    };
    let mut one = record("SleepAnalysis", "", &format!("HKCategoryValueSleepAnalysis{stage}"), "2026-01-01 00:00:00");
    one.seconds = (at(until) - at(from)).num_seconds();
    one.start = at(from);
    one
}

fn sleeps(phone: &Phone) -> Vec<Value> {
    rows(
        &mut phone.sql(),
        "select local_date, kind, stage_scheme as scheme, in_bed_s / 60 as bed, asleep_s / 60 as asleep, awake_s / 60 as awake,
                light_s / 60 as light, deep_s / 60 as deep, rem_s / 60 as rem, asleep_unstaged_s / 60 as unstaged
           from canonical.sleep_sessions where retired_at is null order by start_at",
    )
}

fn stages(phone: &Phone) -> Vec<String> {
    rows(
        &mut phone.sql(),
        "select g.stage || ' ' || to_char(g.start_at at time zone 'America/Los_Angeles', 'HH24:MI') || '-'
                || to_char(g.end_at at time zone 'America/Los_Angeles', 'HH24:MI') as said
           from canonical.sleep_stages g join canonical.sleep_sessions s using (user_id, sleep_id)
          where s.retired_at is null order by s.start_at, g.seq",
    )
    .iter()
    .map(|row| row["said"].as_str().expect("text").to_owned())
    .collect()
}

/// What must hold of every sleep, whatever it was made of.
#[track_caller]
pub fn assert_invariants(phone: &Phone) {
    let mut sql = phone.sql();
    let outside = "canonical.sleep_stages g join canonical.sleep_sessions s using (user_id, sleep_id)
                    where g.start_at < s.start_at or g.end_at > s.end_at";
    assert_eq!(count(&mut sql, outside), 0, "a stage outside its session");
    let overlapping = "canonical.sleep_stages a join canonical.sleep_stages b using (user_id, sleep_id)
                        where a.seq < b.seq and a.end_at > b.start_at";
    assert_eq!(count(&mut sql, overlapping), 0, "stages that overlap or descend");
    let too_long =
        "canonical.sleep_sessions where asleep_s > in_bed_s or in_bed_s > extract(epoch from end_at - start_at) + 60";
    assert_eq!(count(&mut sql, too_long), 0, "asleep longer than in bed, or in bed longer than it lasted");
    let sums = "canonical.sleep_sessions s where stage_scheme = 'stages'
                  and light_s + deep_s + rem_s + asleep_unstaged_s is distinct from asleep_s";
    assert_eq!(count(&mut sql, sums), 0, "stages that do not add up");
    let of_stages = "canonical.sleep_sessions s where coalesce(asleep_s, 0) is distinct from (
                       select coalesce(sum(extract(epoch from g.end_at - g.start_at)), 0) from canonical.sleep_stages g
                        where g.sleep_id = s.sleep_id and g.stage in ('light', 'deep', 'rem', 'asleep')) and retired_at is null";
    assert_eq!(count(&mut sql, of_stages), 0, "asleep is not the sum of its stages");
}

#[test]
fn a_night_with_stages_a_nap_and_a_late_doze() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.records = vec![
        segment("InBed", 10, "22:30", "06:30"),
        segment("AsleepCore", 10, "23:00", "01:00"),
        segment("AsleepDeep", 10, "00:30", "01:30"), // beats the light half hour under it
        segment("Awake", 10, "01:30", "01:50"),
        segment("AsleepREM", 10, "01:50", "03:00"),
        segment("AsleepCore", 10, "03:00", "06:00"),
        segment("AsleepUnspecified", 11, "14:00", "15:00"), // a nap of the 11th
        segment("AsleepUnspecified", 11, "20:30", "21:30"), // into the evening: nobody knows
    ];
    phone.import_text("export.xml", export.xml()).expect(0);
    assert_eq!(
        sleeps(&phone),
        [
            json!({"local_date": "2026-01-11", "kind": "main", "scheme": "stages", "bed": 480, "asleep": 400, "awake": 20,
                "light": 270, "deep": 60, "rem": 70, "unstaged": 0}),
            json!({"local_date": "2026-01-11", "kind": "nap", "scheme": "asleep_only", "bed": 60, "asleep": 60, "awake": null,
                "light": null, "deep": null, "rem": null, "unstaged": 60}),
            json!({"local_date": "2026-01-11", "kind": "unknown", "scheme": "asleep_only", "bed": 60, "asleep": 60, "awake": null,
                "light": null, "deep": null, "rem": null, "unstaged": 60}),
        ]
    );
    assert_eq!(
        stages(&phone),
        [
            "light 23:00-00:30",
            "deep 00:30-01:30",
            "awake 01:30-01:50",
            "rem 01:50-03:00",
            "light 03:00-06:00",
            "asleep 14:00-15:00",
            "asleep 20:30-21:30"
        ]
    );
    assert_invariants(&phone);
}

#[test]
fn an_hour_joins_and_a_minute_more_parts() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.records = vec![
        segment("AsleepUnspecified", 10, "22:00", "23:00"),
        segment("AsleepUnspecified", 10, "00:00", "01:00"), // 60 minutes later: the same session
        segment("AsleepUnspecified", 10, "02:01", "05:00"), // 61 minutes later: another
        segment("InBed", 12, "23:00", "07:00"),             // in bed only
        segment("InBed", 14, "23:00", "23:30"),             // less than was slept: the span stands in
        segment("Asleep", 14, "23:00", "06:00"),            // the older name
    ];
    phone.import_text("export.xml", export.xml()).expect(0);
    let short: Vec<_> = sleeps(&phone)
        .iter()
        .map(|s| {
            format!("{} {} {} {} {}", s["local_date"], s["kind"], s["scheme"], s["bed"], s["asleep"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        short,
        [
            "2026-01-11 unknown asleep_only 180 120",
            "2026-01-11 main asleep_only 179 179",
            "2026-01-13 main none 480 null",
            "2026-01-15 main asleep_only 420 420",
        ]
    );
    assert_invariants(&phone);
}

/// Two apps that wrote the same night keep one session each; copies of a segment count once.
#[test]
fn sources_stay_apart_and_copies_count_once() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    let night = segment("AsleepCore", 10, "23:00", "06:00");
    export.records = vec![night.clone(), night.clone()];
    let other = Export { records: vec![segment("AsleepUnspecified", 10, "23:30", "05:30")], ..export.clone() };
    let foreign = other.xml();
    let foreign = foreign
        .lines()
        .find(|line| line.contains("<Record"))
        .expect("a record")
        .replace("Watch\" source", "Ring\" source");
    export.rest = foreign;
    phone.import_text("export.xml", export.xml()).expect(0);
    let short: Vec<_> =
        sleeps(&phone).iter().map(|s| format!("{} {} {}", s["kind"], s["scheme"], s["asleep"])).collect();
    assert_eq!(short, ["\"main\" \"stages\" 420", "\"main\" \"asleep_only\" 360"]);
    assert_invariants(&phone);
}

/// A night that grows in the next export is the same night; one that is gone is retired, and a rebuild says the same.
#[test]
fn a_night_changes_with_its_segments() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.records = vec![segment("AsleepCore", 10, "23:00", "02:00"), segment("AsleepCore", 12, "23:00", "06:00")];
    phone.import_text("a.xml", export.xml()).expect(0);
    let id = "select sleep_id from canonical.sleep_sessions where local_date = '2026-01-11' and retired_at is null";
    let before = value(&mut phone.sql(), id);
    export.records = vec![
        segment("AsleepCore", 10, "23:00", "02:00"),
        segment("AsleepDeep", 10, "02:00", "05:00"),
        segment("AsleepREM", 10, "01:00", "02:00"),
    ];
    export.made = "2026-03-01".into();
    phone.import_text("b.xml", export.xml()).expect(0);
    assert_eq!(value(&mut phone.sql(), id), before);
    assert_eq!(stages(&phone), ["light 23:00-01:00", "rem 01:00-02:00", "deep 02:00-05:00"]);
    assert_eq!(count(&mut phone.sql(), "canonical.sleep_sessions where retired_at is not null"), 1);
    assert_eq!(count(&mut phone.sql(), "canonical.row_history where entity = 'sleep_sessions'"), 1);
    assert_invariants(&phone);
    let all = phone.canonical();
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(phone.canonical() == all, "over the rows there are");
    phone.sql().batch_execute("truncate canonical.sleep_sessions cascade").expect("truncate");
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    let live = |rows: Vec<Value>| rows.into_iter().filter(|row| row["row"]["retired_at"].is_null()).collect::<Vec<_>>();
    let held: Vec<_> = live(all).into_iter().filter(|row| row["row"]["seq"].is_null()).collect();
    let made: Vec<_> = live(phone.canonical()).into_iter().filter(|row| row["row"]["seq"].is_null()).collect();
    assert!(made == held, "from nothing");
}

/// A night in another zone, and the day of waking there.
#[test]
fn the_day_of_waking_follows_the_zone_of_the_night() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    let mut night = segment("AsleepCore", 10, "14:00", "22:00"); // 23:00 to 07:00 in Berlin
    night.metadata = vec![("HKTimeZone", "Europe/Berlin")];
    export.records = vec![night];
    phone.import_text("export.xml", export.xml()).expect(0);
    let found = rows(
        &mut phone.sql(),
        "select local_date, kind, utc_offset_s, end_utc_offset_s, tz_name, tz_basis from canonical.sleep_sessions",
    );
    assert_eq!(
        found,
        [json!({"local_date": "2026-01-11", "kind": "main", "utc_offset_s": 3600, "end_utc_offset_s": 3600,
            "tz_name": "Europe/Berlin", "tz_basis": "record"})]
    );
}
