//! What can go wrong with the token store and with a login, and how a person reads it (docs/exit-codes.md).

use chrono::{DateTime, Utc};

use crate::failure::{Failure, Kind};
use crate::source::Source;

/// A failure of the token store: local files, locks, the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct StoreError {
    pub(super) kind: Kind,
    pub(super) what: String,
    pub(super) next: Option<String>,
    /// The file is of a later form than this program knows: nobody may replace it.
    pub(super) newer: bool,
}

impl StoreError {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), next: None, newer: false }
    }

    pub(super) fn local(what: impl Into<String>) -> Self {
        Self::new(Kind::Local, what)
    }

    pub(super) fn newer(mut self) -> Self {
        self.newer = true;
        self
    }

    /// What a person can do about it.
    pub(crate) fn way_out(&self) -> Option<&str> {
        self.next.as_deref()
    }

    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::new(error.kind, error.what).kept("all data; no login was changed");
        match error.next {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}

/// Why there is no access token, and for which account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no access token for account {account}: {trouble:?}")]
pub(crate) struct TokenError {
    pub(crate) account: String,
    pub(crate) trouble: Trouble,
}

/// Provider texts in here are clean; no token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody logged in, or the login was forgotten.
    NotConnected,
    /// The provider refused the refresh token for good; no request is made any more.
    Dead {
        since: DateTime<Utc>,
        reason: String,
    },
    /// A renewal was cut off, and the old token is refused now: the new one was lost on the way.
    Interrupted {
        at: DateTime<Utc>,
        reason: String,
    },
    /// The access token is over and there is no refresh token to renew it with.
    Ended,
    /// The provider refuses an access token that it gave a moment ago.
    StillRefused,
    /// Transient. `unsure`: the request was sent, so that the provider may have renewed.
    Later {
        reason: String,
        unsure: bool,
    },
    /// The provider does not know the client id or secret, or a setting is missing.
    Config {
        what: String,
        next: String,
    },
    /// The provider gave a token that cannot be used.
    Unusable {
        reason: String,
    },
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl TokenError {
    /// Whether the provider refuses what it renewed a moment ago.
    pub(crate) fn is_still_refused(&self) -> bool {
        self.trouble == Trouble::StillRefused
    }

    /// The three lines for a person.
    pub(crate) fn into_failure(self, source: &Source) -> Failure {
        let title = source.title;
        let login = super::auth_command(source, &self.account);
        let minute = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC");
        let kept = "all data; nothing was lost";
        match self.trouble {
            Trouble::NotConnected => Failure::new(Kind::Login, format!("{title} is not connected")).next(login),
            Trouble::Dead { since, reason } => Failure::new(
                Kind::Login,
                format!(
                    "{title} refused the login on {} ({reason}): revoked, or renewed by another machine",
                    minute(since)
                ),
            )
            .kept(kept)
            .next(login),
            Trouble::Interrupted { at, reason } => Failure::new(
                Kind::Login,
                format!(
                    "a renewal was interrupted at {}, {title} no longer knows the old token ({reason})",
                    minute(at)
                ),
            )
            .kept(kept)
            .next(login),
            Trouble::Ended => Failure::new(Kind::Login, format!("the login at {title} is over and cannot be renewed"))
                .kept(kept)
                .next(login),
            Trouble::StillRefused => {
                Failure::new(Kind::Login, format!("{title} refuses an access token that it renewed a moment ago"))
                    .kept(kept)
                    .next(format!("{login} --again"))
            }
            Trouble::Later { reason, unsure: true } => Failure::new(
                Kind::Later,
                format!("{title} did not answer the renewal ({reason}); the token may or may not have changed"),
            )
            .kept("all data, both token states")
            .next("nothing to do; the next run checks the token before it uses it"),
            Trouble::Later { reason, unsure: false } => {
                Failure::new(Kind::Later, format!("the login at {title} was not renewed: {reason}"))
                    .kept("all data and the login")
                    .next("nothing to do; the next run tries again")
            }
            Trouble::Config { what, next } => {
                Failure::new(Kind::Config, what).kept("all data and the login").next(next)
            }
            Trouble::Unusable { reason } => {
                Failure::new(Kind::Refused, format!("{title} sent a token that cannot be used: {reason}"))
                    .kept(kept)
                    .next(format!("{login} --again"))
            }
            Trouble::Store(error) => error.into(),
        }
    }
}
