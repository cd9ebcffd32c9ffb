//! A renewal: lock, prepare, one request, keep the answer unread, read it, publish, use (docs/adr/11). Blocking: it
//! runs on a thread of its own with a runtime of its own, so that nobody who stops waiting for it can cut it in two.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use super::answer::{Answer, Grant, Reading};
use super::error::{StoreError, Trouble};
use super::http::{self, Credentials};
use super::record::{Death, Record};
use super::store::{Intent, Locked, Prepared, Store};
use crate::config::App;
use crate::failure::{Failure, Kind};
use crate::source::{Auth, Source};
use crate::time::Clock;

/// How long to wait for somebody else's renewal; shorter than an answer may take, so that a hang there ends here.
const WAIT: Duration = Duration::from_secs(20);

/// Refusals in a row, without a known reason, after which a person is asked.
const REFUSALS: u32 = 3;

/// What a renewal needs to know.
pub(super) struct Site {
    pub(super) source: &'static Source,
    pub(super) auth: &'static Auth,
    pub(super) app: App,
    pub(super) store: Store,
    pub(super) clock: Clock,
}

/// An access token that may be used.
#[derive(Debug)]
pub(super) struct Obtained {
    pub(super) access: SecretString,
    /// Until when, by the clock that nobody can set; none: until it is refused.
    pub(super) until: Option<Instant>,
    /// Whether this call made it.
    pub(super) new: bool,
}

impl Site {
    /// A usable access token that is not `refused`: the stored one, or a new one.
    pub(super) fn obtain(&self, refused: Option<&SecretString>) -> Result<Obtained, Trouble> {
        let record = self.store.load()?.ok_or(Trouble::NotConnected)?;
        self.check(&record)?;
        if !self.store.renewal_is_open() && self.usable(&record, refused) {
            return Ok(self.obtained(&record, false));
        }
        let locked = self.store.lock(WAIT)?;
        let (record, open) = self.settle(&locked)?;
        self.check(&record)?;
        if open.is_none() && self.usable(&record, refused) {
            return Ok(self.obtained(&record, false));
        }
        self.renew(&locked, record)
    }

    /// A dead login makes no request, and a token goes nowhere but where it came from.
    fn check(&self, record: &Record) -> Result<(), Trouble> {
        if let Some(death) = record.dead.clone() {
            return Err(match death.interrupted_at {
                Some(at) => Trouble::Interrupted { at, reason: death.reason },
                None => Trouble::Dead { since: death.at, reason: death.reason },
            });
        }
        let (token, base) = (http::site(&self.app.token_url), http::site(&self.app.base_url));
        let is_known = self.app.token_urls(None).into_iter().any(|url| record.token_site == http::site(url));
        if is_known && record.base_site == base {
            return Ok(());
        }
        let id = self.source.id.to_uppercase();
        Err(Trouble::Config {
            what: format!(
                "this login was made at {} for {}; its token is not sent to {token} or {base}",
                record.token_site, record.base_site
            ),
            next: format!(
                "remove {id}_BASE_URL and {id}_TOKEN_URL, or log in there: {} --again",
                super::auth_command(self.source, &record.account)
            ),
        })
    }

    fn usable(&self, record: &Record, refused: Option<&SecretString>) -> bool {
        record.is_fresh(self.clock.now())
            && refused.is_none_or(|refused| refused.expose_secret() != record.access.expose_secret())
    }

    fn obtained(&self, record: &Record, new: bool) -> Obtained {
        let left = record.use_left(self.clock.now()).map(|left| left.to_std().unwrap_or_default());
        Obtained { access: record.access.clone(), until: left.map(|left| Instant::now() + left), new }
    }

    /// The state after a crash: an answer that was saved is read now; a renewal without one stays open.
    fn settle(&self, locked: &Locked<'_>) -> Result<(Record, Option<Intent>), Trouble> {
        let record = locked.load()?.ok_or(Trouble::NotConnected)?;
        let Some(intent) = locked.open_renewal(&record)? else { return Ok((record, None)) };
        let saved = locked.saved_answer(&intent)?.and_then(|bytes| Answer::from_bytes(&bytes));
        let Some(answer) = saved else { return Ok((record, Some(intent))) };
        let Reading::Granted(grant) = answer.read(self.auth) else { return Ok((record, Some(intent))) };
        let record = match renewed(&record, &answer, *grant, self.auth) {
            Ok(record) => record,
            Err(trouble) => return Err(self.not_ours(locked, record, trouble)?),
        };
        locked.publish_recovered(&record)?;
        Ok((record, None))
    }

    /// Where the token that was sent still serves after its answer was lost, it is sent once more: the token that was lost is
    /// not used by anybody, and using it is what would end the old one.
    fn renew(&self, locked: &Locked<'_>, record: Record) -> Result<Obtained, Trouble> {
        match self.spend(locked, record.clone()) {
            Err(Trouble::Later { unsure: true, .. }) if self.auth.second_chance.is_some() => self.spend(locked, record),
            result => result,
        }
    }

    /// Spends the refresh token: everything that can fail does so before the one request.
    fn spend(&self, locked: &Locked<'_>, record: Record) -> Result<Obtained, Trouble> {
        let Some(refresh) = &record.refresh else { return Err(Trouble::Ended) };
        let who = self.credentials(&record)?;
        let build = |app: &App| http::refresh_request(app, self.auth, &who, refresh);
        let client = crate::http::client(&self.app.token_url).map_err(|failure| StoreError {
            kind: failure.kind,
            what: failure.error.to_string(),
            next: failure.next,
            newer: false,
        })?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| self.bug(&error))?;
        let tries = http::tries(&self.app, record.token_url.as_deref(), build).map_err(|error| self.bug(&error))?;
        let prepared = locked.prepare(&record, self.clock.now())?;
        let _held = crate::signals::hold();
        let sent = runtime.block_on(async {
            file_size_limit_is_an_error();
            http::send_to_any(&client, tries, &self.clock).await
        });
        match sent {
            Ok((answer, at)) => {
                let mut record = record;
                record.token_site = super::summary::sites(&self.app, at.as_deref()).0;
                record.token_url = at;
                self.conclude(prepared, record, &answer)
            }
            Err(error) if error.sent => Err(Trouble::Later { reason: error.what, unsure: true }),
            Err(error) => {
                prepared.nothing_happened()?;
                Err(Trouble::Later { reason: error.what, unsure: false })
            }
        }
    }

    fn bug(&self, error: &dyn std::fmt::Display) -> Trouble {
        StoreError::new(Kind::Bug, format!("a renewal at {} could not start: {error}", self.source.title)).into()
    }

    /// The application of a login.
    pub(super) fn application(&self, account: &str) -> Result<Credentials, Failure> {
        let trouble = |trouble| super::TokenError { account: account.to_owned(), trouble }.into_failure(self.source);
        let record = self.store.load()?.ok_or_else(|| trouble(Trouble::NotConnected))?;
        self.credentials(&record).map_err(trouble)
    }

    /// The configured application, else the one that was typed in at login.
    pub(super) fn credentials(&self, record: &Record) -> Result<Credentials, Trouble> {
        if let Some(id) = self.app.client_id.clone() {
            return Ok(Credentials { id, secret: self.app.client_secret.clone() });
        }
        if let Some(client) = &record.client {
            return Ok(Credentials { id: client.id.clone(), secret: client.secret.clone() });
        }
        let (what, next) = super::missing_application(self.source);
        Err(Trouble::Config { what, next })
    }

    /// What the answer makes of the login. One that may hold a token is on the disk before anybody looks into it.
    fn conclude(&self, prepared: Prepared<'_>, mut record: Record, answer: &Answer) -> Result<Obtained, Trouble> {
        let prepared = if (200..300).contains(&answer.head.status) {
            let durable = prepared.persist(answer.to_bytes().expose_secret())?;
            if let Reading::Granted(grant) = answer.read(self.auth) {
                return match renewed(&record, answer, *grant, self.auth) {
                    Ok(record) => {
                        durable.finish(&record)?;
                        Ok(self.obtained(&record, true))
                    }
                    Err(trouble) => Err(self.not_ours(durable.no_token().settled()?, record, trouble)?),
                };
            }
            durable.no_token()
        } else {
            prepared
        };
        match answer.read(self.auth) {
            Reading::Dead(reason) => self.died(prepared, record, reason),
            Reading::BadClient(reason) => {
                prepared.nothing_happened()?;
                Err(self.bad_client(&reason))
            }
            Reading::Refused(reason) => {
                record.refusals = record.refusals.saturating_add(1);
                if record.refusals >= REFUSALS {
                    return self.died(prepared, record, format!("{REFUSALS} times in a row: {reason}"));
                }
                prepared.nothing_happened()?.save(&record)?;
                Err(Trouble::Later { reason, unsure: false })
            }
            Reading::NotNow(reason) => {
                prepared.nothing_happened()?;
                Err(Trouble::Later { reason, unsure: false })
            }
            Reading::Unusable(reason) => Err(Trouble::Unusable { reason }),
            // A server error may come after the token was spent: the renewal stays open.
            Reading::Unknown(reason) => Err(Trouble::Later { reason, unsure: true }),
            Reading::Granted(_) => Err(Trouble::Later { reason: format!("HTTP {}", answer.head.status), unsure: true }),
        }
    }

    /// A renewal brought tokens of somebody else: they are not kept, and a person must log in.
    fn not_ours(&self, locked: &Locked<'_>, mut record: Record, trouble: Trouble) -> Result<Trouble, Trouble> {
        let reason = "it renewed the login as that of another person".to_owned();
        record.dead = Some(Death { at: self.clock.now(), reason, interrupted_at: None });
        locked.forget_intent()?;
        locked.save(&record)?;
        Ok(trouble)
    }

    fn bad_client(&self, reason: &str) -> Trouble {
        let id = self.source.id.to_uppercase();
        Trouble::Config {
            what: format!("{} rejected the client id or secret ({reason})", self.source.title),
            next: format!("correct {id}_CLIENT_ID and {id}_CLIENT_SECRET; the values are at {}", self.auth.console),
        }
    }

    /// Marks the login dead whose access token the provider refuses although it was renewed a moment ago; unless somebody
    /// else renewed it meanwhile. Without the mark every run would renew it once more, in vain.
    pub(super) fn refused_in_use(&self, refused: &SecretString) -> Result<(), Trouble> {
        let locked = self.store.lock(WAIT)?;
        let Some(mut record) = locked.load()? else { return Ok(()) };
        if record.access.expose_secret() == refused.expose_secret() && record.dead.is_none() {
            let reason = "it refuses an access token that it renewed a moment ago".to_owned();
            record.dead = Some(Death { at: self.clock.now(), reason, interrupted_at: None });
            locked.save(&record)?;
        }
        Ok(())
    }

    /// Marks the login dead, unless somebody else renewed it meanwhile.
    fn died(&self, prepared: Prepared<'_>, mut record: Record, reason: String) -> Result<Obtained, Trouble> {
        let spent = record.spends().to_owned();
        let interrupted_at = prepared.before.as_ref().map(|intent| intent.started_at);
        let locked = prepared.settled()?;
        if let Some(newer) = locked.load()?.filter(|newer| newer.spends() != spent && self.usable(newer, None)) {
            return Ok(self.obtained(&newer, false));
        }
        let at = self.clock.now();
        record.dead = Some(Death { at, reason: reason.clone(), interrupted_at });
        locked.save(&record)?;
        Err(match interrupted_at {
            Some(at) => Trouble::Interrupted { at, reason },
            None => Trouble::Dead { since: at, reason },
        })
    }
}

/// The record after a renewal: the old refresh token stays if none came, and so do scopes that were not named.
fn renewed(old: &Record, answer: &Answer, grant: Grant, auth: &Auth) -> Result<Record, Trouble> {
    if let (Some(before), Some(now)) = (&old.owner, &grant.owner)
        && before != now
    {
        return Err(Trouble::Unusable { reason: "it belongs to another person than this login".into() });
    }
    // A scope sent with the renewal may come back as it was sent, which narrows nothing.
    let echo = |scopes: &Vec<String>| {
        auth.refresh_params.iter().any(|(name, value)| *name == "scope" && value.split(' ').eq(scopes.iter()))
    };
    let mut record = old.clone();
    record.access = grant.access;
    record.refresh = grant.refresh.or(record.refresh);
    record.lives_seconds = grant.lives_seconds;
    if let Some(scopes) = grant.scopes.filter(|scopes| !echo(scopes)) {
        record.granted = scopes;
    }
    record.owner = grant.owner.or(record.owner);
    stamp(&mut record, answer);
    record.refusals = 0;
    record.dead = None;
    Ok(record)
}

/// When the token was made, by the provider's clock where it told.
pub(super) fn stamp(record: &mut Record, answer: &Answer) {
    let here = answer.head.received_at;
    record.minted_at = answer.head.server_date.unwrap_or(here);
    let skew: TimeDelta = here - record.minted_at;
    // A Date header counts whole seconds, and the answer took its time: less than this is no skew.
    record.skew_seconds = if skew.abs() < TimeDelta::seconds(5) { 0 } else { skew.num_seconds() };
}

/// A quota on file sizes sends a signal that would end the process between request and answer; handled, it is an
/// error of the write.
fn file_size_limit_is_an_error() {
    let number = rustix::process::Signal::XFSZ.as_raw();
    let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(number));
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
