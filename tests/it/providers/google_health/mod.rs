//! Simulated Google Health, from `docs/sources/google_health.md`: data points by type, filters that know one member, pages
//! newest first of which one is empty, zeros and empty lists left out, totals of days by POST, logins that are not renewed
//! by a new refresh token.

mod days;
mod filter;
mod person;
pub mod records;
mod subject;
pub mod types;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, DurationRound, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::net::{Reply, Request};
use crate::support::order::Order;
use crate::support::provider::Simulation;
use crate::support::tokens::{Grants, base64url};
use crate::support::truth::{Columns, Truth, stamp};
use types::{TYPES, Type};

/// One canonical row of a point.
#[derive(Clone, Debug)]
pub struct Row {
    pub table: &'static str,
    pub what: &'static str,
    pub columns: Columns,
}

/// One data point, or the total of one day.
#[derive(Clone, Debug)]
pub struct Point {
    /// The raw table.
    pub resource: &'static str,
    /// What tells it from others: its name, or what the documents name in its place.
    pub id: String,
    /// What filters by instants compare: its start, of a sleep its end.
    pub at: DateTime<Utc>,
    /// The same on the clock of the person; of a day its midnight.
    pub civil: NaiveDateTime,
    /// From when on it is there.
    pub since: DateTime<Utc>,
    pub value: Value,
    pub rows: Vec<Row>,
}

pub struct Google {
    pub identity: Value,
    pub profile: Value,
    pub settings: Value,
    pub irn: Value,
    pub devices: Vec<Value>,
    pub points: Vec<Point>,
    pub order: Order,
    /// Pages end here, whatever is asked for; those of sleep and exercise at 25.
    pub most_a_page: usize,
    /// Whether the second of several pages is empty.
    pub has_empty_pages: bool,
    /// Resources whose listing is empty, although there are points.
    pub hidden: Vec<&'static str>,
    /// Points sent with another text than their own; not in the truth of canonical rows.
    pub poisoned: HashMap<(&'static str, String), String>,
    now: DateTime<Utc>,
    cursors: HashMap<String, Cursor>,
}

/// Where a page token leads: the request that it was given for, how many points came before, and whether the page is the empty one.
#[derive(Clone)]
struct Cursor {
    asked: String,
    from: usize,
    is_empty: bool,
}

impl Cursor {
    /// How many points the page has, where pages have so many.
    fn size(&self, usual: usize) -> usize {
        if self.is_empty { 0 } else { usual }
    }
}

impl Google {
    fn items(&self, resource: &str, is_wanted: impl Fn(&Point) -> bool) -> Vec<&Point> {
        if self.hidden.contains(&resource) {
            return vec![];
        }
        let there = |p: &&Point| p.resource == resource && p.since <= self.now && is_wanted(p);
        let mut items: Vec<&Point> = self.points.iter().filter(there).collect();
        items.sort_by_cached_key(|point| {
            let at = point.at.timestamp();
            let rank = self.order.rank(at, (point.id.as_str(), at));
            (rank, point.id.clone())
        });
        items
    }

    /// Exercises whose way is known.
    fn tracked(&self) -> impl Iterator<Item = &Point> {
        let there = |p: &&Point| p.resource == "exercise" && p.since <= self.now;
        self.points.iter().filter(there).filter(|p| p.value["exercise"]["exerciseMetadata"]["hasGps"] == true)
    }

    fn text(&self, point: &Point) -> String {
        self.poisoned.get(&(point.resource, point.id.clone())).cloned().unwrap_or_else(|| point.value.to_string())
    }

    fn list(&mut self, of: Type, way: &str, request: &Request) -> Reply {
        let offered = if way == "reconcile" { 'R' } else { 'L' };
        if !of.ways.contains(offered) {
            return refused("INVALID_PARENT_DATA_TYPE_COLLECTION");
        }
        let filter = request.param("filter").unwrap_or_default().to_owned();
        let passes = match filter::passing(of, &filter) {
            Ok(passes) => passes,
            Err(reason) => return refused(reason),
        };
        let found = self.items(of.name, passes);
        let asked: usize = request.param("pageSize").map_or(1440, |size| size.parse().expect("a size"));
        let most = if matches!(of.name, "sleep" | "exercise") { 25 } else { self.most_a_page };
        if asked > 10_000 {
            return refused("INVALID_PAGE_SIZE");
        }
        let (listing, token) = (format!("{}:{way}?{filter}", of.name), request.param("pageToken"));
        let Some(cursor) = self.cursor(&listing, token) else { return refused("INVALID_PAGE_TOKEN") };
        let page: Vec<String> =
            found.iter().skip(cursor.from).take(cursor.size(asked.min(most))).map(|point| self.text(point)).collect();
        let is_last = cursor.from + page.len() >= found.len();
        self.page(cursor, &page, is_last, "dataPoints")
    }

    /// Where a listing goes on; none where the token is not one of this listing.
    fn cursor(&self, asked: &str, token: Option<&str>) -> Option<Cursor> {
        match token {
            None | Some("") => Some(Cursor { asked: asked.to_owned(), from: 0, is_empty: false }),
            Some(token) => self.cursors.get(token).filter(|cursor| cursor.asked == asked).cloned(),
        }
    }

    /// An empty list is left out, and so is the token of a last page. The second page of several is empty.
    fn page(&mut self, cursor: Cursor, page: &[String], is_last: bool, member: &str) -> Reply {
        let mut parts = vec![];
        if !page.is_empty() {
            parts.push(format!("\"{member}\":[{}]", page.join(",")));
        }
        if !is_last {
            let token = base64url(format!("p{}:{}", self.cursors.len(), cursor.asked).as_bytes());
            let is_empty = self.has_empty_pages && cursor.from == 0 && !cursor.is_empty;
            self.cursors.insert(token.clone(), Cursor { from: cursor.from + page.len(), is_empty, ..cursor });
            parts.push(format!("\"nextPageToken\":\"{token}\""));
        }
        Reply::json(200, format!("{{{}}}", parts.join(",")))
    }

    /// All at once.
    fn whole(&mut self, texts: &[String], member: &str) -> Reply {
        self.page(Cursor { asked: String::new(), from: 0, is_empty: false }, texts, true, member)
    }

    fn roll_up(&mut self, of: Type, request: &Request) -> Reply {
        if !of.ways.contains('D') {
            return refused("INVALID_PARENT_DATA_TYPE_COLLECTION");
        }
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let day = |end: &str| civil_date(&body["range"][end]["date"]);
        let (Some(start), Some(end)) = (day("start"), day("end")) else { return refused("INVALID_RANGE") };
        let days = (end - start).num_days();
        if days < 1
            || days > of.most_days()
            || body["windowSizeDays"] != 1
            || body["pageSize"].as_i64().is_none_or(|n| n > days)
        {
            return refused("INVALID_ROLLUP_RANGE");
        }
        let resource = format!("{}_roll_up", of.name);
        let inside = |p: &Point| (start..end).contains(&p.civil.date());
        let texts: Vec<String> = self.items(&resource, inside).into_iter().map(|p| self.text(p)).collect();
        self.whole(&texts, "rollupDataPoints")
    }
}

/// The part of a name by which one point is asked for.
pub fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The answer with the track of an exercise: its two ends.
fn track(exercise: &Point) -> String {
    let interval = &exercise.value["exercise"]["interval"];
    let point = |end: &str, lat: f64| {
        let at = interval[end].as_str().expect("a time");
        format!(
            "<Trackpoint><Time>{at}</Time><Position><LatitudeDegrees>{lat}</LatitudeDegrees><LongitudeDegrees>-122.4</LongitudeDegrees></Position></Trackpoint>"
        )
    };
    let tcx = format!(
        "<TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2\"><Activities><Activity Sport=\"Running\"><Lap><Track>{}{}</Track></Lap></Activity></Activities></TrainingCenterDatabase>",
        point("startTime", 37.7),
        point("endTime", 37.8)
    );
    json!({"tcxData": tcx}).to_string()
}

fn civil_date(date: &Value) -> Option<NaiveDate> {
    let part = |name: &str| date[name].as_i64();
    NaiveDate::from_ymd_opt(
        i32::try_from(part("year")?).ok()?,
        u32::try_from(part("month")?).ok()?,
        u32::try_from(part("day")?).ok()?,
    )
}

fn refused(reason: &str) -> Reply {
    let error = json!({"error": {"code": 400, "message": "refused", "status": "INVALID_ARGUMENT", "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "health.googleapis.com"}]}});
    Reply::json(400, error.to_string())
}

/// A text that lives as long as the tests: resources are named by such.
pub fn lasting(text: &str) -> &'static str {
    static NAMES: std::sync::Mutex<BTreeMap<String, &'static str>> = std::sync::Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    names.entry(text.to_owned()).or_insert_with(|| Box::leak(text.to_owned().into_boxed_str()))
}

impl Simulation for Google {
    const ID: &'static str = "google_health";
    const SCOPES: &'static [&'static str] = &[
        "https://www.googleapis.com/auth/googlehealth.activity_and_fitness.readonly",
        "https://www.googleapis.com/auth/googlehealth.health_metrics_and_measurements.readonly",
        "https://www.googleapis.com/auth/googlehealth.sleep.readonly",
        "https://www.googleapis.com/auth/googlehealth.nutrition.readonly",
        "https://www.googleapis.com/auth/googlehealth.profile.readonly",
        "https://www.googleapis.com/auth/googlehealth.settings.readonly",
        "https://www.googleapis.com/auth/googlehealth.ecg.readonly",
        "https://www.googleapis.com/auth/googlehealth.irn.readonly",
        "https://www.googleapis.com/auth/googlehealth.reproductive_health.readonly",
        "https://www.googleapis.com/auth/googlehealth.logged_symptoms.readonly",
        "https://www.googleapis.com/auth/googlehealth.mindfulness.readonly",
        "https://www.googleapis.com/auth/googlehealth.location.readonly",
    ];
    const AUTHORIZE: &'static str = "/o/oauth2/v2/auth";
    const TOKEN: &'static str = "/token";
    const BASE: &'static str = "/v4";

    /// The refresh token stays the same, and comes only where it is asked for.
    fn customs(&self, grants: &mut Grants) {
        (grants.rotates, grants.tries, grants.bearer_revokes) = (false, usize::MAX, true);
        grants.offline_params = &[("access_type", "offline"), ("prompt", "consent")];
    }

    fn resource(&self, method: &str, path: &str) -> Option<&'static str> {
        match (method, path) {
            ("POST", "/revoke") => return Some("revoke"),
            ("GET", "/users/me/identity") => return Some("identity"),
            ("GET", "/users/me/profile") => return Some("profile"),
            ("GET", "/users/me/settings") => return Some("settings"),
            ("GET", "/users/me/irnProfile") => return Some("irn_profile"),
            ("GET", "/users/me/pairedDevices") => return Some("paired_devices"),
            _ => {}
        }
        let (kebab, way) = path.strip_prefix("/users/me/dataTypes/")?.split_once("/dataPoints")?;
        if kebab == "exercise" && method == "GET" && way.starts_with('/') && way.ends_with(":exportExerciseTcx") {
            return Some("exercise_tcx");
        }
        let of = TYPES.iter().find(|of| of.kebab() == kebab)?;
        match (method, way) {
            ("GET", "" | ":reconcile") => Some(of.name),
            ("POST", ":dailyRollUp") => Some(lasting(&format!("{}_roll_up", of.name))),
            _ => None,
        }
    }

    fn scope(&self, resource: &str) -> Option<&'static str> {
        let middle = match resource {
            "identity" => return None, // any of them
            "profile" => "profile",
            "settings" | "paired_devices" => "settings",
            "irn_profile" => "irn",
            "exercise_tcx" => "location",
            _ => types::by_name(resource.strip_suffix("_roll_up").unwrap_or(resource))?.scope,
        };
        Some(lasting(&format!("https://www.googleapis.com/auth/googlehealth.{middle}.readonly")))
    }

    fn answer(&mut self, resource: &str, request: &Request) -> Reply {
        match resource {
            "identity" => Reply::json(200, self.identity.to_string()),
            "profile" => Reply::json(200, self.profile.to_string()),
            "settings" => Reply::json(200, self.settings.to_string()),
            "irn_profile" => Reply::json(200, self.irn.to_string()),
            "exercise_tcx" => {
                let id = request.path.rsplit('/').next().and_then(|last| last.split(':').next()).unwrap_or_default();
                match self.tracked().find(|point| last_part(&point.id) == id) {
                    Some(point) => Reply::json(200, track(point)),
                    None => Reply::json(404, r#"{"error":{"code":404,"message":"no track","status":"NOT_FOUND"}}"#),
                }
            }
            "paired_devices" => {
                let texts: Vec<String> = self.devices.iter().map(Value::to_string).collect();
                self.whole(&texts, "pairedDevices")
            }
            _ => match resource.strip_suffix("_roll_up") {
                Some(name) => self.roll_up(types::by_name(name).expect("a type"), request),
                None => {
                    let way = request.path.rsplit_once(':').map_or("list", |(_, way)| way);
                    self.list(types::by_name(resource).expect("a type"), way, request)
                }
            },
        }
    }

    fn truth(&self) -> Truth {
        let mut truth = Truth::default();
        for (name, snapshot) in [("profile", &self.profile), ("settings", &self.settings), ("irn_profile", &self.irn)] {
            truth.snapshots.insert(name.into(), snapshot.to_string());
        }
        let person = self.identity["healthUserId"].as_str().expect("an id");
        truth.raw.insert(("identity".into(), person.into()), self.identity.to_string());
        let known = [
            ("external_user_id", self.identity["healthUserId"].clone()),
            ("aliases", json!([self.identity["legacyUserId"]])),
        ];
        truth.row("user_identity", "google_health_raw.identity", person, "", known.into_iter().collect());
        for device in &self.devices {
            let name = device["name"].as_str().expect("a name");
            truth.raw.insert(("paired_devices".into(), name.into()), device.to_string());
        }
        for point in self.tracked() {
            let key = ("exercise_tcx".to_owned(), last_part(&point.id).to_owned());
            if self.poisoned.contains_key(&("exercise", point.id.clone())) {
                truth.optional_raw.insert(key.clone());
            }
            truth.raw.insert(key, track(point));
        }
        let mut hours: BTreeMap<(&str, String), Vec<&Point>> = BTreeMap::new();
        for point in self.points.iter().filter(|point| point.since <= self.now) {
            if types::by_name(point.resource).is_some_and(Type::is_dense) {
                hours.entry((point.resource, hour_id(point))).or_default().push(point);
                continue;
            }
            let key = (point.resource.to_owned(), point.id.clone());
            let is_poisoned = self.poisoned.contains_key(&(point.resource, point.id.clone()));
            if is_poisoned {
                truth.optional_raw.insert(key.clone());
            }
            truth.raw.insert(key, self.text(point));
            for row in point.rows.iter().filter(|_| !is_poisoned) {
                truth.row(
                    row.table,
                    &format!("google_health_raw.{}", point.resource),
                    &point.id,
                    row.what,
                    row.columns.clone(),
                );
            }
        }
        for ((resource, id), mut points) in hours {
            points.sort_by_key(|point| (point.at, point.value.to_string()));
            let texts: Vec<String> = points.iter().map(|point| point.value.to_string()).collect();
            truth.raw.insert((resource.into(), id.clone()), format!("{{\"dataPoints\":[{}]}}", texts.join(",")));
            if let Some(row) = points[0].rows.first() {
                truth.row(row.table, &format!("google_health_raw.{resource}"), &id, row.what, row.columns.clone());
            }
        }
        truth
    }

    fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }
}

/// What an hour of readings of one origin is known by.
fn hour_id(point: &Point) -> String {
    let hour = point.at.duration_trunc(TimeDelta::hours(1)).expect("an hour").format("%Y-%m-%dT%H:%M:%SZ");
    format!("{hour}|{}", records::origin(&point.value))
}

/// All that page through time.
pub const LISTINGS: &[&str] = &[
    "sleep",
    "exercise",
    "electrocardiogram",
    "irregular_rhythm_notification",
    "heart_rate",
    "heart_rate_variability",
    "oxygen_saturation",
    "respiratory_rate_sleep_summary",
    "daily_resting_heart_rate",
    "daily_heart_rate_variability",
    "daily_oxygen_saturation",
    "daily_respiratory_rate",
    "daily_sleep_temperature_derivations",
    "daily_vo2_max",
    "daily_heart_rate_zones",
    "vo2_max",
    "run_vo2_max",
    "weight",
    "height",
    "body_fat",
    "blood_glucose",
    "core_body_temperature",
    "steps",
    "distance",
    "altitude",
    "floors",
    "active_minutes",
    "active_zone_minutes",
    "activity_level",
    "sedentary_period",
    "time_in_heart_rate_zone",
    "swim_lengths_data",
    "active_energy_burned",
    "basal_energy_burned",
    "hydration_log",
    "nutrition_log",
    "menstrual_period",
    "ovulation_test",
    "symptoms",
    "moods",
    "steps_roll_up",
    "distance_roll_up",
    "altitude_roll_up",
    "floors_roll_up",
    "active_minutes_roll_up",
    "active_zone_minutes_roll_up",
    "sedentary_period_roll_up",
    "time_in_heart_rate_zone_roll_up",
    "swim_lengths_data_roll_up",
    "total_calories_roll_up",
    "calories_in_heart_rate_zone_roll_up",
    "active_energy_burned_roll_up",
    "heart_rate_roll_up",
];

/// A time as Google writes it.
pub fn instant(at: DateTime<Utc>) -> String {
    let text = stamp(at);
    text.strip_suffix(".000Z").map_or(text.clone(), |whole| format!("{whole}Z"))
}
