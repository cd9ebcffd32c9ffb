//! The short ways of bulk rows (docs/adr/28). The first rows of an account go by COPY into a table of their own, in the
//! one transaction that also publishes them, and get their key when they are all there. Later, digests by type and day
//! say which days have to be looked at. The SQL that knows the table is the source's.

use postgres::error::SqlState;
use std::collections::BTreeMap;

use postgres::fallible_iterator::FallibleIterator as _;
use postgres::{Client, GenericClient, Transaction};

use super::buckets::{Digest, Digests, Held};
use super::stream;
use crate::db::Sql;
use crate::failure::Failure;
use crate::run::Run;
use crate::source::{Bucket, Bulk, Files, Row, Stage};

/// What keeps a table from being dropped, but is no failure.
const PREVENTED: [SqlState; 3] =
    [SqlState::LOCK_NOT_AVAILABLE, SqlState::INSUFFICIENT_PRIVILEGE, SqlState::DEPENDENT_OBJECTS_STILL_EXIST];
/// Rows of a stage are sent from this size.
const BATCH: usize = 256 << 10;

/// Whether the account has its part of the table, which it gets with its first rows.
pub(crate) fn has_table(client: &mut impl GenericClient, bulk: &Bulk, run: &Run) -> Result<bool, Failure> {
    Ok(client.query_one(bulk.has_table, &[&run.user_id, &run.account_id]).sql()?.get(0))
}

/// Lets go of the account's part where every file was taken back, so that the next one comes by the short way. Whoever
/// looks at the whole table, or owns it, may prevent that; then it stays.
pub(crate) fn drop_empty_table(t: &mut Transaction, bulk: &Bulk, run: &Run) -> Result<(), Failure> {
    let Some(row) = t.query_opt(bulk.empty_table, &[&run.user_id, &run.account_id]).sql()? else { return Ok(()) };
    let name: String = row.get(0);
    t.batch_execute("set local lock_timeout = '2s'").sql()?;
    let mut attempt = t.transaction().sql()?;
    match attempt.batch_execute(&format!("drop table {name}")) {
        Ok(()) => attempt.commit().sql(),
        Err(error) if matches!(error.code(), Some(code) if PREVENTED.contains(code)) => attempt.rollback().sql(),
        Err(error) => Err(error).sql(),
    }
}

/// Makes the table of the account, without indexes and not part of anything; its name, as the server quotes it. What is
/// written to it begins its way to the disk at once, because the commit waits for all of it.
pub(crate) fn create_table(t: &mut Transaction, bulk: &Bulk, run: &Run, file_id: i64) -> Result<String, Failure> {
    t.batch_execute("set local backend_flush_after = '1MB'").sql()?;
    let row = t.query_one(bulk.create_table, &[&run.user_id, &run.account_id, &file_id, &run.run_id]).sql()?;
    Ok(row.get(0))
}

/// Removes it again, because no row came.
pub(crate) fn drop_table(t: &mut Transaction, table: &str) -> Result<(), Failure> {
    t.batch_execute(&format!("drop table {table}")).sql()
}

/// Builds the key over its rows, and makes it the account's part of the table.
pub(crate) fn attach_table(t: &mut Transaction, bulk: &Bulk, run: &Run) -> Result<(), Failure> {
    t.query_one(bulk.attach_table, &[&run.user_id, &run.account_id]).sql()?;
    Ok(())
}

/// Where rows wait in the stages beside the account's own new table, brings them together with their copies there; says
/// whether any wait. Rows that stand inside other elements wait only where the top does not repeat all of them.
pub(crate) fn recall(
    t: &mut Transaction,
    files: &Files,
    bulk: &Bulk,
    run: &Run,
    repeats: bool,
) -> Result<bool, Failure> {
    let (stage, nested) = (files.stages[bulk.stage].name, files.stages[bulk.nested].name);
    if repeats {
        t.batch_execute(&format!("truncate {nested}")).sql()?;
    }
    let query = format!("select exists (select from {stage}) or exists (select from {nested})");
    let wait: bool = t.query_one(&query, &[]).sql()?.get(0);
    if wait {
        let keys = files.stages[bulk.stage].keys;
        t.batch_execute(&format!("analyze {stage} ({keys}); analyze {nested} ({keys})")).sql()?;
        t.execute(bulk.recall, &[&run.user_id, &run.account_id]).sql()?;
        t.batch_execute(&format!("analyze {stage} ({keys})")).sql()?;
    }
    Ok(wait)
}

/// So many rows that are gone are held against what came.
pub(crate) const MOST_REWRITTEN: i64 = 20_000;

/// Rows that are gone and came in another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// `renamed`: another source; `described`: another version or device, or other details; `unit`; `edited`: another value.
    pub(crate) how: String,
    /// Source, or unit.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) rows: u64,
}

/// How many rows of these kinds are stored and not missing.
pub(crate) fn known_kinds(
    t: &mut Transaction,
    bulk: &Bulk,
    run: &Run,
    kinds: &[&str],
) -> Result<BTreeMap<String, u64>, Failure> {
    let rows = t.query(bulk.known_kinds, &[&run.user_id, &run.account_id, &kinds]).sql()?;
    let one = |row: &postgres::Row| (row.get(0), u64::try_from(row.get::<_, i64>(1)).unwrap_or_default());
    Ok(rows.iter().map(one).collect())
}

/// What of the rows that this transaction has marked as gone only looks gone.
pub(crate) fn rewritten(t: &mut Transaction, bulk: &Bulk, run: &Run) -> Result<Vec<Rewritten>, Failure> {
    let rows = t.query(bulk.rewritten, &[&run.user_id, &run.account_id, &run.run_id, &MOST_REWRITTEN]).sql()?;
    let one = |row: &postgres::Row| Rewritten {
        how: row.get(0),
        from: row.get(1),
        to: row.get(2),
        rows: u64::try_from(row.get::<_, i64>(3)).unwrap_or_default(),
    };
    Ok(rows.iter().map(one).collect())
}

/// Whether anything is known of the account by its digests.
pub(crate) fn has_digests(client: &mut Client, bulk: &Bulk, run: &Run) -> Result<bool, Failure> {
    let query = format!("select exists ({})", bulk.stored_digests);
    Ok(client.query_one(&query, &[&run.user_id, &run.account_id]).sql()?.get(0))
}

/// What comparing told about the stored rows.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Compared {
    /// At least so many are stored.
    pub(crate) known: u64,
    /// At most so many of them are of days that differ; none: nobody knows.
    pub(crate) differing: Option<u64>,
}

impl Compared {
    /// How many rows are stored, at least, where that suffices to know that the fuse cannot trip: not even if all rows of
    /// the days that differ were gone.
    pub(super) fn bound(self) -> Option<u64> {
        self.differing.filter(|differing| *differing <= (self.known / 10).max(3)).map(|_| self.known)
    }
}

/// Takes out of a document's digests what is stored alike; what is left has to be compared.
pub(crate) fn compare(client: &mut Client, bulk: &Bulk, run: &Run, digests: &mut Digests) -> Result<Compared, Failure> {
    let account: [&(dyn postgres::types::ToSql + Sync); 2] = [&run.user_id, &run.account_id];
    let mut rows = client.query_raw(bulk.stored_digests, account).sql()?;
    let mut compared = Compared { known: 0, differing: Some(0) };
    while let Some(row) = rows.next().sql()? {
        let day: chrono::NaiveDate = row.get(1);
        let digest = |place| {
            let (records, sum): (Option<i32>, Option<uuid::Uuid>) = (row.get(place), row.get(place + 1));
            records.zip(sum).map(|(records, sum)| Digest::new(records.unsigned_abs(), sum.as_u128()))
        };
        let stored = digest(2).zip(digest(4)).map(|(top, nested)| Held { top, nested });
        let is_equal = digests.compare(Bucket { kind: row.get(0), day: day.to_epoch_days() }, stored);
        compared.known += stored.map_or(0, |held| u64::from(held.top.records));
        if !is_equal {
            let rows = stored.map(|held| u64::from(held.top.records) + u64::from(held.nested.records));
            compared.differing = compared.differing.zip(rows).map(|(all, rows)| all + rows);
        }
    }
    Ok(compared)
}

/// Writes the digests of the days that are compared to their stage.
pub(crate) fn stage_digests(t: &mut Transaction, bulk: &Bulk, digests: &mut Digests) -> Result<(), Failure> {
    fill(t, &bulk.digests, digests.all(), |row, (bucket, held)| {
        row.int(Some(bucket.kind));
        row.date(bucket.day);
        for digest in [held.top, held.nested] {
            row.int(Some(digest.records.cast_signed()));
            row.uuid(digest.sum());
        }
    })
}

/// Makes a stage of this transaction, with these rows.
fn fill<T>(
    t: &mut Transaction,
    stage: &Stage,
    all: impl Iterator<Item = T>,
    encode: impl Fn(&mut Row, T),
) -> Result<(), Failure> {
    t.batch_execute(&format!("drop table if exists {}", stage.name)).sql()?;
    t.batch_execute(stage.create).sql()?;
    let (mut rows, mut row) = (Vec::new(), Row::default());
    let mut stream = stream::Stream::open(t, stage.name, "")?;
    for one in all {
        row.clear();
        encode(&mut row, one);
        rows.extend_from_slice(row.bytes());
        if rows.len() > BATCH {
            stream.send(&rows);
            rows.clear();
        }
    }
    stream.send(&rows);
    stream.close()?;
    if stage.keys.is_empty() {
        Ok(())
    } else {
        t.batch_execute(&format!("analyze {} ({})", stage.name, stage.keys)).sql()
    }
}

/// Keeps the staged ones for the next export. `whole`: they are all there is. `exact`: the table holds what the document
/// holds.
pub(crate) fn keep_digests(
    t: &mut Transaction,
    bulk: &Bulk,
    run: &Run,
    whole: bool,
    exact: bool,
) -> Result<(), Failure> {
    if !whole {
        t.execute(bulk.keep_digests, &[&run.user_id, &run.account_id, &exact]).sql()?;
        return Ok(());
    }
    forget_digests(t, bulk, run)?;
    if exact {
        t.execute(bulk.keep_all_digests, &[&run.user_id, &run.account_id]).sql()?;
    }
    Ok(())
}

/// Nothing is known any more: the next document is compared row by row.
pub(crate) fn forget_digests(t: &mut Transaction, bulk: &Bulk, run: &Run) -> Result<(), Failure> {
    t.execute(bulk.forget_digests, &[&run.user_id, &run.account_id]).sql()?;
    Ok(())
}
