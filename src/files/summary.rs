//! What an import did, kind by kind: what the reader counted beside what the database did. Knows no SQL and prints
//! nothing.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::feed::Found;
use crate::load::typed::{Changed, Merged, Seen};
use crate::source::Files;

/// The rows of one kind in one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) table: &'static str,
    pub(super) kind: String,
    /// In the document, as far as they could be used.
    pub(super) seen: Seen,
    pub(super) changed: Changed,
    pub(super) rejected: u64,
}

/// Every kind that the document holds or lacks, table by table.
pub(super) fn by_kind(files: &Files, found: &Found, merged: &Merged) -> Vec<Kind> {
    let mut all = Vec::new();
    for (table, changed) in files.tables.iter().zip(&merged.tables) {
        let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
        let staged = &found.stages[table.stage];
        for (kind, seen) in &staged.seen {
            kinds.entry(kind).or_default().seen = *seen;
        }
        for (kind, changed) in changed {
            let of = kinds.entry(kind).or_default();
            of.seen.add(changed.added);
            of.changed = changed.clone();
        }
        for (kind, rejected) in &staged.unusable {
            kinds.entry(kind).or_default().rejected = *rejected;
        }
        all.extend(kinds.into_iter().map(|(kind, of)| Kind { table: table.name, kind: kind.to_owned(), ..of }));
    }
    all
}

impl Kind {
    /// Rows that were known and there.
    pub(super) fn unchanged(&self) -> u64 {
        self.seen.rows.saturating_sub(self.changed.new + self.changed.returned)
    }

    /// The first and the last local day.
    pub(super) fn days(&self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        let day = |day: Option<i32>| day.and_then(NaiveDate::from_epoch_days);
        (day(self.seen.first), day(self.seen.last))
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let (first, last) = self.days();
        json!({
            "table": self.table,
            "type": self.kind,
            "records": self.seen.rows,
            "new": self.changed.new,
            "returned": self.changed.returned,
            "unchanged": self.unchanged(),
            "retired": self.changed.missing,
            "rejected": self.rejected,
            "first_day": first,
            "last_day": last,
        })
    }
}

/// A sum over kinds.
pub(super) fn sum(kinds: &[Kind], of: impl Fn(&Kind) -> u64) -> u64 {
    kinds.iter().map(of).sum()
}
