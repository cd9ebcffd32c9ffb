//! The vocabulary in which a source is described: a static value that names its resources, its login and its models.
//! Only types and `const` setters live here; the loops that read them are in `extract`, `load` and `transform`.
//! Rules that keep it small: `docs/ARCHITECTURE.md`.

mod answer;
mod auth;
mod beside;
mod bulk;
mod each;
mod files;
mod notice;
mod resource;
mod row;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

pub(crate) use answer::{Reply, Verdict, by_status};
pub(crate) use auth::{Auth, Revoke, short_scope};
pub(crate) use beside::{Beside, Held, HeldFile, SideFile};
pub(crate) use bulk::{Bucket, Bulk, Sample, Want};
pub(crate) use each::{Due, Each, Lacking};
pub(crate) use files::{About, Dictionary, Files, Reading, Recognised, Sink, Stage, TypedTable, Unreadable};
pub(crate) use notice::{Announced, day};
pub(crate) use notice::{Nearness, Notice};
pub(crate) use resource::{Early, Holds, Paging, Provisional, Resource, Stamp, Window};
pub(crate) use row::Row;

/// One place health data comes from.
pub(crate) struct Source {
    /// Folder, `<id>_raw` schema, `source_system` and environment prefix; underscores, lower case.
    pub(crate) id: &'static str,
    /// Other names a person may type, wherever a source is named but in variables of the environment.
    pub(crate) aliases: &'static [Alias],
    /// As its maker writes it.
    pub(crate) title: &'static str,
    /// What comes in, in a few words, for lists.
    pub(crate) brings: &'static str,
    /// What a person must have, in a few words, for lists.
    pub(crate) needs: &'static str,
    pub(crate) api: Option<Api>,
    pub(crate) files: Option<Files>,
    pub(crate) models: &'static [Model],
    /// Canonical views that show its raw records where they are.
    pub(crate) shown: &'static [&'static str],
    /// Reference data that its views and models follow: a change makes all of its models run again.
    pub(crate) references: &'static [&'static crate::reference::Reference],
    /// What is announced of it: shown from 90 days ahead.
    pub(crate) notices: &'static [Notice],
}

impl Source {
    /// The id as it is written on the command line.
    pub(crate) fn command_name(&self) -> String {
        self.id.replace('_', "-")
    }

    /// The schema of its raw tables.
    pub(crate) fn raw_schema(&self) -> String {
        format!("{}_raw", self.id)
    }
}

/// Another name of a source.
pub(crate) struct Alias {
    /// With underscores, lower case.
    pub(crate) name: &'static str,
    /// What a person is told who logs in by it, in three lines at most.
    pub(crate) says: &'static [&'static str],
}

/// A source that has ended and that nothing can be fetched from: what a person is told who names it.
pub(crate) struct Retired {
    /// With underscores, lower case.
    pub(crate) id: &'static str,
    /// As its maker writes it.
    pub(crate) title: &'static str,
    /// What became of it.
    pub(crate) what: &'static str,
    /// Where its data are.
    pub(crate) kept: &'static str,
    /// What to do instead.
    pub(crate) next: &'static str,
    /// The day of it, for lists of sources: nobody has it among their own any more.
    pub(crate) notice: Notice,
}

/// The way in over a provider's interface.
pub(crate) struct Api {
    pub(crate) base_url: &'static str,
    pub(crate) auth: Auth,
    pub(crate) limits: Limits,
    /// What an answer means; [`by_status`] unless the provider is odd.
    pub(crate) verdict: fn(&Reply) -> Verdict,
    /// JSON pointer, in any record, to the provider's id of the person it belongs to; empty where records do not say, see
    /// [`Resource::owner`].
    pub(crate) owner: &'static str,
    /// What a person must accept before the first login, a sentence each; none: nothing.
    pub(crate) terms: &'static [&'static str],
    pub(crate) resources: &'static [Resource],
}

/// The documented request budget, from which the limiter starts; announced limits replace it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) requests: u32,
    pub(crate) per: Duration,
    /// A longer wait than this ends the run with outcome 5 and is remembered.
    pub(crate) max_wait: Duration,
    /// Budgets beside that one in windows that begin at fixed times.
    pub(crate) quotas: &'static [Quota],
}

impl Limits {
    /// As a person reads it: "100 requests in 60 s"; the tightest of what there is for each length of time.
    pub(crate) fn shown(&self) -> String {
        let mut all: Vec<(Duration, u32)> = self.quotas.iter().map(|quota| (quota.per, quota.requests)).collect();
        if all.is_empty() {
            all.push((self.per, self.requests));
        }
        all.sort_unstable();
        all.dedup_by_key(|(per, _)| *per);
        let parts: Vec<String> =
            all.iter().map(|(per, requests)| format!("{requests} requests in {} s", per.as_secs())).collect();
        parts.join(", ")
    }
}

/// A budget in windows that begin at fixed times, counted from midnight UTC, for all that an application asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    /// As documented; what answers announce replaces it.
    pub(crate) requests: u32,
    pub(crate) per: Duration,
    /// The headers that announce the limit and what of it is used, numbers between commas, in lower case.
    pub(crate) limit: &'static str,
    pub(crate) usage: &'static str,
    /// Which of those numbers is this one's.
    pub(crate) place: usize,
}

/// One stretch of time of one resource, `from` inclusive, `to` exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slice {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

/// Where the next page is: a token or an address, as the provider gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PageToken(pub(crate) String);

/// A request to make: a path below the base address with parameters or a body, or a whole address to be checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Get {
        path: String,
        query: Vec<(String, String)>,
    },
    /// A POST with these fields as its body.
    Form {
        path: String,
        fields: Vec<(String, String)>,
    },
    /// A question too large for an address: it reads, and may be repeated like a GET.
    Json {
        path: String,
        body: serde_json::Value,
    },
    Follow {
        link: String,
    },
}

/// A record as it was received, on its way to a raw table.
#[derive(Clone, Debug)]
pub(crate) struct RawRecord {
    /// The provider's id as text; for a snapshot none.
    pub(crate) source_id: Option<String>,
    /// The record's place in its resource's time.
    pub(crate) record_at: Option<DateTime<Utc>>,
    pub(crate) payload: Box<RawValue>,
}

/// A record that could not be used (docs/adr/24).
#[derive(Clone, Debug)]
pub(crate) struct Rejected {
    /// Where it was: `{"page": 3, "index": 7}`.
    pub(crate) locator: serde_json::Value,
    /// Our rule, or a SQLSTATE.
    pub(crate) code: &'static str,
    /// Field and rule, never the value.
    pub(crate) detail: String,
    /// The provider's id, where it could be read: the record is there, although it cannot be used.
    pub(crate) source_id: Option<String>,
    pub(crate) payload: Vec<u8>,
}

/// What the loader commits at once: the records of one page.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Which of the loader's runs it belongs to, and with it the account.
    pub(crate) run: i64,
    /// The raw table.
    pub(crate) resource: &'static str,
    pub(crate) records: Vec<RawRecord>,
    pub(crate) rejected: Vec<Rejected>,
    /// They are listed because they came or changed since, so that what they lead must be read there once more.
    pub(crate) is_change: bool,
    /// The slice these records come from; none for a snapshot, and for what is listed as changed.
    pub(crate) slice: Option<Slice>,
    /// Where the next page of the open slice is; none on its last page.
    pub(crate) next_page: Option<PageToken>,
    /// Set on the last batch of a slice, with what a closed slice proves.
    pub(crate) closes: Option<Closing>,
    /// The provider's id of the person, once a record has told it.
    pub(crate) owner: Option<String>,
    /// The record that was asked for, where they are read one by one; there need be none.
    pub(crate) single: Option<Lacking>,
}

/// What goes from the extractor to the loader, in this order.
#[derive(Debug)]
pub(crate) enum Message {
    Batch(Box<Batch>),
    Due(Due),
}

/// What the last page of a slice says about all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    /// What was listed begins here: the slice's start, or later where the provider may have cut the window.
    pub(crate) covered_from: DateTime<Utc>,
    /// The part of the slice that is read next, if the window may have been cut.
    pub(crate) rest: Option<Slice>,
    /// Coverage may grow to here: the slice's end, held back by the provider's clock.
    pub(crate) covered_to: DateTime<Utc>,
    /// Provisional records after this instant hold it back further; older ones will not be finished any more.
    pub(crate) provisional_after: DateTime<Utc>,
    /// Whether every page was read in this run and every record had a key, so that what is missing is known to be.
    pub(crate) complete: bool,
}

/// A SELECT over `changed` whose columns are columns of a canonical table.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    /// The raw table behind `changed`: `raw_table` of its rows.
    pub(crate) reads: &'static str,
    /// Other raw tables it names; a change there makes `changed` the whole account.
    pub(crate) joins: &'static [&'static str],
    pub(crate) into: crate::canonical::Table,
    pub(crate) select: &'static str,
    /// From so many changed rows on, joins are by hash or order: the planner cannot know how many rows a model makes of
    /// what changed, expects a handful and compares each with each, which takes minutes for ten thousand. Then
    /// they are also worth the memory that keeps them from going through files.
    pub(crate) many: i64,
    /// Its records make thousands of parts each, so that one statement reads only as many as its memory is meant for.
    pub(crate) in_pieces: bool,
    /// Whether it dates records by where the person was (`meta.zone_ranges`): it starts again when that changes.
    pub(crate) zoned: bool,
}

impl Model {
    pub(crate) const fn new(
        name: &'static str,
        reads: &'static str,
        joins: &'static [&'static str],
        into: crate::canonical::Table,
        select: &'static str,
    ) -> Self {
        Self { name, reads, joins, into, select, many: 100, in_pieces: false, zoned: false }
    }

    pub(crate) const fn zoned(mut self) -> Self {
        self.zoned = true;
        self
    }

    pub(crate) const fn in_pieces(mut self) -> Self {
        self.in_pieces = true;
        self.many = 10;
        self
    }
}
