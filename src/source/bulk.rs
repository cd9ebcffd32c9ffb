//! The vocabulary of bulk tables: millions of rows that every document repeats. What is compared at once, what a sink
//! wants of a row, and the statements of the short ways (docs/adr/28). Types only; the loops are in `files`, the SQL that
//! runs them in `load::bulk`.

use super::Stage;

/// One kind of records on one day: what of a bulk table is compared at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bucket {
    /// Number of the kind among the words of its dictionary.
    pub(crate) kind: i32,
    /// Day of UTC, in days since 1970.
    pub(crate) day: i32,
}

impl Bucket {
    /// Both numbers in one.
    pub(crate) fn key(self) -> u64 {
        u64::from(self.kind.cast_unsigned()) << 32 | u64::from(self.day.cast_unsigned())
    }

    pub(crate) fn of_key(key: u64) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "each half is one of the numbers")]
        Self { kind: ((key >> 32) as u32).cast_signed(), day: (key as u32).cast_signed() }
    }
}

/// A row of a bulk table, before it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sample<'a> {
    pub(crate) stage: usize,
    pub(crate) kind: &'a str,
    pub(crate) bucket: Bucket,
    /// Digest of its content: equal rows have equal ids.
    pub(crate) id: u128,
    /// Its local day, in days since 1970.
    pub(crate) local_day: i32,
}

/// What a sink wants of a row of a bulk table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Want {
    /// The row, for this stage.
    Row { stage: usize },
    /// The row for the account's own table, with its number among equal ones as a last field behind the others.
    Numbered(i32),
    /// Only that there is one.
    Nothing,
}

/// The short ways of a bulk table. $1 is the person, $2 the account.
pub(crate) struct Bulk {
    /// Whether the account has its own part of the table.
    pub(crate) has_table: &'static str,
    /// Its name, where it holds no row.
    pub(crate) empty_table: &'static str,
    /// Makes it, outside of the table; says its name. $3 file, $4 run.
    pub(crate) create_table: &'static str,
    /// What a COPY into it sends: the stage's columns, and the number among equal rows.
    pub(crate) columns: &'static str,
    /// Builds its key and makes it part of the table.
    pub(crate) attach_table: &'static str,
    /// Takes statistics of it, as far as anybody asks for them.
    pub(crate) analyze: &'static str,
    /// The stages that hold rows of this table: those of the document itself, and those that stand inside other elements
    /// and are rows only as far as the document does not repeat them.
    pub(crate) stage: usize,
    pub(crate) nested: usize,
    /// Adds to the stage the stored copies of what is in these stages.
    pub(crate) recall: &'static str,
    /// Takes the digests of the days that are compared.
    pub(crate) digests: Stage,
    /// (kind, day, records, sum of ids, nested records, sum of their ids) of every day; all are null where they are not
    /// known.
    pub(crate) stored_digests: &'static str,
    pub(crate) forget_digests: &'static str,
    /// Keeps the staged ones. $3: whether the table holds exactly what the document holds of these days.
    pub(crate) keep_digests: &'static str,
    /// The same where none are left, and the table holds exactly what the document holds.
    pub(crate) keep_all_digests: &'static str,
    /// As `TypedTable::mark_missing`, `TypedTable::news` and `Files::after`, among the days that are compared. Of both the
    /// first, $4 is how many may be marked: where it would be more they are only counted, and some of them marked, for
    /// `rewritten`, before all is taken back.
    pub(crate) mark_missing: &'static str,
    pub(crate) news: &'static str,
    pub(crate) after_compared: &'static str,
    /// As `TypedTable::count`, of the kinds $3.
    pub(crate) known_kinds: &'static str,
    /// Of rows that are gone since this run, those that came with it in another form: (how, from, to, rows). $3 run, $4 how
    /// many to look at.
    pub(crate) rewritten: &'static str,
    /// Rows of days that are stored alike, without those that stand at the top: (kind, rows, first day, last day). $3 kinds,
    /// $4 days, $5 rows at the top.
    pub(crate) apart: &'static str,
    /// In place of `Files::after` where every row is new. $3 run.
    pub(crate) after_first: &'static str,
    /// Keeps what the reader added up of them for the models, where any are to run. $3 run.
    pub(crate) keep_sums: &'static str,
}
