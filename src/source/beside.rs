//! The vocabulary of files beside a document: which belong to it, and how one is read. Types only; the loop is in
//! `files`.

use super::{Reading, Sink};

/// What a source takes from the archive or the folder that its document lies in.
pub(crate) struct Beside {
    /// Whether a file belongs to the document, by its path from the document's folder on and by its first bytes.
    pub(crate) belongs: fn(path: &str, head: &[u8]) -> bool,
    /// Reads one that belongs to it. A file that is broken becomes a reject; an error ends the import.
    pub(crate) read: fn(&SideFile, &Reading, &mut dyn Sink) -> anyhow::Result<()>,
}

/// A file beside a document.
pub(crate) struct SideFile<'a> {
    /// From the document's folder on, with a slash before it.
    pub(crate) path: &'a str,
    /// All of it, or why it cannot be read.
    pub(crate) content: Result<&'a [u8], String>,
}
