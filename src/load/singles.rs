//! Resources whose records are read one by one: which of them are due, by what is stored of the resources that lead to them,
//! and in which version of those each was read. Knows no HTTP.

use chrono::{DateTime, Utc};
use postgres::types::ToSql;
use postgres::{Client, GenericClient, Row, Transaction};

use super::{Counts, Load, WriteError, copy};
use crate::db::Sql;
use crate::extract::slices::Asked;
use crate::failure::Failure;
use crate::run::{Account, FenceError, Run};
use crate::source::{Batch, Due, Lacking, Resource, Source};

/// Marks records that nothing leads to any more, and says which are to be read.
pub(super) fn due(client: &mut Client, load: &mut Load, due: &Due) -> Result<Vec<Lacking>, WriteError> {
    let run = load.run.clone();
    let Some(each) = copy::described(load.source, due.resource).and_then(|resource| resource.each) else {
        return Ok(Vec::new());
    };
    let over = |template: &str| copy::named(&template.replace("{named}", each.named), load.source, due.resource);
    let mut t = client.transaction()?;
    run.check_fence(&mut t).map_err(|error| match error {
        FenceError::Fenced => WriteError::Fenced,
        FenceError::Sql(error) => WriteError::Sql(error),
    })?;
    let marked = t.execute(
        &over(include_str!("sql/named_missing.sql")),
        &[&run.user_id, &run.account_id, &due.now, &run.run_id],
    )?;
    let rows = lacking(
        &mut t,
        &over(include_str!("sql/named_due.sql")),
        &[&run.user_id, &run.account_id, &due.now, &due.resource, &due.force, &run.run_id, &due.since, &due.until],
    )?;
    t.commit()?;
    if marked > 0 {
        load.counts.entry(due.resource).or_default().retired += i64::try_from(marked).unwrap_or(i64::MAX);
    }
    Ok(rows.iter().map(|row| Lacking { id: row.get(0), version: row.get(1), at: row.get(2) }).collect())
}

/// How many records of `resource` are to be read, by what is stored now; no run need be open.
pub(crate) fn left(
    client: &mut impl GenericClient,
    account: &Account,
    source: &Source,
    resource: &Resource,
    asked: Asked,
    now: DateTime<Utc>,
) -> Result<usize, Failure> {
    let Some(each) = resource.each else { return Ok(0) };
    let statement =
        copy::named(&include_str!("sql/named_due.sql").replace("{named}", each.named), source, resource.name);
    let values: [&(dyn ToSql + Sync); 8] = [
        &account.user_id,
        &account.account_id,
        &now,
        &resource.name,
        &asked.force,
        &i64::MAX,
        &asked.since,
        &asked.until,
    ];
    let mut t = client.transaction().sql()?;
    Ok(lacking(&mut t, &statement, &values).sql()?.len())
}

/// What is due. A minute after the first load the planner still knows nothing of its tables, and would hold each record
/// against each.
fn lacking(t: &mut Transaction, statement: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, postgres::Error> {
    t.batch_execute("set local enable_nestloop = off")?;
    t.query(statement, values)
}

/// Writes down that a record was read, unless it could not be used: then the next run asks again.
pub(super) fn note(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    batch: &Batch,
    single: &Lacking,
    counts: Counts,
) -> Result<(), postgres::Error> {
    if counts.same > 0 {
        let statement = copy::named(include_str!("sql/named_touch.sql"), source, batch.resource);
        t.execute(&statement, &[&run.user_id, &run.account_id, &single.id, &run.run_id])?;
    }
    if batch.rejected.is_empty() {
        t.execute(
            include_str!("sql/named_read.sql"),
            &[&run.user_id, &run.account_id, &batch.resource, &single.id, &single.version, &run.run_id],
        )?;
    }
    Ok(())
}
