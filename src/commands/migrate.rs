//! `health migrate`: creates or upgrades the schema, loads the metric dictionary, makes the first person.

use std::time::{Duration, Instant};

use postgres::Client;
use serde_json::json;

use super::{Context, ask};
use crate::db::{self, Sql, Target, schema};
use crate::failpoint::failpoint;
use crate::failure::{Exit, Failure, Kind};
use crate::oauth;
use crate::output::result;
use crate::run::Person;

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:\n  health migrate\n  health migrate --check    what would happen")]
pub(crate) struct Args {
    /// Say what would happen, change nothing
    #[arg(long, visible_alias = "dry-run", short_alias = 'n')]
    check: bool,
    /// Create the database that the address names
    #[arg(long)]
    create_database: bool,
    /// Put our schemas into a database that holds somebody else's tables
    #[arg(long)]
    adopt: bool,
}

/// Two migrations at once would each see half of the other's work.
const LOCK: i64 = 0x6865_616c_7468; // "health"

/// On a terminal, makes the tables of an empty database if the person says so.
pub(crate) fn offer(ctx: &Context) -> Result<(), Failure> {
    if !ctx.out.can_ask() {
        return Ok(());
    }
    let target = db::target(&ctx.config, &|text| ctx.out.note(text))?;
    if schema::state(&mut target.connect()?)? != schema::State::Empty {
        return Ok(());
    }
    let answer = ask::line(&format!("The database {} is empty. Make the tables now? [Y/n] ", target.shown))?;
    match answer.as_deref().map(str::trim) {
        Some("" | "y" | "Y" | "yes") => run(ctx, &Args::default()).map(drop),
        _ => Ok(()),
    }
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let target = db::target(&ctx.config, &|text| ctx.out.note(text))?;
    let mut client = match target.connect() {
        Err(failure) if args.create_database && failure.kind == Kind::Schema => {
            create_database(ctx, &target)?;
            target.connect()?
        }
        other => other?,
    };
    db::expect_suitable(&mut client)?;
    if !args.check {
        db::expect_writable(&mut client, &target.shown)?;
    }
    let before = schema::state(&mut client)?;
    let known = schema::known_version();
    let row = client.query_one(include_str!("../db/about.sql"), &[]).sql()?;
    let (version, role): (String, String) = (row.get(0), row.get(1));
    ctx.out.note(&format!("database {}, role {role}, PostgreSQL {version}", target.shown));
    let from = match before {
        schema::State::Foreign { .. } if !args.adopt => {
            schema::expect_current(&mut client, &target.shown)?;
            0
        }
        schema::State::Ours { version } if version > known => {
            schema::expect_current(&mut client, &target.shown)?;
            version
        }
        schema::State::Ours { version } => version,
        schema::State::Empty | schema::State::Foreign { .. } => 0,
    };
    if args.check {
        schema::expect_unedited(&mut client)?;
        let what = if from == known {
            format!("schema {known} is current")
        } else {
            format!("schema {from} would become {known}")
        };
        let next: &[&str] = match before {
            _ if from == known => &[],
            schema::State::Foreign { .. } => &["health migrate --adopt"],
            _ => &["health migrate"],
        };
        return Ok(done(ctx, &what, (from, known), next));
    }
    let from = migrate(&mut client, ctx)?;
    let what = if from == known {
        format!("schema {known} is current, nothing to do")
    } else {
        format!("schema {from} is now {known}")
    };
    // A name that nobody has would otherwise be passed over in silence.
    Person::find(&mut client, ctx).map_err(|failure| failure.kept(what.clone()))?;
    // A token store that cannot be read is no matter of the schema.
    let begin: Vec<String> = match oauth::list(&ctx.config).unwrap_or_default().first() {
        _ if from != 0 => vec!["health status".into()],
        Some(login) => vec![format!("health ingest {}", login.source.command_name())],
        None => ["health auth whoop", "health ingest apple-health export.zip", "health demo"].map(Into::into).into(),
    };
    Ok(done(ctx, &what, (from, known), &begin.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn done(ctx: &Context, what: &str, (from, to): (i64, i64), next: &[&str]) -> Exit {
    if ctx.out.json {
        ctx.out.json(&json!({"schema": "health.migrate/1", "from": from, "to": to,
            "result": result(Exit::OK, &json!(null), next)}));
    } else {
        ctx.out.note(&format!("ok  {what}"));
        if from != to && !next.is_empty() {
            ctx.out.note(&format!("\nNext:  {}", next.join("   |   ")));
        }
    }
    Exit::OK
}

/// Brings an empty or older database to the version this program knows, and reference data up to date. Every migration
/// is a transaction of its own, so that a kill between two leaves a version that the next call goes on from. Hands back
/// the version that it found: another call may have been faster.
pub(crate) fn migrate(client: &mut Client, ctx: &Context) -> Result<i64, Failure> {
    wait_for_lock(client)?;
    let found = match schema::state(client)? {
        schema::State::Ours { version } => version,
        schema::State::Empty | schema::State::Foreign { .. } => 0,
    };
    client.batch_execute("create schema if not exists meta; set lock_timeout = '3s'").sql()?;
    schema::expect_unedited(client)?;
    for version in schema::versions() {
        let applied = schema::up_to(version).run(client).map_err(|error| not_applied(&error))?;
        for migration in applied.applied_migrations() {
            ctx.out.debug(&format!("applied {migration}"));
            failpoint!("migrate.between");
        }
    }
    client.batch_execute("set lock_timeout = '30s'").sql()?;
    crate::canonical::metrics::METRICS.load(client)?;
    for reference in crate::sources::ALL.iter().flat_map(|source| source.references) {
        reference.load(client)?;
    }
    Person::ensure_first(client, &ctx.config)?;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).sql()?;
    Ok(found)
}

/// What PostgreSQL said, which refinery keeps behind words of its own.
fn not_applied(error: &refinery::Error) -> Failure {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = cause {
        if let Some(said) = one.downcast_ref::<postgres::Error>() {
            let failure = db::failure(said);
            let lost = said.as_db_error().is_none();
            let what = format!("the schema could not be brought up to date: {}", failure.error);
            return Failure::new(if lost { failure.kind } else { Kind::Schema }, what)
                .kept("the migrations before it; data is untouched")
                .next(if lost { "health migrate" } else { "health migrate --check" });
        }
        cause = one.source();
    }
    let what = format!("the schema could not be brought up to date: {}", crate::output::clean(&error.to_string()));
    Failure::new(Kind::Schema, what).kept("the migrations before it; data is untouched").next("health migrate --check")
}

/// Waits 30 s at most: a lock without an end would hang a cron job for ever.
fn wait_for_lock(client: &mut Client) -> Result<(), Failure> {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        if client.query_one("select pg_try_advisory_lock($1)", &[&LOCK]).sql()?.get(0) {
            return Ok(());
        }
        if Instant::now() > give_up {
            return Err(Failure::new(Kind::Busy, "another program is migrating this database since 30 s or more")
                .kept("nothing was changed by this call")
                .next("wait for it, then: health migrate"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn create_database(ctx: &Context, target: &Target) -> Result<(), Failure> {
    let name = target.database_name().unwrap_or("health").to_owned();
    let mut client = target.database("postgres").connect()?;
    db::create_database(&mut client, &name)?;
    ctx.out.note(&format!("created the database {}", crate::output::clean(&name)));
    Ok(())
}
