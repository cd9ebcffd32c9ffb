//! A WHOOP member whose records are given as files, with the canonical rows stated by hand beside them.

use std::collections::HashMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::person::Person;
use super::records::Body;
use super::{Item, Whoop};
use crate::support::truth::{Columns, Truth, instant};

/// Records by resource, in place of generated ones.
#[derive(Clone, Default)]
pub struct Fixture {
    pub records: HashMap<&'static str, Vec<String>>,
    pub truth: Truth,
}

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/whoop").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The records of a page, each exactly as it stands in the file.
pub fn page(text: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Page {
        records: Vec<Box<RawValue>>,
    }
    let page: Page = serde_json::from_str(text).expect("a page");
    page.records.iter().map(|r| r.get().to_owned()).collect()
}

/// The pages of a file that holds a list of them: what a listing says first, and later.
pub fn pages(name: &str) -> Vec<Vec<String>> {
    let list: Vec<Box<RawValue>> = serde_json::from_str(&read(name)).expect("a list of pages");
    list.iter().map(|p| page(p.get())).collect()
}

impl Whoop {
    /// The member of the fixture files.
    pub fn of_fixture() -> Self {
        let mut fixture = Fixture::default();
        for (resource, files) in [
            ("cycles", vec!["cycle_page.json"]),
            ("recoveries", vec!["recovery_page.json"]),
            ("sleeps", vec!["sleep_page1.json", "sleep_page2.json"]),
            ("workouts", vec!["workout_page.json"]),
        ] {
            fixture.records.insert(resource, files.iter().flat_map(|f| page(&read(f))).collect());
        }
        let profile: Value = serde_json::from_str(&read("profile_basic.json")).expect("a profile");
        let body: Value = serde_json::from_str(&read("body_measurement.json")).expect("a body");
        let mut person = Person::new();
        person.profile.user_id = profile["user_id"].as_i64().expect("an id");
        person.profile.email = profile["email"].as_str().expect("a text").into();
        person.profile.first_name = profile["first_name"].as_str().expect("a text").into();
        person.profile.last_name = profile["last_name"].as_str().expect("a text").into();
        person.body = Some(Body {
            height_meter: body["height_meter"].to_string(),
            weight_kilogram: body["weight_kilogram"].to_string(),
            max_heart_rate: body["max_heart_rate"].as_i64().expect("a number"),
        });
        let mut whoop = Whoop::new(person);
        fixture.truth = expected(&read("expected.json"));
        whoop.fixture = Some(fixture);
        whoop
    }
}

impl Fixture {
    pub(super) fn items(&self, resource: &str) -> Vec<Item> {
        let starts: HashMap<String, DateTime<Utc>> =
            self.parsed("sleeps").map(|(_, v)| (text(&v["id"]), start(&v))).collect();
        self.parsed(resource)
            .map(|(record, value)| match resource {
                "recoveries" => Item {
                    id: text(&value["cycle_id"]),
                    start: starts[&text(&value["sleep_id"])],
                    end: None,
                    text: record.clone(),
                },
                _ => {
                    let end = value["end"].as_str().map(instant);
                    Item { id: text(&value["id"]), start: start(&value), end, text: record.clone() }
                }
            })
            .collect()
    }

    fn parsed(&self, resource: &str) -> impl Iterator<Item = (&String, Value)> {
        let records = self.records.get(resource).map(Vec::as_slice).unwrap_or_default();
        records.iter().map(|r| (r, serde_json::from_str(r).expect("a record")))
    }

    /// The rows stated by hand, and the raw records of now.
    pub fn truth(&self, person: &Person) -> Truth {
        let mut truth = self.truth.clone();
        for resource in self.records.keys() {
            for item in self.items(resource) {
                truth.raw.insert(((*resource).to_owned(), item.id), item.text);
            }
        }
        truth.raw.insert(("user_basic_profile".into(), person.profile.user_id.to_string()), person.profile.text());
        if let Some(body) = &person.body {
            truth.snapshots.insert("user_body_measurement".into(), body.text());
        }
        truth
    }
}

fn start(record: &Value) -> DateTime<Utc> {
    instant(record["start"].as_str().expect("a start"))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn expected(file: &str) -> Truth {
    let mut truth = Truth::default();
    let rows: Vec<Value> = serde_json::from_str(file).expect("expected rows");
    for row in &rows {
        let said = |name: &str| row[name].as_str().expect("a text").to_owned();
        let table = ["user_identity", "sleep_sessions", "scores", "biometrics_vitals", "daily_summaries", "workouts"]
            .into_iter()
            .find(|t| *t == said("table"))
            .expect("a table");
        let columns: Columns = row["columns"]
            .as_object()
            .expect("columns")
            .iter()
            .map(|(name, value)| {
                (&*Box::leak(name.clone().into_boxed_str()), if value.is_null() { json!(null) } else { value.clone() })
            })
            .collect();
        truth.row(table, &format!("whoop_raw.{}", said("raw")), &said("id"), &said("what"), columns);
    }
    truth.may_have("scores", "whoop_raw.cycles", "900003", "strain");
    for n in 1..=2 {
        truth.may_have("scores", "whoop_raw.workouts", &format!("0aa7c1a0-7a43-4b1b-8c53-57d0f53b110{n}"), "strain");
    }
    truth
}
