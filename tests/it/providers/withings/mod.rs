//! Simulated Withings, from `docs/sources/withings.md`: POST forms with an action, envelopes that are HTTP 200 whatever they say,
//! listings by times or by what changed, offsets, details of one day, and an authorization server in the same envelopes.

mod day;
mod person;
pub mod records;
mod subject;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::net::{Reply, Request};
use crate::support::order::Order;
use crate::support::provider::{Refusal, Simulation};
use crate::support::tokens::Grants;
use crate::support::truth::Truth;
pub use records::Doc;

/// All that page through time.
pub const LISTINGS: &[&str] = &["measures", "activity", "workouts", "sleep_summary", "heart", "stetho"];

/// Those that list what changed.
pub const CHANGING: &[&str] = LISTINGS.split_at(4).0;

/// How many records a page has. Withings says so for sleep alone (300), and cannot be told.
const PAGE: usize = 15;

const OWNER: u64 = 4_101_001;

pub struct Withings {
    pub docs: Vec<Doc>,
    /// The body of `getgoals`: an object, or an empty array where there are none.
    pub goals: Value,
    pub order: Order,
    /// How many records a page has.
    pub page: usize,
    /// Requests a minute that it announces: a real one announces none, whoever measures cannot wait for them.
    pub announced: Option<u32>,
    /// Signals of electrocardiograms are not to be had.
    pub signals_refused: bool,
    /// Listings that are empty, although there are records.
    pub hidden: Vec<&'static str>,
    /// Records sent with another text than their own; not in the truth of canonical rows.
    pub poisoned: HashMap<(&'static str, String), String>,
    /// What the signed calls left: numbers that are good once, and withdrawals.
    pub nonces: HashSet<String>,
    pub withdrawn: Vec<String>,
    /// Offsets that were given out, with what they were given for.
    offsets: HashSet<(String, String, usize)>,
    now: DateTime<Utc>,
}

/// Whether a record lies in a window.
type Within = Box<dyn Fn(&Doc) -> bool>;

impl Withings {
    fn items(&self, resource: &str, is_wanted: impl Fn(&Doc) -> bool) -> Vec<&Doc> {
        if self.hidden.contains(&resource) {
            return vec![];
        }
        let is_there = |doc: &&Doc| doc.resource == resource && doc.since <= self.now && is_wanted(doc);
        let mut items: Vec<&Doc> = self.docs.iter().filter(is_there).collect();
        items.sort_by_cached_key(|doc| {
            let at = doc.at.timestamp();
            let rank = self.order.rank(at, &doc.id);
            (rank, doc.id.clone())
        });
        items
    }

    fn text(&self, doc: &Doc) -> String {
        self.poisoned.get(&(doc.resource, doc.id.clone())).cloned().unwrap_or_else(|| doc.value.to_string())
    }

    /// "`lastupdate` and dates exclude each other. A `lastupdate` in the future: 503."
    fn listed(&mut self, resource: &str, form: &HashMap<String, String>) -> Reply {
        let number = |name: &str| form.get(name).map(|text| text.parse::<i64>());
        let by_dates =
            ["startdate", "enddate", "startdateymd", "enddateymd"].iter().any(|name| form.contains_key(*name));
        let window: Within = match number("lastupdate") {
            Some(_) if by_dates || !CHANGING.contains(&resource) => return invalid("lastupdate with dates"),
            Some(Ok(since)) if since > self.now.timestamp() => return invalid("lastupdate is too high"),
            Some(Ok(since)) => Box::new(move |doc| doc.since.timestamp() > since),
            Some(Err(_)) => return invalid("lastupdate"),
            None => match Self::window(resource, form) {
                Some(window) => window,
                None => return invalid("dates"),
            },
        };
        let mut key: Vec<String> =
            form.iter().filter(|(n, _)| *n != "offset").map(|(n, v)| format!("{n}={v}")).collect();
        key.sort();
        let key = key.join("&");
        let from = match number("offset") {
            None => 0,
            Some(Ok(offset)) if offset >= 0 => {
                let offset = usize::try_from(offset).expect("an offset");
                if !self.offsets.contains(&(resource.to_owned(), key.clone(), offset)) {
                    return invalid("offset");
                }
                offset
            }
            Some(_) => return invalid("offset"),
        };
        let texts: Vec<String> = self.items(resource, window).into_iter().map(|doc| self.text(doc)).collect();
        let until = texts.len().min(from + self.page);
        let more = until < texts.len();
        if more {
            self.offsets.insert((resource.to_owned(), key, until));
        }
        let page = texts.get(from..until).unwrap_or_default().join(",");
        // Measures count more by 1 and leave it out at the end, where the others say false and an offset all the same.
        let (list, tail) = match resource {
            "measures" if more => ("measuregrps", format!(r#","more":1,"offset":{until}"#)),
            "measures" => ("measuregrps", String::new()),
            "activity" => ("activities", format!(r#","more":{more},"offset":{until}"#)),
            _ => ("series", format!(r#","more":{more},"offset":{until}"#)),
        };
        let updated = self.now.timestamp();
        let head = if resource == "measures" {
            format!(r#""updatetime":{updated},"timezone":"America/Los_Angeles","#)
        } else {
            String::new()
        };
        Reply::json(200, format!(r#"{{"status":0,"body":{{{head}"{list}":[{page}]{tail}}}}}"#))
    }

    /// Which records two dates mean: by instants for measures and the heart, by days of the person's calendar for the rest.
    fn window(resource: &str, form: &HashMap<String, String>) -> Option<Within> {
        if ["measures", "heart", "stetho"].contains(&resource) {
            let (from, to) = instants(form)?;
            return (from <= to).then(|| Box::new(move |doc: &Doc| (from..=to).contains(&doc.at)) as _);
        }
        let day = |name: &str| form.get(name).and_then(|text| text.parse::<NaiveDate>().ok());
        let (from, to) = (day("startdateymd")?, day("enddateymd")?);
        (from <= to).then(|| Box::new(move |doc: &Doc| (from..=to).contains(&doc.day)) as _)
    }

    /// "At most 24 h, the rest is silently cut."
    fn of_a_day(&self, resource: &str, form: &HashMap<String, String>) -> Reply {
        let Some((from, to)) = instants(form) else { return invalid("dates") };
        let to = to.min(from + TimeDelta::days(1));
        let within = |doc: &Doc| doc.at >= from && doc.at < to;
        if resource == "sleep" {
            let texts: Vec<String> = self.items("sleep", within).into_iter().map(|doc| self.text(doc)).collect();
            return Reply::json(200, format!(r#"{{"status":0,"body":{{"series":[{}],"model":32}}}}"#, texts.join(",")));
        }
        let mut members = vec![];
        for hour in self.items("intraday_activity", |doc| doc.at > from - TimeDelta::hours(1) && doc.at < to) {
            for (name, entry) in hour.value.as_object().expect("an hour") {
                let at = DateTime::from_timestamp(name.parse().expect("an instant"), 0).expect("an instant");
                if at >= from && at < to {
                    members.push(format!(r#""{name}":{entry}"#));
                }
            }
        }
        let series = if members.is_empty() { "[]".to_owned() } else { format!("{{{}}}", members.join(",")) };
        Reply::json(200, format!(r#"{{"status":0,"body":{{"series":{series}}}}}"#))
    }
}

fn instants(form: &HashMap<String, String>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let at = |name: &str| form.get(name)?.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    Some((at("startdate")?, at("enddate")?))
}

fn invalid(what: &str) -> Reply {
    said(503, &format!("Invalid Params: {what}"))
}

/// "HTTP 200 even for errors."
fn said(status: i64, error: &str) -> Reply {
    Reply::json(200, json!({"status": status, "body": {}, "error": error}).to_string())
}

/// The values of the fields in the order of their names, joined by commas, under the client secret.
fn signature(secret: &str, values: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(values.join(",").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Simulation for Withings {
    const ID: &'static str = "withings";
    const SCOPES: &'static [&'static str] = &["user.info", "user.metrics", "user.activity"];
    const AUTHORIZE: &'static str = "/oauth2_user/authorize2";
    const TOKEN: &'static str = "/v2/oauth2";
    const BASE: &'static str = "";
    const LIFE: i64 = 10_800;

    fn customs(&self, grants: &mut Grants) {
        grants.scope_separator = ',';
        grants.code_life = Some(30);
        grants.grace = Some(8 * 3_600);
    }

    fn announce(&mut self) -> Option<(Vec<(&'static str, String)>, bool)> {
        let announced = self.announced.map(|requests| ("X-RateLimit-Limit", format!("{requests};window=60")));
        Some((announced.into_iter().collect(), false))
    }

    fn resource(&self, _: &str, _: &str) -> Option<&'static str> {
        None
    }

    /// What lists changes has a name of its own in the log.
    fn named(&self, request: &Request, path: &str) -> Option<&'static str> {
        let form = request.form();
        if request.method != "POST" {
            return None;
        }
        let changed = form.contains_key("lastupdate");
        match (path, form.get("action").map_or("", String::as_str)) {
            ("/measure", "getmeas") => Some(if changed { "measures changed" } else { "measures" }),
            ("/v2/measure", "getactivity") => Some(if changed { "activity changed" } else { "activity" }),
            ("/v2/measure", "getworkouts") => Some(if changed { "workouts changed" } else { "workouts" }),
            ("/v2/measure", "getintradayactivity") => Some("intraday_activity"),
            ("/v2/sleep", "getsummary") => Some(if changed { "sleep_summary changed" } else { "sleep_summary" }),
            ("/v2/sleep", "get") => Some("sleep"),
            ("/v2/heart", "list") => Some("heart"),
            ("/v2/heart", "get") => Some("heart_signal"),
            ("/v2/stetho", "list") => Some("stetho"),
            ("/v2/user", "getdevice") => Some("devices"),
            ("/v2/user", "getgoals") => Some("goals"),
            _ => None,
        }
    }

    fn scope(&self, resource: &str) -> Option<&'static str> {
        match resource {
            "devices" | "goals" => Some("user.info"),
            "measures" | "measures changed" | "heart" | "heart_signal" | "stetho" => Some("user.metrics"),
            _ => Some("user.activity"),
        }
    }

    fn about_grants(&mut self, grants: &mut Grants, request: &Request) -> Option<(&'static str, Reply)> {
        let form = request.form();
        let value = |name: &str| form.get(name).map_or("", String::as_str);
        match (request.path.as_str(), value("action")) {
            ("/v2/signature", "getnonce") => {
                let proof = signature(&grants.client_secret, &["getnonce", value("client_id"), value("timestamp")]);
                let is_good = value("client_id") == grants.client_id
                    && value("signature") == proof
                    && value("timestamp").parse::<i64>().is_ok_and(|at| (at - self.now.timestamp()).abs() < 300);
                if !is_good {
                    return Some(("nonce", invalid("signature")));
                }
                let nonce = uuid::Uuid::new_v4().simple().to_string();
                self.nonces.insert(nonce.clone());
                Some(("nonce", Reply::json(200, json!({"status": 0, "body": {"nonce": nonce}}).to_string())))
            }
            ("/v2/oauth2", "revoke") => {
                let nonce = value("nonce");
                let proof = signature(&grants.client_secret, &["revoke", value("client_id"), nonce]);
                if value("signature") != proof || !self.nonces.remove(nonce) || form.contains_key("client_secret") {
                    return Some(("revoke", invalid("signature")));
                }
                self.withdrawn.push(value("userid").to_owned());
                grants.revoke_all();
                Some(("revoke", Reply::json(200, r#"{"status":0,"body":{}}"#)))
            }
            // Without its action the endpoint does not know what is wanted.
            ("/v2/oauth2", action) if action != "requesttoken" => {
                Some(("token", said(2554, "Wrong action or wrong webservice")))
            }
            _ => None,
        }
    }

    /// Its tokens are one level down; `userid` is a text at the exchange of a code and a number at a renewal.
    fn token_reply(&self, request: &Request, reply: Reply) -> Reply {
        if reply.status != 200 {
            return match reply.status {
                401 => said(503, "Invalid Params: invalid client_id or client_secret"),
                _ => said(503, "Invalid Params: invalid refresh_token or code"),
            };
        }
        let mut body: Value = serde_json::from_slice(&reply.body).expect("tokens");
        body["scope"] = json!(body["scope"].as_str().expect("scopes").replace(' ', ","));
        body["token_type"] = json!("Bearer");
        body["csrf_token"] = json!("PACnnxwHTaBQOzF7bQqwFUUotIuvtzSM");
        let is_code = request.form().get("grant_type").is_some_and(|kind| kind == "authorization_code");
        body["userid"] = if is_code { json!(OWNER.to_string()) } else { json!(OWNER) };
        Reply::json(200, json!({"status": 0, "body": body}).to_string())
    }

    fn refuse(&self, why: Refusal) -> Reply {
        match why {
            Refusal::Token => said(401, "XRequestID: Not provided invalid_token: The access token provided is invalid"),
            Refusal::Scope => said(277, "Unauthorized: scope"),
            Refusal::Spent => said(601, "Too Many Requests"),
        }
    }

    fn answer(&mut self, resource: &str, request: &Request) -> Reply {
        let form = request.form();
        match resource {
            "devices" => {
                let devices: Vec<String> =
                    self.items("devices", |_| true).into_iter().map(|doc| self.text(doc)).collect();
                Reply::json(200, format!(r#"{{"status":0,"body":{{"devices":[{}]}}}}"#, devices.join(",")))
            }
            "goals" => Reply::json(200, format!(r#"{{"status":0,"body":{{"goals":{}}}}}"#, self.goals)),
            "heart_signal" => {
                let signal = form
                    .get("signalid")
                    .and_then(|id| self.items("heart_signal", |doc| doc.id == *id).into_iter().next());
                match signal {
                    None if self.signals_refused => said(2556, "Not available"),
                    Some(doc) => Reply::json(200, format!(r#"{{"status":0,"body":{}}}"#, self.text(doc))),
                    None => invalid("signalid"),
                }
            }
            "sleep" | "intraday_activity" => self.of_a_day(resource, &form),
            listing => self.listed(listing.strip_suffix(" changed").unwrap_or(listing), &form),
        }
    }

    fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        if self.goals.is_object() {
            truth.snapshots.insert("goals".into(), self.goals.to_string());
        }
        for doc in self.docs.iter().filter(|doc| doc.since <= self.now) {
            let is_poisoned = self.poisoned.contains_key(&(doc.resource, doc.id.clone()));
            if is_poisoned {
                truth.optional_raw.insert((doc.resource.to_owned(), doc.id.clone()));
            }
            truth.raw.insert((doc.resource.to_owned(), doc.id.clone()), self.text(doc));
            for row in doc.rows.iter().filter(|_| !is_poisoned) {
                truth.row(row.table, &format!("withings_raw.{}", doc.resource), &doc.id, row.what, row.columns.clone());
            }
        }
        truth
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }
}
