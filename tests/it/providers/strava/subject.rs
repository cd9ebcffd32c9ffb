//! A Strava athlete: so many days of activities, the same for the same number, ending "now"; and what can happen to them
//! between two runs.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::activity::{Activity, Kind};
use super::{ATHLETE, Budget, Strava};
use crate::support::faults::What;
use crate::support::order::{Order, Spots};
use crate::support::subject::{Key, Poison, Subject};

impl Strava {
    /// An athlete who trained daily in the last twelve of so many days, and every third day before.
    pub fn with_days(days: i64, now: DateTime<Utc>) -> Self {
        let mut strava = Strava::nobody();
        strava.now = now;
        for n in (1..days).rev().filter(|n| *n < 12 || n % 3 == 0) {
            let kind = [Kind::Run, Kind::Ride, Kind::Run, Kind::Weights, Kind::Ride, Kind::Odd];
            let kind = kind[usize::try_from(n % 6).expect("a place")];
            strava.activities.push(of_day(n, kind, now));
        }
        strava
    }

    /// An athlete without any activity.
    pub fn nobody() -> Self {
        let gear = |id: &str, retired: bool| {
            json!({"id": id, "primary": false, "name": format!("gear {id}"), "retired": retired, "distance": 966_309,
                   "brand_name": "Trek", "model_name": "450", "resource_state": 3})
        };
        let shown =
            |id: &str| json!({"id": id, "name": format!("gear {id}"), "distance": 966_309, "resource_state": 2});
        Strava {
            athlete: json!({"id": ATHLETE, "username": "zoe", "resource_state": 3, "firstname": "Zo\u{eb}", "lastname": "Canary",
                            "sex": "F", "weight": 74.31, "ftp": 231, "measurement_preference": "meters",
                            "bikes": [shown("b16988545")], "shoes": [shown("g26020551")], "updated_at": "2026-11-01T10:00:00Z"}),
            athlete_zones: json!({"heart_rate": {"custom_zones": false, "zones": [{"min": 0, "max": 111}, {"min": 111, "max": -1}]}}),
            gear: [("b16988545", false), ("g26020551", false), ("g9", true)]
                .map(|(id, retired)| (id.to_owned(), gear(id, retired)))
                .into(),
            activities: vec![],
            order: Order::NewestFirst,
            most_a_page: 200,
            hidden: false,
            inactive: false,
            poisoned: HashMap::new(),
            budget: Budget { limits: [20_000, 200_000], used: [0, 0], windows: [0, 0], refused: 0 },
            totals: None,
            now: DateTime::UNIX_EPOCH,
        }
    }

    fn recent(&mut self, days: i64) -> &mut Activity {
        let since = self.now - TimeDelta::days(days);
        self.activities.iter_mut().find(|activity| activity.start() > since).expect("an activity")
    }
}

/// The activity of the day `n` days ago. Home is on the Pacific coast; some days are spent in Berlin.
fn of_day(n: i64, kind: Kind, now: DateTime<Utc>) -> Activity {
    let start = (now - TimeDelta::days(n)).date_naive().and_hms_opt(4, 10, 7).expect("a time").and_utc();
    let (offset, zone) = match n % 7 {
        2 => (3_600, "Europe/Berlin"),
        _ if n < 19 => (-28_800, "America/Los_Angeles"), // summer ended on 1 November
        _ => (-25_200, "America/Los_Angeles"),
    };
    Activity::new(start.timestamp() / 86_400, kind, start + TimeDelta::seconds(n * 61), offset, zone)
}

impl Subject for Strava {
    const LISTINGS: &'static [&'static str] = &["activities"];
    const PAGED: &'static str = "activities";
    const OWNED: &'static str = "athlete";
    const SPARE_SCOPE: (&'static str, &'static str) = ("profile:read_all", "athlete_zones");
    const LAST_PAGE_IS_EMPTY: bool = true;
    const READ_WITH_IT: &'static [&'static str] =
        &["activity_details", "activity_streams", "activity_zones", "activity_laps"];
    /// There is nothing in an answer that leads anywhere; a header that does is not read.
    const AFTER_FOREIGN_NEXT: &'static [i32] = &[0];

    fn canonical(_: &str) -> &'static str {
        "workouts"
    }

    fn few(now: DateTime<Utc>) -> Self {
        Strava::with_days(8, now)
    }

    fn many(now: DateTime<Utc>) -> Self {
        Strava { most_a_page: 10, ..Strava::with_days(63, now) }
    }

    fn edit_recent(&mut self) -> Key {
        let activity = self.recent(3);
        activity.rename("a better name");
        Key { resource: "activities", id: activity.id.to_string() }
    }

    fn edit_old(&mut self) -> Key {
        let before = self.now - TimeDelta::days(40);
        let activity = self.activities.iter_mut().rfind(|a| a.start() < before).expect("an old activity");
        activity.rename("a better name");
        Key { resource: "activities", id: activity.id.to_string() }
    }

    fn add_recent(&mut self) -> Key {
        let mut late = of_day(3, Kind::Run, self.now - TimeDelta::hours(5));
        late = Activity::new(
            late.id - 15_000_000_000 + 500_000,
            Kind::Run,
            late.start() + TimeDelta::hours(3),
            -28_800,
            "America/Los_Angeles",
        );
        let key = Key { resource: "activities", id: late.id.to_string() };
        self.activities.push(late);
        key
    }

    fn remove_recent(&mut self) -> Key {
        let id = self.recent(5).id;
        self.activities.retain(|activity| activity.id != id);
        Key { resource: "activities", id: id.to_string() }
    }

    fn remove_many(&mut self) -> (&'static str, i64) {
        let (since, newest) = (self.now - TimeDelta::days(9), self.now - TimeDelta::days(2));
        let before = self.activities.len();
        self.activities.retain(|activity| activity.start() < since || activity.start() > newest);
        ("activities", i64::try_from(before - self.activities.len()).expect("a count"))
    }

    fn poison(&mut self, how: Poison) -> Key {
        let victim = self.recent(6).clone();
        let field = |name: &str| format!(r#""{name}":{}"#, victim.summary[name]);
        let spots = Spots {
            text: victim.summary.to_string(),
            words: ("name", field("name")),
            number: ("total_elevation_gain", field("total_elevation_gain")),
            key: ("id", field("id")),
            no_key: (format!("{},", field("id")), ""),
            no_start: (field("start_date"), r#""started":null"#),
            backwards: (field("elapsed_time"), r#""elapsed_time":-600"#),
        };
        let spoiled = spots.spoiled(how);
        self.poisoned.insert(victim.id, spoiled);
        Key { resource: "activities", id: victim.id.to_string() }
    }

    fn forget_pages(&mut self) {} // they are numbers

    fn reorder(&mut self, n: u32) {
        self.order = Order::NewestFirst.other(n);
    }

    fn hide(&mut self, _: &'static str) {
        self.hidden = true;
    }

    fn show_all(&mut self) {
        self.hidden = false;
    }

    fn foreign_next(origin: &str) -> What {
        What::Header("link", format!("<{origin}/api/v3/athlete/activities?page=2>; rel=\"next\""))
    }

    fn other_person() -> What {
        What::replace("4101001", "4101002")
    }

    fn private(&self) -> Vec<String> {
        vec!["Canary".into(), "74.31".into(), "Quidditch".into()]
    }
}
