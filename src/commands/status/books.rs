//! What the books say of each account: last run, coverage, rejects. One statement each, over small tables.

use chrono::{DateTime, Utc};
use postgres::Client;

use crate::db::Sql;
use crate::failure::Failure;
use crate::run::Person;
use crate::source::Slice;

/// One account.
pub(super) struct Row {
    pub(super) source: String,
    pub(super) account: String,
    pub(super) status: String,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) last_run: Option<LastRun>,
    pub(super) rejects: i64,
    pub(super) resources: Vec<HeldResource>,
    /// When the newest file was made, where data comes by file.
    pub(super) newest_file: Option<DateTime<Utc>>,
}

/// The last run that brought data, or tried to.
pub(super) struct LastRun {
    pub(super) run_id: i64,
    pub(super) began: DateTime<Utc>,
    /// As `meta.import_runs` has it; "killed" where it says that it runs and nobody does.
    pub(super) status: String,
    pub(super) exit: Option<i16>,
    pub(super) error: Option<String>,
    /// Records that it could not use, as far as they are unresolved.
    pub(super) rejects: i64,
}

/// How far one resource is held.
pub(super) struct HeldResource {
    pub(super) name: String,
    pub(super) covered: Vec<Slice>,
    pub(super) is_open: bool,
}

impl HeldResource {
    pub(super) fn from(&self) -> Option<DateTime<Utc>> {
        self.covered.first().map(|slice| slice.from).filter(|from| *from > DateTime::UNIX_EPOCH)
    }

    pub(super) fn until(&self) -> Option<DateTime<Utc>> {
        self.covered.last().map(|slice| slice.to)
    }

    pub(super) fn gaps(&self) -> usize {
        self.covered.len().saturating_sub(1)
    }
}

impl Row {
    /// Whether anything was read, or tried: an account may be written down before, with what the person agreed to.
    pub(super) fn has_begun(&self) -> bool {
        self.last_run.is_some() || !self.resources.is_empty() || self.newest_file.is_some()
    }

    /// Until when all of `timed` is held: the resource that is furthest behind decides; none while one of them was never
    /// read to an end.
    pub(super) fn covered_until(&self, timed: &[&str]) -> Option<DateTime<Utc>> {
        let until = |name: &&str| self.resources.iter().find(|held| held.name == *name)?.until();
        timed.iter().map(until).collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    pub(super) fn gaps(&self) -> usize {
        self.resources.iter().map(HeldResource::gaps).sum()
    }
}

pub(super) fn read(client: &mut Client, person: &Person) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for row in client.query(include_str!("accounts.sql"), &[&person.user_id]).sql()? {
        let account_id: i64 = row.get("account_id");
        let source: String = row.get("source_system");
        let files = crate::sources::find(&source).and_then(|source| source.files.as_ref());
        let newest_file = match files {
            Some(files) => client.query_one(files.newest, &[&person.user_id, &account_id]).sql()?.get(0),
            None => None,
        };
        let of = Row {
            source,
            account: row.get("label"),
            status: row.get("status"),
            not_before: row.get("not_before"),
            last_run: last_run(client, &row, (person.user_id, account_id))?,
            rejects: row.get("rejects"),
            resources: Vec::new(),
            newest_file,
        };
        rows.push((account_id, of));
    }
    for held in client.query(include_str!("coverage.sql"), &[&person.user_id]).sql()? {
        let (account_id, name, is_open): (i64, String, bool) = (held.get(0), held.get(1), held.get(2));
        let (froms, tos): (Vec<DateTime<Utc>>, Vec<DateTime<Utc>>) = (held.get(3), held.get(4));
        let covered = froms.into_iter().zip(tos).map(|(from, to)| Slice { from, to }).collect();
        if let Some((_, row)) = rows.iter_mut().find(|(id, _)| *id == account_id) {
            row.resources.push(HeldResource { name, covered, is_open });
        }
    }
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

fn last_run(client: &mut Client, row: &postgres::Row, account: (i64, i64)) -> Result<Option<LastRun>, Failure> {
    let Some(run_id) = row.get("run_id") else { return Ok(None) };
    let mut status: String = row.get("run_status");
    if status == "running" && !crate::run::is_held(client, account)? {
        status = "killed".into();
    }
    Ok(Some(LastRun {
        run_id,
        began: row.get("started_at"),
        status,
        exit: row.get("exit_code"),
        error: row.get("error"),
        rejects: row.get("run_rejects"),
    }))
}
