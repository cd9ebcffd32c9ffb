//! The state of a login as it may be shown: no network, no secret.

use chrono::{DateTime, Utc};

use super::error::StoreError;
use super::http;
use super::record::Record;
use super::store::Store;
use crate::config::Config;
use crate::failure::Failure;
use crate::source::{Auth, Source};
use crate::time::Clock;

/// How a login is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ok,
    /// Works, and will end soon or needs a look.
    Late,
    /// A person must log in.
    Login,
    /// The store cannot be read.
    Stop,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Login => "login",
            Self::Stop => "stop",
        }
    }
}

/// What may be known of a login by anybody who reads over a shoulder.
#[derive(Clone)]
pub(crate) struct LoginSummary {
    pub(crate) source: &'static Source,
    pub(crate) account: String,
    pub(crate) state: State,
    pub(crate) asked: Vec<String>,
    pub(crate) granted: Vec<String>,
    /// By this machine's clock.
    pub(crate) access_expires_at: Option<DateTime<Utc>>,
    /// Whether the login is renewed without a person.
    pub(crate) renewable: bool,
    pub(crate) connected_at: Option<DateTime<Utc>>,
    /// When the provider refused the login for good, and its words, cleaned.
    pub(crate) dead: Option<(DateTime<Utc>, String)>,
    /// A renewal was begun and not ended.
    pub(crate) renewal_open: bool,
    /// Four hex digits that differ for different tokens and say nothing about them.
    pub(crate) fingerprint: Option<String>,
    /// Why the store cannot be read.
    pub(crate) problem: Option<StoreError>,
}

impl LoginSummary {
    /// The scopes that were asked for and not granted.
    pub(crate) fn missing(&self) -> Vec<&str> {
        self.asked.iter().filter(|scope| !self.granted.contains(scope)).map(String::as_str).collect()
    }

    /// How many of the scopes asked for were granted.
    pub(crate) fn granted_count(&self) -> usize {
        self.asked.len() - self.missing().len()
    }
}

/// The state of one account's login.
pub(super) fn of(store: &Store, source: &'static Source, auth: &Auth, account: &str, clock: &Clock) -> LoginSummary {
    let mut summary = LoginSummary {
        source,
        account: account.to_owned(),
        state: State::Login,
        asked: auth.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        granted: Vec::new(),
        access_expires_at: None,
        renewable: false,
        connected_at: None,
        dead: None,
        renewal_open: false,
        fingerprint: None,
        problem: None,
    };
    match store.load() {
        Ok(None) => {}
        Ok(Some(record)) => {
            summary.renewal_open = store.renewal_is_open_from(&record);
            summary.fingerprint = store.shown_fingerprint(&record);
            fill(&mut summary, record, clock.now());
        }
        Err(error) => {
            summary.state = State::Stop;
            summary.problem = Some(error);
        }
    }
    summary
}

fn fill(summary: &mut LoginSummary, record: Record, now: DateTime<Utc>) {
    summary.state = match (&record.dead, &record.refresh) {
        (Some(_), _) => State::Login,
        (None, None) if !record.is_fresh(now) => State::Login,
        (None, None) if record.lives_seconds.is_some() => State::Late,
        (None, Some(_)) if record.refusals > 0 => State::Late,
        _ => State::Ok,
    };
    summary.access_expires_at =
        record.ends_at().and_then(|end| end.checked_add_signed(chrono::TimeDelta::try_seconds(record.skew_seconds)?));
    summary.renewable = record.refresh.is_some();
    summary.connected_at = Some(record.connected_at);
    summary.dead = record.dead.map(|death| (death.at, death.reason));
    summary.asked = record.asked;
    summary.granted = record.granted;
}

/// Every login in the store, by source and account.
pub(crate) fn list(config: &Config) -> Result<Vec<LoginSummary>, Failure> {
    let mut all = Vec::new();
    for (id, account) in Store::known(&config.dirs)? {
        let found = crate::sources::ALL.iter().copied().find(|source| source.id == id);
        let Some((source, api)) = found.and_then(|source| Some((source, source.api.as_ref()?))) else { continue };
        let Ok(store) = Store::new(&config.dirs, source.id, &account) else { continue };
        all.push(of(&store, source, &api.auth, &account, &config.clock));
    }
    Ok(all)
}

/// What a record needs to be bound to: the sites of `app`, whose endpoint `token_url` gave the tokens.
pub(super) fn sites(app: &crate::config::App, token_url: Option<&str>) -> (String, String) {
    let token = app.token_urls(token_url);
    (http::site(token.first().unwrap_or(&&app.token_url)), http::site(&app.base_url))
}
