//! Connections to PostgreSQL, the same for all: which server, TLS, the settings every session has, and what an error
//! of the server means for a person. Knows nothing of sources.

pub(crate) mod schema;
mod url;

use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::SqlState;

use crate::commands::Context;
use crate::config::{Config, Database};
use crate::failure::{Blame, Failure, Kind};
use crate::server;

/// A server and a database on it, ready to be connected to, from any thread and as often as needed.
#[derive(Clone)]
pub(crate) struct Target {
    config: postgres::Config,
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
    /// `health on localhost`, for messages; never a password.
    pub(crate) shown: String,
    /// The setting that names it, for messages; none: the private PostgreSQL.
    origin: Option<String>,
}

impl Target {
    /// The same server, another database.
    pub(crate) fn database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other.shown = format!("{name} on {}", self.shown.split(" on ").last().unwrap_or_default());
        other
    }

    pub(crate) fn database_name(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    /// Connects and pins the session. A server that is starting up or has no free slot is waited for, 30 s at most.
    pub(crate) fn connect(&self) -> Result<Client, Failure> {
        let give_up = Instant::now() + Duration::from_secs(30);
        let mut pause = Duration::from_millis(100);
        let mut client = loop {
            let attempt = match &self.tls {
                Some(tls) => self.config.connect(tls.clone()),
                None => self.config.connect(postgres::NoTls),
            };
            match attempt {
                Ok(client) => break client,
                Err(error) if is_brief(&error) && Instant::now() < give_up => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                Err(error) => return Err(connect_failure(&error, self)),
            }
        };
        client.batch_execute(include_str!("session.sql")).map_err(|error| connect_failure(&error, self))?;
        Ok(client)
    }
}

/// The database of this call; starts the private PostgreSQL where that is the one.
pub(crate) fn target(config: &Config, note: &dyn Fn(&str)) -> Result<Target, Failure> {
    let name = application_name();
    match &config.database {
        Database::External { url, origin } => {
            let (mut config, tls, shown) = url::normalised(url, origin)?;
            config.application_name(&name);
            Ok(Target { config, tls, shown, origin: Some(origin.clone()) })
        }
        Database::Private => {
            let running = server::ensure(&server::Settings::from(config), note)?;
            let mut config = running.config(server::DATABASE);
            config.application_name(&name);
            let shown = format!("{} on the private PostgreSQL", server::DATABASE);
            Ok(Target { config, tls: None, shown, origin: None })
        }
    }
}

/// Connects to a database whose schema this program knows.
pub(crate) fn open(ctx: &Context) -> Result<(Target, Client), Failure> {
    let target = target(&ctx.config, &|text| ctx.out.note(text))?;
    let mut client = target.connect()?;
    schema::expect_current(&mut client, &target.shown)?;
    Ok((target, client))
}

/// The same for a command that is of use without a database too: starts no server, and is none where anything is missing.
pub(crate) fn look(ctx: &Context) -> Option<Client> {
    if matches!(ctx.config.database, Database::Private) {
        let status = server::status(&server::Settings::from(&ctx.config)).ok()?;
        if status.condition != server::Condition::Running {
            return None;
        }
    }
    open(ctx).ok().map(|(_, client)| client)
}

/// The same, for a command that writes.
pub(crate) fn open_to_write(ctx: &Context) -> Result<(Target, Client), Failure> {
    let (target, mut client) = open(ctx)?;
    expect_writable(&mut client, &target.shown)?;
    Ok((target, client))
}

/// Another connection to the database that `open` connects to, for work that is done side by side.
pub(crate) fn another(ctx: &Context) -> impl Fn() -> Result<Client, Failure> + Sync + '_ {
    || target(&ctx.config, &|_| ())?.connect()
}

/// Refuses a server that only reads: a standby, or one that was told so.
pub(crate) fn expect_writable(client: &mut Client, shown: &str) -> Result<(), Failure> {
    let read_only: bool = client.query_one(include_str!("read_only.sql"), &[]).sql()?.get(0);
    if !read_only {
        return Ok(());
    }
    Err(Failure::new(Kind::Schema, format!("{shown} only reads: nothing can be written there"))
        .kept("everything that is in it")
        .next("name a server that writes; which setting names this one: health db status"))
}

/// Says to other sessions who holds a lock.
fn application_name() -> String {
    format!("health pid {} on {}", std::process::id(), host())
}

fn host() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    host.chars().filter(char::is_ascii_graphic).take(30).collect()
}

/// Whether a session of that name was left behind by a process of this machine that is gone: the server notices within
/// seconds that nobody is at the other end.
pub(crate) fn is_left_behind(application_name: &str) -> bool {
    let process = application_name.strip_prefix("health pid ").and_then(|rest| rest.split_once(" on "));
    let Some((pid, _)) = process.filter(|(_, there)| *there == host()) else { return false };
    let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

/// Whether waiting a moment may help: the server starts, stops, or has no slot free.
fn is_brief(error: &postgres::Error) -> bool {
    let brief = [SqlState::CANNOT_CONNECT_NOW, SqlState::TOO_MANY_CONNECTIONS];
    error.code().is_some_and(|code| brief.contains(code))
}

/// Whether the session is lost, so that only a new connection can go on.
pub(crate) fn is_lost(error: &postgres::Error) -> bool {
    let lost = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    error.is_closed() || error.code().is_none() || error.code().is_some_and(|code| lost.contains(code))
}

/// Whether the same transaction may simply be tried again.
pub(crate) fn is_conflict(error: &postgres::Error) -> bool {
    let codes = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
    error.code().is_some_and(|code| codes.contains(code))
}

fn connect_failure(error: &postgres::Error, target: &Target) -> Failure {
    let shown = &target.shown;
    let (kind, what, next): (_, _, String) = match error.code() {
        Some(code) if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            (
                Kind::Config,
                "refuses this role or its password",
                match &target.origin {
                    Some(origin) => format!("correct the address in {origin}, then: health doctor"),
                    None => "health db status".into(),
                },
            )
        }
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
            (Kind::Schema, "has no such database", "health migrate --create-database".into())
        }
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            (Kind::Database, "has no free connection", "close other programs, then run the same command again".into())
        }
        _ => (
            Kind::Database,
            "cannot be reached",
            match &target.origin {
                Some(origin) => format!("start it, or leave {origin} out and use the private one: health db start"),
                None => "health db start".into(),
            },
        ),
    };
    let reason = error.as_db_error().map_or_else(|| deepest(error), |db| crate::output::clean(db.message()));
    Failure::new(kind, format!("PostgreSQL ({shown}) {what}: {reason}"))
        .kept("everything that was committed; tokens and settings")
        .next(next)
}

fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    crate::output::clean(&cause.to_string())
}

/// What an error of a statement means. The server's DETAIL may hold values, so it is never shown.
pub(crate) fn failure(error: &postgres::Error) -> Failure {
    let Some(db) = error.as_db_error() else {
        return Failure::new(Kind::Database, format!("the connection to PostgreSQL was lost: {}", deepest(error)))
            .kept("everything that was committed")
            .next("health status    (the next run goes on where this one stopped)");
    };
    let code = db.code();
    let (kind, next) = if *code == SqlState::DISK_FULL {
        (Kind::Database, "free space for the database, then run the same command again")
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE || *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        (Kind::Schema, "use a role that may write; which setting names it: health db status")
    } else if *code == SqlState::UNDEFINED_TABLE
        || *code == SqlState::UNDEFINED_COLUMN
        || *code == SqlState::INVALID_SCHEMA_NAME
    {
        (Kind::Schema, "health migrate --check")
    } else {
        (Kind::Database, "health doctor")
    };
    Failure::new(kind, format!("PostgreSQL says {}: {}", code.code(), crate::output::clean(db.message())))
        .kept("everything that was committed")
        .next(next)
}

/// Gives a statement's error its kind and its lines.
pub(crate) trait Sql<T> {
    fn sql(self) -> Result<T, Failure>;
}

impl<T> Sql<T> for Result<T, postgres::Error> {
    fn sql(self) -> Result<T, Failure> {
        self.map_err(|error| {
            let mut shown = failure(&error);
            shown.error = anyhow::Error::new(error).context(shown.error.to_string());
            shown
        })
    }
}

/// The oldest server that is supported, as `server_version_num`.
const OLDEST_SERVER: i32 = 150_000;

/// Refuses servers whose version or encoding cannot work.
pub(crate) fn expect_suitable(client: &mut Client) -> Result<(), Failure> {
    let row = client.query_one(include_str!("server.sql"), &[]).sql()?;
    let (version, encoding): (i32, String) = (row.get(0), row.get(1));
    if version < OLDEST_SERVER {
        return Err(Failure::new(
            Kind::Schema,
            format!("PostgreSQL {} is too old; 15 or newer is needed", version / 10_000),
        )
        .next("name a newer server, or none for the private one; which setting names this one: health db status"));
    }
    if encoding != "UTF8" {
        return Err(Failure::new(Kind::Schema, format!("the database's encoding is {encoding}; UTF8 is needed"))
            .next("create another database with: createdb -E UTF8 -T template0 health"));
    }
    Ok(())
}

/// Runs `work` in one transaction.
pub(crate) fn transaction<T>(
    client: &mut Client,
    work: impl FnOnce(&mut postgres::Transaction) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut transaction = client.transaction().sql()?;
    let value = work(&mut transaction)?;
    transaction.commit().blame(Kind::Database)?;
    Ok(value)
}

/// Creates an empty UTF-8 database; the name is quoted by the server's own rule.
pub(crate) fn create_database(client: &mut Client, name: &str) -> Result<(), Failure> {
    let quoted: String = client.query_one("select quote_ident($1)", &[&name]).sql()?.get(0);
    client.batch_execute(&format!("create database {quoted} encoding 'UTF8' template template0")).sql()
}

/// Removes a database with all that is in it, ending the sessions that use it.
pub(crate) fn drop_database(client: &mut Client, name: &str) -> Result<(), Failure> {
    let quoted: String = client.query_one("select quote_ident($1)", &[&name]).sql()?.get(0);
    client.batch_execute(&format!("drop database if exists {quoted} with (force)")).sql()
}
