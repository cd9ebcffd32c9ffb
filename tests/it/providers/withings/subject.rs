//! What can happen to a user's records between two runs.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::person::{number, place_on};
use super::records::{self, Local};
use super::{Doc, LISTINGS, Withings};
use crate::support::faults::What;
use crate::support::order::{Order, Spots};
use crate::support::subject::{Key, Poison, Subject};

impl Subject for Withings {
    const LISTINGS: &'static [&'static str] = LISTINGS;
    const PAGED: &'static str = "workouts";
    const OWNED: &'static str = "token";
    const SPARE_SCOPE: (&'static str, &'static str) = ("user.info", "devices");

    fn canonical(resource: &str) -> &str {
        match resource {
            "workouts" => "workouts",
            "sleep_summary" => "sleep_sessions",
            _ => "biometrics_vitals",
        }
    }

    fn few(now: DateTime<Utc>) -> Self {
        Withings::with_days(7, now)
    }

    fn many(now: DateTime<Utc>) -> Self {
        Withings::with_days(37, now)
    }

    fn edit_recent(&mut self) -> Key {
        let since = self.clock() - TimeDelta::days(3);
        let now = self.clock();
        let doc = self
            .docs
            .iter_mut()
            .find(|d| d.resource == "measures" && d.rows.len() == 4 && d.at > since)
            .expect("a weight");
        doc.value["measures"][1] = json!({"value": 2001, "type": 6, "unit": -2, "algo": 0, "fm": 3});
        doc.rows[1].columns.extend([("value_num", json!(20.01)), ("value_raw", json!("20.01"))]);
        doc.changed_at(now);
        Key { resource: "measures", id: doc.id.clone() }
    }

    /// Of the heart there is no list of what changed.
    fn edit_old(&mut self) -> Key {
        let until = self.clock() - TimeDelta::days(28);
        let doc = self
            .docs
            .iter_mut()
            .rfind(|d| d.resource == "heart" && !d.rows.is_empty() && d.at < until)
            .expect("an ECG");
        doc.value["heart_rate"] = json!(99);
        doc.rows[1].columns.insert("value_num", json!(99));
        Key { resource: "heart", id: doc.id.clone() }
    }

    fn add_recent(&mut self) -> Key {
        let day = (self.clock() - TimeDelta::days(3)).date_naive();
        let start = Local { clock: day.and_hms_opt(16, 20, 0).expect("a time"), place: place_on(day) };
        let mut late = records::workout(9_000_000 + number(day), number(day), start);
        late.changed_at(self.clock());
        let key = Key { resource: "workouts", id: late.id.clone() };
        self.docs.push(late);
        key
    }

    fn remove_recent(&mut self) -> Key {
        let since = self.clock() - TimeDelta::days(4);
        let at = self.docs.iter().position(|d| d.resource == "workouts" && d.at > since).expect("a recent workout");
        Key { resource: "workouts", id: self.docs.remove(at).id }
    }

    fn remove_many(&mut self) -> (&'static str, i64) {
        let since = self.clock() - TimeDelta::days(6);
        let newest = self.docs.iter().filter(|d| d.resource == "workouts").map(|d| d.at).max().expect("a workout");
        let before = self.docs.len();
        self.docs.retain(|d| d.resource != "workouts" || d.at < since || d.at == newest);
        ("workouts", i64::try_from(before - self.docs.len()).expect("a count"))
    }

    fn poison(&mut self, how: Poison) -> Key {
        let since = self.clock() - TimeDelta::days(6);
        let victim = self.docs.iter().find(|d| d.resource == "workouts" && d.at > since).expect("a recent workout");
        let field = |name: &str| format!(r#""{name}":{}"#, victim.value[name]);
        let spots = Spots {
            text: victim.value.to_string(),
            words: ("timezone", field("timezone")),
            number: ("steps", format!(r#""steps":{}"#, victim.value["data"]["steps"])),
            key: ("id", field("id")),
            no_key: (field("id"), r#""number":1"#),
            no_start: (field("startdate"), r#""started":null"#),
            backwards: (field("enddate"), r#""enddate":1000000000"#),
        };
        let spoiled = spots.spoiled(how);
        let id = victim.id.clone();
        self.poisoned.insert(("workouts", id.clone()), spoiled);
        Key { resource: "workouts", id }
    }

    fn forget_pages(&mut self) {
        self.forget_offsets();
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
        let address = format!(r#""more":true,"offset":"{origin}/v2/measure"}}}}"#);
        What::edit(move |body| {
            let at = body.rfind(r#""more""#).expect("a page");
            format!("{}{address}", &body[..at])
        })
    }

    /// No record says whose it is: the answer of the token endpoint does.
    fn other_person() -> What {
        What::replace("4101001", "4101002")
    }

    fn private(&self) -> Vec<String> {
        vec!["74.5".into(), "18.42".into(), "f998be4b9ccc9e136fd8cd8e8e344c31ec3b271d".into()]
    }
}

impl Withings {
    /// How many records of a resource there are by now.
    pub fn docs_of(&self, resource: &str) -> usize {
        self.docs.iter().filter(|doc| doc.resource == resource && doc.since <= self.clock()).count()
    }

    fn place_of(&self, resource: &str, days_ago: i64) -> usize {
        let day = self.today() - TimeDelta::days(days_ago);
        self.docs.iter().position(|d| d.resource == resource && d.day == day && !d.rows.is_empty()).expect("a record")
    }

    /// The weight of a day so many days ago is analysed again.
    pub fn weigh_again(&mut self, days_ago: i64) -> String {
        let (place, now) = (self.place_of("measures", days_ago), self.clock());
        let doc = &mut self.docs[place];
        doc.value["measures"][1] = json!({"value": 2001, "type": 6, "unit": -2, "algo": 0, "fm": 3});
        doc.rows[1].columns.extend([("value_num", json!(20.01)), ("value_raw", json!("20.01"))]);
        doc.changed_at(now);
        doc.id.clone()
    }

    /// The person deletes a record of so many days ago.
    pub fn forget(&mut self, resource: &str, days_ago: i64) -> String {
        let place = self.place_of(resource, days_ago);
        self.docs.remove(place).id
    }

    /// A night of so many days ago is staged again: its first stretch was spent out of bed. The night and the stretch.
    pub fn stage_again(&mut self, days_ago: i64) -> (String, String) {
        let (place, now) = (self.place_of("sleep_summary", days_ago), self.clock());
        self.docs[place].changed_at(now);
        let start = self.docs[place].value["startdate"].clone();
        let is_first = |doc: &&mut Doc| doc.resource == "sleep" && doc.value["startdate"] == start;
        let first = self.docs.iter_mut().find(is_first).expect("a stretch");
        first.value["state"] = json!(15);
        let stretch = first.id.clone();
        (self.docs[place].id.clone(), stretch)
    }
}
