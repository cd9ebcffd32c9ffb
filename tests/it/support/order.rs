//! In which order a simulated provider lists, and how one record is spoiled: what all of them do alike.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::subject::Poison;

/// In which order records are listed. What a provider says of it, a client should not depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    OldestFirst,
    Shuffled,
}

impl Order {
    /// The place of the record `id` of the time `at` among others.
    pub fn rank(self, at: i64, id: impl Hash) -> i64 {
        match self {
            Order::NewestFirst => -at,
            Order::OldestFirst => at,
            Order::Shuffled => {
                let mut hasher = DefaultHasher::new();
                id.hash(&mut hasher);
                (hasher.finish() >> 1).cast_signed()
            }
        }
    }

    /// Another one than this: 1 turns it around, 2 shuffles.
    pub fn other(self, n: u32) -> Order {
        match (n % 3, self) {
            (0, own) => own,
            (1, Order::NewestFirst) => Order::OldestFirst,
            (1, _) => Order::NewestFirst,
            _ => Order::Shuffled,
        }
    }
}

/// Where a record can be spoiled: texts that stand in it, and what takes their place.
pub struct Spots {
    /// The whole record.
    pub text: String,
    /// The name of a member that holds words, and the member.
    pub words: (&'static str, String),
    /// The name of a member that holds a number, and the member.
    pub number: (&'static str, String),
    /// The name of the member that the record is known by, and the member.
    pub key: (&'static str, String),
    pub no_key: (String, &'static str),
    pub no_start: (String, &'static str),
    pub backwards: (String, &'static str),
}

impl Spots {
    /// The record, spoiled.
    pub fn spoiled(&self, how: Poison) -> String {
        let of = |(name, found): &(&str, String), value: &str| self.text.replace(found, &format!("\"{name}\":{value}"));
        let swap = |(found, other): &(String, &str)| self.text.replace(found, other);
        let spoiled = match how {
            Poison::Nul => of(&self.words, r#""run\u0000ning""#),
            Poison::Surrogate => of(&self.words, r#""run\ud83dning""#),
            Poison::Huge => of(&self.number, "1e400"),
            Poison::WrongType => of(&self.number, r#"{"v":7.2}"#),
            Poison::NoKey => swap(&self.no_key),
            Poison::NulKey | Poison::LongKey => of(&self.key, &format!("\"{}\"", how.key())),
            Poison::NoStart => swap(&self.no_start),
            Poison::Backwards => swap(&self.backwards),
        };
        assert_ne!(spoiled, self.text);
        spoiled
    }
}
