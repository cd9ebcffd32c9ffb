//! A document into typed raw tables: COPY into temporary stages while it is read, then all of it in one transaction
//! behind the fence, so that nothing is visible before everything is. The SQL that knows the tables is the source's;
//! here are the order of the steps, the dictionaries and the delete fuse of docs/adr/05.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;

use postgres::{Client, Transaction};

use super::copy;
use crate::db::Sql;
use crate::failure::{Failure, Kind};
use crate::run::{FenceError, Run, fenced_failure};
use crate::source::{About, Files, Source, Stage};

/// What begins a binary COPY: signature, flags, extension length (PostgreSQL manual, COPY).
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What ends it: a row of -1 fields.
const COPY_TAIL: &[u8] = &[0xff, 0xff];

/// What an import did to the rows of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) new: u64,
    /// Rows that had been missing and are back.
    pub(crate) returned: u64,
    /// Rows that are missing now.
    pub(crate) missing: u64,
    /// Rows of the document that its reader could not tell from others.
    pub(crate) added: Seen,
}

/// Rows of a document, and the local days they reach over, in days since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) rows: u64,
    pub(crate) first: Option<i32>,
    pub(crate) last: Option<i32>,
}

impl Seen {
    /// Adds another's.
    pub(crate) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }
}

/// What an import did, by table and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// In the order of the source's tables.
    pub(crate) tables: Vec<BTreeMap<String, Changed>>,
    /// Rows that are missing, but were not marked: more than the fuse allows.
    pub(crate) held_back: u64,
}

/// Makes the empty stages of this session.
pub(crate) fn create_stages(client: &mut Client, files: &Files) -> Result<(), Failure> {
    for stage in files.stages.iter().rev() {
        client.batch_execute(&format!("drop table if exists {}", stage.name)).sql()?;
    }
    files.stages.iter().try_for_each(|stage| client.batch_execute(stage.create).sql())
}

/// Sends encoded rows to the stage. A temporary table: no transaction stays open and nothing is logged.
pub(crate) fn copy(client: &mut Client, stage: &Stage, rows: &[u8]) -> Result<(), Failure> {
    let mut writer = client.copy_in(&format!("copy {} from stdin (format binary)", stage.name)).sql()?;
    let sent =
        writer.write_all(COPY_HEAD).and_then(|()| writer.write_all(rows)).and_then(|()| writer.write_all(COPY_TAIL));
    match (sent, writer.finish()) {
        (_, Err(error)) => Err(error).sql(),
        (Err(error), Ok(_)) => Err(Failure::new(Kind::Database, format!("rows cannot be sent: {error}"))),
        (Ok(()), Ok(_)) => Ok(()),
    }
}

/// The numbered words of the account, one map for each dictionary.
pub(crate) fn words(
    client: &mut Client,
    source: &Source,
    files: &Files,
    (user_id, account_id): (i64, i64),
) -> Result<Vec<HashMap<String, i32>>, Failure> {
    let schema = source.raw_schema();
    let mut all = Vec::new();
    for dictionary in files.dictionaries {
        let (id, word, name) = (dictionary.id, dictionary.word, dictionary.table);
        let query =
            format!(r#"select "{id}", "{word}" from "{schema}"."{name}" where user_id = $1 and account_id = $2"#);
        let rows = client.query(&query, &[&user_id, &account_id]).sql()?;
        all.push(rows.iter().map(|row| (row.get(1), row.get(0))).collect());
    }
    Ok(all)
}

/// Begins the transaction's writes: nothing may be written with an older fence.
pub(crate) fn hold(t: &mut Transaction, run: &Run) -> Result<(), Failure> {
    run.check_fence(t).map_err(|error| match error {
        FenceError::Fenced => fenced_failure(),
        FenceError::Sql(error) => crate::db::failure(&error),
    })
}

/// Writes new words down.
pub(crate) fn add_words(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    files: &Files,
    new: &[&[(i32, String)]],
) -> Result<(), Failure> {
    let schema = source.raw_schema();
    for (dictionary, words) in files.dictionaries.iter().zip(new) {
        let (id, word, name) = (dictionary.id, dictionary.word, dictionary.table);
        let statement = format!(
            r#"insert into "{schema}"."{name}" (user_id, account_id, "{id}", "{word}")
               select $1, $2, * from unnest($3::integer[], $4::text[])"#
        );
        let (ids, texts): (Vec<i32>, Vec<&str>) = words.iter().map(|(id, word)| (*id, word.as_str())).unzip();
        t.execute(&statement, &[&run.user_id, &run.account_id, &ids, &texts]).sql()?;
    }
    Ok(())
}

/// Stages to tables: what is new, what came back, and, where the document is newer than all before, what is gone. What
/// is gone is only marked, and only as far as the fuse goes: a tenth of a table's known rows or 3 (docs/adr/05). Past it
/// in one table nothing is marked in any.
pub(crate) fn merge(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    files: &Files,
    file_id: i64,
    about: &About,
    accept_deletions: bool,
) -> Result<Merged, Failure> {
    let account: [&(dyn postgres::types::ToSql + Sync); 2] = [&run.user_id, &run.account_id];
    let newest: Option<chrono::DateTime<chrono::Utc>> = t.query_one(files.newest, &account).sql()?.get(0);
    let is_newest = about.made_at.is_some_and(|made| newest.is_none_or(|newest| made >= newest));
    let may_prove = is_newest && about.cut.is_none();
    for stage in files.stages {
        t.batch_execute(&format!("analyze {}", stage.name)).sql()?;
    }
    let left_over: bool = t.query_one(include_str!("sql/any_withdrawn.sql"), &account).sql()?.get(0);
    let (mut merged, mut may_lack) = (Merged::default(), Vec::new());
    for table in files.tables {
        let known: i64 = t.query_one(table.count, &account).sql()?.get(0);
        let mut changed = BTreeMap::new();
        if let Some(complete) = table.complete {
            add_rows(t, run, complete, &mut changed)?;
        }
        t.execute(table.merge, &[&run.user_id, &run.account_id, &file_id, &run.run_id]).sql()?;
        if left_over {
            let adopt = copy::named(include_str!("sql/adopt.sql"), source, table.name);
            t.execute(&adopt, &[&run.user_id, &run.account_id, &file_id, &run.run_id]).sql()?;
        }
        for row in t.query(table.news, &[&run.user_id, &run.account_id, &run.run_id]).sql()? {
            let of: &mut Changed = changed.entry(row.get(0)).or_default();
            (of.new, of.returned) = (count(&row, 1), count(&row, 2));
        }
        merged.tables.push(changed);
        let stage = files.stages[table.stage].name;
        let brought: bool = t.query_one(&format!("select exists (select from {stage})"), &[]).sql()?.get(0);
        // A document that holds nothing for a table proves nothing about it.
        may_lack.push((may_prove && known > 0 && brought).then_some(known.unsigned_abs()));
    }
    let mut marking = t.transaction().sql()?;
    let (mut missing, mut trips) = (Vec::new(), false);
    for (table, known) in files.tables.iter().zip(may_lack) {
        let Some(known) = known else {
            missing.push(Vec::new());
            continue;
        };
        let rows = marking.query(table.mark_missing, &[&run.user_id, &run.account_id, &run.run_id]).sql()?;
        let kinds: Vec<(String, u64)> = rows.iter().map(|row| (row.get(0), count(row, 1))).collect();
        trips |= kinds.iter().map(|(_, rows)| rows).sum::<u64>() > (known / 10).max(3);
        missing.push(kinds);
    }
    if trips && !accept_deletions {
        marking.rollback().sql()?;
        merged.held_back = missing.iter().flatten().map(|(_, rows)| rows).sum();
        return Ok(merged);
    }
    marking.commit().sql()?;
    for (changed, kinds) in merged.tables.iter_mut().zip(missing) {
        for (kind, rows) in kinds {
            changed.entry(kind).or_default().missing = rows;
        }
    }
    Ok(merged)
}

fn count(row: &postgres::Row, place: usize) -> u64 {
    u64::try_from(row.get::<_, i64>(place)).unwrap_or_default()
}

/// Runs a table's `complete`.
fn add_rows(
    t: &mut Transaction,
    run: &Run,
    complete: &str,
    changed: &mut BTreeMap<String, Changed>,
) -> Result<(), Failure> {
    for row in t.query(complete, &[&run.user_id, &run.account_id]).sql()? {
        let day = |place| row.get::<_, Option<chrono::NaiveDate>>(place).map(|day| day.to_epoch_days());
        let added = Seen { rows: count(&row, 1), first: day(2), last: day(3) };
        changed.entry(row.get(0)).or_default().added = added;
    }
    Ok(())
}

/// Takes statistics after an import: models read the rows at once, and autovacuum comes a minute later. Where the role
/// does not own the tables the server skips it with a warning.
pub(crate) fn take_statistics(client: &mut Client, source: &Source, files: &Files) -> Result<(), Failure> {
    let schema = source.raw_schema();
    let tables = files.tables.iter().map(|table| table.name);
    for name in tables.chain(files.dictionaries.iter().map(|dictionary| dictionary.table)) {
        client.batch_execute(&format!(r#"analyze "{schema}"."{name}""#)).sql()?;
    }
    Ok(())
}

/// Writes down what the document says about itself.
pub(crate) fn describe(
    t: &mut Transaction,
    run: &Run,
    files: &Files,
    file_id: i64,
    about: &About,
) -> Result<(), Failure> {
    let values: [&(dyn postgres::types::ToSql + Sync); 6] =
        [&run.user_id, &run.account_id, &file_id, &about.made_at, &about.columns, &run.run_id];
    t.execute(files.describe, &values).sql()?;
    Ok(())
}

/// Brings up to date what follows from the rows of this run.
pub(crate) fn follow(t: &mut Transaction, run: &Run, files: &Files) -> Result<(), Failure> {
    for statement in files.after {
        t.execute(*statement, &[&run.user_id, &run.account_id, &run.run_id]).sql()?;
    }
    Ok(())
}

/// Rows that taking back a file touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TakenBack {
    pub(crate) went: u64,
    pub(crate) came_back: u64,
}

/// Undoes what a file did to the tables. What it brought stays for the models, as missing, until [`forget`].
pub(crate) fn take_back(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    files: &Files,
    file_id: i64,
) -> Result<TakenBack, Failure> {
    let mut taken = TakenBack::default();
    let runs: Vec<i64> = t.query_one(files.runs_of, &[&run.user_id, &run.account_id, &file_id]).sql()?.get(0);
    for table in files.tables {
        let statement = copy::named(include_str!("sql/take_back.sql"), source, table.name);
        let row = t.query_one(&statement, &[&run.user_id, &run.account_id, &file_id, &run.run_id, &runs]).sql()?;
        taken.went += count(&row, 0);
        taken.came_back += count(&row, 1);
    }
    Ok(taken)
}

/// Removes the rows that a file brought.
pub(crate) fn forget(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    files: &Files,
    file_id: i64,
) -> Result<(), Failure> {
    for table in files.tables {
        let statement = copy::named(include_str!("sql/forget.sql"), source, table.name);
        t.execute(&statement, &[&run.user_id, &run.account_id, &file_id]).sql()?;
    }
    Ok(())
}
