//! Bulk samples into a typed raw table: COPY into a temporary stage while the file is read, then all of it in one
//! transaction behind the fence, so that nothing is visible before everything is. The SQL that knows the table is the
//! source's; here are the order of the steps, the dictionaries and the delete fuse of docs/adr/05.

use std::collections::HashMap;
use std::io::Write as _;

use postgres::{Client, Transaction};

use crate::db::Sql;
use crate::failure::{Failure, Kind};
use crate::run::{FenceError, Run, fenced_failure};
use crate::source::{About, Source, TypedTable};

/// What begins a binary COPY: signature, flags, extension length (PostgreSQL manual, COPY).
const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What ends it: a row of -1 fields.
const COPY_TAIL: &[u8] = &[0xff, 0xff];

/// How many rows of an import changed the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// New rows by kind.
    pub(crate) new: HashMap<String, u64>,
    /// Rows that had been missing and are back.
    pub(crate) returned: u64,
    /// Rows that are missing now.
    pub(crate) missing: u64,
    /// Rows that are missing, but were not marked: more than the fuse allows.
    pub(crate) held_back: u64,
}

/// Makes the empty stage of this session.
pub(crate) fn create_stage(client: &mut Client, table: &TypedTable) -> Result<(), Failure> {
    client.batch_execute(&format!("drop table if exists {}; {}", table.stage, table.create_stage)).sql()
}

/// Sends encoded rows to the stage. A temporary table: no transaction stays open and nothing is logged.
pub(crate) fn copy(client: &mut Client, table: &TypedTable, rows: &[u8]) -> Result<(), Failure> {
    let mut writer = client.copy_in(&format!("copy {} from stdin (format binary)", table.stage)).sql()?;
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
    table: &TypedTable,
    (user_id, account_id): (i64, i64),
) -> Result<Vec<HashMap<String, i32>>, Failure> {
    let schema = source.raw_schema();
    let mut all = Vec::new();
    for dictionary in table.dictionaries {
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
    table: &TypedTable,
    new: &[&[(i32, String)]],
) -> Result<(), Failure> {
    let schema = source.raw_schema();
    for (dictionary, words) in table.dictionaries.iter().zip(new) {
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

/// Stage to table: what is new, what came back, and, where the document is newer than all before, what is gone. What
/// is gone is only marked, and only as far as the fuse goes: a tenth of the known rows or 3 (docs/adr/05).
pub(crate) fn merge(
    t: &mut Transaction,
    run: &Run,
    table: &TypedTable,
    file_id: i64,
    about: &About,
    accept_deletions: bool,
) -> Result<Merged, Failure> {
    let account: [&(dyn postgres::types::ToSql + Sync); 2] = [&run.user_id, &run.account_id];
    let known: i64 = t.query_one(table.count, &account).sql()?.get(0);
    let newest: Option<chrono::DateTime<chrono::Utc>> = t.query_one(table.newest, &account).sql()?.get(0);
    t.batch_execute(&format!("analyze {}", table.stage)).sql()?;
    let written = t.execute(table.merge, &[&run.user_id, &run.account_id, &file_id, &run.run_id]).sql()?;
    let news = t.query(table.news, &[&run.user_id, &run.account_id, &run.run_id, &file_id]).sql()?;
    let count = |row: &postgres::Row| u64::try_from(row.get::<_, i64>(1)).unwrap_or_default();
    let new: HashMap<String, u64> = news.iter().map(|row| (row.get(0), count(row))).collect();
    let mut merged = Merged { returned: written - new.values().sum::<u64>(), new, ..Merged::default() };
    let is_newest = about.made_at.is_some_and(|made| newest.is_none_or(|newest| made >= newest));
    if known > 0 && about.records > 0 && is_newest {
        let mut marking = t.transaction().sql()?;
        let missing = marking.execute(table.mark_missing, &[&run.user_id, &run.account_id, &run.run_id]).sql()?;
        if accept_deletions || missing <= (known.unsigned_abs() / 10).max(3) {
            marking.commit().sql()?;
            merged.missing = missing;
        } else {
            marking.rollback().sql()?;
            merged.held_back = missing;
        }
    }
    Ok(merged)
}

/// Takes statistics after an import: models read the rows at once, and autovacuum comes a minute later. Where the role
/// does not own the tables the server skips it with a warning.
pub(crate) fn take_statistics(client: &mut Client, source: &Source, table: &TypedTable) -> Result<(), Failure> {
    let schema = source.raw_schema();
    for name in std::iter::once(table.name).chain(table.dictionaries.iter().map(|dictionary| dictionary.table)) {
        client.batch_execute(&format!(r#"analyze "{schema}"."{name}""#)).sql()?;
    }
    Ok(())
}

/// Writes down what the document says about itself.
pub(crate) fn describe(
    t: &mut Transaction,
    run: &Run,
    table: &TypedTable,
    file_id: i64,
    about: &About,
) -> Result<(), Failure> {
    t.execute(table.describe, &[&run.user_id, &run.account_id, &file_id, &about.made_at, &about.columns]).sql()?;
    Ok(())
}
