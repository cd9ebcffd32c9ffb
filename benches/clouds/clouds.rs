//! The sources under measurement, each with ten years of one person. Another source is another line in `all`.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use crate::providers::google_health::Google;
use crate::providers::oura::{Doc, Oura};
use crate::providers::strava::Strava;
use crate::providers::whoop::Whoop;
use crate::providers::withings::Withings;
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

/// All of them, as far as they are wanted; none named: all.
pub(crate) fn all(only: &[&str], now: DateTime<Utc>) -> Vec<Cloud> {
    type Make = fn(DateTime<Utc>) -> Cloud;
    let known: [(&str, Make); 5] = [
        ("whoop", whoop),
        ("oura", |now| oura(now, false)),
        ("withings", |now| Cloud::of(Withings::with_days(DAYS, now), now, None, 0)),
        ("strava", |now| {
            let mut strava = Strava::with_days(DAYS, now);
            strava.budget.limits = [1_000_000, 10_000_000]; // not what is measured here
            Cloud::of(strava, now, None, 0)
        }),
        ("google_health", |now| Cloud::of(Google::with_days(DAYS, now), now, None, 0)),
    ];
    known.into_iter().filter(|(id, _)| only.is_empty() || only.contains(id)).map(|(_, make)| make(now)).collect()
}

/// Those whose series come by the thousand, with them.
pub(crate) fn dense(only: &[&str], now: DateTime<Utc>) -> Vec<Cloud> {
    if only.is_empty() || only.contains(&"oura") { vec![oura(now, true)] } else { vec![] }
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
