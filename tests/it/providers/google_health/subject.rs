//! What can happen to a person's points between two runs.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::person::{number, offset_on};
use super::records::{self, Local};
use super::{Google, LISTINGS, Point, instant};
use crate::support::faults::What;
use crate::support::order::{Order, Spots};
use crate::support::subject::{Key, Poison, Subject};

impl Subject for Google {
    const LISTINGS: &'static [&'static str] = LISTINGS;
    const PAGED: &'static str = "exercise";
    const OWNED: &'static str = "identity";
    const READ_WITH_IT: &'static [&'static str] = &["exercise_tcx"];
    const SPARE_SCOPE: (&'static str, &'static str) =
        ("https://www.googleapis.com/auth/googlehealth.sleep.readonly", "sleep");

    fn canonical(resource: &str) -> &str {
        match resource {
            "exercise" => "workouts",
            _ => "sleep_sessions",
        }
    }

    fn few(now: DateTime<Utc>) -> Self {
        Google::with_days(12, now)
    }

    fn many(now: DateTime<Utc>) -> Self {
        Google::with_days(63, now)
    }

    fn edit_recent(&mut self) -> Key {
        self.rename(2)
    }

    fn edit_old(&mut self) -> Key {
        self.rename(30)
    }

    fn add_recent(&mut self) -> Key {
        let day = (self.now - TimeDelta::days(3)).date_naive();
        let start = Local { clock: day.and_hms_opt(16, 20, 0).expect("a time"), offset_s: offset_on(day) };
        let late = records::exercise("late", number(day), start);
        let key = Key { resource: "exercise", id: late.id.clone() };
        self.points.push(late);
        key
    }

    fn remove_recent(&mut self) -> Key {
        let at = self.recent(4);
        Key { resource: "exercise", id: self.points.remove(at).id }
    }

    fn remove_many(&mut self) -> (&'static str, i64) {
        let since = self.now - TimeDelta::days(12);
        let newest = self.points.iter().filter(|p| p.resource == "exercise").map(|p| p.since).max().expect("one");
        let before = self.points.len();
        self.points.retain(|p| p.resource != "exercise" || p.since < since || p.since == newest);
        ("exercise", i64::try_from(before - self.points.len()).expect("a count"))
    }

    fn poison(&mut self, how: Poison) -> Key {
        let victim = &self.points[self.recent(6)];
        let of = |pointer: &str| victim.value.pointer(pointer).expect("a member");
        let named = |name: &str, pointer: &str| format!("\"{name}\":{}", of(pointer));
        let start = named("startTime", "/exercise/interval/startTime");
        let spots = Spots {
            text: victim.value.to_string(),
            words: ("displayName", named("displayName", "/exercise/displayName")),
            number: ("caloriesKcal", named("caloriesKcal", "/exercise/metricsSummary/caloriesKcal")),
            key: ("name", named("name", "/name")),
            no_key: (named("name", "/name"), r#""label":"x""#),
            no_start: (start.clone(), r#""started":null"#),
            backwards: (start, r#""startTime":"2031-01-01T00:00:00Z""#),
        };
        let spoiled = spots.spoiled(how);
        let id = victim.id.clone();
        self.poisoned.insert(("exercise", id.clone()), spoiled);
        Key { resource: "exercise", id }
    }

    fn forget_pages(&mut self) {
        self.cursors.clear();
    }

    fn reorder(&mut self, n: u32) {
        self.order = Order::NewestFirst.other(n);
    }

    fn hide(&mut self, resource: &'static str) {
        self.hidden.push(resource);
    }

    fn show_all(&mut self) {
        self.hidden.clear();
    }

    fn foreign_next(origin: &str) -> What {
        let token = format!(r#""nextPageToken":"{origin}/v4/users/me/dataTypes/exercise/dataPoints"}}"#);
        What::edit(move |body| {
            let at = body.rfind(r#""nextPageToken""#).expect("a page with a next one");
            format!("{}{token}", &body[..at])
        })
    }

    fn other_person() -> What {
        What::replace("04101001", "04101002")
    }

    fn private(&self) -> Vec<String> {
        vec!["AB12CD".into(), "Lap of the lake".into(), "5551234104101001".into()]
    }
}

impl Google {
    /// The place of an exercise that is at most so many days old.
    fn recent(&self, days: i64) -> usize {
        let since = self.now - TimeDelta::days(days);
        let is_it = |p: &Point| p.resource == "exercise" && p.since > since;
        self.points.iter().position(is_it).expect("a recent exercise")
    }

    /// The person gives the exercise of so many days ago another name.
    fn rename(&mut self, days_ago: i64) -> Key {
        let day = (self.now - TimeDelta::days(days_ago)).date_naive();
        let is_it = |p: &&mut Point| p.resource == "exercise" && p.civil.date() == day;
        let now = instant(self.now);
        let point = self.points.iter_mut().find(is_it).expect("an exercise");
        point.value["exercise"]["displayName"] = json!("Round the park");
        point.value["exercise"]["updateTime"] = json!(now);
        point.rows[0].columns.insert("title", json!("Round the park"));
        Key { resource: "exercise", id: point.id.clone() }
    }
}
