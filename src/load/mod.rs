//! The loader thread: receives batches, and commits each with its rejects and its progress in one transaction behind the
//! fence. The only writer of raw tables with one payload per record. Knows no HTTP.

pub(crate) mod buckets;
pub(crate) mod bulk;
mod copy;
pub(crate) mod coverage;
mod fuse;
pub(crate) mod reject;
pub(crate) mod singles;
pub(crate) mod stream;
pub(crate) mod typed;

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use postgres::Client;
use tokio::sync::mpsc;

use crate::db::{self, Target};
use crate::failpoint::failpoint;
use crate::failure::{Failure, Kind};
use crate::run::{FenceError, Run, fenced_failure};
use crate::source::{Batch, Due, Message, Slice, Source};

/// What one run brought, per resource.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pages: i64,
    pub(crate) new: i64,
    pub(crate) changed: i64,
    pub(crate) same: i64,
    pub(crate) rejected: i64,
    /// No longer listed by the provider.
    pub(crate) retired: i64,
}

impl Counts {
    pub(crate) fn fetched(&self) -> i64 {
        self.new + self.changed + self.same
    }
}

/// What a run may conclude from records that are no longer listed.
#[derive(Clone, Debug)]
pub(crate) struct Deletions {
    /// A person looked and says that they are right: the fuse lets them pass.
    pub(crate) accepted: bool,
    /// The command that says so.
    pub(crate) accept: String,
}

impl Deletions {
    pub(crate) fn of(source: &Source, account: &str, accepted: bool) -> Self {
        let account =
            if account == crate::oauth::DEFAULT_ACCOUNT { String::new() } else { format!(" --account {account}") };
        Self { accepted, accept: format!("health ingest {}{account} --accept-deletions", source.command_name()) }
    }
}

/// The loader's side of one run.
pub(crate) struct Load {
    pub(crate) run: Run,
    pub(crate) source: &'static Source,
    pub(crate) counts: BTreeMap<&'static str, Counts>,
    /// Slices read to the end: only these may retire rows.
    pub(crate) closed: Vec<(&'static str, Slice)>,
    /// Resources whose fuse tripped: what arrived stays, nothing more is written.
    pub(crate) fused: BTreeMap<&'static str, Failure>,
    /// A later run has taken the account.
    pub(crate) fenced: bool,
    deletions: Deletions,
    seen: BTreeMap<&'static str, HashSet<String>>,
}

impl Load {
    pub(crate) fn new(run: Run, source: &'static Source, deletions: Deletions) -> Self {
        Self {
            run,
            source,
            counts: BTreeMap::new(),
            closed: Vec::new(),
            fused: BTreeMap::new(),
            fenced: false,
            deletions,
            seen: BTreeMap::new(),
        }
    }
}

/// Where every batch goes. One connection; a lost one is replaced once per batch, since a batch may be written twice
/// without harm.
pub(crate) struct Loader {
    pub(crate) target: Target,
    pub(crate) client: Client,
    pub(crate) loads: Vec<Load>,
}

/// How long a server that went away is waited for.
const RECONNECT_FOR: Duration = Duration::from_secs(30);

impl Loader {
    /// Commits batches and answers questions until all senders are gone, or a batch cannot be committed.
    pub(crate) fn run(mut self, mut messages: mpsc::Receiver<Message>) -> (Self, Result<(), Failure>) {
        let mut result = Ok(());
        while let Some(message) = messages.blocking_recv() {
            result = match message {
                Message::Batch(batch) => self.commit(&batch),
                Message::Due(due) => self.answer(due),
            };
            if result.is_err() {
                break;
            }
        }
        (self, result)
    }

    /// Says what is due of a resource whose records are read one by one; nothing where the account was taken over.
    fn answer(&mut self, due: Due) -> Result<(), Failure> {
        let Some(load) = self.loads.iter_mut().find(|load| load.run.run_id == due.run) else { return Ok(()) };
        if load.fenced {
            return Ok(());
        }
        let mut tries = 0;
        loop {
            match singles::due(&mut self.client, load, &due) {
                Ok(lacking) => {
                    let _ = due.answer.send(lacking); // whoever asked may have been stopped
                    return Ok(());
                }
                Err(WriteError::Sql(error)) if tries < 5 && db::is_conflict(&error) => tries += 1,
                Err(WriteError::Sql(error)) if tries == 0 && db::is_lost(&error) => {
                    tries = 5;
                    self.client = reconnect(&self.target, &load.run)?;
                }
                Err(WriteError::Sql(error)) => return Err(db::failure(&error)),
                Err(WriteError::Fenced | WriteError::Fuse(_)) => {
                    load.fenced = true;
                    return if self.loads.iter().all(|load| load.fenced) { Err(fenced_failure()) } else { Ok(()) };
                }
            }
        }
    }

    /// Commits one batch; tries again on a new connection where the old one was lost, and after a deadlock.
    fn commit(&mut self, batch: &Batch) -> Result<(), Failure> {
        let Some(load) = self.loads.iter_mut().find(|load| load.run.run_id == batch.run) else { return Ok(()) };
        if load.fenced || load.fused.contains_key(batch.resource) {
            return Ok(());
        }
        let mut tries = 0;
        loop {
            match write(&mut self.client, load, batch) {
                Ok(()) => return Ok(()),
                Err(WriteError::Fenced) => {
                    load.fenced = true;
                    return if self.loads.iter().all(|load| load.fenced) { Err(fenced_failure()) } else { Ok(()) };
                }
                Err(WriteError::Fuse(failure)) => {
                    load.fused.insert(batch.resource, failure);
                    return Ok(());
                }
                Err(WriteError::Sql(error)) if tries < 5 && db::is_conflict(&error) => tries += 1,
                Err(WriteError::Sql(error)) if tries == 0 && db::is_lost(&error) => {
                    tries = 5;
                    self.client = reconnect(&self.target, &load.run)?;
                }
                Err(WriteError::Sql(error)) => return Err(db::failure(&error)),
            }
        }
    }
}

/// Why a batch was not committed.
enum WriteError {
    Fenced,
    /// A safety fuse tripped; the batch's rows are committed, its conclusions are not drawn.
    Fuse(Failure),
    Sql(postgres::Error),
}

impl From<postgres::Error> for WriteError {
    fn from(error: postgres::Error) -> Self {
        Self::Sql(error)
    }
}

fn reconnect(target: &Target, run: &Run) -> Result<Client, Failure> {
    let give_up = Instant::now() + RECONNECT_FOR;
    loop {
        match target.connect() {
            Ok(mut client) => {
                run.relock(&mut client)?;
                return Ok(client);
            }
            Err(failure) if failure.kind == Kind::Database && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(300));
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn write(client: &mut Client, load: &mut Load, batch: &Batch) -> Result<(), WriteError> {
    let run = load.run.clone();
    let mut t = client.transaction()?;
    run.check_fence(&mut t).map_err(|error| match error {
        FenceError::Fenced => WriteError::Fenced,
        FenceError::Sql(error) => WriteError::Sql(error),
    })?;
    let mut counts = copy::upsert(&mut t, &run, load.source, batch)?;
    if let Some(single) = &batch.single {
        singles::note(&mut t, &run, load.source, batch, single, counts)?;
    }
    failpoint!("page.staged");
    if !batch.rejected.is_empty() {
        reject::store(&mut t, &run, batch.resource, None, &batch.rejected)?;
        failpoint!("reject.written");
    }
    if let Some(owner) = &batch.owner {
        t.execute(include_str!("sql/owner.sql"), &[&run.user_id, &run.account_id, owner])?;
    }
    // A batch that is tried again after a lost connection or a conflict adds the same keys: nothing may be forgotten here,
    // or closing the slice would take what earlier pages listed for deleted.
    let ids = batch.records.iter().filter_map(|record| record.source_id.clone());
    let rejected = batch.rejected.iter().filter_map(|reject| reject.source_id.clone());
    load.seen.entry(batch.resource).or_default().extend(ids.chain(rejected));
    let seen = &load.seen[batch.resource];
    let mut fuse = reject::fuse(load.counts.get(batch.resource).copied().unwrap_or_default(), counts, batch.resource);
    if let (Some(slice), None) = (&batch.slice, &fuse) {
        fuse = coverage::advance(&mut t, &run, load.source, &load.deletions, batch, slice, seen, &mut counts)?;
    }
    if fuse.is_some() {
        coverage::abandon(&mut t, &run, batch.resource)?;
    }
    if batch.is_change {
        coverage::open_led(&mut t, &run, load.source, batch)?;
    }
    failpoint!("page.before_commit");
    t.commit()?;
    failpoint!("page.committed");
    let total = load.counts.entry(batch.resource).or_default();
    total.pages += 1;
    total.new += counts.new;
    total.changed += counts.changed;
    total.same += counts.same;
    total.rejected += counts.rejected;
    total.retired += counts.retired;
    if let Some(failure) = fuse {
        return Err(WriteError::Fuse(failure));
    }
    if let Some(closing) = &batch.closes {
        failpoint!("slice.closed");
        if closing.rest.is_none() {
            load.seen.remove(batch.resource);
        }
        load.closed.extend(batch.slice.map(|slice| (batch.resource, Slice { from: closing.covered_from, ..slice })));
    }
    Ok(())
}
