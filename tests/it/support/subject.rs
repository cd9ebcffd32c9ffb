//! What the contract suite asks of a simulated provider beyond serving: changes that happen to a person's records.

use chrono::{DateTime, Utc};

use super::faults::What;
use super::provider::Simulation;

/// A record: resource and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub resource: &'static str,
    pub id: String,
}

/// What is wrong with one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// An escaped NUL, which no text column can hold.
    Nul,
    /// Half of a surrogate pair.
    Surrogate,
    /// A number outside every floating-point range.
    Huge,
    /// An object where a number belongs.
    WrongType,
    /// No key.
    NoKey,
    /// A key with an escaped NUL.
    NulKey,
    /// A key too long for an index, in a way that no compression helps.
    LongKey,
    /// A field that must be there is not.
    NoStart,
    /// It ends before it starts.
    Backwards,
}

impl Poison {
    /// The text of a spoiled key as it stands in JSON, for those that spoil it.
    pub fn key(self) -> String {
        match self {
            Poison::NulKey => "a\\u0000b".into(),
            Poison::LongKey => {
                let mut state = 0x9e37_79b9_7f4a_7c15_u64;
                let mut next = || {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    format!("{state:016x}")
                };
                (0..625).map(|_| next()).collect() // 10,000 signs
            }
            other => panic!("{other:?} spoils no key"),
        }
    }
}

pub const POISONS: [Poison; 9] = [
    Poison::Nul,
    Poison::Surrogate,
    Poison::Huge,
    Poison::WrongType,
    Poison::NoKey,
    Poison::NulKey,
    Poison::LongKey,
    Poison::NoStart,
    Poison::Backwards,
];

pub trait Subject: Simulation + Sized {
    /// Resources that are read page by page.
    const LISTINGS: &'static [&'static str];
    /// One of them, with at least three pages in `many`.
    const PAGED: &'static str;
    /// The resource whose records say whose they are; `token`: none does, and the answer of the token endpoint says it.
    const OWNED: &'static str;
    /// The scope whose absence costs exactly one resource, and that resource.
    const SPARE_SCOPE: (&'static str, &'static str);

    /// Whether a list ends with an empty page, so that even a short one takes two requests.
    const LAST_PAGE_IS_EMPTY: bool = false;
    /// Resources that are read for each record of a list, and may change with it.
    const READ_WITH_IT: &'static [&'static str] = &[];
    /// How a run may end whose page led to another server.
    const AFTER_FOREIGN_NEXT: &'static [i32] = &[3, 5, 6];

    /// The canonical table that the records of a resource become rows of.
    fn canonical(resource: &str) -> &str {
        resource
    }
    /// A person with a few days of records: every listing on one page.
    fn few(now: DateTime<Utc>) -> Self;
    /// A person with three pages or more in each listing.
    fn many(now: DateTime<Utc>) -> Self;
    /// The provider rescored or renamed a recent record.
    fn edit_recent(&mut self) -> Key;
    /// The same to a record far behind the lookback.
    fn edit_old(&mut self) -> Key;
    /// A record that appears inside the lookback, though not as the newest.
    fn add_recent(&mut self) -> Key;
    /// The person deleted a recent record at the provider.
    fn remove_recent(&mut self) -> Key;
    /// The person deleted more recent records of one resource than the fuse lets pass; some stay listed. How many went.
    fn remove_many(&mut self) -> (&'static str, i64);
    /// Spoils one recent record.
    fn poison(&mut self, how: Poison) -> Key;
    /// Page tokens handed out before are refused from now on.
    fn forget_pages(&mut self);
    /// Puts the records into another order than the provider's own; `n` chooses which.
    fn reorder(&mut self, n: u32);
    /// One resource lists nothing, though it has records.
    fn hide(&mut self, resource: &'static str);
    /// Nothing is hidden any more.
    fn show_all(&mut self);
    /// A page that sends the reader to another origin for the next one.
    fn foreign_next(origin: &str) -> What;
    /// A record of somebody else in an otherwise good page.
    fn other_person() -> What;
    /// Values of this person's records that no output may show.
    fn private(&self) -> Vec<String>;
}
