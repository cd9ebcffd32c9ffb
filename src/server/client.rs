//! Opening a connection and telling apart the ways in which that fails. The only place of this module that speaks SQL.
//!
//! Knows nothing of files and processes. Blocking: never call it from async code.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};

use crate::failure::{Failure, Kind};

/// A server that accepts the socket but never answers (stopped, or stuck on a dead disk) is given up on after this.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why no connection came about.
#[derive(Debug)]
pub(super) enum Refused {
    /// Nobody listens.
    Absent,
    /// Somebody listens and is starting up, recovering or shutting down.
    NotYet,
    /// All connections are taken.
    Full,
    NoDatabase,
    /// Role, password or account refused.
    Denied(String),
    /// It listens and does not answer.
    Silent,
    Other(String),
}

impl Refused {
    fn of(error: &postgres::Error) -> Self {
        match error.code() {
            Some(code) if *code == SqlState::CANNOT_CONNECT_NOW => Self::NotYet,
            Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => Self::Full,
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => Self::NoDatabase,
            Some(code) if code.code().starts_with("28") => Self::Denied(message(error)),
            Some(_) => Self::Other(message(error)),
            None => Self::Absent,
        }
    }

    /// The failure to show where starting the server would not help.
    pub(super) fn failure(self, database: &str) -> Failure {
        let kept = "everything that was committed";
        match self {
            Self::Absent => {
                Failure::new(Kind::Database, "the private PostgreSQL is not running").next("health db start")
            }
            Self::NotYet => Failure::new(Kind::Database, "the private PostgreSQL is still starting or recovering")
                .next("run the same command again in a minute; health db status"),
            Self::Full => Failure::new(Kind::Database, "all connections of the private PostgreSQL are taken")
                .next("close some programs that use it; health db status lists them"),
            Self::NoDatabase => {
                Failure::new(Kind::Schema, format!("the private PostgreSQL has no database \"{database}\""))
                    .next("health migrate")
            }
            Self::Denied(why) => {
                Failure::new(Kind::Local, format!("the private PostgreSQL refuses this account: {why}"))
                    .next("run health as the account that made it, or as root")
            }
            Self::Silent => {
                Failure::new(Kind::Database, "the private PostgreSQL accepts a connection and does not answer")
                    .next("health db stop --force")
            }
            Self::Other(why) => {
                Failure::new(Kind::Database, format!("the private PostgreSQL does not let us in: {why}"))
                    .next("health db status")
            }
        }
        .kept(kept)
    }
}

/// The server's own sentence; the driver's `Display` alone says "db error".
fn message(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned())
}

/// One attempt. The driver's own time limit ends with the socket; the thread puts one on the greeting too.
pub(super) fn open(config: &Config) -> Result<Client, Refused> {
    open_within(config, PATIENCE)
}

/// The same with another limit.
pub(super) fn open_within(config: &Config, limit: Duration) -> Result<Client, Refused> {
    let (send, receive) = mpsc::sync_channel(1);
    let config = config.clone();
    let connect = move || {
        let _ = send.send(config.connect(NoTls));
    };
    thread::Builder::new().spawn(connect).map_err(|error| Refused::Other(error.to_string()))?;
    match receive.recv_timeout(limit) {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(Refused::of(&error)),
        Err(_) => Err(Refused::Silent),
    }
}

/// Attempts until it works, while waiting can help, for at most `limit`.
pub(super) fn open_patiently(config: &Config, limit: Duration) -> Result<Client, Refused> {
    let started = Instant::now();
    loop {
        match open(config) {
            Err(Refused::NotYet | Refused::Full | Refused::Absent) if started.elapsed() < limit => {
                thread::sleep(Duration::from_millis(50));
            }
            answer => return answer,
        }
    }
}

/// Creates the database if it is missing; two who try at once both succeed.
pub(super) fn create_database(client: &mut Client, name: &str) -> Result<(), Failure> {
    // Asked first: an attempt in vain at every start would leave an error in the server's log each time.
    match client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => {}
        Err(error) => return Err(sql("cannot look for the database", name, &error)),
    }
    match client.batch_execute(&format!("CREATE DATABASE {} TEMPLATE template0", quoted(name))) {
        Ok(()) => Ok(()),
        Err(error) if matches!(error.code(), Some(code) if *code == SqlState::DUPLICATE_DATABASE || *code == SqlState::UNIQUE_VIOLATION) => {
            Ok(())
        }
        Err(error) => Err(sql("cannot create the database", name, &error)),
    }
}

/// Gives the role the password that our file holds, after that file was lost.
pub(super) fn set_password(client: &mut Client, role: &str, password: &str) -> Result<(), Failure> {
    let statement = format!("SET log_statement = 'none'; ALTER ROLE {} PASSWORD '{password}'", quoted(role));
    client.batch_execute(&statement).map_err(|error| sql("cannot set the password of role", role, &error))
}

fn sql(what: &str, name: &str, error: &postgres::Error) -> Failure {
    Failure::new(Kind::Database, format!("{what} \"{name}\": {}", message(error))).next("health db status")
}

/// Somebody connected to the server who is not us.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) pid: i32,
    pub(crate) application: String,
    /// "socket" or an address.
    pub(crate) client: String,
    pub(crate) database: String,
}

/// Everybody else's sessions.
pub(super) fn sessions(client: &mut Client) -> Result<Vec<Session>, Failure> {
    let statement = "SELECT pid, coalesce(nullif(application_name, ''), 'unnamed'), \
                            coalesce(host(client_addr), 'socket'), coalesce(datname, '') \
                     FROM pg_catalog.pg_stat_activity \
                     WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid() ORDER BY pid";
    let rows =
        client.query(statement, &[]).map_err(|error| sql("cannot list the sessions of", "pg_stat_activity", &error))?;
    let session = |row: &postgres::Row| Session {
        pid: row.get(0),
        application: row.get(1),
        client: row.get(2),
        database: row.get(3),
    };
    Ok(rows.iter().map(session).collect())
}

/// Name and size in bytes of each database that is not a template.
pub(super) fn databases(client: &mut Client) -> Result<Vec<(String, i64)>, Failure> {
    let statement = "SELECT datname::text, pg_catalog.pg_database_size(oid) FROM pg_catalog.pg_database \
                     WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1";
    let rows = client.query(statement, &[]).map_err(|error| sql("cannot list", "pg_database", &error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("health"), "\"health\"");
        assert_eq!(quoted("a\"; DROP"), "\"a\"\"; DROP\"");
    }

    #[test]
    fn a_socket_that_nobody_serves_means_absent() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new();
        config.host_path(dir.path()).port(54321).user("health");
        assert!(matches!(open(&config), Err(Refused::Absent)));
    }
}
