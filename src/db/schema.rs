//! The schema: which version the database has, which this program knows, and the migrations between them.

use postgres::Client;
use refinery::Runner;

use super::Sql;
use crate::failure::{Blame, Failure, Kind};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// What a database holds, as far as we may touch it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Nothing at all.
    Empty,
    /// Somebody else's tables and none of ours.
    Foreign { tables: i64 },
    /// Ours, at this version.
    Ours { version: i64 },
}

/// The migrations this program brings, oldest first.
pub(crate) fn runner() -> Runner {
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name("meta.refinery_schema_history");
    runner
}

/// All versions, oldest first.
pub(crate) fn versions() -> Vec<i64> {
    let mut versions: Vec<_> = runner().get_migrations().iter().map(refinery::Migration::version).collect();
    versions.sort_unstable();
    versions
}

/// Applies what is missing up to a version, and writes it down in the same transaction. Only grouped does refinery do
/// so: one by one it commits a migration first and its line in the history after it, and a death in between would leave
/// a database that no later run can bring up to date.
pub(crate) fn up_to(version: i64) -> Runner {
    runner().set_grouped(true).set_target(refinery::Target::Version(version))
}

/// The version this program knows: the newest stamp.
pub(crate) fn known_version() -> i64 {
    runner().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// Refuses a history whose migrations are not the ones this program brings. refinery's iterator panics there.
pub(crate) fn expect_unedited(client: &mut Client) -> Result<(), Failure> {
    let runner = runner();
    let known: Vec<_> = runner.get_migrations().clone();
    if client.query_one("select to_regclass('meta.refinery_schema_history') is null", &[]).sql()?.get(0) {
        return Ok(());
    }
    let applied = runner.get_applied_migrations(client).blame(Kind::Schema)?;
    match applied.iter().find(|a| !known.iter().any(|k| k == *a)) {
        None => Ok(()),
        Some(odd) => Err(Failure::new(
            Kind::Schema,
            format!(
                "migration {} of the database is not the one this program brings: its text or name was changed",
                odd.version()
            ),
        )
        .kept("nothing was touched")
        .next("use the program that made this schema, or restore the database from a backup")),
    }
}

pub(crate) fn state(client: &mut Client) -> Result<State, Failure> {
    let row = client.query_one(include_str!("state.sql"), &[]).sql()?;
    let (ours, tables): (bool, i64) = (row.get(0), row.get(1));
    if !ours {
        return Ok(if tables == 0 { State::Empty } else { State::Foreign { tables } });
    }
    let version = client.query_one(include_str!("version.sql"), &[]).sql()?.get(0);
    Ok(State::Ours { version })
}

/// Refuses a database that this program must not write to (docs/exit-codes.md).
pub(crate) fn expect_current(client: &mut Client, shown: &str) -> Result<(), Failure> {
    let known = known_version();
    let failure = match state(client)? {
        State::Ours { version } if version == known => return Ok(()),
        State::Empty => Failure::new(Kind::Schema, format!("the database {shown} is empty")).next("health migrate"),
        State::Foreign { tables } => {
            Failure::new(Kind::Schema, format!("{shown} has {tables} tables and none of ours"))
                .kept("nothing was touched")
                .next("name another database, or take this one: health migrate --adopt")
        }
        State::Ours { version } if version < known => {
            Failure::new(Kind::Schema, format!("the schema of {shown} is {version}, this program knows {known}"))
                .kept("nothing was touched")
                .next("health migrate")
        }
        State::Ours { version } => {
            Failure::new(Kind::Schema, format!("the schema of {shown} is {version}, newer than this program's {known}"))
                .kept("nothing was touched")
                .next("update the program, then run the same command again")
        }
    };
    Err(failure)
}
