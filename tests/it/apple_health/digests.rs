//! The short ways end where the long way ends, and no digest says anything that the rows do not.

use serde_json::Value;

use super::Phone;
use super::exports::{Export, WORKOUT, in_zone, record, zipped};
use crate::support::rows::{count, fingerprint, rows, value};

/// How many days of a type are known by a digest, and of how many it is known that nobody knows. Every digest is made
/// again from the stored rows: a digest that lies is a lost row.
#[track_caller]
pub fn true_digests(phone: &Phone) -> (i64, i64) {
    let mut sql = phone.sql();
    let lies = rows(
        &mut sql,
        "with parts as (
           select user_id, account_id, type_id, (start_at at time zone 'UTC')::date as day, replace(id::text, '-', '') as hex
             from apple_health_raw.records where missing_since_run_id is null
         ), stored as (
           select user_id, account_id, type_id, day, count(*) as rows
                , mod(sum(('x' || substr(hex, 1, 8))::bit(32)::bigint::numeric * 79228162514264337593543950336
                        + ('x' || substr(hex, 9, 8))::bit(32)::bigint::numeric * 18446744073709551616
                        + ('x' || substr(hex, 17, 8))::bit(32)::bigint::numeric * 4294967296
                        + ('x' || substr(hex, 25, 8))::bit(32)::bigint::numeric), 340282366920938463463374607431768211456) as sum
             from parts group by 1, 2, 3, 4
         ), digests as (
           select d.*, k.number
             from apple_health_raw.digests d
            cross join lateral (
              select ('x' || substr(h, 1, 8))::bit(32)::bigint::numeric * 79228162514264337593543950336
                   + ('x' || substr(h, 9, 8))::bit(32)::bigint::numeric * 18446744073709551616
                   + ('x' || substr(h, 17, 8))::bit(32)::bigint::numeric * 4294967296
                   + ('x' || substr(h, 25, 8))::bit(32)::bigint::numeric as number
                from replace((case when d.records = 0 then d.nested_sum else d.id_sum end)::text, '-', '') h) k
         )
         select to_jsonb(d) as digest, to_jsonb(s) as stored
           from digests d
           full join stored s using (user_id, account_id, type_id, day)
          where d.type_id is null and exists (select from apple_health_raw.digests o where o.user_id = s.user_id and o.account_id = s.account_id)
             or d.records is not null and case
                  when d.records = 0 then (coalesce(s.rows, 0), coalesce(s.sum, 0)) is distinct from (d.nested::bigint, d.number)
                  when d.nested = 0 or (d.nested, d.nested_sum) = (d.records, d.id_sum)
                  then (coalesce(s.rows, 0), coalesce(s.sum, 0)) is distinct from (d.records::bigint, d.number)
                  else not coalesce(s.rows between greatest(d.records, d.nested) and d.records + d.nested, false)
                end",
    );
    assert!(lies.is_empty(), "digests that are not those of the rows: {lies:#?}");
    let known = count(&mut sql, "apple_health_raw.digests where records is not null");
    (known, count(&mut sql, "apple_health_raw.digests where records is null"))
}

/// Raw rows, other elements, and the days that models are told of.
fn state(phone: &Phone) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
    let days = "select t.type, d.local_date, d.run_id from apple_health_raw.days d join apple_health_raw.types t using (user_id, account_id, type_id)
                 order by 1, 2";
    (phone.raw(), phone.elements(), rows(&mut phone.sql(), days))
}

/// Every canonical row, whenever it was retired.
fn canonical(phone: &Phone) -> Vec<Value> {
    let mut all = phone.canonical();
    for row in &mut all {
        row["row"]["retired_at"] = (!row["row"]["retired_at"].is_null()).into();
    }
    all
}

fn steps_in(place: &str, minutes: i64) -> String {
    let at = |minutes: i64| format!("{{at:2026-01-05 07:{minutes:02}:00}}");
    format!(
        "{place}<Record type=\"HKQuantityTypeIdentifierDietaryProtein\" sourceName=\"Food\" unit=\"g\" startDate=\"{}\" endDate=\"{}\" value=\"{minutes}\"/>\n",
        at(minutes),
        at(minutes)
    )
}

/// A food with these nutrients, each known by its minute.
fn food(minutes: &[i64]) -> String {
    let inside: String = minutes.iter().map(|minute| steps_in("  ", *minute)).collect();
    format!(
        " <Correlation type=\"HKCorrelationTypeIdentifierFood\" sourceName=\"Food\" startDate=\"{{at:2026-01-05 07:00:00}}\" \
         endDate=\"{{at:2026-01-05 07:00:00}}\">\n{inside} </Correlation>\n"
    )
}

/// A history of exports with everything that is difficult: another zone, other devices, another order, what is new, what is
/// gone and back, copies that come and go, an older export, and nutrients of foods that the top repeats, or not, or in part.
fn history() -> Vec<(&'static str, String)> {
    let mut first = Export::year();
    first.rest = format!("{}{}{WORKOUT}", steps_in(" ", 1), food(&[1]));
    let mut again = first.clone();
    (again.offset_hours, again.pointer, again.made) = (9, 1 << 20, "2026-02-21".into());
    again.records.reverse();
    let mut second = again.clone();
    second.made = "2026-03-01".into();
    second.records.drain(3..6);
    let copy = second.records[20].clone();
    second.records.extend([copy.clone(), copy]);
    second.rest = format!("{}{}{WORKOUT}", steps_in(" ", 1), food(&[1, 2, 2]));
    second.add_steps("2026-02-25 12:00:00", 5, 40);
    let mut third = second.clone();
    (third.offset_hours, third.made) = (1, "2026-04-01".into());
    third.records.extend(again.records[3..5].to_vec());
    third.records.remove(7);
    third.rest = format!("{}{}{}{WORKOUT}{WORKOUT}", steps_in(" ", 2), steps_in(" ", 3), food(&[1, 2, 2]));
    let mut old = first.clone();
    old.made = "2026-01-20".into();
    old.add_steps("2026-01-19 12:00:00", 3, 9);
    let mut fourth = third.clone();
    fourth.made = "2026-05-01".into();
    fourth.rest = format!("{}{WORKOUT}", steps_in(" ", 2));
    let mut last = fourth.clone();
    last.made = "2026-06-01".into();
    last.records.truncate(second.records.len() / 2);
    let made = [first, again, second, third.clone(), old, third, fourth, last];
    let names = ["first", "again", "second", "third", "old", "third_again", "fourth", "half"];
    let written = made.iter().zip(1..).map(|(export, number)| {
        // Otherwise the same document would be known.
        export.xml().replace("</HealthData>", &format!("<!-- {number} --></HealthData>"))
    });
    names.into_iter().zip(written).collect()
}

#[test]
fn the_short_ways_end_where_the_long_way_ends() {
    let (short, long) = (Phone::new(), Phone::new());
    for (name, xml) in history() {
        let zip = zipped(&[("export.xml", &xml)]);
        let code = if name == "half" { 6 } else { 0 };
        let told = short.import_text(&format!("{name}.zip"), &zip).expect(code).stdout;
        // Nothing is known by digests, so that everything is compared; the very first comes as a stream.
        long.sql().batch_execute("delete from apple_health_raw.digests").expect("no digests");
        let said = if name == "first" {
            let mut running = long.home.start_with_input(&["ingest", "apple-health", "--file", "-"]);
            running.type_line(xml.trim_end());
            running.close_input();
            running.wait(&long.home).expect(code).stdout
        } else {
            long.import_text(&format!("{name}.zip"), &zip).expect(code).stdout
        };
        if name != "first" {
            let table = |said: &str| said.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(table(&told), table(&said), "{name}: what is said");
        }
        let (one, other) = (state(&short), state(&long));
        assert!(one.0 == other.0, "{name}: records");
        assert!(one.1 == other.1, "{name}: elements");
        assert!(one.2 == other.2, "{name}: days");
        assert!(canonical(&short) == canonical(&long), "{name}: canonical");
        let (known, unknown) = true_digests(&short);
        match name {
            "old" | "half" => assert!(unknown > 0 && known > 0, "{name}: {known} known, {unknown} not"),
            _ => assert!(unknown == 0 && known > 30, "{name}: {known} known, {unknown} not"),
        }
        true_digests(&long);
    }
    // What was held back is let through, and everything is known again.
    for phone in [&short, &long] {
        phone.home.health(&["ingest", "apple-health", "half.zip", "--accept-deletions"]).expect(0);
        assert_eq!(true_digests(phone).1, 0);
    }
    assert!(short.raw() == long.raw());
}

#[test]
fn what_says_nothing_new_touches_no_record() {
    let phone = Phone::new();
    let history = history();
    phone.import_text("first.zip", zipped(&[("export.xml", &history[0].1)])).expect(0);
    let tables = |phone: &Phone| {
        let mut prints = fingerprint(&mut phone.sql());
        prints
            .retain(|table, _| ["records_1_1", "digests", "days", "elements"].iter().any(|name| table.ends_with(name)));
        prints
    };
    let before = tables(&phone);
    assert_eq!(before.len(), 4);
    phone.import_text("again.zip", zipped(&[("export.xml", &history[1].1)])).expect(0).says("is file 2");
    assert_eq!(tables(&phone), before);
    // --force compares row by row, and finds what a hand has changed.
    phone.sql().batch_execute("delete from apple_health_raw.records where ordinal = 2").expect("a hand");
    phone.home.health(&["ingest", "apple-health", "again.zip", "--force"]).expect(0);
    assert_eq!(
        value(&mut phone.sql(), "select count(*) from apple_health_raw.records where ordinal = 2").as_deref(),
        Some("1")
    );
    true_digests(&phone);
}

#[test]
fn of_days_that_differ_only_what_is_new_or_gone_is_written() {
    let phone = Phone::new();
    let history = history();
    phone.import_text("first.zip", zipped(&[("export.xml", &history[0].1)])).expect(0);
    phone.import_text("second.zip", zipped(&[("export.xml", &history[2].1)])).expect(0);
    let counted = |which: &str| count(&mut phone.sql(), &format!("apple_health_raw.records where {which}"));
    assert!(counted("run_id = (select max(run_id) from meta.import_runs)") > 3);
    assert!(counted("missing_since_run_id is not null") > 0);
    assert_eq!(counted("xmax::text <> '0'"), 0, "rows that are stored are not even locked");
}

#[test]
fn what_may_make_digests_wrong_leaves_none() {
    let phone = Phone::new();
    let history = history();
    phone.import_text("first.xml", &history[0].1).expect(0);
    phone.import_text("second.xml", &history[2].1).expect(0);
    let (whole, _) = true_digests(&phone);
    phone.home.health(&["zones", "set", "Asia/Tokyo", "--from", "2026-01-06", "--until", "2026-01-08"]).expect(0);
    assert_eq!(true_digests(&phone), (whole, 0), "a place is no content");
    phone.home.health(&["ingest", "apple-health", "--undo", "2"]).expect(0);
    assert_eq!(true_digests(&phone), (0, 0), "taken back");
    phone.import_text("third.xml", &history[3].1).expect(0);
    assert!(true_digests(&phone).0 > 0);
    let cut = history[6].1.split("<Workout").next().expect("records").to_owned();
    phone.file("cut.xml", cut);
    phone.home.health(&["ingest", "apple-health", "cut.xml", "--allow-truncated"]).expect(3);
    assert_eq!(true_digests(&phone), (0, 0), "cut off");
    phone.import_text("fourth.xml", &history[6].1).expect(0);
    assert_eq!(true_digests(&phone).1, 0);
}

#[test]
fn each_person_has_a_part_and_digests() {
    let phone = Phone::new();
    let history = history();
    phone.import_text("first.zip", zipped(&[("export.xml", &history[0].1)])).expect(0);
    let mine = phone.raw();
    let other = |name: &str| phone.home.health(&["--person", "Kim", "ingest", "apple-health", name]);
    let mut kim = Export::new("2026-02-01");
    kim.add_steps("2026-01-05 07:00:00", 12, 12);
    phone.file("kim.zip", zipped(&[("export.xml", &kim.xml())]));
    phone.sql().batch_execute("insert into meta.users (user_id, label, home_tz) select max(user_id) + 1, 'Kim', 'Asia/Tokyo' from meta.users").expect("a person");
    other("kim.zip").expect(0);
    kim.made = "2026-03-01".into();
    kim.records.remove(0);
    phone.file("later.zip", zipped(&[("export.xml", &kim.xml())]));
    other("later.zip").expect(0);
    let mut sql = phone.sql();
    let parts = "select string_agg(inhrelid::regclass::text, ',' order by inhrelid::regclass::text) from pg_inherits where inhparent = 'apple_health_raw.records'::regclass";
    assert_eq!(value(&mut sql, parts).as_deref(), Some("apple_health_raw.records_1_1,apple_health_raw.records_2_1"));
    assert_eq!(count(&mut sql, "apple_health_raw.records where user_id = 2 and missing_since_run_id is null"), 11);
    assert_eq!(count(&mut sql, "apple_health_raw.digests where user_id = 2"), 1);
    true_digests(&phone);
    sql.batch_execute("delete from apple_health_raw.records where user_id = 2; delete from apple_health_raw.digests where user_id = 2").expect("gone");
    assert!(phone.raw() == mine, "the other person's rows are as they were");
}

#[test]
fn a_later_import_killed_at_any_named_point_ends_the_same() {
    let history = history();
    let zips: Vec<Vec<u8>> = [0, 3].iter().map(|n| zipped(&[("export.xml", &history[*n].1)])).collect();
    let start = || {
        let phone = Phone::new();
        phone.import_text("first.zip", &zips[0]).expect(0);
        phone.file("later.zip", &zips[1]);
        phone
    };
    let whole = start();
    let before = (whole.raw(), whole.elements(), true_digests(&whole));
    whole.home.set("HEALTH_FAILPOINT", "list");
    let passed = whole.import("later.zip").expect(0).stderr;
    let expected = (whole.raw(), whole.elements(), canonical(&whole), true_digests(&whole));
    assert!(expected.0 != before.0);
    let mut points: Vec<&str> = passed.lines().filter_map(|line| line.strip_prefix("failpoint import.")).collect();
    points.dedup();
    assert!(points.contains(&"compared"), "{points:?}");
    for point in points {
        let phone = start();
        phone.home.set("HEALTH_FAILPOINT", &format!("import.{point}"));
        phone.import("later.zip").expect(137);
        phone.home.unset("HEALTH_FAILPOINT");
        phone.db.quiet();
        if point != "published" {
            assert!((phone.raw(), phone.elements(), true_digests(&phone)) == before, "{point}: something is visible");
        }
        phone.import("later.zip").expect(0);
        let after = (phone.raw(), phone.elements(), canonical(&phone), true_digests(&phone));
        assert!(after == expected, "{point}: not the same end state");
    }
}

/// A document that comes back to a day long after it left it: its rows wait in the stage and are numbered by the database.
#[test]
fn copies_far_apart_are_numbered_all_the_same() {
    let mut export = Export::new("2026-06-01");
    export.add_steps("2025-01-01 00:00:00", 6_000, 10);
    let mut pulse = record("HeartRate", "count/min", "60", "2025-01-01 00:00:00");
    pulse.seconds = 0;
    let [first, second] = [export.records[5].clone(), export.records[700].clone()];
    export.records.extend([pulse.clone(), first.clone(), second, first, pulse]);
    export.rest = in_zone(&food(&[1, 1]), 0, 1);
    let phone = Phone::new();
    phone.import_text("export.zip", zipped(&[("export.xml", &export.xml())])).expect(0);
    let mut sql = phone.sql();
    let numbers = "select array_agg(n order by n)::text from (select count(*) as n, max(ordinal) from apple_health_raw.records group by id having count(*) > 1 and count(*) = max(ordinal)) q";
    assert_eq!(value(&mut sql, numbers).as_deref(), Some("{2,2,2,3}"));
    assert_eq!(count(&mut sql, "apple_health_raw.records"), 6_007);
    true_digests(&phone);
    let long = Phone::new();
    let mut running = long.home.start_with_input(&["ingest", "apple-health", "--file", "-"]);
    running.type_line(export.xml().trim_end());
    running.close_input();
    running.wait(&long.home).expect(0);
    assert!(state(&phone) == state(&long));
}
