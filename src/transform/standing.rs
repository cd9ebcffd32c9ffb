//! Where the models of a source stand with one account: what each has read, and whether anything has changed since. All
//! are asked for at once, in one transaction, because most runs bring something to few models.

use std::collections::HashMap;

use postgres::{Client, Transaction};

use super::{Whose, state_hash, upsert};
use crate::db::Sql;
use crate::failure::Failure;
use crate::source::{Model, Source};

/// Where a model stands.
pub(super) struct Standing {
    /// What it says now.
    pub(super) text_hash: Vec<u8>,
    /// It never ran.
    pub(super) is_new: bool,
    /// It does not say what it said when it ran, or is to be run as if it never had.
    pub(super) starts_again: bool,
    pub(super) reads: Scope,
}

/// How much of an account a model must read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Nothing,
    /// What changed after this run.
    Since(i64),
    /// Everything: it never did, its text changed, or a table that it joins did, and nobody knows which rows that touches.
    Whole,
}

/// The models of `source`, in their order. `zones`: where the person was, as a digest. With `rebuild` all read everything.
pub(super) fn of_models(
    client: &mut Client,
    source: &Source,
    whose: Whose,
    zones: &[u8],
    rebuild: bool,
) -> Result<Vec<Standing>, Failure> {
    let mut t = client.transaction().sql()?;
    // A planner that looks for one row takes the way that is long where there is none.
    t.batch_execute("set local enable_nestloop = off").sql()?;
    let rows = t.query(include_str!("sql/states.sql"), &[&whose.0, &whose.1]).sql()?;
    let states: HashMap<String, (Vec<u8>, i64)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    let mut changed = Changes { t, source, whose, known: HashMap::new() };
    let of = |model: &'static Model| {
        let (text_hash, state) =
            (state_hash(source, model, zones), states.get(&format!("{}.{}", source.id, model.name)));
        let goes_on = state.filter(|(hash, _)| !rebuild && *hash == text_hash);
        let reads = goes_on.map_or(Ok(Scope::Whole), |(_, run)| changed.scope(model, *run))?;
        Ok(Standing { is_new: state.is_none(), starts_again: goes_on.is_none(), text_hash, reads })
    };
    source.models.iter().map(of).collect()
}

/// Which raw tables changed after which run.
struct Changes<'a> {
    t: Transaction<'a>,
    source: &'a Source,
    whose: Whose,
    /// Several models read one table.
    known: HashMap<(&'static str, i64), bool>,
}

impl Changes<'_> {
    fn scope(&mut self, model: &'static Model, run: i64) -> Result<Scope, Failure> {
        for joined in model.joins {
            if self.after(joined, run)? {
                return Ok(Scope::Whole);
            }
        }
        Ok(if self.after(model.reads, run)? { Scope::Since(run) } else { Scope::Nothing })
    }

    fn after(&mut self, table: &'static str, run: i64) -> Result<bool, Failure> {
        if let Some(known) = self.known.get(&(table, run)) {
            return Ok(*known);
        }
        let statement = upsert::over_raw(include_str!("sql/changed.sql"), self.source, table);
        let changed = self.t.query_one(&statement, &[&self.whose.0, &self.whose.1, &run]).sql()?.get(0);
        self.known.insert((table, run), changed);
        Ok(changed)
    }
}
