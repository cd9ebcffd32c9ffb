//! An Oura member: so many days of documents, the same for the same number, ending "now".

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use super::days;
use super::records::{self, Local};
use super::{Doc, Oura, PAGE};
use crate::support::order::Order;

impl Oura {
    /// A member of so many days, with naps, refused naps, travel and a clock change.
    pub fn with_days(days: i64, now: DateTime<Utc>) -> Self {
        let mut oura = Oura::nobody();
        oura.now = now;
        oura.docs.push(days::ring());
        for n in (0..days).rev() {
            let day = now.date_naive() - TimeDelta::days(n);
            oura.docs.extend(of_day(day));
        }
        oura.docs.retain(|doc| doc.since <= now);
        oura
    }

    /// A member without any document.
    pub fn nobody() -> Self {
        Oura {
            info: json!({"id": "04101001-5f1e-4b7e-9f53-2f3b5f6f0a01", "age": 41, "weight": 74.3, "height": 1.78,
                         "biological_sex": "female", "email": "zoe.canary@example.org"}),
            docs: vec![],
            order: Order::OldestFirst,
            most_a_page: PAGE,
            hidden: vec![],
            poisoned: std::collections::HashMap::new(),
            now: DateTime::UNIX_EPOCH,
            cursors: std::collections::HashMap::new(),
        }
    }
}

/// What the day brings, from the evening before.
fn of_day(day: NaiveDate) -> Vec<Doc> {
    let i = number(day);
    let at = |days: i64, hour: u32, minute: i64| Local {
        clock: (day + TimeDelta::days(days)).and_hms_opt(hour, 0, 7).expect("a time") + TimeDelta::minutes(minute),
        offset: offset_on(day),
    };
    // Some nights begin before midnight, some after it.
    let bed = at(-1, 22, i * 41 % 200);
    let night = records::sleep(&id(1, i), i, "long_sleep", bed, 25_200 + i * 137 % 5_000);
    let woke = night.since;
    let mut docs = vec![night, records::daily_sleep(&id(2, i), i, day, woke)];
    match i % 6 {
        1 => docs.push(records::sleep(&id(3, i), i, "sleep", at(0, 14, i % 60), 2_430)),
        2 => docs.push(records::sleep(&id(3, i), i, "rest", at(0, 15, 0), 1_210)),
        3 => docs.push(records::sleep(&id(3, i), i, "late_nap", at(0, 17, 50), 1_815)),
        4 => docs.push(records::sleep(&id(3, i), i, "deleted", at(0, 12, 0), 1_500)),
        _ => {}
    }
    docs.push(records::workout(&id(4, i), i, at(0, 9, i % 90)));
    docs.extend(days::of_day(day, i, woke, &|hour, minute| at(0, hour, minute)));
    docs
}

/// The number of a day, by which it has its habits.
pub fn number(day: NaiveDate) -> i64 {
    (day - NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date")).num_days()
}

/// A stable UUID for the thing of one kind on one day.
pub fn id(kind: u32, i: i64) -> String {
    format!("{:08x}-{:04x}-4a11-8b2c-{:012x}", 0x0a7a_0000 + kind, i & 0xffff, (i * 0x7_f4a7_c15b) & 0xffff_ffff_ffff)
}

/// Home is on the Pacific coast; some days are spent in Berlin, in Auckland or at Greenwich.
pub fn offset_on(day: NaiveDate) -> &'static str {
    let summer = (NaiveDate::from_ymd_opt(2026, 3, 8)..NaiveDate::from_ymd_opt(2026, 11, 1)).contains(&Some(day));
    match number(day) % 30 {
        10..=13 => "+01:00",
        14 | 15 => "+13:00",
        16 => "+00:00",
        _ if summer => "-07:00",
        _ => "-08:00",
    }
}
