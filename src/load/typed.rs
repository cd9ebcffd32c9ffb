//! A document into typed raw tables: COPY into temporary stages while it is read, then all of it in one transaction
//! behind the fence, so that nothing is visible before everything is. The SQL that knows the tables is the source's;
//! here are the order of the steps, the dictionaries and the delete fuse of docs/adr/05.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use postgres::{Client, GenericClient, Transaction};

use super::buckets::Digests;
use super::{bulk, copy, fuse};
use crate::db::Sql;
use crate::failure::Failure;
use crate::run::{FenceError, Run, fenced_failure};
use crate::source::{About, Beside, Bulk, Files, Held, HeldFile, Source, TypedTable};

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
    /// What of the rows that are missing came in another form, as far as was looked.
    pub(crate) rewritten: Vec<bulk::Rewritten>,
    /// Tables of which so much changed that statistics of them are to be taken.
    pub(crate) stale: Vec<bool>,
    /// Tables of which the document says all there is, in their order: it is the newest, complete, and holds some.
    pub(crate) proved: Vec<bool>,
    /// No day of the bulk table differed, so nothing follows from it.
    pub(crate) is_same: bool,
}

/// How the rows of a bulk table came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Came {
    /// All of them to the stage.
    Staged,
    /// To the account's own table, which is part of the table now; to the stage what could not be numbered.
    Own,
    /// To the stage, those of the days that differ from what is stored.
    Compared(bulk::Compared),
}

/// What a document brought.
pub(crate) struct Brought<'a> {
    pub(crate) came: Came,
    pub(crate) file_id: i64,
    pub(crate) about: &'a About,
    /// Rows by kind, for each stage.
    pub(crate) seen: Vec<&'a BTreeMap<String, Seen>>,
    /// Of the bulk table; where it was compared, those that differ.
    pub(crate) digests: &'a mut Digests,
    /// Lets deletions through that the fuse would hold back.
    pub(crate) accept_deletions: bool,
}

/// Makes the empty stages of this session.
pub(crate) fn create_stages(client: &mut impl GenericClient, files: &Files) -> Result<(), Failure> {
    for stage in files.stages.iter().rev() {
        client.batch_execute(&format!("drop table if exists {}", stage.name)).sql()?;
    }
    files.stages.iter().try_for_each(|stage| client.batch_execute(stage.create).sql())
}

/// The numbered words of the account, one map for each dictionary.
pub(crate) fn words(
    client: &mut impl GenericClient,
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

/// Files beside documents that are stored as the present reader reads them.
pub(crate) fn held(
    client: &mut impl GenericClient,
    run: &Run,
    beside: &Beside,
    parser_version: i32,
) -> Result<Held, Failure> {
    let rows = client.query(beside.held, &[&run.user_id, &run.account_id, &parser_version]).sql()?;
    let one = |row: &postgres::Row| {
        let id: uuid::Uuid = row.get(0);
        (id.as_u128(), HeldFile { kind: row.get(1), at: row.get(2) })
    };
    Ok(rows.iter().map(one).collect())
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

/// Stages to tables: what is new, what came back, and, where the document is newer than all before, what is gone. What a
/// newer complete document had retired does not come back with an older one, nor with one that says no date. What
/// is gone is only marked, and only as far as the fuse goes.
pub(crate) fn merge(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    files: &Files,
    brought: &mut Brought,
) -> Result<Merged, Failure> {
    let account: [&(dyn postgres::types::ToSql + Sync); 2] = [&run.user_id, &run.account_id];
    t.batch_execute("set local work_mem = '64MB'").sql()?; // one transaction at a time sorts and hashes whole stages
    let row = t.query_one(files.newest, &account).sql()?;
    let (newest, complete): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = (row.get(0), row.get(1));
    let made_since = |other: DateTime<Utc>| brought.about.made_at.is_some_and(|made| made >= other);
    let is_newest = brought.about.made_at.is_some() && newest.is_none_or(made_since);
    let may_prove = is_newest && brought.about.cut.is_none();
    let may_return = complete.is_none_or(made_since);
    for stage in files.stages.iter().filter(|stage| !stage.keys.is_empty()) {
        t.batch_execute(&format!("analyze {} ({})", stage.name, stage.keys)).sql()?;
    }
    let left_over: bool = t.query_one(include_str!("sql/any_withdrawn.sql"), &account).sql()?.get(0);
    let (mut merged, mut states) = (Merged::default(), Vec::new());
    for table in files.tables {
        let (changed, state) = into_table(t, run, (files, table), brought, may_return)?;
        if left_over && state.is_merged {
            let adopt = copy::named(include_str!("sql/adopt.sql"), source, table.name);
            t.execute(&adopt, &[&run.user_id, &run.account_id, &brought.file_id, &run.run_id]).sql()?;
        }
        merged.is_same |= !state.is_merged;
        merged.proved.push(may_prove && state.is_brought);
        merged.tables.push(changed);
        states.push(state);
    }
    let held_back = fuse::mark(t, run, files, (&states, may_prove), brought, &mut merged)?;
    for ((table, state), changed) in files.tables.iter().zip(&states).zip(&merged.tables) {
        let rows: u64 = changed.values().map(|of| of.new + of.returned + of.missing).sum();
        // Of a bulk table statistics cost something, and change little with a few rows.
        merged.stale.push(rows > if table.bulk.is_some() { state.known / 10 } else { 0 });
        let Some(bulk) = table.bulk.filter(|_| state.is_merged) else { continue };
        let proved = state.known == 0 || (may_prove && state.is_brought && !held_back);
        let whole = !matches!(brought.came, Came::Compared(_));
        bulk::keep_digests(t, bulk, run, whole, proved && brought.about.cut.is_none())?;
    }
    Ok(merged)
}

/// What became of a table's stage.
pub(super) struct State {
    /// Something may have changed; of a bulk table whose days are all equal nothing was looked at.
    pub(super) is_merged: bool,
    /// The document holds rows of it.
    pub(super) is_brought: bool,
    /// How many rows there were that were not missing, at least.
    pub(super) known: u64,
    /// The same by kind; none: not counted.
    pub(super) kinds: Option<BTreeMap<String, u64>>,
}

/// Rows of one table.
fn into_table(
    t: &mut Transaction,
    run: &Run,
    (files, table): (&Files, &TypedTable),
    brought: &mut Brought,
    may_return: bool,
) -> Result<(BTreeMap<String, Changed>, State), Failure> {
    let account: [&(dyn postgres::types::ToSql + Sync); 2] = [&run.user_id, &run.account_id];
    let (mut changed, mut waits, mut bound) = (BTreeMap::new(), true, None);
    if let Some(bulk) = table.bulk {
        let is_brought = brought.digests.records() > 0;
        add_apart(t, run, bulk, brought.digests, &mut changed)?;
        match brought.came {
            Came::Compared(_) if brought.digests.is_empty() => {
                return Ok((changed, State { is_merged: false, is_brought, known: 0, kinds: None }));
            }
            Came::Compared(compared) => bound = compared.bound(),
            Came::Own => {
                waits = bulk::recall(t, files, bulk, run, brought.digests.repeats_nested())?;
                bound = Some(0);
            }
            Came::Staged if is_brought && !bulk::has_table(t, bulk, run)? => {
                bulk::create_table(t, bulk, run, brought.file_id)?;
                bulk::attach_table(t, bulk, run)?;
            }
            Came::Staged => {}
        }
        bulk::stage_digests(t, bulk, brought.digests)?;
    }
    let (known, kinds) = match bound {
        Some(known) => (known, None),
        None => {
            let rows = t.query(table.count, &account).sql()?;
            let kinds: BTreeMap<String, u64> = rows.iter().map(|row| (row.get(0), count(row, 1))).collect();
            (kinds.values().sum(), Some(kinds))
        }
    };
    if waits {
        if let Some(complete) = table.complete {
            add_rows(t, run, complete, &mut changed)?;
        }
        t.execute(table.merge, &[&run.user_id, &run.account_id, &brought.file_id, &run.run_id, &may_return]).sql()?;
    }
    if table.bulk.is_some() && brought.came == Came::Own {
        // Every row of the document is new.
        for (kind, seen) in brought.seen[table.stage] {
            changed.entry(kind.clone()).or_default().new = seen.rows;
        }
        for of in changed.values_mut() {
            of.new += of.added.rows;
        }
    } else {
        let among_days = table.bulk.filter(|_| matches!(brought.came, Came::Compared(_))).map(|bulk| bulk.news);
        for row in t.query(among_days.unwrap_or(table.news), &[&run.user_id, &run.account_id, &run.run_id]).sql()? {
            let of: &mut Changed = changed.entry(row.get(0)).or_default();
            (of.new, of.returned) = (count(&row, 1), count(&row, 2));
        }
    }
    let is_brought = if table.bulk.is_some() {
        brought.digests.records() > 0
    } else {
        let stage = files.stages[table.stage].name;
        t.query_one(&format!("select exists (select from {stage})"), &[]).sql()?.get(0)
    };
    Ok((changed, State { is_merged: true, is_brought, known, kinds }))
}

pub(super) fn count(row: &postgres::Row, place: usize) -> u64 {
    u64::try_from(row.get::<_, i64>(place)).unwrap_or_default()
}

/// Runs a table's `complete`.
fn add_rows(
    t: &mut Transaction,
    run: &Run,
    complete: &str,
    changed: &mut BTreeMap<String, Changed>,
) -> Result<(), Failure> {
    add(changed, &t.query(complete, &[&run.user_id, &run.account_id]).sql()?);
    Ok(())
}

/// The same for days that were not looked at, because they are stored alike.
fn add_apart(
    t: &mut Transaction,
    run: &Run,
    bulk: &Bulk,
    digests: &Digests,
    changed: &mut BTreeMap<String, Changed>,
) -> Result<(), Failure> {
    let apart = digests.apart();
    if apart.len() == 0 {
        return Ok(());
    }
    let (mut kinds, mut days, mut tops) = (Vec::new(), Vec::new(), Vec::new());
    for (bucket, top) in apart {
        kinds.push(bucket.kind);
        days.push(chrono::NaiveDate::from_epoch_days(bucket.day));
        tops.push(i64::from(top));
    }
    add(changed, &t.query(bulk.apart, &[&run.user_id, &run.account_id, &kinds, &days, &tops]).sql()?);
    Ok(())
}

fn add(changed: &mut BTreeMap<String, Changed>, rows: &[postgres::Row]) {
    for row in rows {
        let day = |place| row.get::<_, Option<chrono::NaiveDate>>(place).map(|day| day.to_epoch_days());
        let added = Seen { rows: count(row, 1), first: day(2), last: day(3) };
        changed.entry(row.get(0)).or_default().added.add(added);
    }
}

/// Takes statistics of what changed: models read the rows at once, and autovacuum comes a minute later. Where no models
/// run now, those that run later see to it. Where the role does not own the tables the server skips it with a warning.
pub(crate) fn take_statistics(
    client: &mut Client,
    source: &Source,
    files: &Files,
    merged: &Merged,
) -> Result<(), Failure> {
    let schema = source.raw_schema();
    let mut names = Vec::new();
    for (table, _) in files.tables.iter().zip(&merged.stale).filter(|(_, is_stale)| **is_stale) {
        match table.bulk {
            Some(bulk) => client.batch_execute(bulk.analyze).sql()?,
            None => names.push(table.name),
        }
    }
    if merged.stale.contains(&true) {
        names.extend(files.dictionaries.iter().map(|dictionary| dictionary.table));
    }
    for name in names {
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

/// The same after an import, as far as it may have changed anything. Where the rows of the bulk table are all new, the
/// reader has added them up; `for_models`: that is worth keeping.
pub(crate) fn follow_import(
    t: &mut Transaction,
    run: &Run,
    files: &Files,
    (came, merged): (Came, &Merged),
    for_models: bool,
) -> Result<(), Failure> {
    let statements: &[&str] = match (files.bulk(), came) {
        (Some(_), _) if merged.is_same => return Ok(()),
        (Some(bulk), Came::Own) if for_models => &[bulk.after_first, bulk.keep_sums],
        (Some(bulk), Came::Own) => &[bulk.after_first],
        (Some(bulk), Came::Compared(_)) => &[bulk.after_compared],
        _ => return follow(t, run, files),
    };
    for statement in statements {
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
    if let Some(bulk) = files.bulk() {
        bulk::forget_digests(t, bulk, run)?;
    }
    let mut taken = TakenBack::default();
    let runs: Vec<i64> = t.query_one(files.runs_of, &[&run.user_id, &run.account_id, &file_id]).sql()?.get(0);
    for table in files.tables {
        let statement = copy::named(include_str!("sql/take_back.sql"), source, table.name);
        let row = t.query_one(&statement, &[&run.user_id, &run.account_id, &file_id, &run.run_id, &runs]).sql()?;
        taken.went += count(&row, 0);
        taken.came_back += count(&row, 1);
    }
    let names: Vec<&str> = files.tables.iter().map(|table| table.name).collect();
    let reopen = include_str!("sql/reopen_rejects.sql");
    t.execute(reopen, &[&run.user_id, &run.account_id, &runs, &names, &file_id]).sql()?;
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
