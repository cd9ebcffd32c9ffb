//! A user of Withings: so many days of records, the same for the same number, ending "now".

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use super::records::{self, Local, Place};
use super::{Doc, PAGE, Withings, day};
use crate::support::order::Order;

impl Withings {
    /// A user of so many days, with naps, weights entered by hand, weights that may be somebody else's, and travel.
    pub fn with_days(days: i64, now: DateTime<Utc>) -> Self {
        let mut withings = Withings::nobody();
        withings.now = now;
        withings.goals = json!({"steps": 10_000, "weight": {"value": 70_500, "unit": -3}});
        withings.docs.push(scale());
        for n in (0..days).rev() {
            withings.docs.extend(of_day(now.date_naive() - TimeDelta::days(n)));
        }
        withings.docs.retain(|doc| doc.since <= now);
        withings
    }

    /// A user without any record.
    pub fn nobody() -> Self {
        Withings {
            docs: vec![],
            goals: json!([]),
            order: Order::OldestFirst,
            page: PAGE,
            announced: None,
            signals_refused: false,
            hidden: vec![],
            poisoned: HashMap::new(),
            nonces: HashSet::new(),
            withdrawn: vec![],
            offsets: HashSet::new(),
            now: DateTime::UNIX_EPOCH,
        }
    }

    pub(super) fn forget_offsets(&mut self) {
        self.offsets.clear();
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    pub(super) fn clock(&self) -> DateTime<Utc> {
        self.now
    }
}

/// What the day brings, from the evening before.
fn of_day(date: NaiveDate) -> Vec<Doc> {
    let i = number(date);
    let at = |days: i64, hour: u32, minute: i64| Local {
        clock: (date + TimeDelta::days(days)).and_hms_opt(hour, 0, 0).expect("a time") + TimeDelta::minutes(minute),
        place: place_on(date),
    };
    let mut docs = day::sleep(2_081_000_000 + i, i, at(-1, 22, i * 41 % 150), 25_200 + i * 137 % 5_000, "main");
    if i % 6 == 1 {
        docs.extend(day::sleep(2_091_000_000 + i, i, at(0, 14, i % 60), 2_430, "nap"));
    }
    let noon = at(0, 12, 0);
    docs.push(day::activity(i, noon, at(0, 12, 5).utc()));
    if i % 5 == 0 {
        docs.push(day::copied(i, noon, at(0, 12, 10).utc()));
    }
    docs.push(records::workout(3_000_000 + i, i, at(0, 9, i % 50)));
    docs.extend([8, 9, 17].map(|hour| day::hour(i, at(0, hour, 0))));
    docs.extend(weights(i, &at));
    if i % 2 == 0 {
        docs.push(records::heart(i, at(0, 10, 1)));
        docs.extend(records::signal(i, at(0, 10, 1)));
    }
    if i % 30 == 4 {
        docs.push(records::stetho(i, at(0, 10, 30)));
    }
    docs
}

/// The exponent differs from record to record.
fn weights(i: i64, at: &dyn Fn(i64, u32, i64) -> Local) -> Vec<Doc> {
    let grams = 74_310 + i % 700;
    let kilograms = f64::from(i32::try_from(grams).expect("small")) / 1_000.0;
    let text = shortest(&format!("{}.{:03}", grams / 1_000, grams % 1_000));
    let (value, unit) = if i % 2 == 0 { (grams, -3) } else { (grams * 10, -4) };
    let scale = [
        ("weight", json!(kilograms), text.as_str()),
        ("fat_pct", json!(18.42), "18.42"),
        ("fat_mass", json!(13.7), "13.7"),
        ("bone_mass", json!(3.15), "3.15"),
    ];
    let measures = [(value, 1, unit), (1842, 6, -2), (1370, 8, -2), (315, 88, -2), (97, 99_999, 0)];
    let mut docs = vec![records::group(6_100_000_000 + i, 0, at(0, 7, 30), &measures, &scale)];
    if i % 3 == 0 {
        let cuff =
            [("bp_diastolic", json!(78), "78"), ("bp_systolic", json!(121), "121"), ("heart_rate", json!(61), "61")];
        docs.push(records::group(
            6_200_000_000 + i,
            5,
            at(0, 7, 40),
            &[(7_800, 9, -2), (121, 10, 0), (61, 11, 0)],
            &cuff,
        ));
    }
    if i % 10 == 3 {
        // A guest, perhaps: kept raw.
        docs.push(records::group(6_300_000_000 + i, 1, at(0, 7, 50), &[(612, 1, -1)], &[]));
    }
    if i % 12 == 5 {
        docs.push(records::group(
            6_400_000_000 + i,
            2,
            at(0, 20, 0),
            &[(745, 1, -1)],
            &[("weight", json!(74.5), "74.5")],
        ));
    }
    docs
}

fn shortest(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn scale() -> Doc {
    let hash = "f998be4b9ccc9e136fd8cd8e8e344c31ec3b271d";
    let value = json!({"type": "Scale", "battery": "high", "model": "Body+", "model_id": 5, "timezone": "America/Los_Angeles",
                       "first_session_date": null, "last_session_date": 1_693_867_179, "deviceid": hash, "hash_deviceid": hash});
    let at = Local { clock: DateTime::UNIX_EPOCH.naive_utc(), place: Place { zone: "UTC", offset: "+00:00" } };
    Doc::new("devices", hash.to_owned(), at, value)
}

/// The number of a day, by which it has its habits.
pub fn number(date: NaiveDate) -> i64 {
    (date - NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date")).num_days()
}

/// Home is on the Pacific coast; some days are spent in Berlin or in Auckland. The night before a change of the clocks is
/// slept at home with the old offset, so none of the days here is one.
pub fn place_on(date: NaiveDate) -> Place {
    let is_in = |from: (i32, u32, u32), to: (i32, u32, u32)| {
        let day = |(y, m, d)| NaiveDate::from_ymd_opt(y, m, d).expect("a date");
        (day(from)..day(to)).contains(&date)
    };
    match number(date) % 30 {
        10..=13 if is_in((2026, 10, 27), (2027, 3, 27)) => Place { zone: "Europe/Berlin", offset: "+01:00" },
        14 | 15 if is_in((2026, 9, 29), (2027, 4, 3)) => Place { zone: "Pacific/Auckland", offset: "+13:00" },
        _ if is_in((2026, 3, 9), (2026, 11, 1)) => Place { zone: "America/Los_Angeles", offset: "-07:00" },
        _ if is_in((2026, 11, 2), (2027, 3, 14)) => Place { zone: "America/Los_Angeles", offset: "-08:00" },
        _ => Place { zone: "UTC", offset: "+00:00" },
    }
}
