//! The reader's side of an import: numbers words, gathers encoded rows into batches of about 256 KiB and hands them to
//! the loader through a short channel, so that memory stays the same for any size. Knows no SQL.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::SyncSender;

use crate::load::buckets::{Chosen, Copies, Digests};
use crate::load::typed::Seen;
use crate::source::{Bucket, Bulk, Files, Rejected, Row, Sample, Sink, Want};

/// A batch is handed on from this size.
const BATCH: usize = 256 << 10;
/// More rejects than this, and it is the file or the reader that is wrong (docs/adr/24).
pub(super) const MOST_REJECTS: u64 = 10_000;
/// From this much rejected text on, only the beginnings are kept.
const MOST_REJECTED_TEXT: usize = 8 << 20;
const BEGINNING: usize = 1 << 10;

/// Rows on their way to a stage.
#[derive(Default, Debug)]
pub(super) struct Batch {
    /// Its place among the source's stages; one more is the account's own table.
    pub(super) stage: usize,
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

/// Which rows of a bulk table are wanted. Their digests are taken in any case.
pub(super) enum Mode {
    /// All, for the stages.
    All,
    /// All, numbered, for the account's own table; where a number cannot be told, for the stage.
    Own(Box<Copies>),
    /// None.
    Digests,
    /// Those of some days, and of other tables none: the document is read for the second time.
    Some(Chosen),
}

/// What a reader has found, once it has ended.
pub(super) struct Found {
    pub(super) words: Vec<Words>,
    /// By stage.
    pub(super) stages: Vec<Staged>,
    /// Of the bulk table.
    pub(super) digests: Digests,
}

/// What a reader found for one stage.
#[derive(Default)]
pub(super) struct Staged {
    /// By kind.
    pub(super) seen: BTreeMap<String, Seen>,
    pub(super) rejected: Vec<Rejected>,
    /// How many could not be made, by kind.
    pub(super) unusable: BTreeMap<String, u64>,
}

impl Found {
    /// How many rows could not be made.
    pub(super) fn rejected(&self) -> u64 {
        self.stages.iter().map(|stage| stage.rejected.len() as u64).sum()
    }
}

/// Where a source's reader puts what it finds.
pub(super) struct Feed {
    sender: SyncSender<Batch>,
    /// The open one of each stage, and of the account's own table.
    batches: Vec<Batch>,
    /// How far the document has been read.
    at: u64,
    found: Found,
    rejected_text: usize,
    mode: Mode,
    bulk: Option<&'static Bulk>,
    /// Rows of the kind met last, by stage: neighbours share it.
    last: Option<(usize, String, Seen)>,
}

impl Feed {
    pub(super) fn new(sender: SyncSender<Batch>, words: Vec<Words>, files: &Files, mode: Mode) -> Self {
        let stages = files.stages.len();
        let batches = (0..=stages).map(|stage| Batch { stage, ..Batch::default() }).collect();
        let stages = (0..stages).map(|_| Staged::default()).collect();
        let found = Found { words, stages, digests: Digests::default() };
        Self { sender, batches, at: 0, found, rejected_text: 0, mode, bulk: files.bulk(), last: None }
    }

    /// Hands the last batches on.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        (0..self.batches.len()).try_for_each(|stage| self.hand_on(stage))
    }

    /// How many rows could not be made so far.
    pub(super) fn rejected(&self) -> u64 {
        self.found.rejected()
    }

    /// What was found; closes the channel, which tells the loader that nothing more comes.
    pub(super) fn found(mut self) -> Found {
        self.settle();
        self.found
    }

    /// One row more of a kind.
    fn see(&mut self, stage: usize, kind: &str, day: Option<i32>) {
        let one = Seen { rows: 1, first: day, last: day };
        match &mut self.last {
            Some((of, last, seen)) if *of == stage && last == kind => seen.add(one),
            _ => {
                self.settle();
                self.last = Some((stage, kind.to_owned(), one));
            }
        }
    }

    fn settle(&mut self) {
        if let Some((stage, kind, seen)) = self.last.take() {
            self.found.stages[stage].seen.entry(kind).or_default().add(seen);
        }
    }

    /// One row more for a stage, or for the account's own table.
    fn put(&mut self, stage: usize, row: &Row) -> anyhow::Result<()> {
        let batch = &mut self.batches[stage];
        if batch.rows.capacity() == 0 {
            batch.rows.reserve(BATCH + BATCH / 4);
        }
        batch.rows.extend_from_slice(row.bytes());
        batch.count += 1;
        if batch.rows.len() >= BATCH { self.hand_on(stage) } else { Ok(()) }
    }

    fn hand_on(&mut self, stage: usize) -> anyhow::Result<()> {
        let next = Batch { stage, ..Batch::default() };
        if self.batches[stage].rows.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batches[stage], next);
        self.sender.send(Batch { at: self.at, ..batch }).map_err(|_| anyhow::anyhow!("the loader stopped"))
    }
}

impl Sink for Feed {
    fn word(&mut self, dictionary: usize, word: &str) -> i32 {
        self.found.words[dictionary].number(word)
    }

    fn row(&mut self, stage: usize, kind: &str, day: Option<i32>, row: &Row) -> anyhow::Result<()> {
        if matches!(self.mode, Mode::Some(_)) {
            return Ok(());
        }
        self.see(stage, kind, day);
        self.put(stage, row)
    }

    fn passes_by(&self, bucket: Bucket) -> bool {
        matches!(&self.mode, Mode::Some(chosen) if !chosen.contains(&bucket.key()))
    }

    fn want(&mut self, sample: &Sample) -> Want {
        let &Sample { stage, kind, bucket, id, local_day } = sample;
        let is_nested = self.bulk.is_some_and(|bulk| bulk.nested == stage);
        if let Mode::Some(_) = &self.mode {
            return Want::Row { stage };
        }
        self.found.digests.add(bucket, id, is_nested);
        self.see(stage, kind, Some(local_day));
        match &mut self.mode {
            Mode::Own(copies) => {
                let number = if is_nested { None } else { copies.number(bucket, id) };
                number.map_or(Want::Row { stage }, Want::Numbered)
            }
            Mode::All => Want::Row { stage },
            Mode::Some(_) | Mode::Digests => Want::Nothing,
        }
    }

    fn wanted(&mut self, want: Want, row: &Row) -> anyhow::Result<()> {
        match want {
            Want::Row { stage } => self.put(stage, row),
            Want::Numbered(_) => self.put(self.found.stages.len(), row),
            Want::Nothing => Ok(()),
        }
    }

    fn reject(&mut self, stage: usize, kind: &str, mut rejected: Rejected) -> anyhow::Result<()> {
        if matches!(self.mode, Mode::Some(_)) {
            return Ok(());
        }
        self.rejected_text += rejected.payload.len();
        if self.rejected_text > MOST_REJECTED_TEXT {
            rejected.payload.truncate(BEGINNING);
        }
        let stage = &mut self.found.stages[stage];
        *stage.unusable.entry(kind.to_owned()).or_default() += 1;
        stage.rejected.push(rejected);
        if self.found.rejected() > MOST_REJECTS {
            anyhow::bail!("more than {MOST_REJECTS} records cannot be used");
        }
        Ok(())
    }

    fn progress(&mut self, at: u64) -> anyhow::Result<()> {
        self.at = at;
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
