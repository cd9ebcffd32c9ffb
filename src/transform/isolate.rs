//! One impossible value must not stop a model: where a range of raw rows fails on its data, it is halved until the bad
//! row stands alone; that row is rejected with its SQLSTATE and the others go on. What an earlier version of it had made
//! is retired: it would stand as current, and a rebuild from raw could not make it again. A record of many readings is made
//! once more without those that are no numbers (`meta.reading`), so that one of them does not cost the others.

use postgres::Transaction;
use postgres::error::SqlState;
use serde_json::json;

use super::Upserted;
use super::upsert::{Range, Statement, keys};
use crate::canonical::Table;
use crate::run::Run;
use crate::source::{Model, Source};

/// So many bytes of stored, compressed payload are read by one statement: some hundred thousand parts, which take a server
/// process as many hundred bytes each.
const PIECE: i64 = 3 << 20;

/// Applies `model` to the rows after run `after_run`: whole at first, in halves where its data is refused. A row that
/// was refused before and has not changed since is counted only where the model `starts_again`: otherwise every run that
/// happens to read it once more, because another table changed, would end as partial for ever. Where it
/// `is_first`, nothing is stored that its rows are to be compared with.
pub(super) fn apply(
    t: &mut Transaction,
    source: &Source,
    model: &Model,
    run: &Run,
    after_run: i64,
    (starts_again, is_first): (bool, bool),
) -> Result<Upserted, postgres::Error> {
    expect_many(t, source, model, run, after_run)?;
    if model.into == Table::Rejects {
        let done = super::unusable::reject(t, source, model, run, after_run)?;
        resolve(t, source, model, run, after_run)?;
        return Ok(done);
    }
    let statement = Statement::prepare(t, source, model)?;
    let mut halver =
        Halver { statement: &statement, source, model, run, after_run, starts_again, done: Upserted::default() };
    if model.in_pieces {
        let keys = keys(t, source, model, run, after_run)?;
        pieces(&keys).try_for_each(|piece| halver.halve(t, piece, is_first))?;
    } else {
        match attempt(t, &statement, run, Range { after_run, keys: None }, is_first)? {
            Ok(done) => halver.done = done,
            Err(_) => {
                let all = keys(t, source, model, run, after_run)?;
                halver.halve(t, &all, false)?;
            }
        }
    }
    let mut done = halver.done;
    resolve(t, source, model, run, after_run)?;
    done.model = model.name;
    Ok(done)
}

/// Cuts where so much has come together.
fn pieces(keys: &[(String, i32)]) -> impl Iterator<Item = &[(String, i32)]> {
    let mut bytes = 0;
    keys.chunk_by(move |(_, size), _| {
        bytes += i64::from(*size);
        let is_full = bytes >= PIECE;
        bytes = if is_full { 0 } else { bytes };
        !is_full
    })
}

fn expect_many(
    t: &mut Transaction,
    source: &Source,
    model: &Model,
    run: &Run,
    after_run: i64,
) -> Result<(), postgres::Error> {
    // Where nothing is found everything was looked at, once for each row of what it is joined with.
    t.batch_execute("set local enable_nestloop = off")?;
    let changed: i64 = if after_run < 0 {
        model.many
    } else {
        let statement = super::upsert::over_raw(include_str!("sql/many.sql"), source, model.reads);
        t.query_one(&statement, &[&run.user_id, &run.account_id, &after_run, &model.many])?.get(0)
    };
    // All are many, however few there are. Many are joined by hash: a merge would sort them first, with all that they carry.
    let (others, memory) = if changed < model.many { ("on", "default") } else { ("off", "'64MB'") };
    t.batch_execute(&format!(
        "set local enable_nestloop = {others}; set local enable_mergejoin = {others}; set local work_mem = {memory}"
    ))
}

struct Halver<'a> {
    statement: &'a Statement,
    source: &'a Source,
    model: &'a Model,
    run: &'a Run,
    after_run: i64,
    starts_again: bool,
    done: Upserted,
}

impl Halver<'_> {
    /// `is_first` holds for the whole range alone: of its halves one may have made what the other makes.
    fn halve(&mut self, t: &mut Transaction, keys: &[(String, i32)], is_first: bool) -> Result<(), postgres::Error> {
        let (Some((first, _)), Some((last, _))) = (keys.first(), keys.last()) else { return Ok(()) };
        let range = Range { after_run: self.after_run, keys: Some((first, last)) };
        match attempt(t, self.statement, self.run, range, is_first)? {
            Ok(done) => {
                self.add(&done);
                Ok(())
            }
            Err(_) if is_first => self.halve(t, keys, false),
            Err(refused) if keys.len() == 1 => {
                let is_known = self.reject(t, first, &refused)?;
                if let Some(done) = without_unread(t, self.statement, self.run, range)? {
                    self.add(&done);
                } else {
                    self.done.retired += super::upsert::withdraw(t, self.source, self.model, self.run, first)?;
                }
                self.done.rejected += i64::from(self.starts_again || !is_known);
                Ok(())
            }
            Err(_) => {
                let (low, high) = keys.split_at(keys.len() / 2);
                self.halve(t, low, false)?;
                self.halve(t, high, false)
            }
        }
    }

    fn add(&mut self, done: &Upserted) {
        self.done.inserted += done.inserted;
        self.done.updated += done.updated;
        self.done.retired += done.retired;
    }

    /// Writes it down; says whether it was known.
    fn reject(&self, t: &mut Transaction, source_id: &str, refused: &Refused) -> Result<bool, postgres::Error> {
        let raw_table = format!("{}.{}", self.source.raw_schema(), self.model.reads);
        let locator = json!({"raw_table": raw_table, "raw_source_id": source_id});
        let statement = super::upsert::over_raw(include_str!("sql/reject.sql"), self.source, self.model.reads);
        let name = format!("{}.{}", self.source.id, self.model.name);
        let run = self.run;
        t.query_one(include_str!("../run/sql/lock_person.sql"), &[&run.user_id])?;
        let row = t.query_one(
            &statement,
            &[
                &run.user_id,
                &run.account_id,
                &name,
                &run.run_id,
                &locator,
                &refused.code,
                &refused.detail,
                &run.started_at,
                &source_id,
            ],
        )?;
        Ok(row.get(0))
    }
}

/// Why the database refused a row: the rule, never the value.
struct Refused {
    code: String,
    detail: String,
}

fn attempt(
    t: &mut Transaction,
    statement: &Statement,
    run: &Run,
    range: Range,
    is_first: bool,
) -> Result<Result<Upserted, Refused>, postgres::Error> {
    let mut savepoint = t.transaction()?;
    match statement.run(&mut savepoint, run, range, is_first) {
        Ok(done) => {
            savepoint.commit()?;
            Ok(Ok(done))
        }
        Err(error) => {
            savepoint.rollback()?;
            refused(&error).map(Err).ok_or(error)
        }
    }
}

/// Makes a record that was refused once more, leaving out readings that are no numbers. None: that was not what was wrong.
fn without_unread(
    t: &mut Transaction,
    statement: &Statement,
    run: &Run,
    range: Range,
) -> Result<Option<Upserted>, postgres::Error> {
    t.batch_execute("set local health.unread = 'left out'")?;
    let done = attempt(t, statement, run, range, false)?.ok();
    t.batch_execute("set local health.unread = ''")?;
    Ok(done)
}

/// Whether the data is at fault: a data exception, a missing or impossible value, two rows of one key.
fn refused(error: &postgres::Error) -> Option<Refused> {
    let db = error.as_db_error()?;
    let code = db.code();
    let at_fault = code.code().starts_with("22")
        || [
            SqlState::NOT_NULL_VIOLATION,
            SqlState::CHECK_VIOLATION,
            SqlState::FOREIGN_KEY_VIOLATION,
            SqlState::UNIQUE_VIOLATION,
            SqlState::CARDINALITY_VIOLATION,
            SqlState::STATEMENT_TOO_COMPLEX,
        ]
        .contains(code);
    let rule = match (db.constraint(), db.column()) {
        (Some(constraint), _) => format!("rule {constraint}"),
        (None, Some(column)) => format!("column {column}"),
        (None, None) => sqlstate_words(code).to_owned(),
    };
    at_fault.then(|| Refused { code: code.code().to_owned(), detail: rule })
}

/// The server's own message may hold the value, so a few words of ours stand for it.
fn sqlstate_words(code: &SqlState) -> &'static str {
    match code.code() {
        "22003" => "a number is out of range",
        "22007" | "22008" => "a date or time is impossible",
        "22P02" => "a text is not of the type it should be",
        "21000" => "two rows of one key",
        _ => "the value is refused",
    }
}

/// Rejects of this model whose rows it can use now.
fn resolve(
    t: &mut Transaction,
    source: &Source,
    model: &Model,
    run: &Run,
    after_run: i64,
) -> Result<(), postgres::Error> {
    let name = format!("{}.{}", source.id, model.name);
    let statement = super::upsert::over_raw(include_str!("sql/resolve.sql"), source, model.reads);
    t.execute(&statement, &[&run.user_id, &run.account_id, &name, &run.run_id, &after_run])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_where_it_is_full() {
        let key = |size: i32| (String::new(), size);
        let lengths = |sizes: &[i32]| -> Vec<usize> {
            let keys: Vec<_> = sizes.iter().map(|size| key(*size)).collect();
            pieces(&keys).map(<[_]>::len).collect()
        };
        let full = 3 << 20;
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[1; 9]), [9], "small ones go together");
        assert_eq!(lengths(&[full, full, 1, 1]), [1, 1, 2], "one that fills a piece is one");
        assert_eq!(lengths(&[full - 1, 1, 1, 1]), [2, 2]);
        assert_eq!(lengths(&[i32::MAX, i32::MAX, i32::MAX]), [1, 1, 1]);
    }
}
