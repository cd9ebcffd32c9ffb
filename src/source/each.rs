//! The vocabulary of resources whose records are asked for one by one, because records of other resources lead to them:
//! details, series, the parts of a whole. Types only; `extract` asks, `load` knows which are due.

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use super::Resource;

/// Which records there are to ask for.
#[derive(Clone, Copy)]
pub(crate) struct Each {
    /// The resources that lead to them, which are read before.
    pub(crate) of: &'static [&'static str],
    /// A SELECT over their raw tables: id to put in place of `{id}`, version (a text; another one than at the last reading
    /// means that it is read again), place in time (newest first). $1 person, $2 account, $3 now. Each id once. A stored
    /// record that is not among them is missing.
    pub(crate) named: &'static str,
}

/// One record to ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lacking {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) at: Option<DateTime<Utc>>,
}

/// A question of the extractor: what is to be read of `resource`, once everything that was sent before is committed.
#[derive(Debug)]
pub(crate) struct Due {
    /// Which of the loader's runs asks.
    pub(crate) run: i64,
    pub(crate) resource: &'static str,
    /// Only what lies in this time; none: without a bound.
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
    /// Also what was read in this version by an earlier run.
    pub(crate) force: bool,
    pub(crate) now: DateTime<Utc>,
    /// Not answered where the account was taken over, or the database is lost.
    pub(crate) answer: oneshot::Sender<Vec<Lacking>>,
}

impl Resource {
    /// Its records are asked for one by one, each as a whole: the record is the reply, or what stands at `records` in it.
    pub(crate) const fn each(mut self, of: &'static [&'static str], named: &'static str) -> Self {
        self.each = Some(Each { of, named });
        self.may_be_absent = true;
        self
    }
}
