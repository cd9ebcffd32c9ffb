//! The sources under measurement, each with ten years of one person. Another source is another line in `all`.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use crate::providers::google_health::types::TYPES;
use crate::providers::google_health::{Google, Point};
use crate::providers::oura::{Doc, Oura};
use crate::providers::strava::Strava;
use crate::providers::whoop::Whoop;
use crate::providers::withings::Withings;
use crate::providers::withings::records as withings_records;
use crate::support::provider::Provider;
use crate::support::subject::Subject;
use crate::support::truth::stamp;
use crate::support::world::free_port;

/// Ten years.
const DAYS: i64 = 3_653;

/// A simulated provider, whichever it is.
pub(crate) struct Cloud {
    pub(crate) id: &'static str,
    /// What its login needs to be told.
    pub(crate) login: &'static [&'static str],
    /// What leads the program to it.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// The least number of requests that its pages and windows allow, where it can be told without asking.
    pub(crate) least: Option<usize>,
    /// Values in series, which are measured apart.
    pub(crate) points: usize,
    provider: Box<dyn Asked>,
}

/// What the measurement asks of a provider.
trait Asked {
    fn requests(&self) -> Vec<String>;
    fn forget_requests(&self);
    fn delay(&self, by: Duration);
    /// Records that the program should hold.
    fn records(&self) -> usize;
}

impl<S: Subject> Asked for Provider<S> {
    fn requests(&self) -> Vec<String> {
        self.data_requests().iter().map(|entry| format!("{} {:?} {}", entry.path, entry.query, entry.body)).collect()
    }

    fn forget_requests(&self) {
        self.clear_log();
    }

    fn delay(&self, by: Duration) {
        self.state().latency = by;
    }

    fn records(&self) -> usize {
        let truth = self.truth();
        truth.records() + truth.snapshots.len()
    }
}

impl Cloud {
    fn of<S: Subject>(sim: S, now: DateTime<Utc>, least: Option<usize>, points: usize) -> Self {
        let redirect = format!("http://localhost:{}/callback", free_port());
        let provider = Provider::start(sim, now, &redirect);
        let (id, secret) = provider.grants(|g| (g.client_id.clone(), g.client_secret.clone()));
        let name = |what: &str| -> &'static str { format!("{}_{what}", S::ID.to_uppercase()).leak() };
        let settings = vec![
            (name("CLIENT_ID"), id),
            (name("CLIENT_SECRET"), secret),
            (name("REDIRECT_URI"), redirect),
            (name("BASE_URL"), provider.base_url()),
            (name("AUTHORIZE_URL"), provider.authorize_url()),
            (name("TOKEN_URL"), provider.token_url()),
        ];
        Self { id: S::ID, login: S::LOGIN, settings, least, points, provider: Box::new(provider) }
    }

    /// Requests of the data interface since the last call, and how many of them repeat another.
    pub(crate) fn asked(&self) -> (usize, usize) {
        let mut all = self.provider.requests();
        self.provider.forget_requests();
        let count = all.len();
        all.sort();
        all.dedup();
        (count, count - all.len())
    }

    /// From now on each answer comes so much later.
    pub(crate) fn delay(&self, by: Duration) {
        self.provider.delay(by);
    }

    pub(crate) fn records(&self) -> usize {
        self.provider.records()
    }
}

type Make = fn(DateTime<Utc>) -> Cloud;

/// All of them, as far as they are wanted; none named: all.
pub(crate) fn all(only: &[&str], now: DateTime<Utc>) -> Vec<Cloud> {
    let known: [(&'static str, Make); 5] = [
        ("whoop", whoop),
        ("oura", |now| oura(now, false)),
        ("withings", |now| withings(now, false)),
        ("strava", |now| strava(now, false)),
        ("google_health", |now| google(now, false)),
    ];
    wanted(known, only, now).collect()
}

/// Those that have series, with series that come by the thousand.
pub(crate) fn dense(only: &[&str], now: DateTime<Utc>) -> impl Iterator<Item = Cloud> {
    let known: [(&'static str, Make); 4] = [
        ("oura", |now| oura(now, true)),
        ("withings", |now| withings(now, true)),
        ("strava", |now| strava(now, true)),
        ("google_health", |now| google(now, true)),
    ];
    wanted(known, only, now)
}

/// Each is made when it is asked for: a million values of a simulated provider take more memory than one of them should beside another.
fn wanted<const N: usize>(
    known: [(&'static str, Make); N],
    only: &[&str],
    now: DateTime<Utc>,
) -> impl Iterator<Item = Cloud> {
    let wanted = known.map(|(id, make)| (only.is_empty() || only.contains(&id)).then_some(make));
    wanted.into_iter().flatten().map(move |make| make(now))
}

/// Four lists in pages of 25, the profile, the body.
fn whoop(now: DateTime<Utc>) -> Cloud {
    let sim = Whoop::with_days(DAYS, now);
    let lists =
        [sim.person.cycles.len(), sim.person.sleeps.len(), sim.person.recoveries.len(), sim.person.workouts.len()];
    let pages: usize = lists.iter().map(|count| count.div_ceil(25)).sum();
    Cloud::of(sim, now, Some(pages + 2), 0)
}

/// Twelve collections whole, three by 180 days, two by 30 days, the person, the ring; dense: a heart rate every five minutes.
fn oura(now: DateTime<Utc>, is_dense: bool) -> Cloud {
    let mut sim = Oura::with_days(DAYS, now);
    sim.most_a_page = 10_000;
    let mut points = 0;
    if is_dense {
        for minutes in (5..DAYS * 1_440).step_by(5) {
            let at = now - TimeDelta::minutes(minutes);
            let source = if at.timestamp() % 86_400 < 21_600 { "sleep" } else { "awake" };
            let value = json!({"timestamp": stamp(at), "timestamp_unix": at.timestamp_millis(), "bpm": 50 + minutes % 70, "source": source});
            sim.docs.push(Doc::new("heartrate", at.naive_utc(), at, value));
            points += 1;
        }
    }
    let since = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a day").and_time(chrono::NaiveTime::MIN).and_utc();
    let windows = |days: i64| {
        let (length, step) = ((now - since).num_seconds(), days * 86_400);
        usize::try_from(length / step + i64::from(length % step > 0)).expect("a count")
    };
    Cloud::of(sim, now, Some(2 + 12 + 3 * windows(180) + 2 * windows(30)), points)
}

/// Dense: for 260 days of sixteen hours four totals a minute, and a heart rate every ten minutes.
fn withings(now: DateTime<Utc>, is_dense: bool) -> Cloud {
    let mut sim = Withings::with_days(DAYS, now);
    sim.announced = Some(1_000_000);
    sim.page = 300; // as documented for sleep
    let mut points = 0;
    if is_dense {
        let first = now.date_naive() - TimeDelta::days(260);
        sim.docs.retain(|doc| doc.resource != "intraday_activity" || doc.at.date_naive() < first);
        for hour in (0..260 * 24).filter(|hour| hour % 24 >= 8) {
            let at = first.and_time(chrono::NaiveTime::MIN) + TimeDelta::hours(hour);
            let mut entries = serde_json::Map::new();
            for minute in 0..60 {
                let mut entry = json!({"model": "ScanWatch 2", "model_id": 94, "deviceid": "9a51e8d0e7d16da9", "duration": 60,
                                       "steps": (hour + minute * 7) % 140, "elevation": 0, "calories": 1.2, "distance": 24.5});
                points += 4;
                if minute % 10 == 0 {
                    entry["heart_rate"] = json!(62 + (hour + minute) % 60);
                    points += 1;
                }
                entries.insert((at.and_utc().timestamp() + 60 * minute).to_string(), entry);
            }
            let id = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            let at =
                withings_records::Local { clock: at, place: withings_records::Place { zone: "UTC", offset: "+00:00" } };
            sim.docs.push(withings_records::Doc::new("intraday_activity", id, at, entries.into()));
        }
    }
    Cloud::of(sim, now, None, points)
}

/// Dense: half an hour by the second for the 180 newest activities that were measured.
fn strava(now: DateTime<Utc>, is_dense: bool) -> Cloud {
    const SECONDS: usize = 1_800;
    let mut sim = Strava::with_days(DAYS, now);
    sim.budget.limits = [1_000_000, 10_000_000]; // not what is measured here
    let mut points = 0;
    if is_dense {
        let measured = sim.activities.iter_mut().rev().filter_map(|activity| activity.streams.as_mut());
        for streams in measured.take(180) {
            let series = |of: &dyn Fn(usize) -> serde_json::Value| {
                let data: Vec<_> = (0..SECONDS).map(of).collect();
                json!({"data": data, "series_type": "distance", "original_size": SECONDS, "resolution": "high"})
            };
            streams["time"] = series(&|n| json!(n));
            streams["distance"] = series(&|n| json!(n * 3));
            streams["heartrate"] = series(&|n| json!(98 + n % 70));
            streams["altitude"] = series(&|n| json!(f64::from(u16::try_from(n % 500).expect("small")) / 4.0));
            streams["cadence"] = series(&|n| json!(80 + n % 9));
            streams["moving"] = series(&|n| json!(n % 60 > 0));
            points += 3 * SECONDS;
            if streams.get("watts").is_some() {
                streams["watts"] = series(&|n| json!(180 + n % 90));
                points += SECONDS;
            }
        }
    }
    Cloud::of(sim, now, None, points)
}

/// Lists to their last page, 25 to a page of sleep and exercise, 5,000 to any other. Readings in windows from the account's first day
/// on, and one question each for the time before; totals of days in the windows that are documented.
/// Dense: for 90 days a heart rate every fifteen seconds, and for sixteen hours of each steps, distance and energy by the minute.
fn google(now: DateTime<Utc>, is_dense: bool) -> Cloud {
    use crate::providers::google_health::records::{Local, of_interval, of_moment, watch};
    let mut sim = Google::with_days(DAYS, now);
    (sim.most_a_page, sim.has_empty_pages) = (5_000, false);
    let mut points = 0;
    if is_dense {
        const DENSE: [&str; 4] = ["heart_rate", "steps", "distance", "active_energy_burned"];
        let first = (now.date_naive() - TimeDelta::days(90)).and_time(chrono::NaiveTime::MIN);
        sim.points.retain(|point| !DENSE.contains(&point.resource) || point.at.naive_utc() < first);
        let at = |seconds: i64| Local { clock: first + TimeDelta::seconds(seconds), offset_s: 0 };
        for seconds in (0..90 * 86_400).step_by(15) {
            let said = json!({"beatsPerMinute": (48 + seconds / 15 % 90).to_string(), "metadata": {"motionContext": "SEDENTARY"}});
            sim.points.push(of_moment("heart_rate", at(seconds), &watch(), &said));
            points += 1;
        }
        for minute in (0..90 * 1_440).filter(|minute| minute % 1_440 >= 480) {
            let (start, end) = (at(minute * 60), at(minute * 60 + 60));
            let mut span = |resource, said| sim.points.push(of_interval(resource, start, end, &watch(), &said));
            span("steps", json!({"count": (1 + minute % 130).to_string()}));
            span("distance", json!({"millimeters": (700 * (1 + minute % 130)).to_string()}));
            span("active_energy_burned", json!({"kcal": 4.25}));
            points += 3;
        }
    }
    let begins = (now - TimeDelta::days(DAYS - 1 + 2)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let seconds = |at: DateTime<Utc>| usize::try_from((at - begins).num_seconds()).expect("later");
    let windows = |length: usize| seconds(now).div_ceil(length * 86_400);
    let mut least = 5; // identity, profile, settings, rhythm profile, devices
    let has_track = |point: &&Point| point.value["exercise"]["exerciseMetadata"]["hasGps"] == true;
    least += sim.points.iter().filter(has_track).count(); // one by one
    for of in TYPES {
        let at: Vec<_> = sim.points.iter().filter(|point| point.resource == of.name).map(|point| point.at).collect();
        let size = if ["sleep", "exercise"].contains(&of.name) { 25 } else { 5_000 };
        let is_listed = of.is_dense() && !["total_calories", "calories_in_heart_rate_zone"].contains(&of.name);
        if is_listed {
            let length = if of.name == "heart_rate" { 90 } else { 366 };
            let pages =
                |n: usize| at.iter().filter(|at| seconds(**at) / 86_400 / length == n).count().div_ceil(size).max(1);
            least += 1 + (0..windows(length)).map(pages).sum::<usize>();
        } else if !of.is_dense() {
            least += at.len().div_ceil(size).max(1);
        }
        let total = format!("{}_roll_up", of.name);
        if sim.points.iter().any(|point| point.resource == total) {
            least += windows(usize::try_from(of.most_days()).expect("days"));
        }
    }
    Cloud::of(sim, now, Some(least), points)
}
