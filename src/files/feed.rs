//! The reader's side of an import: numbers words, gathers encoded rows into batches of about 1 MiB and hands them to
//! the loader through a short channel, so that memory stays the same for any size. Knows no SQL.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::SyncSender;

use crate::source::{Rejected, Row, Sink};

/// A batch is handed on from this size.
const BATCH: usize = 1 << 20;
/// More rejects than this, and it is the file or the reader that is wrong (docs/adr/24).
pub(super) const MOST_REJECTS: u64 = 10_000;
/// From this much rejected text on, only the beginnings are kept.
const MOST_REJECTED_TEXT: usize = 8 << 20;
const BEGINNING: usize = 1 << 10;

/// Rows on their way to the stage.
#[derive(Default, Debug)]
pub(super) struct Batch {
    /// Encoded rows of a binary COPY, without its head and tail.
    pub(super) rows: Vec<u8>,
    /// How many.
    pub(super) count: u64,
    /// How far the document has been read.
    pub(super) at: u64,
}

/// The numbered words of one dictionary.
#[derive(Default, Debug, Clone)]
pub(crate) struct Words {
    pub(crate) known: HashMap<String, i32>,
    /// Words that the account did not have, with their numbers.
    pub(crate) new: Vec<(i32, String)>,
    /// The word asked for last: neighbours are alike.
    last: (String, i32),
}

impl Words {
    pub(crate) fn new(known: HashMap<String, i32>) -> Self {
        Self { known, ..Self::default() }
    }

    fn number(&mut self, word: &str) -> i32 {
        if self.last.1 != 0 && self.last.0 == word {
            return self.last.1;
        }
        let number = self.known.get(word).copied().unwrap_or_else(|| {
            let next = i32::try_from(self.known.len()).unwrap_or(i32::MAX - 1) + 1; // numbers of an account have no holes
            self.known.insert(word.to_owned(), next);
            self.new.push((next, word.to_owned()));
            next
        });
        word.clone_into(&mut self.last.0);
        self.last.1 = number;
        number
    }
}

/// What a reader has found, once it has ended.
pub(super) struct Found {
    pub(super) words: Vec<Words>,
    /// Rows by kind.
    pub(super) seen: BTreeMap<String, u64>,
    pub(super) rejected: Vec<Rejected>,
}

/// Where a source's reader puts what it finds.
pub(super) struct Feed {
    batches: SyncSender<Batch>,
    batch: Batch,
    found: Found,
    rejected_text: usize,
}

impl Feed {
    pub(super) fn new(batches: SyncSender<Batch>, words: Vec<Words>) -> Self {
        let found = Found { words, seen: BTreeMap::new(), rejected: Vec::new() };
        Self { batches, batch: Batch::default(), found, rejected_text: 0 }
    }

    /// Hands the last batch on.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.hand_on()
    }

    /// What was found; closes the channel, which tells the loader that nothing more comes.
    pub(super) fn found(self) -> Found {
        self.found
    }

    fn hand_on(&mut self) -> anyhow::Result<()> {
        let next = Batch { rows: Vec::with_capacity(BATCH + BATCH / 4), count: 0, at: self.batch.at };
        let batch = std::mem::replace(&mut self.batch, next);
        self.batches.send(batch).map_err(|_| anyhow::anyhow!("the loader stopped"))
    }
}

impl Sink for Feed {
    fn word(&mut self, dictionary: usize, word: &str) -> i32 {
        self.found.words[dictionary].number(word)
    }

    fn row(&mut self, kind: &str, row: &Row) -> anyhow::Result<()> {
        self.batch.rows.extend_from_slice(row.bytes());
        self.batch.count += 1;
        match self.found.seen.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.found.seen.insert(kind.to_owned(), 1)),
        }
        if self.batch.rows.len() >= BATCH { self.hand_on() } else { Ok(()) }
    }

    fn reject(&mut self, mut rejected: Rejected) -> anyhow::Result<()> {
        self.rejected_text += rejected.payload.len();
        if self.rejected_text > MOST_REJECTED_TEXT {
            rejected.payload.truncate(BEGINNING);
        }
        self.found.rejected.push(rejected);
        if self.found.rejected.len() as u64 > MOST_REJECTS {
            anyhow::bail!("more than {MOST_REJECTS} records cannot be used");
        }
        Ok(())
    }

    fn progress(&mut self, at: u64) -> anyhow::Result<()> {
        self.batch.at = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_numbers_and_new_ones_go_on_from_there() {
        let known = [("a".to_owned(), 1), ("b".to_owned(), 2)];
        let mut words = Words::new(known.into_iter().collect());
        assert_eq!(["b", "c", "c", "a", "d", "c"].map(|word| words.number(word)), [2, 3, 3, 1, 4, 3]);
        assert_eq!(words.new, [(3, "c".to_owned()), (4, "d".to_owned())]);
    }
}
