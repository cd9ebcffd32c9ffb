//! Simulated Oura, from `docs/sources/oura.md`: collections of documents under one prefix, windows of days that filter on a
//! time of the document, page tokens, two token endpoints of which one knows the application.

mod days;
mod person;
pub mod records;
mod subject;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::net::{Reply, Request};
use crate::support::order::Order;
use crate::support::provider::Simulation;
use crate::support::tokens::base64url;
use crate::support::truth::Truth;
pub use records::Doc;

/// All that page through time; the last two are asked for by instants.
pub const LISTINGS: &[&str] = &[
    "sleep",
    "sleep_time",
    "daily_sleep",
    "daily_readiness",
    "daily_activity",
    "daily_spo2",
    "daily_stress",
    "daily_resilience",
    "daily_cardiovascular_age",
    "vo2_max",
    "workout",
    "session",
    "enhanced_tag",
    "tag",
    "rest_mode_period",
    "heartrate",
    "ring_battery_level",
];

/// The collections that are asked for by days.
pub const DOCUMENTS: &[&str] = LISTINGS.split_at(LISTINGS.len() - 2).0;

/// The collections that are asked for by instants.
pub const ROWS: &[&str] = LISTINGS.split_at(LISTINGS.len() - 2).1;

/// How many documents a page has here. Oura does not say, and cannot be told.
pub const PAGE: usize = 20;

pub struct Oura {
    /// The answer of `personal_info`.
    pub info: Value,
    pub docs: Vec<Doc>,
    pub order: Order,
    pub most_a_page: usize,
    /// Collections whose listing is empty, although there are documents.
    pub hidden: Vec<&'static str>,
    /// Documents sent with another text than their own; not in the truth of canonical rows.
    pub poisoned: HashMap<(&'static str, String), String>,
    now: DateTime<Utc>,
    cursors: HashMap<String, Cursor>,
}

/// Where a page token leads: the collection, the window that it was given for, and how many documents came before.
#[derive(Clone)]
struct Cursor {
    resource: String,
    window: Window,
    from: usize,
}

type Window = (Option<String>, Option<String>);

impl Oura {
    fn items(&self, resource: &str, is_asked: &dyn Fn(&Doc) -> bool) -> Vec<String> {
        if self.hidden.contains(&resource) {
            return vec![];
        }
        let is_there = |doc: &&Doc| doc.resource == resource && doc.since <= self.now && is_asked(doc);
        let mut items: Vec<&Doc> = self.docs.iter().filter(is_there).collect();
        items.sort_by_cached_key(|doc| {
            let at = doc.time.and_utc().timestamp();
            let rank = self.order.rank(at, &doc.id);
            (rank, doc.id.clone())
        });
        items.into_iter().map(|doc| self.text(doc)).collect()
    }

    fn text(&self, doc: &Doc) -> String {
        self.poisoned.get(&(doc.resource, doc.id.clone())).cloned().unwrap_or_else(|| doc.value.to_string())
    }

    /// "A date is read as local midnight. The test is `start 00:00 <= t <= end 00:00`, where t is the record's own timestamp."
    fn by_days(&mut self, resource: &str, request: &Request) -> Reply {
        let day = |name: &str| request.param(name).map(str::parse::<NaiveDate>).transpose();
        let (Ok(start), Ok(end)) = (day("start_date"), day("end_date")) else {
            return unprocessable("value is not a valid date");
        };
        let today = self.now.date_naive();
        let (start, end) = (start.unwrap_or(today), end.unwrap_or(today));
        if start > end {
            return unprocessable("Start date must be before end date.");
        }
        let (low, high) = (start.and_time(NaiveTime::MIN), end.and_time(NaiveTime::MIN));
        let window = (request.param("start_date").map(str::to_owned), request.param("end_date").map(str::to_owned));
        let texts = self.items(resource, &|doc| (low..=high).contains(&doc.time));
        self.page(resource, request, window, &texts)
    }

    /// Thirty days at most; days instead of instants are ignored in silence, and the last day is answered.
    fn by_instants(&mut self, resource: &str, request: &Request) -> Reply {
        let instant =
            |name: &str| request.param(name).map(|t| DateTime::parse_from_rfc3339(t).map(|t| t.to_utc())).transpose();
        let (Ok(start), Ok(end)) = (instant("start_datetime"), instant("end_datetime")) else {
            return unprocessable("value is not a valid datetime");
        };
        let end = end.unwrap_or(self.now);
        let start = start.unwrap_or(end - TimeDelta::days(1));
        if start > end {
            return unprocessable("Start date must be before end date.");
        }
        if end - start > TimeDelta::days(30) {
            return Reply::json(400, r#"{"detail":"The requested period must not be longer than 30 days."}"#);
        }
        let owned = |name: &str| request.param(name).map(str::to_owned);
        let window = (owned("start_datetime"), owned("end_datetime"));
        let texts = self.items(resource, &|doc| (start..=end).contains(&doc.time.and_utc()));
        self.page(resource, request, window, &texts)
    }

    /// Readings of an hour and of one activity are one record: each as it was sent, oldest first. Its heart rates are a series, but
    /// for 255, which is none.
    fn readings(&self, truth: &mut Truth) {
        let mut hours: BTreeMap<(&'static str, String), Vec<&Doc>> = BTreeMap::new();
        for doc in self.docs.iter().filter(|doc| ROWS.contains(&doc.resource) && doc.since <= self.now) {
            hours.entry((doc.resource, doc.record())).or_default().push(doc);
        }
        for ((resource, id), mut docs) in hours {
            docs.sort_by_key(|doc| doc.time);
            let texts: Vec<String> = docs.iter().map(|doc| self.text(doc)).collect();
            truth.raw.insert((resource.into(), id.clone()), format!(r#"{{"data":[{}]}}"#, texts.join(",")));
            let rates = docs.iter().filter(|doc| doc.value["bpm"].as_f64().is_some_and(|bpm| bpm < 255.0));
            let table = format!("oura_raw.{resource}");
            let mut is_series = false;
            for doc in rates {
                is_series = true;
                let at = doc.time.and_utc().timestamp();
                truth
                    .points
                    .insert((table.clone(), id.clone(), "heart_rate", at), doc.value["bpm"].as_f64().expect("a rate"));
            }
            if is_series {
                let context = json!({"source": docs[0].value["source"]});
                let columns = [("raw_path", json!("data")), ("context", context), ("tz_basis", json!("home"))];
                truth.row("sample_origins", &table, &id, "", columns.into_iter().collect());
            }
        }
    }

    fn page(&mut self, resource: &str, request: &Request, window: Window, texts: &[String]) -> Reply {
        let from = match request.param("next_token") {
            None | Some("") => 0,
            Some(token) => match self.cursors.get(token) {
                Some(c) if c.resource == resource && c.window == window => c.from,
                _ => return Reply::json(400, r#"{"detail":"Invalid next_token."}"#),
            },
        };
        let until = texts.len().min(from + self.most_a_page);
        let next = if until < texts.len() {
            let token = base64url(format!("p{}:{resource}", self.cursors.len()).as_bytes());
            self.cursors.insert(token.clone(), Cursor { resource: resource.into(), window, from: until });
            format!("\"{token}\"")
        } else {
            "null".to_owned()
        };
        let page = texts.get(from..until).unwrap_or_default().join(",");
        Reply::json(200, format!(r#"{{"data":[{page}],"next_token":{next}}}"#))
    }
}

fn unprocessable(why: &str) -> Reply {
    let body = json!({"detail": [{"type": "value_error", "loc": ["query", "start_date"], "msg": why, "input": ""}]});
    Reply::json(422, body.to_string())
}

impl Simulation for Oura {
    const ID: &'static str = "oura";
    const SCOPES: &'static [&'static str] = &[
        "email",
        "personal",
        "daily",
        "heartrate",
        "workout",
        "tag",
        "session",
        "spo2",
        "ring_configuration",
        "stress",
        "heart_health",
    ];
    const AUTHORIZE: &'static str = "/oauth/authorize";
    const TOKEN: &'static str = "/oauth/token";
    const OTHER_TOKENS: &'static [&'static str] = &["/oauth/v2/ext/oauth-token"];
    const REGISTERED_AT: Option<&'static str> = Some("/oauth/v2/ext/oauth-token");
    const BASE: &'static str = "";

    fn resource(&self, method: &str, path: &str) -> Option<&'static str> {
        if (method, path) == ("POST", "/oauth/revoke") {
            return Some("revoke");
        }
        let name = path.strip_prefix("/v2/usercollection/").filter(|_| method == "GET")?;
        match name {
            "personal_info" => Some("personal_info"),
            "ring_configuration" => Some("ring_configuration"),
            "vO2_max" => Some("vo2_max"),
            "vo2_max" => None,
            _ => LISTINGS.iter().find(|known| **known == name).copied(),
        }
    }

    fn scope(&self, resource: &str) -> Option<&'static str> {
        match resource {
            "personal_info" => Some("personal"),
            "workout" => Some("workout"),
            "session" => Some("session"),
            "heartrate" => Some("heartrate"),
            "daily_spo2" => Some("spo2"),
            "enhanced_tag" | "tag" => Some("tag"),
            "daily_stress" | "daily_resilience" => Some("stress"),
            "daily_cardiovascular_age" | "vo2_max" => Some("heart_health"),
            "ring_configuration" | "ring_battery_level" => Some("ring_configuration"),
            _ => Some("daily"),
        }
    }

    fn answer(&mut self, resource: &str, request: &Request) -> Reply {
        match resource {
            "personal_info" => Reply::json(200, self.info.to_string()),
            "ring_configuration" => {
                let rings = self.items(resource, &|_| true);
                self.page(resource, request, (None, None), &rings)
            }
            _ if ROWS.contains(&resource) => self.by_instants(resource, request),
            _ => self.by_days(resource, request),
        }
    }

    fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        let person = self.info["id"].as_str().expect("an id");
        truth.raw.insert(("personal_info".into(), person.into()), self.info.to_string());
        let known = ["external_user_id", "email", "sex"].map(|column| match column {
            "external_user_id" => (column, self.info["id"].clone()),
            "sex" => (column, self.info["biological_sex"].clone()),
            _ => (column, self.info[column].clone()),
        });
        truth.row("user_identity", "oura_raw.personal_info", person, "", known.into_iter().collect());
        self.readings(&mut truth);
        let documents = self.docs.iter().filter(|doc| !ROWS.contains(&doc.resource));
        for doc in documents.filter(|doc| doc.since <= self.now) {
            let key = (doc.resource.to_owned(), doc.id.clone());
            let is_poisoned = self.poisoned.contains_key(&(doc.resource, doc.id.clone()));
            if is_poisoned {
                truth.optional_raw.insert(key.clone());
            }
            truth.raw.insert(key, self.text(doc));
            for row in doc.rows.iter().filter(|_| !is_poisoned) {
                truth.row(row.table, &format!("oura_raw.{}", doc.resource), &doc.id, row.what, row.columns.clone());
            }
        }
        truth
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }
}
