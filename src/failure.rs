//! What can go wrong, as a person and a script see it: a kind (its number is the exit code), what happened, what is
//! kept and what to do next. Knows nothing of any stage; `output` prints it. Numbers: docs/exit-codes.md.

use std::fmt::Display;

/// The kinds of failure; the discriminant is the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Our own mistake, caught at the top.
    Bug = 1,
    /// Arguments that cannot be meant.
    Usage = 2,
    /// Ended normally, but something was set aside.
    Partial = 3,
    /// A person must consent again.
    Login = 4,
    /// Network or provider trouble; trying again is safe.
    Later = 5,
    /// The provider refuses for good, or a safety fuse tripped.
    Refused = 6,
    /// A file is unreadable or not what it claims to be.
    File = 7,
    /// The database cannot be reached or fails briefly.
    Database = 8,
    /// Not migrated, too new, or a role or database is missing.
    Schema = 9,
    /// Another run holds the account.
    Busy = 10,
    /// Disk, permissions, token store.
    Local = 11,
    /// `verify` found a violated invariant.
    #[allow(dead_code, reason = "part of the published table of exit codes")]
    Broken = 12,
    /// A setting is missing or malformed.
    Config = 13,
}

impl Kind {
    /// The name in `--json` (docs/exit-codes.md).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::Usage => "usage",
            Self::Partial => "partial",
            Self::Login => "login",
            Self::Later => "later",
            Self::Refused => "refused",
            Self::File => "file",
            Self::Database => "database",
            Self::Schema => "schema",
            Self::Busy => "busy",
            Self::Local => "local",
            Self::Broken => "broken",
            Self::Config => "config",
        }
    }

    /// What leads on from any failure of the kind, where the one that fails knows nothing better.
    fn way_on(self) -> &'static str {
        match self {
            Self::Bug | Self::Broken => "health doctor --json    for a report of it",
            Self::Usage => "health --help",
            Self::Partial => "health rejects",
            Self::Login => "health auth",
            Self::Later => "nothing to do now; the same command later goes on",
            Self::Refused => "health status",
            Self::File => "have the file made anew, then run the same command again",
            Self::Database => "health doctor",
            Self::Schema => "health migrate --check",
            Self::Busy => "wait for the other program, then run the same command again",
            Self::Local => "mend what is named, then run the same command again",
            Self::Config => "correct the setting; what can be set: health help env",
        }
    }
}

/// A failure to show: three lines for a person, one object for a script.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) error: anyhow::Error,
    pub(crate) kept: Option<String>,
    /// Never missing: every kind has a way on of its own.
    pub(crate) next: Option<String>,
}

impl Failure {
    /// `what` says what happened, and to what; never a secret, a body or a URL with a query.
    pub(crate) fn new(kind: Kind, what: impl Display + Send + Sync + std::fmt::Debug + 'static) -> Self {
        Self { kind, error: anyhow::Error::msg(what), kept: None, next: Some(kind.way_on().to_owned()) }
    }

    /// The same failure once more, without what caused it: a report and a log may both want it.
    pub(crate) fn again(&self) -> Self {
        let copy = Self::new(self.kind, self.error.to_string());
        Self { kept: self.kept.clone(), next: self.next.clone(), ..copy }
    }

    /// What is safe in spite of the failure.
    pub(crate) fn kept(mut self, kept: impl Into<String>) -> Self {
        self.kept = Some(kept.into());
        self
    }

    /// A command, or a sentence, that leads on.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Its exit code.
    pub(crate) fn exit(&self) -> Exit {
        Exit::from(self.kind)
    }
}

/// Gives an error its kind: `connect(..).blame(Kind::Database)?`.
pub(crate) trait Blame<T> {
    fn blame(self, kind: Kind) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Blame<T> for Result<T, E> {
    fn blame(self, kind: Kind) -> Result<T, Failure> {
        self.map_err(|error| Failure { kind, error: error.into(), kept: None, next: Some(kind.way_on().to_owned()) })
    }
}

/// How a command ended, as the number a script reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const PARTIAL: Self = Self(3);

    /// Ended by a signal at a page border: 128 + its number.
    pub(crate) fn signal(number: u8) -> Self {
        Self(128 + number)
    }

    /// The name in `--json`.
    pub(crate) fn name(self) -> &'static str {
        KINDS.iter().find(|kind| **kind as u8 == self.0).map_or(if self.0 == 0 { "ok" } else { "signal" }, |k| k.name())
    }

    /// The worst of several codes; with at least one success beside a failure the result is "partial" (docs/exit-codes.md).
    pub(crate) fn merge(codes: &[Self]) -> Self {
        let worst = codes.iter().copied().min_by_key(|code| code.rank()).unwrap_or(Self::OK);
        let some_worked = codes.iter().any(|code| matches!(code.0, 0 | 3));
        if worst.0 > 128 || worst == Self::OK || !some_worked { worst } else { Self::PARTIAL }
    }

    /// Place in the order of severity, 0 the worst (docs/exit-codes.md).
    fn rank(self) -> usize {
        const ORDER: [u8; 12] = [12, 13, 9, 11, 8, 7, 6, 4, 5, 10, 3, 0];
        if self.0 > 128 {
            return 0;
        }
        ORDER.iter().position(|code| *code == self.0).map_or(1, |place| place + 2)
    }
}

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        Self(kind as u8)
    }
}

const KINDS: [Kind; 13] = [
    Kind::Bug,
    Kind::Usage,
    Kind::Partial,
    Kind::Login,
    Kind::Later,
    Kind::Refused,
    Kind::File,
    Kind::Database,
    Kind::Schema,
    Kind::Busy,
    Kind::Local,
    Kind::Broken,
    Kind::Config,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(codes: &[u8]) -> u8 {
        Exit::merge(&codes.iter().map(|code| Exit(*code)).collect::<Vec<_>>()).0
    }

    #[test]
    fn several_outcomes_add_up_as_the_table_says() {
        assert_eq!(merged(&[]), 0);
        assert_eq!(merged(&[0, 0]), 0);
        assert_eq!(merged(&[0, 4]), 3, "one success makes it partial");
        assert_eq!(merged(&[4, 5]), 4, "without a success the worst counts");
        assert_eq!(merged(&[5, 10]), 5);
        assert_eq!(merged(&[3, 13]), 3);
        assert_eq!(merged(&[0, 130]), 130, "a signal is never hidden");
        assert_eq!(merged(&[8, 6, 7]), 8);
    }
}
