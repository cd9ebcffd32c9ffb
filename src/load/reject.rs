//! Records that could not be used: stored with their reason, counted, and limited by a fuse. A repeat is counted on the
//! row it already has.

use std::collections::HashSet;

use postgres::types::ToSql;
use postgres::{GenericClient, Transaction};
use sha2::{Digest, Sha256};

use super::{Counts, copy};
use crate::failure::{Failure, Kind};
use crate::run::Run;
use crate::source::{Rejected, Source};

/// Writes rejects down, each once.
pub(crate) fn store(
    t: &mut Transaction,
    run: &Run,
    resource: &str,
    file_id: Option<i64>,
    rejected: &[Rejected],
) -> Result<(), postgres::Error> {
    t.query_one(include_str!("../run/sql/lock_person.sql"), &[&run.user_id])?;
    for reject in rejected {
        let hash = Sha256::digest(&reject.payload).to_vec();
        t.execute(
            include_str!("sql/reject.sql"),
            &[
                &run.user_id,
                &run.account_id,
                &resource,
                &run.run_id,
                &file_id,
                &reject.locator,
                &reject.code,
                &reject.detail,
                &reject.payload,
                &hash,
                &run.started_at,
            ],
        )?;
    }
    Ok(())
}

/// Rejects of these resources whose record arrived in this run in a form that can be used.
pub(crate) fn resolve<'a>(
    client: &mut impl GenericClient,
    run: &Run,
    source: &Source,
    mut resources: impl Iterator<Item = &'a str>,
) -> Result<(), postgres::Error> {
    let values: [&(dyn ToSql + Sync); 3] = [&run.user_id, &run.account_id, &run.run_id];
    let open = client.query(include_str!("sql/open_resources.sql"), &values)?;
    let open: HashSet<&str> = open.iter().map(|row| row.get(0)).collect();
    resources.try_for_each(|resource| {
        if open.contains(resource) {
            let statement = copy::named(include_str!("sql/resolve.sql"), source, resource);
            client.execute(&statement, &[&run.user_id, &run.account_id, &resource, &run.run_id])?;
        }
        Ok(())
    })
}

/// Rejects of `resource` that a document which says all there is did not meet again. Call it when its own are stored.
pub(crate) fn close(client: &mut impl GenericClient, run: &Run, resource: &str) -> Result<(), postgres::Error> {
    let values: [&(dyn ToSql + Sync); 4] = [&run.user_id, &run.account_id, &resource, &run.run_id];
    client.execute(include_str!("sql/close_rejects.sql"), &values)?;
    Ok(())
}

/// More than a fifth of at least fifty records, all of ten, or ten thousand: then it is the provider that changed, and
/// going on would move coverage over data that is not held (docs/adr/24).
pub(super) fn fuse(before: Counts, now: Counts, resource: &str) -> Option<Failure> {
    let bad = before.rejected + now.rejected;
    let all = bad + before.fetched() + now.fetched();
    let tripped = (all >= 50 && bad * 5 > all) || (all >= 10 && bad == all) || bad > 10_000;
    tripped.then(|| {
        Failure::new(
            Kind::Refused,
            format!("{resource}: {bad} of {all} records cannot be used; it looks like a change at the provider"),
        )
        .kept("the records that could be used, and the others as received; coverage did not move")
        .next("health rejects")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bad_records_are_no_drift() {
        let counts = |new, rejected| Counts { new, rejected, ..Counts::default() };
        let trips = |good, bad| fuse(Counts::default(), counts(good, bad), "x").is_some();
        assert!(!trips(24, 1));
        assert!(!trips(40, 10));
        assert!(trips(39, 11));
        assert!(trips(0, 25));
        assert!(!trips(0, 1));
    }
}
