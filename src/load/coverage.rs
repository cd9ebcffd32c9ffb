//! How far a resource is held: the open slice with its page token, and the closed slices as a multirange. Moves in the
//! transaction of the rows it speaks of. What a closed slice no longer lists is marked missing, under a fuse.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use postgres::{GenericClient, Transaction};
use serde_json::json;

use super::{Counts, Deletions, WriteError, copy};
use crate::db::Sql;
use crate::extract::Lead;
use crate::extract::slices::Held;
use crate::failure::{Failure, Kind};
use crate::run::{Account, Run};
use crate::source::{Batch, PageToken, Resource, Slice, Source};

/// What is held of `resource` before a run.
pub(crate) fn held(client: &mut impl GenericClient, account: &Account, resource: &str) -> Result<Held, Failure> {
    let key: [&(dyn postgres::types::ToSql + Sync); 3] = [&account.user_id, &account.account_id, &resource];
    let Some(row) = client.query_opt(include_str!("sql/held.sql"), &key).sql()? else { return Ok(Held::default()) };
    let (starts, ends): (Vec<DateTime<Utc>>, Vec<DateTime<Utc>>) = (row.get(0), row.get(1));
    let covered = starts.into_iter().zip(ends).map(|(from, to)| Slice { from, to }).collect();
    let (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = (row.get(2), row.get(3));
    let token: Option<String> = row.get(4);
    let open = from.zip(to).map(|(from, to)| (Slice { from, to }, token.map(PageToken)));
    let listed_at = row.get(5);
    Ok(Held { covered, open, listed_at })
}

/// What is held of the resources of `source` that lead one of `followers`.
pub(crate) fn leads(
    client: &mut impl GenericClient,
    account: &Account,
    source: &Source,
    followers: &[&'static Resource],
) -> Result<HashMap<&'static str, Lead>, Failure> {
    let mut leads = HashMap::new();
    for name in followers.iter().map(|one| one.led_by).filter(|name| !name.is_empty()) {
        let listed = held(client, account, name)?.covered;
        let statement = copy::named(include_str!("sql/times.sql"), source, name);
        let rows = client.query(&statement, &[&account.user_id, &account.account_id]).sql()?;
        leads.insert(name, Lead::held(listed, rows.iter().map(|row| row.get(0))));
    }
    Ok(leads)
}

/// Moves the open slice on, or closes it. A tripped fuse leaves coverage where it was and is handed back.
#[allow(clippy::too_many_arguments, reason = "what a batch is, and what is known of its resource, meet here alone")]
pub(super) fn advance(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    deletions: &Deletions,
    batch: &Batch,
    slice: &Slice,
    seen: &HashSet<String>,
    counts: &mut Counts,
) -> Result<Option<Failure>, WriteError> {
    let Some(closing) = &batch.closes else {
        let token = batch.next_page.as_ref().map(|PageToken(token)| token.as_str());
        let open = json!({"from": slice.from, "to": slice.to, "page_token": token});
        t.execute(include_str!("sql/open.sql"), &[&run.user_id, &run.account_id, &batch.resource, &open, &run.run_id])?;
        return Ok(None);
    };
    let from = &closing.covered_from;
    // Only a slice read from its first page to its last, every record with a key, proves that something is missing.
    if closing.complete {
        let last = copy::last(source, batch.resource);
        let listed: Vec<&str> = seen.iter().map(String::as_str).collect();
        let statement = copy::named(include_str!("sql/missing.sql"), source, batch.resource).replace("{last}", &last);
        let row = t.query_one(&statement, &[&run.user_id, &run.account_id, from, &slice.to, &listed])?;
        let (known, missing): (i64, i64) = (row.get(0), row.get(1));
        if let Some(failure) = deletion_fuse(source, batch.resource, known, missing, seen.is_empty(), deletions) {
            return Ok(Some(failure));
        }
        if missing > 0 {
            let statement =
                copy::named(include_str!("sql/mark_missing.sql"), source, batch.resource).replace("{last}", &last);
            let key: [&(dyn postgres::types::ToSql + Sync); 6] =
                [&run.user_id, &run.account_id, from, &slice.to, &listed, &run.run_id];
            counts.retired = i64::try_from(t.execute(&statement, &key)?).unwrap_or(i64::MAX);
        }
    }
    let statement = copy::named(include_str!("sql/provisional.sql"), source, batch.resource)
        .replace("{provisional}", &copy::provisional(source, batch.resource));
    let unfinished: Option<DateTime<Utc>> =
        t.query_one(&statement, &[&run.user_id, &run.account_id, from, &slice.to, &closing.provisional_after])?.get(0);
    let rest = closing.rest.map(|rest| json!({"from": rest.from, "to": rest.to, "page_token": null}));
    let covered_to = unfinished.map_or(closing.covered_to, |from| from.min(closing.covered_to));
    t.execute(
        include_str!("sql/close.sql"),
        &[
            &run.user_id,
            &run.account_id,
            &batch.resource,
            from,
            &covered_to,
            &run.run_id,
            &rest,
            &slice.from,
            &slice.to,
            &closing.complete.then_some(run.started_at),
        ],
    )?;
    Ok(None)
}

/// What came or changed of a resource that leads others opens its time there: a gap, which the next plan fills.
pub(super) fn open_led(t: &mut Transaction, run: &Run, source: &Source, batch: &Batch) -> Result<(), WriteError> {
    let ids: Vec<&str> = batch.records.iter().filter_map(|record| record.source_id.as_deref()).collect();
    let resources = source.api.as_ref().map_or(&[][..], |api| api.resources);
    for led in resources.iter().filter(|one| one.led_by == batch.resource) {
        let statement = copy::named(include_str!("sql/open_led.sql"), source, batch.resource);
        let lookback = i32::from(led.lookback_days);
        t.execute(&statement, &[&run.user_id, &run.account_id, &run.run_id, &ids, &led.name, &lookback])?;
    }
    Ok(())
}

/// Forgets the open slice after a tripped fuse: the next run reads it from its first page, whose records were not used.
pub(super) fn abandon(t: &mut Transaction, run: &Run, resource: &str) -> Result<(), WriteError> {
    t.execute(include_str!("sql/abandon.sql"), &[&run.user_id, &run.account_id, &resource, &run.run_id])?;
    Ok(())
}

/// At most 10 % of the slice's known rows or 3, whichever is more, unless a person accepted more; an empty listing where
/// rows are known retires nothing, whoever accepts it (docs/adr/05).
fn deletion_fuse(
    source: &Source,
    resource: &str,
    known: i64,
    missing: i64,
    listed_nothing: bool,
    deletions: &Deletions,
) -> Option<Failure> {
    let (title, name) = (source.title, source.command_name());
    if listed_nothing && known > 0 {
        let what = format!("{title} listed 0 {resource} where {known} are known; nothing was deleted");
        return Some(
            Failure::new(Kind::Refused, what)
                .kept("all of them; coverage did not move")
                .next(format!("health status {name}")),
        );
    }
    if missing > (known / 10).max(3) && !deletions.accepted {
        let what = format!("{title} no longer lists {missing} of {known} known {resource}; nothing was deleted");
        return Some(
            Failure::new(Kind::Refused, what)
                .kept("all of them, and what arrived; coverage did not move")
                .next(format!("look at {title}; if it is right: {}", deletions.accept)),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuse_lets_few_deletions_through_and_no_flood() {
        let source = crate::sources::find("whoop").unwrap();
        let fuse = |known, missing, none, accepted| {
            deletion_fuse(source, "sleeps", known, missing, none, &Deletions::of(source, "second", accepted))
        };
        let trips = |known, missing, none| fuse(known, missing, none, false).is_some();
        assert!(!trips(5, 3, false), "3 are always allowed");
        assert!(trips(5, 4, false));
        assert!(!trips(203, 20, false));
        assert!(trips(203, 21, false));
        assert!(trips(1, 1, true), "an empty listing says nothing");
        assert!(!trips(0, 0, true));
        let next = fuse(5, 4, false, false).unwrap().next.unwrap();
        assert!(next.ends_with(": health ingest whoop --account second --accept-deletions"), "{next}");
        assert!(fuse(203, 203, false, true).is_none(), "a person said that it is right");
        assert!(fuse(203, 203, true, true).is_some(), "nobody can say that of an empty listing");
    }
}
