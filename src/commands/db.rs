//! `health db`: the private PostgreSQL as a person handles it. With an address of one's own there is nothing to handle.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::Context;
use crate::config::Database;
use crate::failure::{Exit, Failure, Kind};
use crate::output::result;
use crate::server::{self, Condition, Settings, Status, Stopped};

const EXAMPLES: &str = "\
Examples:
  health db start                        start it, or say that it runs
  psql \"$(health db url)\"                any program of PostgreSQL
  health db psql -- -c 'select now()'    the same, without a psql of your own setup";

/// The private PostgreSQL: started on demand by every command, left running
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Start it; says version, port and how long it took
    #[command(after_help = "Example:\n  health db start")]
    Start,
    /// Stop it; refuses while other programs are connected
    #[command(after_help = "Example:\n  health db stop\n  health db stop --force    although others are connected")]
    Stop {
        /// End the sessions of other programs too
        #[arg(long)]
        force: bool,
    },
    /// What there is and whether it runs; starts nothing
    #[command(after_help = "Example:\n  health db status --json")]
    Status,
    /// The address for psql and other programs
    #[command(
        after_help = "Examples:\n  psql \"$(health db url)\"\n  health db url --tcp       for DBeaver and the like"
    )]
    Url {
        /// The form with 127.0.0.1 and a port, for programs that know no sockets
        #[arg(long)]
        tcp: bool,
        /// Put the password into the address
        #[arg(long)]
        show_password: bool,
    },
    /// Open psql on it
    #[command(
        after_help = "Examples:\n  health db psql\n  health db psql -- -c 'select count(*) from whoop_raw.sleeps'"
    )]
    Psql {
        /// Arguments for psql
        #[arg(last = true, value_name = "ARGS")]
        arguments: Vec<OsString>,
    },
    /// Stop it and delete it with all data in it
    #[command(after_help = "Example:\n  health db destroy --yes")]
    Destroy {
        /// Yes, delete all data of the private PostgreSQL
        #[arg(long)]
        yes: bool,
        /// Only say what would be deleted
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

/// Runs one of them.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    if let Database::External { url, origin } = &ctx.config.database {
        return external(ctx, &args.action, url.expose_secret(), origin);
    }
    let settings = Settings::from(&ctx.config);
    let note = |text: &str| ctx.out.note(text);
    match &args.action {
        Action::Start => start(ctx, &settings),
        Action::Stop { force } => stop(ctx, &settings, *force),
        Action::Status => Ok(show(ctx, &server::status(&settings)?)),
        Action::Url { tcp, show_password } => {
            let running = server::ensure(&settings, &note)?;
            if !tcp && !show_password {
                return Ok(address(ctx, &running.url(server::DATABASE)));
            }
            if !show_password {
                ctx.out.note(&format!("the password is in {}", running.pgpass_file.display()));
                return Ok(address(ctx, &running.tcp_url(server::DATABASE, None)));
            }
            let password = running.password()?;
            Ok(address(ctx, &running.tcp_url(server::DATABASE, Some(password.expose_secret()))))
        }
        Action::Psql { arguments } => {
            let running = server::ensure(&settings, &note)?;
            let psql = psql_at(&settings, Some(running.bindir.join("psql")));
            open_psql(psql, &running.url(server::DATABASE), None, arguments)
        }
        Action::Destroy { yes, dry_run } => destroy(ctx, &settings, *yes, *dry_run),
    }
}

fn start(ctx: &Context, settings: &Settings) -> Result<Exit, Failure> {
    let started = Instant::now();
    let running = server::ensure(settings, &|text| ctx.out.note(text))?;
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if ctx.out.json {
        ctx.out.json(&json!({
            "schema": "health.db-start/1", "version": running.version, "port": running.port,
            "socket_dir": running.socket_dir, "milliseconds": milliseconds,
            "result": result(Exit::OK, &Value::Null, &[]),
        }));
    } else {
        let (version, port) = (&running.version, running.port);
        ctx.out.line(&format!("PostgreSQL {version} is running, port {port} ({milliseconds} ms)"));
    }
    Ok(Exit::OK)
}

fn stop(ctx: &Context, settings: &Settings, force: bool) -> Result<Exit, Failure> {
    let stopped = server::stop(settings, force)?;
    let words = match stopped {
        Stopped::Now => "stopped",
        Stopped::Already => "was not running",
    };
    if ctx.out.json {
        ctx.out.json(&json!({
            "schema": "health.db-stop/1", "stopped": stopped == Stopped::Now,
            "result": result(Exit::OK, &Value::Null, &[]),
        }));
    } else {
        ctx.out.line(&format!("the private PostgreSQL {words}"));
    }
    Ok(Exit::OK)
}

fn address(ctx: &Context, url: &str) -> Exit {
    if ctx.out.json {
        ctx.out.json(&json!({"schema": "health.db-url/1", "url": url, "result": result(Exit::OK, &Value::Null, &[])}));
    } else {
        ctx.out.line(url);
    }
    Exit::OK
}

fn destroy(ctx: &Context, settings: &Settings, yes: bool, dry_run: bool) -> Result<Exit, Failure> {
    let Some(doomed) = server::doomed(settings)? else {
        return Ok(said(ctx, false, "there is no private PostgreSQL here"));
    };
    let dirs: Vec<String> = doomed.dirs.iter().map(|dir| dir.display().to_string()).collect();
    let what = format!("{} ({})", dirs.join(" and "), bytes(doomed.bytes));
    if dry_run {
        return Ok(said(ctx, false, &format!("would delete {what}")));
    }
    if !yes {
        return Err(Failure::new(Kind::Usage, format!("this deletes {what} with all data in it, so it needs --yes"))
            .kept("everything")
            .next("health db destroy --yes"));
    }
    server::destroy(settings)?;
    Ok(said(ctx, true, &format!("deleted {what}; logins and settings are kept")))
}

fn said(ctx: &Context, destroyed: bool, words: &str) -> Exit {
    if ctx.out.json {
        let schema = "health.db-destroy/1";
        ctx.out
            .json(&json!({"schema": schema, "destroyed": destroyed, "result": result(Exit::OK, &json!(words), &[])}));
    } else {
        ctx.out.line(words);
    }
    Exit::OK
}

/// `health db status` of the private server.
fn show(ctx: &Context, status: &Status) -> Exit {
    if ctx.out.json {
        ctx.out.json(&as_json(status));
        return Exit::OK;
    }
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let version = status.version.clone().or(status.major.map(|major| major.to_string()));
    let server = version.map_or_else(
        || status.condition.words().to_owned(),
        |version| format!("PostgreSQL {version}, {}", status.condition.words()),
    );
    let sessions = status.sessions.as_ref().map(|sessions| match sessions.len() {
        0 => "nobody else".to_owned(),
        _ => sessions
            .iter()
            .map(|one| format!("{} ({}, {})", crate::output::clean(&one.application), one.database, one.client))
            .collect::<Vec<_>>()
            .join(", "),
    });
    let databases = status.databases.as_ref().map(|databases| {
        let one = |(name, size): &(String, i64)| format!("{name} {}", bytes(u64::try_from(*size).unwrap_or(0)));
        databases.iter().map(one).collect::<Vec<_>>().join(", ")
    });
    let rows = [
        ("server", Some(server)),
        ("process", status.pid.map(|pid| pid.to_string())),
        ("port", status.port.map(|port| port.to_string())),
        ("socket", path(&status.socket_dir)),
        ("data", path(&status.data)),
        ("on disk", status.bytes.map(bytes)),
        ("databases", databases),
        ("connected", sessions),
        ("account", status.owner.clone()),
        ("programs", path(&status.bindir)),
        ("log", path(&status.log)),
        (
            "newer",
            status
                .newer
                .as_ref()
                .map(|newer| format!("PostgreSQL {newer} is installed; the cluster stays with its own version")),
        ),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            ctx.out.line(&format!("{name:<10}{value}"));
        }
    }
    if matches!(status.condition, Condition::NotInitialised | Condition::Stopped) {
        ctx.out.note("next:  health db start");
    }
    Exit::OK
}

fn as_json(status: &Status) -> Value {
    let databases: Option<Vec<Value>> = status
        .databases
        .as_ref()
        .map(|databases| databases.iter().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect());
    let sessions: Option<Vec<Value>> = status.sessions.as_ref().map(|sessions| {
        let one = |one: &server::Session| json!({"pid": one.pid, "application": one.application, "client": one.client, "database": one.database});
        sessions.iter().map(one).collect()
    });
    json!({
        "schema": "health.db-status/1", "kind": "private", "condition": status.condition.words(),
        "major": status.major, "version": status.version, "pid": status.pid, "port": status.port,
        "socket_dir": status.socket_dir, "data_dir": status.data, "bytes": status.bytes, "databases": databases,
        "sessions": sessions, "owner": status.owner, "bin_dir": status.bindir, "newer": status.newer, "log": status.log,
        "result": result(Exit::OK, &Value::Null, &[]),
    })
}

/// Everything where the person named a database: we only say so, and never print its password unasked.
fn external(ctx: &Context, action: &Action, url: &str, origin: &str) -> Result<Exit, Failure> {
    let (shown, password) = without_password(url, origin)?;
    let what = format!("external database in use ({}, from {origin})", place(&shown));
    match action {
        Action::Start | Action::Status if ctx.out.json => {
            ctx.out.json(&json!({
                "schema": "health.db-status/1", "kind": "external", "condition": "external", "url": shown.as_str(),
                "origin": origin, "result": result(Exit::OK, &Value::Null, &[]),
            }));
            Ok(Exit::OK)
        }
        Action::Start | Action::Status => {
            ctx.out.line(&what);
            Ok(Exit::OK)
        }
        Action::Url { show_password: true, .. } => Ok(address(ctx, url)),
        Action::Url { .. } => Ok(address(ctx, shown.as_str())),
        Action::Psql { arguments } => {
            open_psql(psql_at(&Settings::from(&ctx.config), None), shown.as_str(), password, arguments)
        }
        Action::Stop { .. } | Action::Destroy { .. } => {
            Err(Failure::new(Kind::Usage, what).kept("it is not ours to stop or delete").next("health db status"))
        }
    }
}

/// The address without its password, and the password.
fn without_password(url: &str, origin: &str) -> Result<(Url, Option<String>), Failure> {
    let bad = || Failure::new(Kind::Config, format!("{origin} is not an address like postgresql://user@host/database"));
    let mut shown = Url::parse(url).map_err(|_| bad())?;
    if !matches!(shown.scheme(), "postgres" | "postgresql") {
        return Err(bad());
    }
    let decoded = |text: &str| percent_decoded(text);
    let mut password = shown.password().map(decoded);
    if password.is_some() {
        shown.set_password(None).map_err(|()| bad())?;
    }
    let pairs: Vec<(String, String)> = shown.query_pairs().into_owned().collect();
    if let Some((_, given)) = pairs.iter().find(|(key, _)| key == "password") {
        password = password.or_else(|| Some(given.clone()));
        let rest: Vec<_> = pairs.iter().filter(|(key, _)| key != "password").collect();
        shown.set_query(None);
        if !rest.is_empty() {
            shown.query_pairs_mut().extend_pairs(rest);
        }
    }
    Ok((shown, password))
}

fn percent_decoded(text: &str) -> String {
    let query = format!("p={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// "host/database" for messages.
fn place(url: &Url) -> String {
    let in_query = url.query_pairs().find(|(key, _)| key == "host").map(|(_, host)| host.into_owned());
    let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned).or(in_query);
    crate::output::clean(&format!(
        "{}/{}",
        host.unwrap_or_else(|| "local socket".into()),
        url.path().trim_start_matches('/')
    ))
}

/// psql beside the server, else the one of the search path.
fn psql_at(settings: &Settings, beside: Option<PathBuf>) -> Option<PathBuf> {
    let on_path = std::env::split_paths(&settings.path).map(|dir| dir.join("psql"));
    beside.into_iter().chain(on_path).find(|program| program.is_file())
}

/// Becomes psql. The password goes through its environment: arguments can be read by everybody on the machine.
fn open_psql(
    psql: Option<PathBuf>,
    url: &str,
    password: Option<String>,
    arguments: &[OsString],
) -> Result<Exit, Failure> {
    let Some(psql) = psql else {
        return Err(Failure::new(Kind::Local, format!("there is no psql on this machine; the address is {url}"))
            .next("install the package `postgresql-client`, or open the address with another program"));
    };
    let mut command = Command::new(&psql);
    command.arg("-d").arg(url).args(arguments);
    for name in ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR"] {
        command.env_remove(name); // would lead elsewhere although the address is complete
    }
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let error = command.exec();
    Err(Failure::new(Kind::Local, format!("cannot run {}: {error}", psql.display())))
}

/// "62 MB"
fn bytes(count: u64) -> String {
    match count {
        0..=999_999 => format!("{} kB", count.div_ceil(1_000)),
        1_000_000..=999_999_999 => format!("{} MB", count / 1_000_000),
        _ => format!("{}.{} GB", count / 1_000_000_000, count % 1_000_000_000 / 100_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(url: &str) -> (String, Option<String>) {
        let (shown, password) = without_password(url, "DATABASE_URL").unwrap();
        (shown.to_string(), password)
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let cases = [
            ("postgresql://me:s%40cret@db.example/health", "postgresql://me@db.example/health", Some("s@cret")),
            ("postgresql://me:a+b@db.example/health", "postgresql://me@db.example/health", Some("a+b")),
            (
                "postgres://me@db.example:5433/x?sslmode=require",
                "postgres://me@db.example:5433/x?sslmode=require",
                None,
            ),
            ("postgresql://db.example/x?user=me&password=p", "postgresql://db.example/x?user=me", Some("p")),
            ("postgresql:///health?host=/run/pg", "postgresql:///health?host=/run/pg", None),
        ];
        for (url, shown, password) in cases {
            assert_eq!(split(url), (shown.to_owned(), password.map(str::to_owned)), "{url}");
        }
        let failure = without_password("host=db password=hunter2", "DATABASE_URL").unwrap_err();
        assert!(!format!("{failure:?}").contains("hunter2"));
    }

    #[test]
    fn places_name_host_and_database() {
        let place_of = |url: &str| place(&Url::parse(url).unwrap());
        assert_eq!(place_of("postgresql://me@db.example/health"), "db.example/health");
        assert_eq!(place_of("postgresql:///health?host=/run/pg"), "/run/pg/health");
        assert_eq!(place_of("postgresql:///health"), "local socket/health");
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(bytes(1), "1 kB");
        assert_eq!(bytes(62_400_000), "62 MB");
        assert_eq!(bytes(3_250_000_000), "3.2 GB");
    }
}
