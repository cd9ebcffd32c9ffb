//! Simulated Strava, from `docs/sources/strava.md`: numbered pages that end with an empty one and may be short, filters on the
//! start of an activity, details and series activity by activity, gear, budgets of a quarter of an hour and a day for the
//! whole application, refusals as a list of what is wrong.

mod activity;
mod subject;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::net::{Reply, Request};
use crate::support::order::Order;
use crate::support::provider::{Refusal, Simulation};
use crate::support::tokens::Grants;
use crate::support::truth::Truth;
pub use activity::Activity;

/// The person's number.
pub const ATHLETE: i64 = 4_101_001;

/// What an application may ask, and has asked: of all requests, and of those that only read.
#[derive(Clone, Debug)]
pub struct Budget {
    /// A quarter of an hour, a day.
    pub limits: [u32; 2],
    pub used: [u32; 2],
    /// The windows that `used` was counted in.
    windows: [i64; 2],
    pub refused: u32,
}

pub struct Strava {
    pub athlete: Value,
    pub athlete_zones: Value,
    pub gear: BTreeMap<String, Value>,
    pub activities: Vec<Activity>,
    pub order: Order,
    /// No page has more than this, whatever is asked for.
    pub most_a_page: usize,
    pub hidden: bool,
    /// The owner of the application has no subscription.
    pub inactive: bool,
    /// Summaries sent with another text than their own.
    pub poisoned: HashMap<i64, String>,
    pub budget: Budget,
    /// The answer of the totals, where it is not made of the activities.
    pub totals: Option<Value>,
    now: DateTime<Utc>,
}

impl Strava {
    fn listed(&self) -> Vec<&Activity> {
        if self.hidden {
            return vec![];
        }
        let mut all: Vec<&Activity> = self.activities.iter().filter(|a| a.start() <= self.now).collect();
        all.sort_by_key(|activity| {
            let at = activity.start().timestamp();
            self.order.rank(at, activity.id)
        });
        all
    }

    fn text(&self, activity: &Activity) -> String {
        self.poisoned.get(&activity.id).cloned().unwrap_or_else(|| activity.summary.to_string())
    }

    /// `after` and `before` compare with the start; whether a start on the border counts is not documented: here it does not.
    fn list(&self, request: &Request) -> Reply {
        let number = |name: &str| request.param(name).map(str::parse::<i64>).transpose();
        let (Ok(after), Ok(before), Ok(page), Ok(size)) =
            (number("after"), number("before"), number("page"), number("per_page"))
        else {
            return error(400, "Bad Request", "Activity", "parameter", "invalid");
        };
        let (page, size) = (page.unwrap_or(1), size.unwrap_or(30));
        if page < 1 || !(1..=200).contains(&size) {
            return error(400, "Bad Request", "Activity", "per_page", "invalid");
        }
        let size = usize::try_from(size).expect("a size").min(self.most_a_page);
        let inside = |activity: &&Activity| {
            let at = activity.start().timestamp();
            after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
        };
        let found: Vec<String> = self.listed().into_iter().filter(inside).map(|a| self.text(a)).collect();
        let from = (usize::try_from(page).expect("a page") - 1) * size;
        let until = found.len().min(from + size);
        Reply::json(200, format!("[{}]", found.get(from..until).unwrap_or_default().join(",")))
    }

    fn of(&self, id: &str) -> Option<&Activity> {
        self.activities.iter().find(|activity| activity.id.to_string() == id)
    }

    /// Without `keys` only the distance comes; names that have no series are left out.
    fn streams(activity: &Activity, request: &Request) -> Reply {
        if let Some(list @ Value::Array(_)) = &activity.streams {
            return Reply::json(200, list.to_string()); // as where the form by type is not known
        }
        let Some(all) = activity.streams.as_ref().and_then(Value::as_object) else { return missing() };
        let keys: Vec<&str> = request.param("keys").unwrap_or("distance").split(',').collect();
        if request.param("key_by_type") != Some("true") {
            return error(400, "Bad Request", "Stream", "key_by_type", "missing");
        }
        let chosen: serde_json::Map<String, Value> =
            all.iter().filter(|(name, _)| keys.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect();
        Reply::json(200, Value::Object(chosen).to_string())
    }

    fn of_activity(&self, path: &str, request: &Request) -> Reply {
        let mut parts = path.trim_start_matches("/activities/").split('/');
        let Some(activity) = parts.next().and_then(|id| self.of(id)) else { return missing() };
        match parts.next() {
            None => Reply::json(200, activity.detail.to_string()),
            Some("streams") => Self::streams(activity, request),
            Some("laps") => Reply::json(200, activity.laps.to_string()),
            Some("zones") => match &activity.zones {
                Some(zones) => Reply::json(200, zones.to_string()),
                None => Reply::json(402, r#"{"message":"Payment Required","errors":[]}"#),
            },
            Some(_) => missing(),
        }
    }

    /// "Counts only activities visible to Everyone"; zeros come as ints and as floats.
    fn stats(&self) -> Value {
        if let Some(totals) = &self.totals {
            return totals.clone();
        }
        let count = self.listed().len();
        json!({"all_run_totals": {"count": count, "distance": 1000.5, "moving_time": 3600, "elapsed_time": 3700.0, "elevation_gain": 0},
               "recent_ride_totals": {"count": 0, "distance": 0.0, "moving_time": 0, "elapsed_time": 0, "elevation_gain": 0.0,
                                      "achievement_count": 0}})
    }
}

fn error(status: u16, message: &str, resource: &str, field: &str, code: &str) -> Reply {
    let body = json!({"message": message, "errors": [{"resource": resource, "field": field, "code": code}]});
    Reply::json(status, body.to_string())
}

fn missing() -> Reply {
    error(404, "Resource Not Found", "Activity", "", "not found")
}

impl Simulation for Strava {
    const ID: &'static str = "strava";
    const SCOPES: &'static [&'static str] = &["read", "read_all", "profile:read_all", "activity:read_all"];
    const AUTHORIZE: &'static str = "/oauth/authorize";
    const TOKEN: &'static str = "/oauth/token";
    const BASE: &'static str = "/api/v3";
    const LOGIN: &'static [&'static str] = &["--accept-terms"];
    const LIFE: i64 = 21_600;

    fn customs(&self, grants: &mut Grants) {
        grants.scope_separator = ',';
        grants.scope_in_body = false;
        grants.keeps_young = true;
        grants.with_code = json!({"athlete": {"id": self.athlete["id"], "resource_state": 2, "firstname": "Zo\u{eb}"}});
        grants.refusals = |what, _| match what {
            "client" => error(400, "Bad Request", "Application", "client_id", "invalid"),
            "refresh_token" => error(400, "Bad Request", "RefreshToken", "refresh_token", "invalid"),
            _ => error(400, "Bad Request", "RequestToken", "code", "invalid"),
        };
    }

    fn resource(&self, method: &str, path: &str) -> Option<&'static str> {
        if (method, path) == ("POST", "/oauth/revoke") {
            return Some("revoke");
        }
        if method != "GET" {
            return None;
        }
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        Some(match parts.as_slice() {
            ["athlete"] => "athlete",
            ["athlete", "zones"] => "athlete_zones",
            ["athlete", "activities"] => "activities",
            ["activities", _] => "activity_details",
            ["activities", _, "streams"] => "activity_streams",
            ["activities", _, "laps"] => "activity_laps",
            ["activities", _, "zones"] => "activity_zones",
            ["athletes", _, "stats"] => "athlete_stats",
            ["gear", _] => "gear",
            _ => return None,
        })
    }

    fn scope(&self, resource: &str) -> Option<&'static str> {
        Some(match resource {
            "athlete" | "athlete_stats" | "gear" => "read",
            "athlete_zones" => "profile:read_all",
            _ => "activity:read_all",
        })
    }

    fn refuse(&self, why: Refusal) -> Reply {
        match why {
            Refusal::Spent if self.budget.refused.is_multiple_of(2) => {
                Reply::json(429, r#"{"errors":"Rate Limit Exceeded","status":429,"message":"Too Many Requests"}"#)
            }
            Refusal::Spent => error(429, "Rate Limit Exceeded", "Application", "rate limit", "exceeded"),
            Refusal::Token => error(401, "Authorization Error", "Athlete", "access_token", "invalid"),
            Refusal::Scope => error(401, "Authorization Error", "AccessToken", "activity:read_permission", "missing"),
        }
    }

    /// Windows are a quarter of an hour and a day at Greenwich; what is refused counts as well.
    fn announce(&mut self) -> Option<(Vec<(&'static str, String)>, bool)> {
        let budget = &mut self.budget;
        let windows = [self.now.timestamp() / 900, self.now.timestamp() / 86_400];
        for (place, window) in windows.into_iter().enumerate() {
            if budget.windows[place] != window {
                (budget.windows[place], budget.used[place]) = (window, 0);
            }
            budget.used[place] += 1;
        }
        let over = (0..2).any(|place| budget.used[place] > budget.limits[place]);
        budget.refused += u32::from(over);
        let pair = |numbers: [u32; 2]| format!("{},{}", numbers[0], numbers[1]);
        // The case of the names varies.
        let headers = vec![
            ("X-Ratelimit-Limit", pair(budget.limits.map(|limit| limit * 2))),
            ("X-RateLimit-Usage", pair(budget.used)),
            ("X-ReadRateLimit-Limit", pair(budget.limits)),
            ("x-readratelimit-usage", pair(budget.used)),
        ];
        Some((headers, over))
    }

    fn answer(&mut self, resource: &str, request: &Request) -> Reply {
        if self.inactive {
            return error(403, "Forbidden", "Application", "Status", "Inactive");
        }
        let path = request.path.strip_prefix(Self::BASE).unwrap_or(&request.path).to_owned();
        match resource {
            "athlete" => Reply::json(200, self.athlete.to_string()),
            "athlete_zones" => Reply::json(200, self.athlete_zones.to_string()),
            "athlete_stats" if path == format!("/athletes/{}/stats", self.athlete["id"]) => {
                Reply::json(200, self.stats().to_string())
            }
            "athlete_stats" => error(403, "Forbidden", "Athlete", "id", "invalid"),
            "gear" => match self.gear.get(path.trim_start_matches("/gear/")) {
                Some(gear) => Reply::json(200, gear.to_string()),
                None => missing(),
            },
            "activities" => self.list(request),
            _ => self.of_activity(&path, request),
        }
    }

    fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        let person = ATHLETE.to_string();
        truth.raw.insert(("athlete".into(), person.clone()), self.athlete.to_string());
        truth.raw.insert(("athlete_stats".into(), person.clone()), self.stats().to_string());
        truth.optional_raw.insert(("athlete_stats".into(), person.clone()));
        truth.snapshots.insert("athlete_zones".into(), self.athlete_zones.to_string());
        let known = [("external_user_id", json!(person)), ("given_name", json!("Zo\u{eb}")), ("sex", json!("F"))];
        truth.row("user_identity", "strava_raw.athlete", &person, "", known.into_iter().collect());
        for (metric, value) in [("weight", &self.athlete["weight"]), ("cycling_ftp", &self.athlete["ftp"])] {
            let columns = [("value_num", value.clone())].into_iter().collect();
            truth.row("biometrics_vitals", "strava_raw.athlete", &person, metric, columns);
        }
        for (id, gear) in self.gear.iter().filter(|(id, _)| self.is_named(id)) {
            truth.raw.insert(("gear".into(), id.clone()), gear.to_string());
        }
        for activity in self.activities.iter().filter(|a| a.start() <= self.now) {
            self.add_to(&mut truth, activity);
        }
        truth
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }
}

impl Strava {
    /// Whether the athlete's lists or an activity name the gear.
    fn is_named(&self, id: &str) -> bool {
        let listed = ["bikes", "shoes"].iter().filter_map(|list| self.athlete[*list].as_array()).flatten();
        let worn = self.activities.iter().map(|activity| &activity.summary["gear_id"]);
        listed.map(|gear| &gear["id"]).chain(worn).any(|named| named == id)
    }

    fn add_to(&self, truth: &mut Truth, activity: &Activity) {
        let id = activity.id.to_string();
        let is_poisoned = self.poisoned.contains_key(&activity.id);
        let laps = activity.detail.get("laps").is_none().then_some(&activity.laps);
        let texts = [
            ("activities", Some(self.text(activity))),
            ("activity_details", Some(activity.detail.to_string())),
            ("activity_streams", activity.streams.as_ref().map(Value::to_string)),
            ("activity_zones", activity.zones.as_ref().map(Value::to_string)),
            ("activity_laps", laps.map(Value::to_string)),
        ];
        for (table, text) in texts {
            let Some(text) = text else { continue };
            truth.raw.insert((table.into(), id.clone()), text);
            if is_poisoned {
                truth.optional_raw.insert((table.into(), id.clone()));
            }
        }
        if is_poisoned {
            return;
        }
        truth.row("workouts", "strava_raw.activities", &id, "", activity.workout());
        if activity.has_series() {
            for path in ["altitude heartrate", "cadence watts"] {
                let columns = [("utc_offset_s", json!(activity.offset_s)), ("tz_basis", json!("record"))];
                truth.row("sample_origins", "strava_raw.activity_streams", &id, path, columns.into_iter().collect());
            }
        }
    }
}
