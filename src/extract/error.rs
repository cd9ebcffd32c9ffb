//! Why a resource could not be read to its end, and how far that reaches.

use chrono::{DateTime, Utc};

use crate::failure::{Failure, Kind};
use crate::run::Connection;

/// What else a failure touches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// The other resources go on, and one that failed beside others that did not makes the run partial.
    Resource,
    /// The others go on, but the run's outcome is this one: a safety fuse, an answer that is not what it claims to be.
    Run,
    /// No resource of this account can go on.
    Account,
}

/// The end of a resource before its last page.
#[derive(Debug)]
pub(crate) struct ExtractError {
    pub(crate) failure: Failure,
    pub(crate) reach: Reach,
    /// No request before this instant, also in later runs.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// What the connection is from now on, where the failure says so.
    pub(crate) connection: Option<Connection>,
    /// The signal, where a person or the system asked to stop.
    pub(crate) signal: Option<u8>,
    /// Whether it only follows from the loader's own failure, which is the one to report.
    pub(crate) loader_gone: bool,
}

impl ExtractError {
    pub(crate) fn new(reach: Reach, failure: Failure) -> Self {
        Self { failure, reach, not_before: None, connection: None, signal: None, loader_gone: false }
    }

    pub(crate) fn resource(kind: Kind, what: impl Into<String>) -> Self {
        Self::new(Reach::Resource, Failure::new(kind, what.into()))
    }

    /// The provider's answer cannot be trusted.
    pub(crate) fn distrust(what: impl Into<String>) -> Self {
        Self::new(Reach::Run, Failure::new(Kind::Refused, what.into()))
    }

    pub(crate) fn account(kind: Kind, what: impl Into<String>) -> Self {
        Self::new(Reach::Account, Failure::new(kind, what.into()))
    }

    pub(crate) fn stopped(signal: u8) -> Self {
        if signal == crate::signals::Stop::TIME {
            return Self::resource(Kind::Partial, "the time budget is over")
                .next("the next run goes on where this one stopped");
        }
        let failure = Failure { kept: None, ..crate::signals::stopped() }; // what is kept of the run is said with its counts
        Self { signal: Some(signal), ..Self::new(Reach::Account, failure) }
    }

    pub(crate) fn loader_gone() -> Self {
        Self { loader_gone: true, ..Self::account(Kind::Database, "the loader has ended") }
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.failure = self.failure.next(next);
        self
    }
}
