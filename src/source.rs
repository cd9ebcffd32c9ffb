//! The vocabulary in which a source is described: a static value that names its resources, its login and its models.
//! Only types and `const` setters live here; the loops that read them are in `extract`, `load` and `transform`.
//! Rules that keep it small: `docs/ARCHITECTURE.md`.

mod beside;
mod bulk;
mod each;
mod files;
mod notice;
mod row;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

pub(crate) use beside::{Beside, Held, HeldFile, SideFile};
pub(crate) use bulk::{Bucket, Bulk, Sample, Want};
pub(crate) use each::{Due, Each, Lacking};
pub(crate) use files::{About, Dictionary, Files, Reading, Recognised, Sink, Stage, TypedTable, Unreadable};
#[allow(unused_imports, reason = "for sources of which something is announced")]
pub(crate) use notice::{Announced, day};
pub(crate) use notice::{Nearness, Notice};
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
    /// What became of it.
    pub(crate) what: &'static str,
    /// Where its data are.
    pub(crate) kept: &'static str,
    /// What to do instead.
    pub(crate) next: &'static str,
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

/// How a person logs in (RFC 6749 words).
pub(crate) struct Auth {
    pub(crate) authorize_url: &'static str,
    pub(crate) token_url: &'static str,
    /// Where it depends on the application which of several endpoints knows it: all of them, by the words that a person may
    /// set (`auto`: all). The one that worked last is asked first, each other one once when that refuses.
    pub(crate) token_endpoints: &'static [(&'static str, &'static str)],
    /// The name of this machine in the redirect address: `127.0.0.1`, or `localhost` where the provider takes only that.
    pub(crate) redirect_host: &'static str,
    pub(crate) scopes: &'static [&'static str],
    /// What stands between scopes in the address of the consent page: RFC 6749 says a blank.
    pub(crate) scope_separator: &'static str,
    /// The scope without which no refresh token comes, if the provider has one.
    pub(crate) offline_scope: Option<&'static str>,
    /// Whether the provider knows PKCE (RFC 7636); `state` is always sent.
    pub(crate) pkce: bool,
    /// Whether a refresh gives a new refresh token and kills the old one.
    pub(crate) rotates: bool,
    /// Sent with every call to the token endpoint.
    pub(crate) token_params: &'static [(&'static str, &'static str)],
    /// JSON pointer to the tokens in a token answer; empty: it is all of it. Elsewhere they lie in an envelope, whose `status`
    /// is 0 when the call worked, whatever HTTP says.
    pub(crate) token_at: &'static str,
    /// Sent with the person to the consent page, beside what every provider is sent: Google wants `access_type=offline`.
    pub(crate) authorize_params: &'static [(&'static str, &'static str)],
    /// Sent with a refresh beside the token: WHOOP wants `scope=offline`.
    pub(crate) refresh_params: &'static [(&'static str, &'static str)],
    /// `error` words of a token endpoint that mean the login is dead for good.
    pub(crate) dead_errors: &'static [&'static str],
    /// The same for the `status` of an envelope.
    pub(crate) dead_statuses: &'static [i64],
    /// How long the refresh token that was sent still works when the answer is lost; none: it is spent.
    pub(crate) second_chance: Option<Duration>,
    pub(crate) revoke: Revoke,
    /// Where a person creates an own application.
    pub(crate) console: &'static str,
    /// Things to know before the browser opens, a sentence each.
    pub(crate) notes: &'static [&'static str],
}

impl Auth {
    /// What most providers have in common: a source names what is its own.
    pub(crate) const USUAL: Self = Self {
        authorize_url: "",
        token_url: "",
        token_endpoints: &[],
        redirect_host: "127.0.0.1",
        scopes: &[],
        scope_separator: " ",
        offline_scope: None,
        pkce: false,
        rotates: true,
        token_params: &[],
        token_at: "",
        authorize_params: &[],
        refresh_params: &[],
        dead_errors: &["invalid_grant"],
        dead_statuses: &[],
        second_chance: None,
        revoke: Revoke::Delete(""), // each provider has a way of its own
        console: "",
        notes: &[],
    };
}

/// How a grant is withdrawn, below the base address unless it says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Revoke {
    /// A DELETE of this path with the bearer.
    Delete(&'static str),
    /// A POST to this path with the access token as this parameter of the address.
    Post(&'static str, &'static str),
    /// A POST of the token as a form to this path beside the token endpoint, with the application's id and secret as HTTP
    /// Basic (RFC 7009).
    Basic(&'static str),
    /// A POST form to `path` that names the person and is signed with the client secret and a number from `nonce`, which is
    /// good for one call. Answers come in an envelope, as those of [`Auth::token_at`] do.
    Signed { path: &'static str, nonce: &'static str },
    /// A form (RFC 7009) to this path of the server that gave the token, with the token as this field.
    Form(&'static str, &'static str),
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

/// An endpoint, the raw table it fills, and how time moves through it.
#[derive(Clone, Copy)]
pub(crate) struct Resource {
    /// `<source>_raw.<name>`, and the word on the command line.
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    /// The scope that opens it, or several with `|` between them, each of which does; empty where none is needed.
    pub(crate) scope: &'static str,
    /// JSON pointer to the provider's id of the person, where this resource alone says it: such a resource is read before
    /// all others. Empty: as in [`Api::owner`].
    pub(crate) owner: &'static str,
    pub(crate) window: Window,
    /// A year before which there is nothing, where a first load starts; 1970: not known.
    pub(crate) begins: i32,
    pub(crate) paging: Paging,
    /// JSON pointer to the records in a reply; empty: the reply is the record.
    pub(crate) records: &'static str,
    /// Whether the reply itself is the array of records.
    pub(crate) is_list: bool,
    /// What stands there.
    pub(crate) holds: Holds,
    /// JSON pointers inside a record; none: a snapshot, stored when it differs from the last one. Where `at` is one of them,
    /// the instant counts and not how it is written. A pointer behind a question mark may lead to nothing: then "-" stands
    /// for it.
    pub(crate) key: &'static [&'static str],
    /// JSON pointer to the record's time (text, or seconds since 1970), or to its day where windows are days ([`Stamp::Days`]), text or an object of year, month and day; empty: never retired for
    /// being absent.
    pub(crate) at: &'static str,
    /// JSON pointer to an instant near the record's place in time, for records without a time of their own.
    pub(crate) near: &'static str,
    /// JSON pointer to the record's end. A provider may leave out of a window what is not wholly inside it, so a record is
    /// missing only from a window that holds it wholly: it begins in it and ends before its end. Empty: `at` is all there is.
    pub(crate) ends: &'static str,
    /// JSON pointer to the time of the record's version; a stored version never yields to an older one. Empty: none.
    pub(crate) version: &'static str,
    /// How many days of covered time are read again: scores change after the fact.
    pub(crate) lookback_days: u16,
    /// The parameter, in seconds since 1970, that lists what came or changed since, whatever time it is of; empty: there is
    /// none. Then each run asks for that first, and lists all times anew once in a while for what was deleted.
    pub(crate) changed_since: &'static str,
    /// Another resource that tells where in time there is anything to be read here; empty: nobody tells. It is read before,
    /// and windows in whose neighbourhood it lists nothing are not asked for.
    pub(crate) led_by: &'static str,
    /// Set where requests are POST forms: the fields that all of them have.
    pub(crate) form: Option<&'static [(&'static str, &'static str)]>,
    /// What marks a record that the provider has not finished with; it holds coverage back (docs/adr/09).
    pub(crate) provisional: &'static [Provisional],
    /// Whether the provider answers 204, 404 or something like it when it has nothing.
    pub(crate) may_be_absent: bool,
    /// Its records are asked for one by one; `{id}` in the path or in a parameter stands for the id.
    pub(crate) each: Option<Each>,
    /// After so many days all that is held is read again, for what changed or went behind the lookback; 0: never.
    pub(crate) sweep_days: u16,
    /// How a slice and a page token become a request; the way out for odd providers.
    pub(crate) call: fn(&Resource, &Slice, Option<&PageToken>) -> Call,
}

impl Resource {
    /// A GET that answers with one record, asked for every time.
    pub(crate) const fn get(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            path,
            scope: "",
            owner: "",
            window: Window::Snapshot,
            begins: 1970,
            paging: Paging::Single,
            records: "",
            is_list: false,
            holds: Holds::List,
            key: &[],
            at: "",
            near: "",
            ends: "",
            version: "",
            lookback_days: 0,
            changed_since: "",
            led_by: "",
            form: None,
            provisional: &[],
            may_be_absent: false,
            each: None,
            sweep_days: 0,
            call: crate::extract::paging::standard_call,
        }
    }
    /// The same by a POST of a form, in which `fields` always stand.
    pub(crate) const fn post(
        name: &'static str,
        path: &'static str,
        fields: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { form: Some(fields), ..Self::get(name, path) }
    }
    /// Whether it can be read with these scopes; none: which were granted is not known.
    pub(crate) fn is_open_to(&self, granted: &[String]) -> bool {
        let opens = |one: &String| self.scope.split('|').any(|scope| scope == one);
        self.scope.is_empty() || granted.is_empty() || granted.iter().any(opens)
    }
    pub(crate) const fn scope(mut self, scope: &'static str) -> Self {
        self.scope = scope;
        self
    }
    pub(crate) const fn owner(mut self, pointer: &'static str) -> Self {
        self.owner = pointer;
        self
    }
    pub(crate) const fn begins(mut self, year: i32) -> Self {
        self.begins = year;
        self
    }
    pub(crate) const fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }
    pub(crate) const fn paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }
    pub(crate) const fn records(mut self, pointer: &'static str) -> Self {
        self.records = pointer;
        self
    }
    /// The reply itself is the array of records.
    pub(crate) const fn list(mut self) -> Self {
        self.is_list = true;
        self
    }
    pub(crate) const fn holds(mut self, holds: Holds) -> Self {
        self.holds = holds;
        self
    }
    pub(crate) const fn changed_since(mut self, parameter: &'static str) -> Self {
        self.changed_since = parameter;
        self
    }
    pub(crate) const fn led_by(mut self, resource: &'static str) -> Self {
        self.led_by = resource;
        self
    }
    pub(crate) const fn key(mut self, pointers: &'static [&'static str]) -> Self {
        self.key = pointers;
        self
    }
    pub(crate) const fn at(mut self, pointer: &'static str) -> Self {
        self.at = pointer;
        self
    }
    pub(crate) const fn near(mut self, pointer: &'static str) -> Self {
        self.near = pointer;
        self
    }
    pub(crate) const fn ends(mut self, pointer: &'static str) -> Self {
        self.ends = pointer;
        self
    }
    pub(crate) const fn version(mut self, pointer: &'static str) -> Self {
        self.version = pointer;
        self
    }
    pub(crate) const fn lookback(mut self, days: u16) -> Self {
        self.lookback_days = days;
        self
    }
    pub(crate) const fn sweep(mut self, days: u16) -> Self {
        self.sweep_days = days;
        self
    }
    pub(crate) const fn call(mut self, call: fn(&Self, &Slice, Option<&PageToken>) -> Call) -> Self {
        self.call = call;
        self
    }
    pub(crate) const fn provisional(mut self, marks: &'static [Provisional]) -> Self {
        self.provisional = marks;
        self
    }
    pub(crate) const fn may_be_absent(mut self) -> Self {
        self.may_be_absent = true;
        self
    }
}

/// What stands where a reply has its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holds {
    /// An array of them.
    List,
    /// The same, left out where it is empty, as protobuf's JSON has it.
    Sparse,
    /// The same, of readings that come by the thousand. Those of one hour at Greenwich and of one origin are one record, keyed
    /// by the hour and the origin, dated by the hour: each as it was sent, in the order of their times. The first part of the
    /// key is their time, the rest is their origin. Newest first, they pass through without being held.
    Readings,
    /// One, or an empty array where there is none.
    One,
    /// An object whose names are instants in seconds since 1970, or an empty array. What belongs to one hour at Greenwich is
    /// one record, keyed and dated by the hour: its members, each as it was sent, in the order of their names.
    Hours,
}

/// A mark of a record that will change: a JSON pointer, and what stands there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Provisional {
    /// Absent or null: the record has not ended.
    Missing(&'static str),
    /// This text: a score is still to come.
    Says(&'static str, &'static str),
}

/// How a slice of time becomes parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Window {
    /// Small, whole, every time.
    Snapshot,
    /// A start and an end parameter, at most `max_days` apart.
    Range { start: &'static str, end: &'static str, format: Stamp, max_days: Option<u16> },
}

/// How an instant is written in a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stamp {
    Rfc3339,
    /// Seconds since 1970.
    Epoch,
    /// The same, for windows that are whole days at Greenwich: a record is of a whole window, and a part of one would replace it.
    EpochDays,
    /// A calendar day. The provider reads it in the person's own zone, and compares it with a time of the record that need
    /// not be `at`: so many days more are asked for at either end.
    Days {
        before: u8,
        after: u8,
    },
}

/// How the next page follows from this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Paging {
    Single,
    /// A token at JSON pointer `at` of the reply goes into parameter `param`; absent, null and "" end the list.
    Token {
        at: &'static str,
        param: &'static str,
        size: Option<(&'static str, u16)>,
    },
    /// Pages have numbers, from 1 on: the number goes into parameter `page`, how many records one may have into `size`. A
    /// page may be short while more follow, so an empty one ends the list.
    Number {
        page: &'static str,
        size: (&'static str, u16),
    },
    /// While `more` is true or not 0, the number at JSON pointer `at` goes into parameter `param`.
    Offset {
        more: &'static str,
        at: &'static str,
        param: &'static str,
    },
    /// The address of the next page at JSON pointer `at`; it must be of the same origin.
    #[allow(dead_code, reason = "for providers that page by address, as FHIR servers do; WHOOP pages by token")]
    NextLink {
        at: &'static str,
    },
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

/// What a provider answered, as far as a verdict needs it.
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) content_type: &'a str,
    /// `Retry-After` in seconds, whichever form it had.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: &'a [u8],
}

/// What an answer means for the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Accept,
    /// Nothing there; for a list that is an empty page.
    Empty,
    /// Transient: try again within the budget.
    Retry(String),
    /// Told to wait.
    Wait(Duration),
    /// The access token is not accepted.
    Reauthorize,
    /// Refused for good.
    Reject(String),
    /// The scope is missing.
    Forbidden,
    /// There is no such thing here: nothing, for a resource that may be absent.
    Absent(String),
    /// The interface is gone.
    Retired,
    /// The interface is closed to this application or account until a person does something: what happened, what to do.
    Closed {
        what: &'static str,
        next: &'static str,
    },
}

/// The common reading of HTTP statuses (docs/adr/10).
pub(crate) fn by_status(reply: &Reply) -> Verdict {
    match reply.status {
        200 if reply.body.is_empty() => Verdict::Retry("an empty answer".into()),
        200 if looks_like_html(reply) => Verdict::Retry("a web page instead of data".into()),
        200 => Verdict::Accept,
        204 => Verdict::Empty,
        401 => Verdict::Reauthorize,
        403 if says(reply.body, "rate limit") => Verdict::Wait(Duration::from_secs(reply.retry_after.unwrap_or(0))),
        403 if says(reply.body, "scope") => Verdict::Forbidden,
        403 => Verdict::Reject("HTTP 403, not allowed for this account".into()),
        404 => Verdict::Absent("HTTP 404, not found".into()),
        410 => Verdict::Retired,
        429 => Verdict::Wait(Duration::from_secs(reply.retry_after.unwrap_or(0))),
        408 | 409 | 423 | 425 | 500..=599 => match reply.retry_after {
            Some(seconds) => Verdict::Wait(Duration::from_secs(seconds)),
            None => Verdict::Retry(format!("HTTP {}", reply.status)),
        },
        300..=399 => Verdict::Retry(format!("an unexpected redirect (HTTP {})", reply.status)),
        status => Verdict::Reject(format!("HTTP {status}")),
    }
}

/// Whether the first kilobyte of an answer speaks of `what`.
fn says(body: &[u8], what: &str) -> bool {
    String::from_utf8_lossy(&body[..body.len().min(1024)]).to_lowercase().contains(what)
}

/// A captive portal or a maintenance page: it says so, or starts like one whatever it says.
fn looks_like_html(reply: &Reply) -> bool {
    let start = reply.body.trim_ascii_start();
    reply.content_type.contains("text/html") && !start.starts_with(b"{") || start.starts_with(b"<")
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
    Batch(Batch),
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
    /// At most so many records in one statement, where each makes thousands of parts; 0: all.
    pub(crate) at_once: usize,
}

impl Model {
    pub(crate) const fn new(
        name: &'static str,
        reads: &'static str,
        joins: &'static [&'static str],
        into: crate::canonical::Table,
        select: &'static str,
    ) -> Self {
        Self { name, reads, joins, into, select, many: 1_000, at_once: 0 }
    }

    pub(crate) const fn at_once(mut self, records: usize) -> Self {
        self.at_once = records;
        self
    }
}
