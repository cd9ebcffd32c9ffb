//! The vocabulary of the way in through files: how a source knows its document, reads it, and which typed tables take
//! what it holds. Types only; the loops are in `files`, the SQL that runs them in `load::typed`.

use std::collections::BTreeMap;
use std::io::BufRead;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Beside, Bucket, Bulk, Rejected, Sample, Want};
use crate::zones::{Place, Zones};

/// The way in through files.
pub(crate) struct Files {
    /// For help texts and errors: "export.zip, export.xml, its folder".
    pub(crate) accepts: &'static str,
    /// Raised with the reader's output, so that a better reader reads a known file again.
    pub(crate) parser_version: i32,
    /// How the names of documents end inside archives and folders: ".xml".
    pub(crate) extension: &'static str,
    /// Whether a document that begins with these bytes is the one; asked again with more where they do not suffice.
    pub(crate) recognise: fn(&[u8]) -> Recognised,
    /// Reads one document to its end.
    pub(crate) read: fn(&mut dyn BufRead, &Reading, &mut dyn Sink) -> Result<About, Unreadable>,
    /// What is taken from the archive or the folder that the document lies in; none: nothing.
    pub(crate) beside: Option<Beside>,
    /// Tables of numbered words; a reader names them by their place here.
    pub(crate) dictionaries: &'static [Dictionary],
    /// What a reader fills; it names them by their place here.
    pub(crate) stages: &'static [Stage],
    /// The raw tables, filled from the stages in this order, in one transaction.
    pub(crate) tables: &'static [TypedTable],
    /// When the newest published document was made, and the newest complete one. $1 person, $2 account.
    pub(crate) newest: &'static str,
    /// After so many days without a newer document the source is late; none: it never is.
    pub(crate) fresh_days: Option<i64>,
    /// Types that are held in raw alone, with how many records, the first and the last. $1 person.
    pub(crate) raw_only: &'static str,
    /// Runs that published a file, as one array. $1 person, $2 account, $3 file.
    pub(crate) runs_of: &'static str,
    /// Writes down what a document says about itself. $1 person, $2 account, $3 file, $4 made, $5 columns, $6 run.
    pub(crate) describe: &'static str,
    /// What follows from the rows of a run, in the same transaction, after everything else. $1 person, $2 account, $3 run.
    pub(crate) after: &'static [&'static str],
    /// Gives rows that name no zone the offsets of ranges, and says how many changed. $1 person, $2 account, $3 run,
    /// $4 starts, $5 ends, $6 offsets in seconds, $7 names of zones.
    pub(crate) rezone: &'static [&'static str],
}

impl Files {
    /// The table with the millions of rows.
    pub(crate) fn bulk(&self) -> Option<&'static Bulk> {
        self.tables.iter().find_map(|table| table.bulk)
    }
}

/// What the first bytes of a document say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Recognised {
    Yes,
    /// Something else; the reason is a sentence for a person.
    No(String),
    /// Not decided yet.
    More,
}

/// What a reader must know beside the document.
#[derive(Clone)]
pub(crate) struct Reading {
    /// Where the person was when, for records that name no zone.
    pub(crate) zones: Zones,
    /// Of a document that is cut off, what is there counts.
    pub(crate) allow_truncated: bool,
    /// Models read what comes: what they need of it may be worked out on the way.
    pub(crate) for_models: bool,
}

impl Reading {
    /// An instant in seconds since 1970, and where it was: in the zone that a record names, else where the person was.
    pub(crate) fn place(&self, named: Option<chrono_tz::Tz>, at: i64) -> (DateTime<Utc>, Place) {
        let at = DateTime::from_timestamp(at, 0).unwrap_or_default();
        (at, named.map_or_else(|| self.zones.at(at), |zone| Place::of(zone, at)))
    }

    /// The place that holds for the whole day of UTC which begins at `midnight`, in seconds since 1970; none where clocks
    /// change or the person moves on that day.
    pub(crate) fn all_day(&self, named: Option<chrono_tz::Tz>, midnight: i64) -> Option<Place> {
        let [from, last] = [midnight, midnight + 86_399].map(|at| DateTime::from_timestamp(at, 0));
        let (from, last) = from.zip(last)?;
        let is_moved = |border: &DateTime<Utc>| from < *border && *border <= last;
        if named.is_none()
            && self.zones.stays().iter().any(|stay| is_moved(&stay.from) || stay.until.as_ref().is_some_and(is_moved))
        {
            return None;
        }
        let [first, last] = [midnight, midnight + 86_399].map(|at| self.place(named, at).1);
        (first == last).then_some(first) // a zone keeps an offset for weeks at least
    }
}

/// What a document says about itself, once it has been read to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct About {
    /// When it was made. A newer complete document may retire what it no longer holds.
    pub(crate) made_at: Option<DateTime<Utc>>,
    /// Records and other elements it holds, usable or not.
    pub(crate) records: u64,
    /// Where and how a cut-off document ends, where that was allowed. It proves nothing about what it does not hold.
    pub(crate) cut: Option<String>,
    /// Parts that this version of the reader does not know, by name.
    pub(crate) unknown: BTreeMap<String, u64>,
    /// Columns of the table that describes documents, as the source's SQL takes them.
    pub(crate) columns: Value,
}

/// Why a document cannot be read to its end as what it claims to be, and where.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Byte of the document, from 0.
    pub(crate) at: u64,
    pub(crate) why: anyhow::Error,
    /// As far as it goes it is what it claims to be: only its end is missing.
    pub(crate) is_cut: bool,
}

/// A temporary table that takes encoded rows by binary COPY while a document is read.
pub(crate) struct Stage {
    /// With its schema.
    pub(crate) name: &'static str,
    pub(crate) create: &'static str,
    /// Columns that its rows are told apart by, of which statistics are taken once it is filled; empty: none.
    pub(crate) keys: &'static str,
}

/// A raw table of bulk samples with typed columns, filled from a stage. Its statements may read every stage. Beside the
/// person, the account and its own columns it has `file_id`, `run_id`, `missing_since_run_id`, `returned_run_id` and
/// `missing_before_run_id`, by which a file can be taken back.
pub(crate) struct TypedTable {
    /// `<source>_raw.<name>`.
    pub(crate) name: &'static str,
    /// The stage whose rows are the document's rows of this table, by its place.
    pub(crate) stage: usize,
    /// Adds rows to that stage which only the whole document can tell; says (kind, rows, first day, last day).
    /// $1 person, $2 account.
    pub(crate) complete: Option<&'static str>,
    /// (kind, rows) of the account that the table holds and that are not missing. Kinds are those of `mark_missing`; a table
    /// without any says ''. $1 person, $2 account.
    pub(crate) count: &'static str,
    /// Stage to table: new rows, and old ones that came back. $1 person, $2 account, $3 file, $4 run, $5 whether
    /// rows that are missing come back; those of a withdrawn file always do.
    pub(crate) merge: &'static str,
    /// Marks rows that the stage lacks; says (kind, rows). $1 person, $2 account, $3 run; of a bulk table $4 as in
    /// [`Bulk::mark_missing`].
    pub(crate) mark_missing: &'static str,
    /// Of a table with millions of rows. At most one table of a source has it.
    pub(crate) bulk: Option<&'static Bulk>,
    /// What a run brought: (kind, new rows, rows that came back). $1 person, $2 account, $3 run.
    pub(crate) news: &'static str,
}

/// One table of numbered words: `(user_id, account_id, <id>, <word>)`.
pub(crate) struct Dictionary {
    pub(crate) table: &'static str,
    pub(crate) id: &'static str,
    pub(crate) word: &'static str,
}

/// Where a reader puts what it finds. Unit tests collect into a vector.
pub(crate) trait Sink {
    /// The number of a word in the dictionary at that place.
    fn word(&mut self, dictionary: usize, word: &str) -> i32;
    /// One row of a stage, encoded for binary COPY. `kind` and `day`, the local day in days since 1970, are for the
    /// summary.
    fn row(&mut self, stage: usize, kind: &str, day: Option<i32>, row: &super::Row) -> anyhow::Result<()>;
    /// Whether nothing is wanted of a bucket, and nothing counted: asked before anything is made of a row.
    fn passes_by(&self, _bucket: Bucket) -> bool {
        false
    }
    /// What is wanted of a row of a bulk table: asked, and thereby counted, before the row is made.
    fn want(&mut self, sample: &Sample) -> Want;
    /// One row of a bulk table, as it was wanted.
    fn wanted(&mut self, want: Want, row: &super::Row) -> anyhow::Result<()>;
    /// A row of a stage that could not be made; counted and kept.
    fn reject(&mut self, stage: usize, kind: &str, rejected: Rejected) -> anyhow::Result<()>;
    /// How far the document has been read, in bytes.
    fn progress(&mut self, at: u64) -> anyhow::Result<()>;
}
