//! A person with a watch and a phone: so many days of data, the same for the same number, ending "now".

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use super::days;
use super::records::{self, Local};
use super::{Google, Point};
use crate::support::order::Order;

impl Google {
    /// A person of so many days, with naps, travel and a clock change.
    pub fn with_days(days: i64, now: DateTime<Utc>) -> Self {
        let mut google = Google::nobody();
        google.now = now;
        google.begin(now.date_naive() - TimeDelta::days(days - 1));
        for n in (0..days).rev() {
            google.points.extend(of_day(now.date_naive() - TimeDelta::days(n)));
        }
        google.points.retain(|point| point.since <= now);
        google
    }

    /// The person's account began on this day.
    pub fn begin(&mut self, day: NaiveDate) {
        self.profile["membershipStartDate"] = json!({"year": day.year(), "month": day.month(), "day": day.day()});
    }

    /// A person without any data.
    pub fn nobody() -> Self {
        Google {
            identity: json!({"name": "users/me/identity", "legacyUserId": "AB12CD", "healthUserId": "5551234104101001"}),
            profile: json!({"name": "users/me/profile", "age": 41, "membershipStartDate": {"year": 2016, "month": 3, "day": 9},
                            "autoWalkingStrideLengthMm": 743}),
            settings: json!({"name": "users/me/settings", "timeZone": "America/Los_Angeles", "utcOffset": "-28800s",
                             "languageLocale": "en_US", "weightUnit": "WEIGHT_UNIT_POUNDS"}),
            irn: json!({"name": "users/me/irnProfile", "onboardingStatus": true}),
            devices: vec![
                json!({"name": "users/me/pairedDevices/123456", "deviceType": "TRACKER", "batteryStatus": "High",
                       "batteryLevel": 84, "deviceVersion": "Pixel Watch 4", "features": ["HEART_RATE"]}),
                json!({"name": "users/me/pairedDevices/777", "deviceType": "SCALE", "deviceVersion": "Aria Air"}),
            ],
            points: vec![],
            order: Order::NewestFirst,
            most_a_page: 100,
            has_empty_pages: true,
            hidden: vec![],
            poisoned: std::collections::HashMap::new(),
            now: DateTime::UNIX_EPOCH,
            cursors: std::collections::HashMap::new(),
        }
    }
}

/// What the day brings, from the evening before.
fn of_day(day: NaiveDate) -> Vec<Point> {
    let i = number(day);
    let at = |days: i64, hour: u32, minute: i64| Local {
        clock: (day + TimeDelta::days(days)).and_hms_opt(hour, 0, 0).expect("a time") + TimeDelta::minutes(minute),
        offset_s: offset_on(day),
    };
    // Some nights begin before midnight, some after it.
    let mut points = vec![records::sleep(&format!("night-{i}"), i, false, at(-1, 22, i * 41 % 200), 420 + i * 13 % 80)];
    if i % 6 == 1 {
        points.push(records::sleep(&format!("nap-{i}"), i, true, at(0, 14, i % 60), 41));
    }
    let woke = points[0].since;
    points.push(records::exercise(&format!("exercise-{i}"), i, at(0, 9, i % 90)));
    points.extend(days::of(day, i, woke, &|hour, minute| at(0, hour, minute)));
    points
}

/// The number of a day, by which it has its habits.
pub fn number(day: NaiveDate) -> i64 {
    (day - NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date")).num_days()
}

/// Home is on the Pacific coast; some days are spent in Berlin, in Auckland, in Nepal or at Greenwich.
pub fn offset_on(day: NaiveDate) -> i64 {
    let summer = (NaiveDate::from_ymd_opt(2026, 3, 8)..NaiveDate::from_ymd_opt(2026, 11, 1)).contains(&Some(day));
    match number(day) % 30 {
        10..=13 => 3_600,
        14 | 15 => 46_800,
        16 => 0,
        17 => 20_700,
        _ if summer => -25_200,
        _ => -28_800,
    }
}
