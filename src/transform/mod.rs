//! Canonical rows from raw rows: each model reads what changed since it last ran, in a transaction of its own behind the
//! fence. A model is a SELECT; the upsert, lineage, history, retirement, counts and watermark are the engine's.
//! Knows no HTTP.

mod isolate;
mod pair;
mod standing;
mod unusable;
mod upsert;

use postgres::{Client, Transaction};
use sha2::{Digest, Sha256};

use crate::db::{self, Sql};
use crate::failpoint::failpoint;
use crate::failure::{Failure, Kind};
use crate::run::{FenceError, Run, fenced_failure};
use crate::source::{Model, Source};
use crate::zones;
use standing::{Scope, Standing};

pub(crate) use pair::Another;
pub(crate) use upsert::shown;

/// What one model did to its canonical table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Upserted {
    pub(crate) model: &'static str,
    pub(crate) table: &'static str,
    pub(crate) inserted: i64,
    pub(crate) updated: i64,
    pub(crate) retired: i64,
    /// Rows that canonical refuses, those left out that an earlier run told of and that have not changed since.
    pub(crate) rejected: i64,
}

/// Person and account.
type Whose = (i64, i64);

/// How a model's revision is written into its rows: `whoop.sleep_sessions/3f9a1c07`.
fn mapping_version(source: &Source, model: &Model) -> String {
    use std::fmt::Write as _;
    let digest = text_hash(source, model);
    let mut version = format!("{}.{}/", source.id, model.name);
    for byte in &digest[..4] {
        let _ = write!(version, "{byte:02x}");
    }
    version
}

/// What a model says: its own text, and the reference data of its source.
fn text_hash(source: &Source, model: &Model) -> Vec<u8> {
    let mut digest = Sha256::new_with_prefix(model.select);
    for reference in source.references {
        reference.add_to(&mut digest);
    }
    digest.finalize().to_vec()
}

/// What a model's state is known by: what it says, and where the person was, if it follows that.
fn state_hash(source: &Source, model: &Model, zones: &[u8]) -> Vec<u8> {
    let text = text_hash(source, model);
    if model.zoned { Sha256::new_with_prefix(text).chain_update(zones).finalize().to_vec() } else { text }
}

/// Where the person was, if a model of `source` follows that: the ranges and their digest.
fn zones_of(client: &mut Client, source: &Source, user_id: i64) -> Result<(Vec<zones::Range>, Vec<u8>), Failure> {
    if !source.models.iter().any(|model| model.zoned) {
        return Ok((Vec::new(), Vec::new()));
    }
    let ranges = zones::expanded(client, user_id)?;
    let mut digest = Sha256::new();
    for range in &ranges {
        digest.update(range.from.timestamp().to_le_bytes());
        digest.update(range.place.offset_s.to_le_bytes());
        digest.update(range.place.zone.name());
    }
    Ok((ranges, digest.finalize().to_vec()))
}

/// Runs all models of `source` over what changed in the run's account; with `rebuild` over everything. Where everything
/// is read, `another` connection takes half of them.
pub(crate) fn transform(
    client: &mut Client,
    another: Another,
    source: &'static Source,
    run: &Run,
    rebuild: bool,
) -> Result<Vec<Upserted>, Failure> {
    let (ranges, zones) = zones_of(client, source, run.user_id)?;
    if !ranges.is_empty() {
        zones::keep(client, run.user_id, &ranges)?;
    }
    let standings = standing::of_models(client, source, (run.user_id, run.account_id), &zones, rebuild)?;
    let never_ran = standings.last().is_some_and(|last| last.is_new);
    let bare = if never_ran { bare_tables(client, source, run)? } else { Vec::new() };
    let one = |client: &mut Client, place: usize| {
        run_model(client, source, &source.models[place], run, &standings[place], &bare)
    };
    let count = source.models.len();
    if count > 1 && (rebuild || never_ran) {
        let order = longest_first(client, source)?;
        return pair::side_by_side(client, another, &order, &one);
    }
    (0..count).map(|place| one(client, place)).collect()
}

/// The places of a source's models, those first whose raw tables are largest: what is begun last should be short.
fn longest_first(client: &mut Client, source: &Source) -> Result<Vec<usize>, Failure> {
    let tables: Vec<String> =
        source.models.iter().map(|model| format!("{}.{}", source.raw_schema(), model.reads)).collect();
    let rows = client.query(include_str!("sql/largest.sql"), &[&tables]).sql()?;
    Ok(rows.iter().filter_map(|row| usize::try_from(row.get::<_, i64>(0)).ok()).collect())
}

/// The tables of a source's models that hold nothing of the run's account.
fn bare_tables(client: &mut Client, source: &Source, run: &Run) -> Result<Vec<&'static str>, Failure> {
    let mut bare = Vec::new();
    for model in source.models.iter().filter(|model| model.into != crate::canonical::Table::Rejects) {
        let table = model.into.shape().name;
        if bare.contains(&table) {
            continue;
        }
        let statement = include_str!("sql/stored.sql").replace("{table}", &format!("canonical.\"{table}\""));
        if !client.query_one(&statement, &[&run.user_id, &source.id, &run.account_id]).sql()?.get::<_, bool>(0) {
            bare.push(table);
        }
    }
    Ok(bare)
}

/// The models that have something to read in the run's account: raw rows changed since they ran, or their text did.
pub(crate) fn behind(client: &mut Client, source: &Source, whose: Whose) -> Result<Vec<&'static Model>, Failure> {
    let (_, zones) = zones_of(client, source, whose.0)?;
    let standings = standing::of_models(client, source, whose, &zones, false)?;
    let behind = source.models.iter().zip(standings).filter(|(_, standing)| standing.reads != Scope::Nothing);
    Ok(behind.map(|(model, _)| model).collect())
}

/// `bare`: tables that held nothing of the account before the first model ran.
fn run_model(
    client: &mut Client,
    source: &'static Source,
    model: &'static Model,
    run: &Run,
    standing: &Standing,
    bare: &[&'static str],
) -> Result<Upserted, Failure> {
    let nothing = Upserted { model: model.name, table: model.into.shape().name, ..Upserted::default() };
    let name = format!("{}.{}", source.id, model.name);
    let from = match standing.reads {
        Scope::Nothing => return Ok(nothing),
        Scope::Since(after) => after,
        Scope::Whole => -1,
    };
    let is_first = standing.is_new && bare.contains(&nothing.table);
    take_statistics(client, source, model, is_first)?;
    let mut tries = 0;
    loop {
        let mut t = client.transaction().sql()?;
        run.share_fence(&mut t).map_err(|error| match error {
            FenceError::Fenced => fenced_failure(),
            FenceError::Sql(error) => db::failure(&error),
        })?;
        let done =
            isolate::apply(&mut t, source, model, run, from, (standing.starts_again, is_first)).and_then(|done| {
                failpoint!("model.half");
                note_state(&mut t, run, &name, &standing.text_hash).map(|()| done)
            });
        match done {
            Ok(done) => {
                t.commit().sql()?;
                return Ok(Upserted { model: nothing.model, table: nothing.table, ..done });
            }
            Err(error) if db::is_conflict(&error) && tries < 5 => {
                drop(t);
                tries += 1;
            }
            Err(error) => return Err(db::failure(&error).about(&name)),
        }
    }
}

/// Without statistics the planner expects one row, and the joins of a first load of ten years take minutes instead of
/// a fraction of a second; autovacuum would bring them a minute later. What is written for the first time is joined with
/// nothing that is stored.
fn take_statistics(client: &mut Client, source: &Source, model: &Model, is_first: bool) -> Result<(), Failure> {
    let raw = std::iter::once(&model.reads).chain(model.joins).map(|table| format!("{}.{table}", source.raw_schema()));
    let target = (!is_first).then(|| format!("canonical.{}", model.into.shape().name));
    let tables: Vec<String> = raw.chain(target).collect();
    for row in client.query(include_str!("sql/grown.sql"), &[&tables]).sql()? {
        client.batch_execute(row.get(0)).sql()?;
    }
    Ok(())
}

/// Everything up to this run has been read: nobody else writes to the account while we hold its fence.
fn note_state(t: &mut Transaction, run: &Run, name: &str, text_hash: &[u8]) -> Result<(), postgres::Error> {
    t.execute(include_str!("sql/note_state.sql"), &[&run.user_id, &run.account_id, &name, &text_hash, &run.run_id])?;
    Ok(())
}

impl Failure {
    /// Says which model it was, and leaves the reason in sight.
    fn about(mut self, model: &str) -> Self {
        let what = format!("the model {model} failed: {}", self.error);
        self.error = self.error.context(what);
        if self.kind == Kind::Database {
            self = self.next("health transform    (raw data is safe; models can be run again at any time)");
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_follows_the_text() {
        let source = crate::sources::find("whoop").unwrap();
        let version = mapping_version(source, &source.models[0]);
        let (name, digits) = version.split_once('/').unwrap();
        assert_eq!(name, "whoop.user_identity");
        assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn a_model_that_fails_says_why() {
        let failure = Failure::new(Kind::Database, "PostgreSQL says 53100: no space left").about("whoop.workouts");
        assert_eq!(failure.error.to_string(), "the model whoop.workouts failed: PostgreSQL says 53100: no space left");
        assert!(failure.next.is_some_and(|next| next.starts_with("health transform")));
    }

    #[test]
    fn every_model_says_its_grain_and_is_one_select() {
        for source in crate::sources::ALL {
            for model in source.models {
                assert!(model.select.starts_with("-- grain: "), "{}.{}", source.id, model.name);
                assert!(!model.select.contains(';'), "{}.{}", source.id, model.name);
            }
        }
    }
}
