//! The vocabulary of the way in through files: how a source knows its document, reads it, and which typed table takes
//! its records. Types only; the loops are in `files`, the SQL that runs them in `load::typed`.

use std::io::BufRead;

use serde_json::Value;

use super::Rejected;

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
    pub(crate) read: fn(&mut dyn BufRead, Reading, &mut dyn Sink) -> Result<About, Unreadable>,
    pub(crate) table: &'static TypedTable,
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
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// The person's zone, for records that name none.
    pub(crate) home_tz: chrono_tz::Tz,
}

/// What a document says about itself, once it has been read to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct About {
    /// When it was made. A newer complete document may retire what it no longer holds.
    pub(crate) made_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Records it holds, usable or not.
    pub(crate) records: u64,
    /// Columns of the table that describes documents, as the source's SQL takes them.
    pub(crate) columns: Value,
}

/// Why a document cannot be read to its end as what it claims to be, and where.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Byte of the document, from 0.
    pub(crate) at: u64,
    pub(crate) why: anyhow::Error,
}

/// A raw table of bulk samples with typed columns, filled by binary COPY through a temporary stage.
pub(crate) struct TypedTable {
    /// `<source>_raw.<name>`.
    pub(crate) name: &'static str,
    /// Makes the stage.
    pub(crate) create_stage: &'static str,
    /// The stage, with its schema.
    pub(crate) stage: &'static str,
    /// Tables of numbered words; a reader names them by their place here.
    pub(crate) dictionaries: &'static [Dictionary],
    /// How many rows of the account the table holds that are not missing. $1 person, $2 account.
    pub(crate) count: &'static str,
    /// Stage to table: new rows, and old ones that came back. $1 person, $2 account, $3 file, $4 run.
    pub(crate) merge: &'static str,
    /// Marks rows that the stage lacks. $1 person, $2 account, $3 run.
    pub(crate) mark_missing: &'static str,
    /// New rows of a run by kind: (kind, rows). $1 person, $2 account, $3 run, $4 file.
    pub(crate) news: &'static str,
    /// When the newest published document was made. $1 person, $2 account.
    pub(crate) newest: &'static str,
    /// Writes down what a document says about itself. $1 person, $2 account, $3 file, $4 made, $5 columns.
    pub(crate) describe: &'static str,
}

/// One table of numbered words: `(user_id, account_id, <id>, <word>)`.
pub(crate) struct Dictionary {
    pub(crate) table: &'static str,
    pub(crate) id: &'static str,
    pub(crate) word: &'static str,
}

/// Where a reader puts what it finds. Unit tests collect into a vector.
pub(crate) trait Sink {
    /// The number of a word in the dictionary at that place of the table's list.
    fn word(&mut self, dictionary: usize, word: &str) -> i32;
    /// One row of the stage, encoded for binary COPY. `kind` is for the summary.
    fn row(&mut self, kind: &str, row: &super::Row) -> anyhow::Result<()>;
    /// A record that could not be used; counted and kept.
    fn reject(&mut self, rejected: Rejected) -> anyhow::Result<()>;
    /// How far the document has been read, in bytes.
    fn progress(&mut self, at: u64) -> anyhow::Result<()>;
}
