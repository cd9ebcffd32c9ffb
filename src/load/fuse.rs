//! Marks what a document no longer holds, as far as the fuse goes (docs/adr/05): of each kind a tenth of its known rows, or
//! 3. Past it in one kind nothing is marked in any table, unless what is gone came with the same document in another form.

use std::collections::BTreeMap;

use postgres::Transaction;

use super::bulk;
use super::typed::{Brought, Came, Merged, State, count};
use crate::db::Sql;
use crate::failure::Failure;
use crate::run::Run;
use crate::source::{Files, TypedTable};

/// How many rows may vanish of so many.
fn limit(known: u64) -> u64 {
    (known / 10).max(3)
}

/// Marks them, where the document may prove that they are gone; says whether the fuse holds all of them back. `merged`
/// learns what is missing.
pub(super) fn mark(
    t: &mut Transaction,
    run: &Run,
    files: &Files,
    (states, may_prove): (&[State], bool),
    brought: &Brought,
    merged: &mut Merged,
) -> Result<bool, Failure> {
    let mut marking = t.transaction().sql()?;
    let (mut missing, mut trips) = (Vec::new(), Vec::new());
    for (table, state) in files.tables.iter().zip(states) {
        // A document that holds nothing for a table proves nothing about it.
        if !(may_prove && state.is_merged && state.is_brought && state.known > 0) {
            missing.push(BTreeMap::new());
            trips.push(false);
            continue;
        }
        let gone = gone(&mut marking, run, table, brought, limit(state.known))?;
        trips.push(is_too_much(&mut marking, run, (table, state), &gone)?);
        missing.push(gone);
    }
    for ((table, changed), gone) in files.tables.iter().zip(&merged.tables).zip(&missing) {
        let has_new = changed.values().any(|of| of.new > 0);
        if let Some(bulk) = table.bulk.filter(|_| has_new && !gone.is_empty()) {
            merged.rewritten = bulk::rewritten(&mut marking, bulk, run)?;
        }
    }
    let mut held_back = false;
    for (place, (table, state)) in files.tables.iter().zip(states).enumerate() {
        if !trips[place] || brought.accept_deletions {
            continue;
        }
        if table.bulk.is_some() && is_rewritten(merged, &missing[place], state.known) {
            gone(&mut marking, run, table, brought, u64::MAX)?; // those that were only counted
        } else {
            held_back = true;
        }
    }
    if held_back {
        marking.rollback().sql()?;
        merged.held_back = missing.iter().flat_map(BTreeMap::values).sum();
    } else {
        marking.commit().sql()?;
        for (changed, kinds) in merged.tables.iter_mut().zip(missing) {
            for (kind, rows) in kinds {
                changed.entry(kind).or_default().missing = rows;
            }
        }
    }
    Ok(held_back)
}

/// Marks what is missing of a table, by kind. Of a bulk table more than `most` are counted, and only some are marked.
fn gone(
    t: &mut Transaction,
    run: &Run,
    table: &TypedTable,
    brought: &Brought,
    most: u64,
) -> Result<BTreeMap<String, u64>, Failure> {
    let among_days = table.bulk.filter(|_| matches!(brought.came, Came::Compared(_))).map(|bulk| bulk.mark_missing);
    let most = if brought.accept_deletions { i64::MAX } else { i64::try_from(most).unwrap_or(i64::MAX) };
    let values: [&(dyn postgres::types::ToSql + Sync); 4] = [&run.user_id, &run.account_id, &run.run_id, &most];
    let values = &values[..if table.bulk.is_some() { 4 } else { 3 }];
    let rows = t.query(among_days.unwrap_or(table.mark_missing), values).sql()?;
    Ok(rows.iter().map(|row| (row.get(0), count(row, 1))).collect())
}

fn is_too_much(
    t: &mut Transaction,
    run: &Run,
    (table, state): (&TypedTable, &State),
    gone: &BTreeMap<String, u64>,
) -> Result<bool, Failure> {
    if gone.values().sum::<u64>() > limit(state.known) {
        return Ok(true);
    }
    let many: Vec<&str> = gone.iter().filter(|(_, rows)| **rows > limit(0)).map(|(kind, _)| kind.as_str()).collect();
    let asked = match (&state.kinds, table.bulk) {
        (None, Some(bulk)) if !many.is_empty() => bulk::known_kinds(t, bulk, run, &many)?,
        _ => BTreeMap::new(),
    };
    let known = |kind: &str| state.kinds.as_ref().unwrap_or(&asked).get(kind).copied().unwrap_or(state.known);
    Ok(many.into_iter().any(|kind| gone[kind] > limit(known(kind))))
}

/// Whether what is gone only looks gone: nine tenths and more of it, and all but as much as the fuse allows, came again under
/// another name, in another unit or with another value. Of very many rows some thousands were looked at, and stand for the
/// others.
fn is_rewritten(merged: &Merged, gone: &BTreeMap<String, u64>, known: u64) -> bool {
    let all: u64 = gone.values().sum();
    let found: u64 = merged.rewritten.iter().map(|rewritten| rewritten.rows).sum();
    let looked_at = all.min(bulk::MOST_REWRITTEN.unsigned_abs());
    found > 0 && found >= looked_at / 10 * 9 && looked_at.saturating_sub(found) * (all / looked_at) <= limit(known)
}
