//! Models that name raw records which canonical cannot take: each becomes a reject, and a reject whose record is no longer
//! named is resolved. One statement for all, since a unit that nobody knows may stand in a million records.

use postgres::Transaction;

use super::Upserted;
use super::upsert::wrapped;
use crate::run::Run;
use crate::source::{Model, Source};

/// Applies `model` to the rows after run `after_run`.
pub(super) fn reject(
    t: &mut Transaction,
    source: &Source,
    model: &Model,
    run: &Run,
    after_run: i64,
) -> Result<Upserted, postgres::Error> {
    let name = format!("{}.{}", source.id, model.name);
    let raw_table = format!("{}.{}", source.raw_schema(), model.reads);
    t.query_one(include_str!("../run/sql/lock_person.sql"), &[&run.user_id])?;
    let statement = wrapped(include_str!("sql/unusable.sql"), source, model);
    let rejected = t.execute(
        &statement,
        &[&run.user_id, &run.account_id, &after_run, &name, &raw_table, &run.run_id, &run.started_at],
    )?;
    let account = &[&run.user_id as &(dyn postgres::types::ToSql + Sync), &run.account_id, &name, &run.run_id];
    if t.query_one(include_str!("sql/open_rejects.sql"), account)?.get(0) {
        t.execute(&wrapped(include_str!("sql/usable.sql"), source, model), account)?;
    }
    Ok(Upserted { model: model.name, rejected: i64::try_from(rejected).unwrap_or(i64::MAX), ..Upserted::default() })
}
