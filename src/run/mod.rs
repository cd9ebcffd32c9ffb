//! The books: whose data it is, which account, and each attempt at it. A run takes its account by raising the fence;
//! whoever still writes with an older fence writes nothing (docs/adr/09). Knows no HTTP.

mod account;
mod person;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use postgres::{Client, GenericClient};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::db::{Sql, transaction};
use crate::failpoint::failpoint;
use crate::failure::{Exit, Failure, Kind};
use crate::time::Clock;

pub(crate) use account::{Account, Connection};
pub(crate) use person::Person;

/// One attempt at one account.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) user_id: i64,
    pub(crate) account_id: i64,
    pub(crate) run_id: i64,
    pub(crate) fence: i64,
    pub(crate) started_at: DateTime<Utc>,
    /// An earlier run of this account that never ended, if there was one.
    pub(crate) continues: Option<i64>,
}

/// What a run does; the word in `meta.import_runs.kind`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RunKind {
    Ingest,
    Import,
    Transform,
    Reprocess,
}

impl RunKind {
    fn word(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Import => "import",
            Self::Transform => "transform",
            Self::Reprocess => "reprocess",
        }
    }
}

impl Run {
    /// Takes the account: says "busy" politely by an advisory lock, then raises the fence, marks older runs that never
    /// ended, and writes the run down.
    pub(crate) fn open(
        client: &mut Client,
        account: &Account,
        kind: RunKind,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        failpoint!("lock.before");
        take_lock(client, account)?;
        failpoint!("lock.taken");
        let schema = crate::db::schema::known_version();
        let run = transaction(client, |t| {
            t.query_one(include_str!("sql/lock_person.sql"), &[&account.user_id]).sql()?;
            let fence: i64 = t
                .query_one(include_str!("sql/raise_fence.sql"), &[&account.user_id, &account.account_id])
                .sql()?
                .get(0);
            failpoint!("fence.bumped");
            let older =
                t.query(include_str!("sql/interrupt.sql"), &[&account.user_id, &account.account_id, &now]).sql()?;
            let run_id: i64 = t
                .query_one(
                    include_str!("sql/open.sql"),
                    &[
                        &account.user_id,
                        &account.account_id,
                        &kind.word(),
                        &now,
                        &fence,
                        &env!("CARGO_PKG_VERSION"),
                        &schema,
                    ],
                )
                .sql()?
                .get(0);
            Ok(Self {
                user_id: account.user_id,
                account_id: account.account_id,
                run_id,
                fence,
                started_at: now,
                continues: older.first().map(|row| row.get(0)),
            })
        })?;
        failpoint!("run.opened");
        Ok(run)
    }

    /// Begins a batch's transaction: nothing may be written with an older fence.
    pub(crate) fn check_fence(&self, transaction: &mut postgres::Transaction) -> Result<(), FenceError> {
        self.hold_fence(transaction, include_str!("sql/fence.sql"))
    }

    /// Begins a model's transaction: the same, but models of the same run may work side by side.
    pub(crate) fn share_fence(&self, transaction: &mut postgres::Transaction) -> Result<(), FenceError> {
        self.hold_fence(transaction, include_str!("sql/share_fence.sql"))
    }

    fn hold_fence(&self, transaction: &mut postgres::Transaction, statement: &str) -> Result<(), FenceError> {
        let held = transaction
            .query_opt(statement, &[&self.user_id, &self.account_id, &self.fence])
            .map_err(FenceError::Sql)?;
        held.map(|_| ()).ok_or(FenceError::Fenced)
    }

    /// Writes down how the run ended, unless a later one has taken the account.
    pub(crate) fn close(&self, client: &mut Client, end: &RunEnd, now: DateTime<Utc>) -> Result<(), Failure> {
        failpoint!("run.before_close");
        let exit = i16::from(end.exit.0);
        client
            .execute(
                include_str!("sql/close.sql"),
                &[
                    &self.user_id,
                    &self.run_id,
                    &now,
                    &end.status(),
                    &exit,
                    &end.error,
                    &end.complete_scope,
                    &end.counts,
                ],
            )
            .sql()?;
        client.execute(include_str!("sql/unlock.sql"), &[&lock_key(self.user_id, self.account_id)]).sql()?;
        Ok(())
    }

    /// Takes the advisory lock again on a new connection; the fence still decides.
    pub(crate) fn relock(&self, client: &mut Client) -> Result<(), Failure> {
        client.query_one(include_str!("sql/try_lock.sql"), &[&lock_key(self.user_id, self.account_id)]).sql()?;
        Ok(())
    }
}

/// How a run ended.
pub(crate) struct RunEnd {
    pub(crate) exit: Exit,
    pub(crate) fenced: bool,
    /// Cleaned text: never a value, a token or an address with a query.
    pub(crate) error: Option<String>,
    /// `[{resource, from, to}]`: what was read to the end.
    pub(crate) complete_scope: Value,
    pub(crate) counts: Value,
}

impl RunEnd {
    fn status(&self) -> &'static str {
        match self.exit.0 {
            _ if self.fenced => "fenced",
            0 => "done",
            3 => "partial",
            129.. => "interrupted",
            _ => "failed",
        }
    }
}

/// Why a transaction must not write.
#[derive(Debug)]
pub(crate) enum FenceError {
    /// A later run has taken the account.
    Fenced,
    Sql(postgres::Error),
}

/// What to say when a later run has taken the account over.
pub(crate) fn fenced_failure() -> Failure {
    Failure::new(Kind::Busy, "another run has taken this account over; this one stopped writing")
        .kept("everything that was committed; the other run goes on")
        .next("health status")
}

/// How long to wait for the session of a run that was killed: it goes when the server notices, which is within two seconds
/// where the server is not overloaded.
const LEFT_BEHIND: Duration = Duration::from_secs(8);

fn take_lock(client: &mut Client, account: &Account) -> Result<(), Failure> {
    let key = lock_key(account.user_id, account.account_id);
    let give_up = Instant::now() + LEFT_BEHIND;
    loop {
        let taken: bool = client.query_one(include_str!("sql/try_lock.sql"), &[&key]).sql()?.get(0);
        if taken {
            return Ok(());
        }
        let holder = client.query_opt(include_str!("sql/lock_holder.sql"), &[&key]).sql()?;
        let holder = holder.map(|row| (row.get::<_, String>(0), row.get::<_, DateTime<Utc>>(1)));
        // One that is gone between the two questions is gone.
        let is_going = holder.as_ref().is_none_or(|(name, _)| crate::db::is_left_behind(name));
        if is_going && Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        let who = holder.map_or_else(
            || "another run".to_owned(),
            |(name, since)| format!("{} since {} UTC", crate::output::clean(&name), since.format("%H:%M:%S")),
        );
        return Err(Failure::new(Kind::Busy, format!("{} is being read by {who}", account.source_system))
            .kept("nothing was changed by this call")
            .next("wait for it; health status shows how far it is"));
    }
}

/// Whether a living process holds the account, this one included.
pub(crate) fn is_held(client: &mut Client, (user_id, account_id): (i64, i64)) -> Result<bool, Failure> {
    let key = lock_key(user_id, account_id);
    Ok(client.query_opt(include_str!("sql/lock_holder.sql"), &[&key]).sql()?.is_some())
}

/// The advisory lock's key: 64 bits of a digest, so that a collision costs a wait and nothing else.
fn lock_key(user_id: i64, account_id: i64) -> i64 {
    let digest = Sha256::digest(format!("health account {user_id} {account_id}"));
    let mut key = [0u8; 8];
    key.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(key)
}

/// The clock of this machine against the server's: a wrong one would put coverage into the future (docs/exit-codes.md).
pub(crate) fn expect_sane_clock(client: &mut impl GenericClient, clock: &Clock) -> Result<(), Failure> {
    if clock.is_fixed() {
        return Ok(());
    }
    let server: DateTime<Utc> = client.query_one(include_str!("sql/clock.sql"), &[]).sql()?.get(0);
    let off = clock.now() - server;
    if off.num_hours().abs() < 24 {
        return Ok(());
    }
    let (days, side) = (off.num_days().abs(), if off.num_seconds() > 0 { "ahead of" } else { "behind" });
    Err(Failure::new(Kind::Local, format!("this machine's clock is {days} days {side} the database's"))
        .kept("nothing was fetched")
        .next("set the clock, then run the same command again"))
}
