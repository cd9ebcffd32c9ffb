//! Simulated WHOOP, from `docs/sources/whoop.md`: six resources, paging, window rules, revocation.

pub mod fixture;
pub mod person;
pub mod records;
mod subject;
mod truth;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::support::net::{Reply, Request};
use crate::support::order::Order;
use crate::support::provider::Simulation;
use crate::support::tokens::base64url;
use crate::support::truth::Truth;
use person::Person;

/// Which records a window holds. The documents say that it filters on a record's own start and end, and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    #[default]
    Beginning,
    Inside,
    Overlapping,
}

/// How a listing says that there is no next page: "missing, empty or null; accept all three".
#[derive(Clone, Copy)]
enum LastPage {
    Missing,
    Empty,
    Null,
}

pub struct Whoop {
    pub person: Person,
    pub order: Order,
    pub holds: Holds,
    /// Resources whose listing is empty, although there are records.
    pub hidden: Vec<&'static str>,
    /// A window is silently cut to its last so many days.
    pub clamp_days: Option<i64>,
    /// Records sent with another text than their own; not in the truth of canonical rows.
    pub poisoned: HashMap<(&'static str, String), String>,
    /// Records that appear twice in a listing, at the border of two pages.
    pub repeat_at_borders: bool,
    /// Every listing begins with a page without records that nevertheless has a successor.
    pub blank_first_page: bool,
    /// Records from files instead of the person's.
    pub fixture: Option<fixture::Fixture>,
    now: DateTime<Utc>,
    cursors: HashMap<String, Cursor>,
}

#[derive(Clone)]
struct Cursor {
    resource: String,
    window: (Option<String>, Option<String>, usize),
    last: Key,
}

type Key = (i64, String);

/// One record of a collection: its id, its own time, its text. The current cycle has no end.
struct Item {
    id: String,
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
    text: String,
}

impl Whoop {
    pub fn new(person: Person) -> Self {
        Whoop {
            person,
            order: Order::NewestFirst,
            holds: Holds::default(),
            hidden: vec![],
            clamp_days: None,
            poisoned: HashMap::new(),
            repeat_at_borders: false,
            blank_first_page: false,
            fixture: None,
            now: DateTime::UNIX_EPOCH,
            cursors: HashMap::new(),
        }
    }

    /// A member of so many days.
    pub fn with_days(days: i64, now: DateTime<Utc>) -> Self {
        let mut whoop = Whoop::new(Person::with_days(days, now));
        whoop.now = now;
        whoop
    }

    fn items(&self, resource: &str) -> Vec<Item> {
        let p = &self.person;
        let user = p.profile.user_id;
        let nights: HashMap<&str, (DateTime<Utc>, DateTime<Utc>)> =
            p.sleeps.iter().map(|s| (s.id.as_str(), (s.start, s.end))).collect();
        let item = |id: String, start, end, text| Item { id, start, end, text };
        let mut items: Vec<Item> = match resource {
            _ if self.fixture.is_some() => self.fixture.as_ref().map(|f| f.items(resource)).unwrap_or_default(),
            "cycles" => p.cycles.iter().map(|c| item(c.id.to_string(), c.start, c.end, c.text(user))).collect(),
            "sleeps" => p.sleeps.iter().map(|s| item(s.id.clone(), s.start, Some(s.end), s.text(user))).collect(),
            "workouts" => p.workouts.iter().map(|w| item(w.id.clone(), w.start, Some(w.end), w.text(user))).collect(),
            // A recovery has no time of its own: it is placed by its sleep.
            _ => p
                .recoveries
                .iter()
                .map(|r| {
                    let (start, end) = nights.get(r.sleep_id.as_str()).copied().unwrap_or((r.created, r.created));
                    item(r.cycle_id.to_string(), start, Some(end), r.text(user))
                })
                .collect(),
        };
        items.retain(|i| i.start < self.now);
        for item in &mut items {
            if let Some((_, text)) = self.poisoned.iter().find(|((r, id), _)| *r == resource && *id == item.id) {
                item.text.clone_from(text);
            }
        }
        items
    }

    fn key(&self, item: &Item) -> Key {
        let millis = item.start.timestamp_millis();
        let rank = self.order.rank(millis, &item.id);
        (rank, item.id.clone())
    }

    fn listing(&mut self, resource: &str, request: &Request) -> Reply {
        let Some(limit) =
            request.param("limit").map_or(Some(10), |l| l.parse::<usize>().ok()).filter(|l| (1..=25).contains(l))
        else {
            return bad("limit must be between 1 and 25");
        };
        let parse =
            |name: &str| request.param(name).map(|t| DateTime::parse_from_rfc3339(t).map(|d| d.to_utc())).transpose();
        let (Ok(start), Ok(end)) = (parse("start"), parse("end")) else {
            return bad("start and end must be instants");
        };
        let owned = |name: &str| request.param(name).map(str::to_owned);
        let window = (owned("start"), owned("end"), limit);
        let after = match request.param("nextToken") {
            None => None,
            Some(token) => match self.cursors.get(token) {
                // "Repeat the same start, end and limit with every nextToken."
                Some(c) if c.resource == resource && c.window == window => Some(c.last.clone()),
                _ => return bad("nextToken is not valid"),
            },
        };
        let end = end.unwrap_or(self.now);
        let start = match self.clamp_days {
            Some(days) => start.max(Some(end - TimeDelta::days(days))),
            None => start,
        };
        let mut items = self.items(resource);
        if self.hidden.contains(&resource) {
            items.clear();
        }
        let (holds, from) = (self.holds, start.unwrap_or(DateTime::UNIX_EPOCH));
        items.retain(|i| {
            i.start < end
                && match holds {
                    Holds::Beginning => i.start >= from,
                    Holds::Inside => i.start >= from && i.end.is_none_or(|last| last < end),
                    Holds::Overlapping => i.end.is_none_or(|last| last >= from),
                }
        });
        items.sort_by_key(|i| self.key(i));
        let blank = self.blank_first_page && after.is_none();
        let from = after.map_or(0, |last| items.iter().position(|i| self.key(i) > last).unwrap_or(items.len()));
        let again = usize::from(self.repeat_at_borders && from > 0);
        let until = if blank { 0 } else { items.len().min(from + limit - again) };
        let page = &items[from - again..until];
        let texts: Vec<&str> = page.iter().map(|i| i.text.as_str()).collect();
        let more = blank || until < items.len();
        let tail = if more {
            let last = page.last().map_or((i64::MIN, String::new()), |i| self.key(i));
            let token = base64url(format!("{}:{resource}", 123_000_000 + self.cursors.len()).as_bytes());
            let tail = format!(r#","next_token":"{token}""#);
            self.cursors.insert(token, Cursor { resource: resource.into(), window, last });
            tail
        } else {
            match last_page(resource) {
                LastPage::Missing => String::new(),
                LastPage::Empty => r#","next_token":"""#.to_owned(),
                LastPage::Null => r#","next_token":null"#.to_owned(),
            }
        };
        Reply::json(200, format!(r#"{{"records":[{}]{tail}}}"#, texts.join(",")))
    }
}

fn last_page(resource: &str) -> LastPage {
    match resource {
        "cycles" => LastPage::Empty,
        "recoveries" => LastPage::Null,
        _ => LastPage::Missing,
    }
}

fn bad(why: &str) -> Reply {
    Reply::json(400, format!(r#"{{"message":"{why}"}}"#))
}

impl Simulation for Whoop {
    const ID: &'static str = "whoop";
    const SCOPES: &'static [&'static str] = &[
        "read:profile",
        "read:body_measurement",
        "read:cycles",
        "read:sleep",
        "read:recovery",
        "read:workout",
        "offline",
    ];
    const AUTHORIZE: &'static str = "/oauth/oauth2/auth";
    const TOKEN: &'static str = "/oauth/oauth2/token";
    const BASE: &'static str = "/developer";

    fn resource(&self, method: &str, path: &str) -> Option<&'static str> {
        match (method, path) {
            ("GET", "/v2/user/profile/basic") => Some("user_basic_profile"),
            ("GET", "/v2/user/measurement/body") => Some("user_body_measurement"),
            ("GET", "/v2/cycle") => Some("cycles"),
            ("GET", "/v2/recovery") => Some("recoveries"),
            ("GET", "/v2/activity/sleep") => Some("sleeps"),
            ("GET", "/v2/activity/workout") => Some("workouts"),
            ("DELETE", "/v2/user/access") => Some("revoke"),
            _ => None,
        }
    }

    fn scope(&self, resource: &str) -> Option<&'static str> {
        match resource {
            "user_basic_profile" => Some("read:profile"),
            "user_body_measurement" => Some("read:body_measurement"),
            "cycles" => Some("read:cycles"),
            "recoveries" => Some("read:recovery"),
            "sleeps" => Some("read:sleep"),
            "workouts" => Some("read:workout"),
            _ => None,
        }
    }

    fn answer(&mut self, resource: &str, request: &Request) -> Reply {
        match resource {
            "user_basic_profile" => Reply::json(200, self.person.profile.text()),
            "user_body_measurement" => match &self.person.body {
                Some(body) => Reply::json(200, body.text()),
                None => Reply::json(404, r#"{"message":"no body measurement"}"#),
            },
            _ => self.listing(resource, request),
        }
    }

    fn truth(&self) -> Truth {
        self.fixture.as_ref().map_or_else(|| truth::of(self), |f| f.truth(&self.person))
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }
}
