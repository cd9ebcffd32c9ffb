//! Logins: consent in the browser, tokens encrypted at rest, and renewals that lose no token to a crash.
//!
//! `flow` takes a person through a login, `callback` receives the browser, `store` keeps one encrypted record per source
//! and account, `refresh` renews. What leaves this module is an access token to put on a request, a summary without
//! secrets, or an error that says what to do. It knows no database and no resource of a source.

mod answer;
mod browser;
mod callback;
mod disk;
mod error;
mod flow;
mod http;
mod lock;
mod port;
mod record;
mod refresh;
mod revoke;
mod signed;
mod store;
mod summary;
mod vault;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::config::{App, Config};
use crate::failure::{Failure, Kind};
use crate::source::{Auth, Source};

pub(crate) use browser::open_browser;
pub(crate) use error::{StoreError, TokenError, Trouble};
pub(crate) use flow::{Connected, Consent, Ended, Request, connect, redirect};
pub(crate) use http::Credentials;
pub(crate) use revoke::{Revoked, forget, revoke};
pub(crate) use summary::{LoginSummary, State, list};

use refresh::Site;
use store::Store;

/// The account of a source where nobody named one.
pub(crate) const DEFAULT_ACCOUNT: &str = "default";

/// An access token refused this soon after it was renewed is not renewed again: the trouble lies elsewhere.
const JUST_RENEWED: Duration = Duration::from_mins(1);

/// A token to put on a request, and nothing else to do with.
#[derive(Clone)]
pub(crate) struct AccessToken(SecretString);

impl AccessToken {
    /// The bearer itself, for the header of a request and nothing else.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn is(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken(***)")
    }
}

/// One login at one source, shared by all tasks of a run.
#[derive(Clone)]
pub(crate) struct Login {
    account: String,
    site: Arc<Site>,
    held: Arc<Mutex<Held>>,
}

/// What this process knows beyond the store.
#[derive(Debug, Default)]
struct Held {
    token: Option<(AccessToken, Option<Instant>)>,
    /// When this run renewed it, and whether that was because the one before was refused.
    renewed: Option<(Instant, bool)>,
    /// A renewal is tried once a run.
    failed: Option<Trouble>,
}

impl Held {
    /// Whether a refusal of the token that is held has another reason than the token: it was renewed a moment ago, or because
    /// its forerunner was refused. What one resource is refused for all the time must not cost a renewal for each that it
    /// happens to; a token that ends by itself is renewed in any case.
    fn renewing_is_vain(&self, now: Instant) -> bool {
        self.renewed.is_some_and(|(at, refused)| refused || now.duration_since(at) < JUST_RENEWED)
    }
}

impl Login {
    /// The login of `account` at `source`; none when nobody logged in.
    ///
    /// # Errors
    /// A token store that cannot be read, with what to do; a source without a login.
    pub(crate) fn open(config: &Config, source: &'static Source, account: &str) -> Result<Option<Self>, Failure> {
        keep_memory_private();
        let site = site(config, source, account)?;
        if site.store.load()?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { account: account.to_owned(), site: Arc::new(site), held: Arc::default() }))
    }

    /// A token that should be good for the next request: renewed when it has ended or is about to.
    pub(crate) async fn access_token(&self) -> Result<AccessToken, TokenError> {
        self.obtain(None).await
    }

    /// After the provider refused `refused`: the newer token that somebody else stored, or one renewal.
    pub(crate) async fn renew(&self, refused: &AccessToken) -> Result<AccessToken, TokenError> {
        self.obtain(Some(refused)).await
    }

    /// Remembers that `refused`, which was renewed a moment ago, opens nothing: only a person can mend that.
    pub(crate) fn refused_in_use(&self, refused: &AccessToken) -> Result<(), TokenError> {
        self.site.refused_in_use(&refused.0).map_err(|trouble| self.error(trouble))
    }

    async fn obtain(&self, refused: Option<&AccessToken>) -> Result<AccessToken, TokenError> {
        let mut held = self.held.lock().await;
        if let Some((token, until)) = &held.token {
            let accepted = refused.is_none_or(|refused| !token.is(refused));
            let current = until.is_none_or(|until| Instant::now() < until);
            if accepted && current {
                return Ok(token.clone());
            }
            if !accepted && current && held.renewing_is_vain(Instant::now()) {
                return Err(self.error(Trouble::StillRefused));
            }
        }
        if let Some(trouble) = &held.failed {
            return Err(self.error(trouble.clone()));
        }
        let is_refused = refused.is_some();
        let (site, refused) = (self.site.clone(), refused.map(|token| token.0.clone()));
        // A thread of its own, which the runtime waits for even when nobody waits for us any more.
        let result = tokio::task::spawn_blocking(move || site.obtain(refused.as_ref())).await;
        let obtained = result.unwrap_or_else(|_| {
            Err(StoreError::new(Kind::Bug, "the renewal of a login broke off (this is our fault)").into())
        });
        match obtained {
            Ok(obtained) => {
                let token = AccessToken(obtained.access);
                held.token = Some((token.clone(), obtained.until));
                held.renewed = obtained.new.then(|| (Instant::now(), is_refused));
                Ok(token)
            }
            Err(trouble) => {
                held.failed = Some(trouble.clone());
                Err(self.error(trouble))
            }
        }
    }

    fn error(&self, trouble: Trouble) -> TokenError {
        TokenError { account: self.account.clone(), trouble }
    }

    /// The provider's id of the person, where a token answer named it.
    pub(crate) fn owner(&self) -> Option<String> {
        self.site.store.load().ok().flatten().and_then(|record| record.owner)
    }

    /// The command that logs in anew.
    pub(crate) fn command(&self) -> String {
        auth_command(self.site.source, &self.account)
    }

    /// The scopes that were granted, as far as is known.
    pub(crate) fn granted(&self) -> Vec<String> {
        self.summary().granted
    }

    /// Its state, from the store alone.
    pub(crate) fn summary(&self) -> LoginSummary {
        summary::of(&self.site.store, self.site.source, self.site.auth, &self.account, &self.site.clock)
    }
}

/// The accounts of `source` that have a login, readable or not.
pub(crate) fn accounts(config: &Config, source: &Source) -> Result<Vec<String>, Failure> {
    let known = Store::known(&config.dirs)?.into_iter();
    Ok(known.filter(|(id, _)| id == source.id).map(|(_, account)| account).collect())
}

/// No core dump, and no other program of the same user that looks into this one: from here on it holds tokens.
fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

fn site(config: &Config, source: &'static Source, account: &str) -> Result<Site, Failure> {
    Ok(Site {
        source,
        auth: auth_of(source)?,
        app: config.app(source)?,
        store: Store::new(&config.dirs, source.id, account)?,
        clock: config.clock.clone(),
    })
}

/// Whether this machine keeps a login, readable or not.
pub(crate) fn is_kept(config: &Config, source: &'static Source, account: &str) -> Result<bool, Failure> {
    Ok(site(config, source, account)?.store.exists())
}

/// The file that a login is kept in, or would be.
pub(crate) fn kept_in(config: &Config, source: &'static Source, account: &str) -> Result<PathBuf, Failure> {
    Ok(site(config, source, account)?.store.path())
}

fn auth_of(source: &'static Source) -> Result<&'static Auth, Failure> {
    source.api.as_ref().map(|api| &api.auth).ok_or_else(|| {
        Failure::new(Kind::Usage, format!("{} has no interface to log in to; it is loaded from files", source.title))
            .next(format!("health ingest {} FILE", source.command_name()))
    })
}

/// The command that logs in.
pub(crate) fn auth_command(source: &Source, account: &str) -> String {
    let account = if account == DEFAULT_ACCOUNT { String::new() } else { format!(" --account {account}") };
    format!("health auth {}{account}", source.command_name())
}

/// What to say when no application is configured: what is missing, and where it comes from.
pub(crate) fn missing_application(source: &Source) -> (String, String) {
    let id = source.id.to_uppercase();
    let console = source.api.as_ref().map_or("", |api| api.auth.console);
    (
        format!("{} needs an application of your own: {id}_CLIENT_ID and {id}_CLIENT_SECRET are not set", source.title),
        format!(
            "create one at {console}, then set {id}_CLIENT_ID and {id}_CLIENT_SECRET in .env or in the environment"
        ),
    )
}

/// The application as configured, or what is missing.
pub(crate) fn configured(app: &App) -> Option<Credentials> {
    app.client_id.clone().map(|id| Credentials { id, secret: app.client_secret.clone() })
}

/// The application that was typed in at the last login.
pub(crate) fn kept_application(config: &Config, source: &'static Source, account: &str) -> Option<Credentials> {
    let record = Store::new(&config.dirs, source.id, account).ok()?.load().ok()??;
    record.client.map(|client| Credentials { id: client.id, secret: client.secret })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_for_a_refusal_once() {
        let at = Instant::now();
        let of = |renewed| Held { renewed, ..Held::default() };
        let (soon, late) = (at + Duration::from_secs(5), at + Duration::from_hours(3));
        assert!(!of(None).renewing_is_vain(at), "it was there before this run");
        assert!(of(Some((at, false))).renewing_is_vain(soon), "it had ended, and the new one is refused at once");
        assert!(!of(Some((at, false))).renewing_is_vain(late), "it has served since");
        assert!(of(Some((at, true))).renewing_is_vain(soon) && of(Some((at, true))).renewing_is_vain(late));
    }
}
