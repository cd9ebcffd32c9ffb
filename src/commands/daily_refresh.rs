//! `health daily-refresh`: every connected source, its gaps and its lookback, at the same time; quiet when all is well.

use std::time::Duration;

use serde_json::json;

use super::{Context, notices, report, source_named};
use crate::db;
use crate::extract::slices::Asked;
use crate::failure::{Exit, Failure, Kind};
use crate::oauth;
use crate::output::result;
use crate::pipeline::{self, Job, Options, Report};
use crate::source::Source;

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  health daily-refresh
  30 6 * * *  health daily-refresh -q      in a crontab: mails only when something needs you")]
pub(crate) struct Args {
    /// Sources; none: all that are connected
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// Leave a source out
    #[arg(long, value_name = "SOURCE")]
    skip: Vec<String>,
    /// At most so many minutes, like 20m; the next run goes on
    #[arg(long, value_name = "DUR", value_parser = super::ingest::duration, default_value = "20m")]
    max_time: Duration,
    /// Say which sources would be read, read nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    db::open_to_write(ctx)?; // a database that cannot be written to comes before a login that is missing
    let jobs = jobs(ctx, args)?;
    if jobs.is_empty() {
        return Err(nothing_left(ctx)?);
    }
    if args.dry_run {
        return Ok(dry_run(ctx, &jobs));
    }
    let options = Options {
        asked: Asked { since: None, until: None, force: false },
        raw_only: false,
        accept_deletions: false,
        max_requests: None,
        max_time: Some(args.max_time),
    };
    let sources: Vec<&'static Source> = jobs.iter().map(|job| job.source).collect();
    let reports = pipeline::run(ctx, jobs, options)?;
    let exit = tell(ctx, reports);
    if !ctx.out.json
        && let Err(failure) = notices::tell_weekly(ctx, sources)
    {
        ctx.out.debug(&format!("what was announced could not be told: {}", failure.error));
    }
    Ok(exit)
}

fn jobs(ctx: &Context, args: &Args) -> Result<Vec<Job>, Failure> {
    let named = |names: &[String]| names.iter().map(|name| source_named(name)).collect::<Result<Vec<_>, _>>();
    let (wanted, skipped) = (named(&args.sources)?, named(&args.skip)?);
    for source in &wanted {
        expect_refreshable(ctx, source)?;
    }
    let chosen = |source: &Source| {
        let is = |other: &&Source| other.id == source.id;
        (wanted.is_empty() || wanted.iter().any(is)) && !skipped.iter().any(is) && ctx.config.is_enabled(source)
    };
    let mut jobs = Vec::new();
    for source in crate::sources::ALL.iter().copied().filter(|source| chosen(source)) {
        let Some(api) = &source.api else { continue };
        let mut accounts = oauth::accounts(&ctx.config, source)?;
        if accounts.is_empty() && wanted.iter().any(|other| other.id == source.id) {
            accounts.push(oauth::DEFAULT_ACCOUNT.to_owned()); // named by hand: say that it is not connected
        }
        for account in accounts {
            jobs.push(Job { source, account, resources: api.resources.iter().collect() });
        }
    }
    Ok(jobs)
}

/// A source that is named by hand must be one that can be refreshed.
fn expect_refreshable(ctx: &Context, source: &Source) -> Result<(), Failure> {
    let (title, name) = (source.title, source.command_name());
    if source.api.is_none() {
        return Err(Failure::new(Kind::Usage, format!("{title} comes by file, so there is nothing to fetch"))
            .next(format!("health ingest {name} export.zip")));
    }
    if !ctx.config.is_enabled(source) {
        let what = format!("{title} is switched off in the settings (sources.{}.enabled)", source.id);
        return Err(
            Failure::new(Kind::Config, what).next(format!("switch it on there, then: health daily-refresh {name}"))
        );
    }
    Ok(())
}

/// Why there is nothing to refresh: nobody logged in, or what is connected was left out.
fn nothing_left(ctx: &Context) -> Result<Failure, Failure> {
    let connected = oauth::list(&ctx.config)?;
    let titles: std::collections::BTreeSet<&str> = connected.iter().map(|login| login.source.title).collect();
    if titles.is_empty() {
        return Ok(Failure::new(Kind::Config, "no source is connected, so there is nothing to refresh")
            .kept("everything that is in the database")
            .next("health auth whoop   |   health ingest apple-health export.zip   |   health demo"));
    }
    let titles = titles.into_iter().collect::<Vec<_>>().join(", ");
    let what = format!("all that is connected ({titles}) is left out by --skip or switched off in the settings");
    Ok(Failure::new(Kind::Usage, what)
        .kept("everything that is in the database")
        .next("leave --skip out, or switch a source on; which there are: health sources"))
}

fn dry_run(ctx: &Context, jobs: &[Job]) -> Exit {
    if ctx.out.json {
        let sources: Vec<_> = jobs.iter().map(|job| json!({"source": job.source.id, "account": job.account})).collect();
        ctx.out.json(&json!({"schema": "health.daily-refresh/1", "dry_run": true, "sources": sources,
            "result": result(Exit::OK, &json!(null), &[])}));
    } else {
        for job in jobs {
            ctx.out.line(&format!("would refresh {} {}", job.source.id, job.account));
        }
    }
    Exit::OK
}

/// One line a source, then one for all: every source carries its own code in `--json`.
fn tell(ctx: &Context, reports: Vec<Report>) -> Exit {
    let codes: Vec<Exit> = reports.iter().map(Report::exit).collect();
    let exit = Exit::merge(&codes);
    let fine = codes.iter().filter(|code| matches!(code.0, 0 | 3)).count();
    if ctx.out.json {
        let sources: Vec<_> = reports.iter().map(Report::json).collect();
        let next: Vec<&str> =
            reports.iter().flat_map(|one| &one.failures).filter_map(|failure| failure.next.as_deref()).collect();
        let kept =
            json!({"raw": reports.iter().map(|one| one.total(|counts| counts.new + counts.changed)).sum::<i64>()});
        let today = notices::today(ctx);
        let near = notices::near(ctx, reports.iter().map(|one| one.source));
        let near: Vec<_> = near.iter().map(|one| notices::document(one, today)).collect();
        ctx.out.json(&json!({"schema": "health.daily-refresh/1", "sources": sources, "notices": near,
            "result": result(exit, &kept, &next)}));
    } else {
        for one in &reports {
            report::tell(ctx, one);
        }
        let summary = format!("{}: {fine} of {} sources. Everything fetched is saved.", exit.name(), reports.len());
        if exit == Exit::OK {
            ctx.out.note(&summary);
        } else {
            ctx.out.write_stderr(&summary);
        }
    }
    for failure in reports.into_iter().flat_map(|one| one.failures) {
        ctx.out.failure_lines(&failure);
    }
    exit
}
