//! Several sources of one person: refreshed at the same time into one database, none stopped by another, one honest word about all.

use std::time::Duration;

use chrono::TimeDelta;

use crate::providers::google_health::Google;
use crate::providers::oura::Oura;
use crate::providers::strava::Strava;
use crate::providers::whoop::Whoop;
use crate::providers::withings::Withings;
use crate::support::faults::{What, When};
use crate::support::net::{Gate, get};
use crate::support::oracle::differences;
use crate::support::provider::{Provider, consent};
use crate::support::rows::{count, fingerprint, value};
use crate::support::subject::Subject;
use crate::support::tokens::Grants;
use crate::support::truth::instant;
use crate::support::world::{World, introduce, now, until};

/// One person with an account at each of several providers; the world is that of the first.
struct Person {
    world: World<Whoop>,
    oura: Provider<Oura>,
    withings: Provider<Withings>,
    strava: Provider<Strava>,
    google: Provider<Google>,
}

/// As many as are connected.
const SOURCES: [&str; 5] = ["whoop", "oura", "withings", "strava", "google_health"];

impl Person {
    /// Logged in everywhere.
    fn connected() -> Self {
        let world = World::connected(Whoop::few(now()));
        let oura = log_in(&world, Oura::few(now()));
        let withings = log_in(&world, Withings::few(now()));
        let strava = log_in(&world, Strava::few(now()));
        let google = log_in(&world, Google::few(now()));
        Person { world, oura, withings, strava, google }
    }

    fn later(&self, by: Duration) {
        let at =
            instant(&self.world.home.get("HEALTH_NOW").expect("a clock")) + TimeDelta::from_std(by).expect("a time");
        self.world.set_now(at);
        self.oura.set_now(at);
        self.withings.set_now(at);
        self.strava.set_now(at);
        self.google.set_now(at);
    }

    /// The database holds what all of them hold.
    #[track_caller]
    fn assert_truth(&self) {
        let mut sql = self.world.sql();
        let mut wrong = differences::<Whoop>(&mut sql, &self.world.provider.truth());
        wrong.extend(differences::<Oura>(&mut sql, &self.oura.truth()));
        wrong.extend(differences::<Withings>(&mut sql, &self.withings.truth()));
        wrong.extend(differences::<Strava>(&mut sql, &self.strava.truth()));
        wrong.extend(differences::<Google>(&mut sql, &self.google.truth()));
        assert!(wrong.is_empty(), "{} differences: {:#?}", wrong.len(), wrong.iter().take(10).collect::<Vec<_>>());
    }
}

fn log_in<S: Subject>(world: &World<Whoop>, sim: S) -> Provider<S> {
    let (provider, _) = introduce(&world.home, sim);
    let mut auth = world.home.start_with_input(&[&["auth", S::ID, "--no-browser"], S::LOGIN].concat());
    let page = get(&consent(&auth.line()));
    assert_eq!(page.status, 200, "the callback page: {}", page.body);
    auth.wait(&world.home).expect(0);
    provider
}

/// Source and exit code of each in the report.
fn exits(report: &serde_json::Value) -> Vec<(String, i64)> {
    let of = |one: &serde_json::Value| {
        (one["source"].as_str().expect("a source").to_owned(), one["exit"].as_i64().expect("a code"))
    };
    report["sources"].as_array().expect("sources").iter().map(of).collect()
}

#[test]
fn all_connected_sources_are_refreshed_by_one_call_and_a_second_writes_nothing() {
    let person = Person::connected();
    let run = person.world.health(&["daily-refresh", "--json"]).expect(0);
    assert_eq!(exits(&run.json()), SOURCES.map(|id| (id.to_owned(), 0)));
    person.assert_truth();
    let before = fingerprint(&mut person.world.sql());
    person.world.health(&["daily-refresh"]).expect(0).says("5 of 5 sources");
    assert_eq!(before, fingerprint(&mut person.world.sql()));
    person.world.health(&["status"]).expect(0).says("nothing needs you");
}

#[test]
fn they_are_asked_at_the_same_time() {
    let person = Person::connected();
    // WHOOP answers nothing until all others have been read to their end.
    let gate = Gate::default();
    let held = person.world.fault(When::any().nth(1), What::gate(&gate));
    let running = person.world.home.start(&["daily-refresh"]);
    until(|| held.count() > 0);
    let mut sql = person.world.sql();
    for (source, resource) in
        [("oura", "heartrate"), ("withings", "measures"), ("strava", "activities"), ("google_health", "sleep")]
    {
        let covered = format!(
            "meta.coverage c join meta.source_accounts a using (user_id, account_id)
              where a.source_system = '{source}' and c.resource = '{resource}' and c.covered <> '{{}}'"
        );
        until(|| count(&mut sql, &covered) == 1);
    }
    gate.open();
    running.wait(&person.world.home).expect(0);
    person.assert_truth();
}

#[test]
fn one_that_fails_stops_no_other_and_is_not_hidden() {
    let person = Person::connected();
    let fault = person.world.fault(When::any(), What::status(503));
    let dead = person.oura.fault(When::any(), What::status(410));
    let run = person.world.health(&["daily-refresh", "--json"]).expect(3);
    fault.assert();
    dead.assert();
    let report = run.json();
    assert_eq!(
        exits(&report),
        [("whoop", 5), ("oura", 6), ("withings", 0), ("strava", 0), ("google_health", 0)]
            .map(|(id, code)| (id.to_owned(), code))
    );
    assert_eq!(report["result"]["code"], "partial");
    for id in ["withings", "strava", "google_health"] {
        assert!(
            count(
                &mut person.world.sql(),
                &format!("meta.source_accounts where source_system = '{id}' and status = 'active'")
            ) == 1
        );
    }
    let again = person.world.health(&["daily-refresh", "-q"]).expect(3);
    assert!(again.stderr.contains("3 of 5 sources"), "{}", again.report());
    assert!(again.stderr.contains("WHOOP") && again.stderr.contains("Oura"), "both are named: {}", again.report());
    // A login that ended is a matter of its own.
    person.world.provider.no_faults();
    person.oura.no_faults();
    person.strava.grants(Grants::revoke_all);
    person.later(Duration::from_hours(8));
    let run = person.world.health(&["daily-refresh"]).expect(3);
    assert!(run.next().contains("health auth strava"), "{}", run.report());
    assert_eq!(exits(&person.world.health(&["daily-refresh", "--json"]).expect(3).json())[3], ("strava".to_owned(), 4));
    let status = person.world.health(&["status"]).expect(0).says("health auth strava");
    assert!(status.stdout.contains("1 of 5 needs you"), "{}", status.report());
}

#[test]
fn where_all_fail_the_worst_counts() {
    let person = Person::connected();
    person.world.fault(When::any(), What::status(503));
    person.oura.fault(When::any(), What::status(503));
    person.withings.fault(When::any(), What::status(503));
    person.google.fault(When::any(), What::status(503));
    person.strava.grants(Grants::revoke_all);
    person.later(Duration::from_hours(8));
    person.world.health(&["daily-refresh"]).expect(4).says("0 of 5 sources");
}

#[test]
fn connect_two_refresh_forget_one_refresh_again_and_read_the_status() {
    let world = World::connected(Whoop::few(now()));
    let oura = log_in(&world, Oura::few(now()));
    world.health(&["daily-refresh"]).expect(0).says("2 of 2 sources");
    world.health(&["status"]).expect(0).says("whoop").says("oura").says("nothing needs you");
    world.health(&["auth", "oura", "--forget"]).expect(0);
    let before = count(&mut world.sql(), "oura_raw.daily_sleep");
    oura.clear_log();
    world.later(Duration::from_hours(24));
    world.provider.with(Whoop::next_day);
    world.health(&["daily-refresh"]).expect(0).says("1 of 1 sources");
    assert_eq!(oura.log().len(), 0, "who was forgotten is asked nothing");
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "oura_raw.daily_sleep"), before, "data stays");
    assert!(before > 0);
    let slept = "select max(local_date)::text from canonical.sleep_sessions where source_system = 'whoop'";
    assert_eq!(value(&mut sql, slept).as_deref(), Some("2026-11-21"));
    let status = world.health(&["status", "--json"]).expect(0).json();
    let state =
        |place: usize| (status["sources"][place]["source"].as_str(), status["sources"][place]["state"].as_str());
    assert_eq!((state(0), state(1)), ((Some("whoop"), Some("ok")), (Some("oura"), Some("login"))));
    assert_eq!(status["sources"][1]["next"], "health auth oura");
    // Connected again, it goes on where it ended.
    oura.set_now(instant(&world.home.get("HEALTH_NOW").expect("a clock")));
    let mut auth = world.home.start_with_input(&["auth", "oura", "--no-browser"]);
    assert_eq!(get(&consent(&auth.line())).status, 200);
    auth.wait(&world.home).expect(0);
    world.health(&["daily-refresh"]).expect(0).says("2 of 2 sources");
    world.health(&["status"]).expect(0).says("nothing needs you");
}
