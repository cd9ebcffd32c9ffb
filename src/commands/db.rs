//! `health db`: the private PostgreSQL as a person handles it. With an address of one's own there is nothing to handle.

mod external;
mod show;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Context;
use crate::config::Database;
use crate::failure::{Exit, Failure, Kind};
use crate::output::result;
use crate::server::{self, Condition, Settings, Stopped};
use external::external;
use show::{bytes, show};

const EXAMPLES: &str = "\
Examples:
  health db start                        start it, or say that it runs
  psql \"$(health db url)\"                any program of PostgreSQL
  health db psql -c 'select now()'    the same, without a psql of your own setup";

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
    Start {
        /// Only say what would happen
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Stop it; refuses while other programs are connected
    #[command(after_help = "Example:\n  health db stop\n  health db stop --force    although others are connected")]
    Stop {
        /// End the sessions of other programs too
        #[arg(long)]
        force: bool,
        /// Only say what would happen
        #[arg(short = 'n', long)]
        dry_run: bool,
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
    #[command(after_help = "Examples:\n  health db psql\n  health db psql -c 'select count(*) from whoop_raw.sleeps'")]
    Psql {
        /// Arguments for psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
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
        Action::Start { dry_run: true } | Action::Stop { dry_run: true, .. } => {
            let starts = matches!(args.action, Action::Start { .. });
            Ok(would(ctx, server::status(&settings)?.condition, starts))
        }
        Action::Start { .. } => start(ctx, &settings),
        Action::Stop { force, .. } => stop(ctx, &settings, *force),
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

/// What a start or a stop would do to a server in that condition.
fn would(ctx: &Context, condition: Condition, starts: bool) -> Exit {
    let text = match (condition, starts) {
        (Condition::NotInitialised, true) => "would make the private PostgreSQL and start it",
        (Condition::Stopped, true) => "would start the private PostgreSQL",
        (Condition::Running | Condition::NotAnswering, true) => "nothing to start: the private PostgreSQL is there",
        (Condition::Running | Condition::NotAnswering, false) => "would stop the private PostgreSQL",
        (Condition::NotInitialised | Condition::Stopped, false) => {
            "nothing to stop: the private PostgreSQL is not running"
        }
    };
    if ctx.out.json {
        let schema = if starts { "health.db-start/1" } else { "health.db-stop/1" };
        ctx.out.json(&json!({
            "schema": schema, "dry_run": true, "condition": condition.words(), "text": text,
            "result": result(Exit::OK, &Value::Null, &[]),
        }));
    } else {
        ctx.out.line(text);
    }
    Exit::OK
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
    let agreed = yes || {
        let question = format!("This deletes {what} with all data in it. Type destroy to do it: ");
        ctx.out.can_ask() && super::ask::line(&question)?.as_deref() == Some("destroy")
    };
    if !agreed {
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

/// psql beside the server, else the one of the search path.
fn psql_at(settings: &Settings, beside: Option<PathBuf>) -> Option<PathBuf> {
    let on_path = std::env::split_paths(&settings.path).map(|dir| dir.join("psql"));
    beside.into_iter().chain(on_path).find(|program| program.is_file())
}

/// Becomes psql. The password goes through its environment: arguments can be read by everybody on the machine.
fn open_psql(
    psql: Option<PathBuf>,
    url: &str,
    password: Option<SecretString>,
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
        command.env("PGPASSWORD", password.expose_secret());
    }
    let error = command.exec();
    Err(Failure::new(Kind::Local, format!("cannot run {}: {error}", psql.display())))
}
