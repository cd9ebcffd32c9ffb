//! What can happen to an Oura member's documents between two runs.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::person::{id, number, offset_on};
use super::records::{self, Local};
use super::{Doc, LISTINGS, Oura};
use crate::support::faults::What;
use crate::support::order::{Order, Spots};
use crate::support::subject::{Key, Poison, Subject};

impl Subject for Oura {
    const LISTINGS: &'static [&'static str] = LISTINGS;
    const PAGED: &'static str = "daily_sleep";
    const OWNED: &'static str = "personal_info";
    const SPARE_SCOPE: (&'static str, &'static str) = ("workout", "workout");

    fn canonical(resource: &str) -> &str {
        match resource {
            "workout" => "workouts",
            "sleep" => "sleep_sessions",
            _ => "scores",
        }
    }

    fn few(now: DateTime<Utc>) -> Self {
        Oura::with_days(12, now)
    }

    fn many(now: DateTime<Utc>) -> Self {
        Oura::with_days(63, now)
    }

    fn edit_recent(&mut self) -> Key {
        self.score_again(2)
    }

    fn edit_old(&mut self) -> Key {
        self.score_again(30)
    }

    fn add_recent(&mut self) -> Key {
        let day = (self.now - TimeDelta::days(3)).date_naive();
        let start = Local { clock: day.and_hms_opt(16, 20, 0).expect("a time"), offset: offset_on(day) };
        let late = records::workout(&id(9, number(day)), number(day), start);
        let key = Key { resource: "workout", id: late.id.clone() };
        self.docs.push(late);
        key
    }

    fn remove_recent(&mut self) -> Key {
        let since = self.now - TimeDelta::days(4);
        let at = self.docs.iter().position(|d| d.resource == "workout" && d.since > since).expect("a recent workout");
        Key { resource: "workout", id: self.docs.remove(at).id }
    }

    fn remove_many(&mut self) -> (&'static str, i64) {
        let since = self.now - TimeDelta::days(6);
        let newest = self.docs.iter().filter(|d| d.resource == "workout").map(|d| d.since).max().expect("a workout");
        let before = self.docs.len();
        self.docs.retain(|d| d.resource != "workout" || d.since < since || d.since == newest);
        ("workout", i64::try_from(before - self.docs.len()).expect("a count"))
    }

    fn poison(&mut self, how: Poison) -> Key {
        let since = self.now - TimeDelta::days(6);
        let victim = self.docs.iter().find(|d| d.resource == "workout" && d.since > since).expect("a recent workout");
        let field = |name: &str| format!(r#""{name}":{}"#, victim.value[name]);
        let spots = Spots {
            text: victim.value.to_string(),
            words: ("activity", field("activity")),
            number: ("calories", field("calories")),
            key: ("id", field("id")),
            no_key: (format!("{},", field("id")), ""),
            no_start: (field("start_datetime"), r#""started":null"#),
            backwards: (field("start_datetime"), r#""start_datetime":"2031-01-01T00:00:00+00:00""#),
        };
        let spoiled = spots.spoiled(how);
        let id = victim.id.clone();
        self.poisoned.insert(("workout", id.clone()), spoiled);
        Key { resource: "workout", id }
    }

    fn forget_pages(&mut self) {
        self.cursors.clear();
    }

    fn reorder(&mut self, n: u32) {
        self.order = Order::OldestFirst.other(n);
    }

    fn hide(&mut self, resource: &'static str) {
        self.hidden.push(resource);
    }

    fn show_all(&mut self) {
        self.hidden.clear();
    }

    fn foreign_next(origin: &str) -> What {
        let address = format!(r#""next_token":"{origin}/v2/usercollection/sleep"}}"#);
        What::edit(move |body| {
            let at = body.rfind(r#""next_token""#).expect("a page");
            format!("{}{address}", &body[..at])
        })
    }

    fn other_person() -> What {
        What::replace("04101001", "04101002")
    }

    fn private(&self) -> Vec<String> {
        vec!["zoe.canary@example.org".into(), "quidditch".into(), "74.3".into()]
    }
}

impl Oura {
    /// Oura analyses the day so many days ago again.
    pub fn score_again(&mut self, days_ago: i64) -> Key {
        let day = json!((self.now - TimeDelta::days(days_ago)).date_naive());
        let is_it = |doc: &&mut Doc| doc.resource == "daily_sleep" && doc.value["day"] == day;
        let doc = self.docs.iter_mut().find(is_it).expect("a score");
        doc.value["score"] = json!(77);
        doc.rows[0].columns.insert("value_num", json!(77));
        Key { resource: "daily_sleep", id: doc.id.clone() }
    }
}
