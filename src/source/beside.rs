//! The vocabulary of files beside a document: which belong to it, and how one is read. Types only; the loop is in
//! `files`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{Reading, Sink};

/// What a source takes from the archive or the folder that its document lies in.
pub(crate) struct Beside {
    /// Whether a file belongs to the document, by its path from the document's folder on and by its first bytes.
    pub(crate) belongs: fn(path: &str, head: &[u8]) -> bool,
    /// Reads one that belongs to it. A file that is broken becomes a reject; an error ends the import.
    /// Of one that is held only its path is told.
    pub(crate) read: fn(&SideFile, &Held, &Reading, &mut dyn Sink) -> anyhow::Result<()>,
    /// Files that are stored as this reader reads them, and are not missing: (id, kind, instant). $1 person, $2 account,
    /// $3 version of the reader.
    pub(crate) held: &'static str,
}

/// Files that are stored, by the digest of their bytes.
pub(crate) type Held = HashMap<u128, HeldFile>;

/// A file that is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HeldFile {
    /// As summaries name it.
    pub(crate) kind: String,
    /// What its local day follows from, where it has one.
    pub(crate) at: Option<DateTime<Utc>>,
}

/// A file beside a document.
pub(crate) struct SideFile<'a> {
    /// From the document's folder on, with a slash before it.
    pub(crate) path: &'a str,
    /// All of it, or why it cannot be read.
    pub(crate) content: Result<&'a [u8], String>,
}
