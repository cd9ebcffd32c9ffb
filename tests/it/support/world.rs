//! One user's world: a machine, a database, and a provider that the user may be connected to.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use postgres::Client;

use super::cli::{Home, Run, Running};
use super::faults::{Fired, What, When};
use super::net::get;
use super::oracle::Oracle;
use super::pg::Database;
use super::provider::{Provider, consent};
use super::subject::Subject;
use super::truth::instant;

/// The instant at which most tests take place.
pub fn now() -> DateTime<Utc> {
    instant("2026-11-20T18:00:00Z")
}

pub struct World<S: Subject> {
    pub home: Home,
    pub db: Database,
    pub provider: Provider<S>,
    pub redirect_port: u16,
}

impl<S: Subject> World<S> {
    /// A migrated database and an app at the provider; nobody has logged in.
    pub fn new(sim: S) -> Self {
        World::on(sim, Database::migrated())
    }

    pub fn on(sim: S, db: Database) -> Self {
        let home = Home::new();
        home.set("HEALTH_DATABASE_URL", &db.url);
        let (provider, redirect_port) = introduce(&home, sim);
        let world = World { home, db, provider, redirect_port };
        world.set_now(now());
        world
    }

    /// Logged in.
    pub fn connected(sim: S) -> Self {
        let world = World::new(sim);
        world.login();
        world
    }

    /// Logged in, with everything read once.
    pub fn loaded(sim: S) -> Self {
        let world = World::connected(sim);
        world.ingest().expect(0);
        world.provider.clear_log();
        world
    }

    /// The same for a person with a few days of records. The first ingest is made once for all tests: the others begin with a
    /// copy of its database.
    pub fn loaded_few() -> Self {
        Self::copied("few", || S::few(now()))
    }

    /// The same for a person with three pages or more in each listing.
    pub fn loaded_many() -> Self {
        Self::copied("many", || S::many(now()))
    }

    fn copied(name: &'static str, sim: impl Fn() -> S) -> Self {
        let db = Database::copy_of(&format!("{}_{name}", S::ID), |db| {
            let world = World::on(sim(), db);
            world.login();
            world.ingest().expect(0);
            world.db
        });
        let world = World::on(sim(), db);
        world.login();
        world.provider.clear_log();
        world
    }

    /// The whole login, with the test as the browser.
    #[track_caller]
    pub fn login(&self) -> Run {
        let mut auth = self.start_login();
        let page = get(&consent(&auth.line()));
        assert_eq!(page.status, 200, "the callback page: {}", page.body);
        auth.wait(&self.home).expect(0)
    }

    /// Starts a login that waits for its callback; the address is its first line.
    pub fn start_login(&self) -> Running {
        self.home.start_with_input(&[&["auth", S::ID, "--no-browser"], S::LOGIN].concat())
    }

    #[track_caller]
    pub fn health(&self, args: &[&str]) -> Run {
        self.home.health(args)
    }

    #[track_caller]
    pub fn ingest(&self) -> Run {
        self.health(&["ingest", S::ID])
    }

    /// Starts an ingest and leaves it running.
    pub fn start_ingest(&self) -> Running {
        self.home.start(&["ingest", S::ID])
    }

    pub fn fault(&self, when: When, what: What) -> Fired {
        self.provider.fault(when, what)
    }

    pub fn sql(&self) -> Client {
        self.db.client()
    }

    /// Moves the clock of the program and of the provider.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.home.set("HEALTH_NOW", &now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        self.provider.set_now(now);
    }

    /// So much later: both clocks.
    pub fn later(&self, by: Duration) {
        let text = self.home.get("HEALTH_NOW").expect("a clock");
        self.set_now(instant(&text) + TimeDelta::from_std(by).expect("a duration"));
    }

    /// Long enough for the access token to have expired.
    pub fn token_expires(&self) {
        self.later(Duration::from_secs(2 * S::LIFE.unsigned_abs()));
    }

    /// Waits until a planned fault has happened.
    #[track_caller]
    pub fn until_fired(&self, fault: &Fired) {
        until(|| fault.count() > 0);
    }

    pub fn oracle(&self) -> Oracle<'_, S> {
        Oracle::new(self)
    }
}

/// Starts a provider where a person has an application, and writes down what leads the program to it.
pub fn introduce<S: Subject>(home: &Home, sim: S) -> (Provider<S>, u16) {
    let redirect_port = free_port();
    let redirect = format!("http://localhost:{redirect_port}/callback");
    let provider = Provider::start(sim, now(), &redirect);
    let prefix = S::ID.to_uppercase();
    let (id, secret) = provider.grants(|g| (g.client_id.clone(), g.client_secret.clone()));
    for (name, value) in [
        ("CLIENT_ID", id),
        ("CLIENT_SECRET", secret),
        ("REDIRECT_URI", redirect),
        ("BASE_URL", provider.base_url()),
        ("AUTHORIZE_URL", provider.authorize_url()),
        ("TOKEN_URL", provider.token_url()),
    ] {
        home.set(&format!("{prefix}_{name}"), &value);
    }
    (provider, redirect_port)
}

/// Waits for something that another process does; panics when it never does.
#[track_caller]
pub fn until(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(Instant::now() < deadline, "what was waited for did not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A port outside the range from which the kernel hands out its own, so that nobody else takes it meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = NEXT.fetch_add(1, Ordering::SeqCst) + std::process::id() * 53;
        let port = u16::try_from(10_240 + n % 20_000).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
