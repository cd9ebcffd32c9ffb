//! `health ingest`: one source, by its interface or by files; then its canonical rows.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Context, source_named};
use crate::db;
use crate::extract::slices::Asked;
use crate::failure::{Blame, Exit, Failure, Kind};
use crate::files::{self, Input};
use crate::output::{counted, result, typed};
use crate::pipeline::{self, Job, Options, Report};
use crate::run::Person;
use crate::source::{Resource, Source};
use crate::time::{Edge, parse_when};

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  health ingest whoop --since 2025-09-01
  health ingest whoop cycles sleeps --since 2026-01-01 --until 2026-02-28
  health ingest apple-health export.zip")]
pub(crate) struct Args {
    /// A source: health sources lists them
    pub(crate) source: String,
    /// Resources of the source, or files; none: everything
    #[arg(value_name = "RESOURCE|PATH")]
    pub(crate) what: Vec<String>,
    /// From this day on; adds to what is held
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Up to and including this day
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// Which login of the source; none: the one called default
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// A file to load; - is standard input
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Vec<String>,
    /// Fill raw and leave the models out
    #[arg(long, conflicts_with = "canonical")]
    pub(crate) raw_only: bool,
    /// Fill raw and run the models: the default, said aloud
    #[arg(long)]
    pub(crate) canonical: bool,
    /// Read covered time and known files again
    #[arg(long)]
    pub(crate) force: bool,
    /// Mark as gone what is no longer listed, or what a newer file no longer holds, however much it is
    #[arg(long)]
    pub(crate) accept_deletions: bool,
    /// Load what is there of a file that is cut off; nothing is marked as gone (files only)
    #[arg(long)]
    pub(crate) allow_truncated: bool,
    /// Take back the newest file of the source
    #[arg(long, value_name = "FILE_ID", conflicts_with_all = ["what", "file", "since", "until", "force", "accept_deletions", "allow_truncated", "account", "max_requests", "max_time"])]
    pub(crate) undo: Option<i64>,
    /// At most so many requests (not for files)
    #[arg(long, value_name = "N")]
    pub(crate) max_requests: Option<u32>,
    /// At most so long, like 20m (not for files)
    #[arg(long, value_name = "DUR", value_parser = duration)]
    pub(crate) max_time: Option<Duration>,
    /// Say what would be read, read nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let source = source_named(&args.source)?;
    if let Some(file_id) = args.undo {
        return take_back(ctx, source, args, file_id);
    }
    let (resources, paths) = sort_words(source, args)?;
    super::migrate::offer(ctx)?;
    if !paths.is_empty() || (source.api.is_none() && resources.is_empty()) {
        return load_files(ctx, source, args, &paths);
    }
    if args.allow_truncated {
        return Err(Failure::new(Kind::Usage, "--allow-truncated is for files: what is fetched is read page by page")
            .next(format!("health ingest {}", source.command_name())));
    }
    Range::of(ctx, args)?; // what is wrong with it is said without a database
    Person::find(&mut db::open(ctx)?.1, ctx)?;
    let range = Range::of(ctx, args)?; // days are those of the person's zone
    let account = args.account.clone().unwrap_or_else(|| crate::oauth::DEFAULT_ACCOUNT.to_owned());
    let job = Job { source, account, resources };
    ctx.out.note(&format!("{} {}, {}", source.title, job.account, range.shown));
    if args.dry_run {
        return dry_run(ctx, &job, range.asked);
    }
    let options = Options {
        asked: range.asked,
        raw_only: args.raw_only,
        accept_deletions: args.accept_deletions,
        max_requests: args.max_requests,
        max_time: args.max_time,
    };
    let mut reports = pipeline::run(ctx, vec![job], options)?;
    let Some(report) = reports.pop() else { return Ok(Exit::OK) };
    Ok(show(ctx, report, &range))
}

/// What a person typed: resources of the source, and files.
fn sort_words(source: &'static Source, args: &Args) -> Result<(Vec<&'static Resource>, Vec<String>), Failure> {
    let known: &'static [Resource] = source.api.as_ref().map_or(&[], |api| api.resources);
    let mut resources = Vec::new();
    let mut paths = args.file.clone();
    for word in &args.what {
        if let Some(resource) = known.iter().find(|resource| resource.name == word.replace('-', "_")) {
            if !resources.iter().any(|named: &&Resource| named.name == resource.name) {
                resources.push(resource);
            }
        } else if word == "-" || std::path::Path::new(word).exists() {
            paths.push(word.clone());
        } else {
            let names: Vec<&str> = known.iter().map(|resource| resource.name).collect();
            let shown = crate::output::clean(word);
            let what = if names.is_empty() {
                format!("there is no file {shown}")
            } else {
                format!(
                    "\"{shown}\" is no resource of {} and no file; its resources: {}",
                    source.title,
                    names.join(", ")
                )
            };
            return Err(Failure::new(Kind::Usage, what).next(format!("health ingest {} --help", source.command_name())));
        }
    }
    if !paths.is_empty() && !resources.is_empty() {
        return Err(Failure::new(Kind::Usage, "resources and files cannot be mixed in one call")
            .next(format!("health ingest {} --help", source.command_name())));
    }
    if resources.is_empty() {
        resources = known.iter().collect();
    }
    Ok((resources, paths))
}

fn load_files(ctx: &Context, source: &'static Source, args: &Args, paths: &[String]) -> Result<Exit, Failure> {
    let Some(accepted) = &source.files else {
        return Err(Failure::new(Kind::Usage, format!("{} brings no files, it is fetched", source.title))
            .next(format!("health ingest {}", source.command_name())));
    };
    if paths.is_empty() {
        return Err(Failure::new(Kind::Usage, format!("{} comes by file: {}", source.title, accepted.accepts))
            .next(format!("health ingest {} export.zip", source.command_name())));
    }
    let fetching = [
        ("--since", args.since.is_some()),
        ("--until", args.until.is_some()),
        ("--account", args.account.is_some()),
        ("--max-requests", args.max_requests.is_some()),
        ("--max-time", args.max_time.is_some()),
    ];
    let given: Vec<&str> = fetching.iter().filter(|(_, given)| *given).map(|(flag, _)| *flag).collect();
    if !given.is_empty() {
        let is = if given.len() > 1 { "are" } else { "is" };
        let what = format!("a file is read whole and without a login: {} {is} for what is fetched", given.join(", "));
        let paths: Vec<String> = paths.iter().map(|path| typed(path)).collect();
        return Err(Failure::new(Kind::Usage, what).next(format!(
            "health ingest {} {}",
            source.command_name(),
            paths.join(" ")
        )));
    }
    let input = |path: &String| if path == "-" { Input::Stdin } else { Input::Path(path.into()) };
    let inputs: Vec<Input> = paths.iter().map(input).collect();
    let options = files::Options {
        accept_deletions: args.accept_deletions,
        allow_truncated: args.allow_truncated,
        force: args.force,
        raw_only: args.raw_only,
        dry_run: args.dry_run,
    };
    let ingested = files::ingest(ctx, source, &inputs, options)?;
    if ctx.out.json {
        let is_held_back = |file: &serde_json::Value| file["deletions_held_back"].as_u64().is_some_and(|n| n > 0);
        let mut held_back = paths.iter().zip(&ingested.files).filter(|(_, file)| is_held_back(file));
        let accept = held_back
            .next()
            .map(|(path, _)| format!("health ingest {} {} --accept-deletions", source.command_name(), typed(path)));
        let next = match (ingested.exit, &accept) {
            (Exit::OK, _) => "health status",
            (_, Some(accept)) => accept,
            _ => "health rejects",
        };
        ctx.out.json(&json!({"schema": "health.ingest/1", "source": source.id, "dry_run": args.dry_run,
            "files": ingested.files, "result": result(ingested.exit, &json!(null), &[next])}));
    }
    Ok(ingested.exit)
}

fn take_back(ctx: &Context, source: &'static Source, args: &Args, file_id: i64) -> Result<Exit, Failure> {
    let options = files::Options { raw_only: args.raw_only, dry_run: args.dry_run, ..files::Options::default() };
    let (exit, file) = files::take_back(ctx, source, file_id, options)?;
    if ctx.out.json {
        ctx.out.json(&json!({"schema": "health.ingest/1", "source": source.id, "dry_run": args.dry_run,
            "files": [file], "result": result(exit, &json!(null), &["health status"])}));
    }
    Ok(exit)
}

/// The time that a person asks for, as understood.
struct Range {
    asked: Asked,
    shown: String,
    json: serde_json::Value,
}

impl Range {
    fn of(ctx: &Context, args: &Args) -> Result<Self, Failure> {
        let (zone, now) = (ctx.config.home.shown(), ctx.config.clock.now());
        let read = |text: &Option<String>, edge| -> Result<Option<DateTime<Utc>>, Failure> {
            text.as_deref()
                .map(|text| {
                    parse_when(text, edge, zone, now)
                        .blame(Kind::Usage)
                        .map_err(|failure| failure.next("health help dates"))
                })
                .transpose()
        };
        let since = read(&args.since, Edge::Start)?;
        let until = read(&args.until, Edge::End)?;
        let day = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
        if since.is_some_and(|since| since > now) {
            let what = format!("--since is in the future: {} ({zone})", since.map(day).unwrap_or_default());
            return Err(Failure::new(Kind::Usage, what).next("health help dates"));
        }
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            let (first, last) = (args.since.as_deref().unwrap_or_default(), args.until.as_deref().unwrap_or_default());
            let what =
                format!("--since {first} is after --until {last}: from {} to {} ({zone})", day(since), day(until));
            return Err(Failure::new(Kind::Usage, what).next("health help dates"));
        }
        let from = since.map_or("what is missing".to_owned(), |since| format!("from {}", day(since)));
        let to = until.map_or("now".to_owned(), day);
        Ok(Self {
            asked: Asked { since, until, force: args.force },
            shown: format!("{from} to {to} ({zone})"),
            json: json!({"since": since, "until": until, "tz": zone.name()}),
        })
    }
}

/// `20m`, `90s`, `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let count: u64 = digits.parse().map_err(|_| "use a number and a unit, like 20m".to_owned())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("the unit is s, m or h".into()),
    };
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "that is too long".into())
}

fn dry_run(ctx: &Context, job: &Job, asked: Asked) -> Result<Exit, Failure> {
    let plans = pipeline::plan(ctx, job, asked)?;
    let mut rows = Vec::new();
    for (name, planned) in &plans {
        for plan in planned {
            let (from, to) = (plan.slice.from, plan.slice.to);
            let range = if from == to {
                "now".to_owned()
            } else {
                format!("{} to {}", from.format("%Y-%m-%d %H:%M"), to.format("%Y-%m-%d %H:%M"))
            };
            let how = match plan {
                plan if plan.changes => "what came or changed then",
                plan if plan.resume.is_some() => "goes on",
                _ => "",
            };
            rows.push(vec![(*name).to_owned(), range, how.to_owned()]);
        }
    }
    // As far as is known: what is listed anew may lead to more.
    let singles = pipeline::plan_singles(ctx, job, asked)?;
    if ctx.out.json {
        let slices: Vec<_> = rows.iter().map(|row| json!({"resource": row[0], "range": row[1]})).collect();
        let singles: Vec<_> =
            singles.iter().map(|(name, records)| json!({"resource": name, "records": records})).collect();
        ctx.out.json(&json!({"schema": "health.ingest/1", "dry_run": true, "slices": slices, "one_by_one": singles,
            "result": result(Exit::OK, &json!(null), &[])}));
    } else {
        rows.extend(singles.iter().map(|(name, records)| {
            let range = if *records == 0 {
                "what is listed anew".to_owned()
            } else {
                format!("{}, one by one", counted(*records as u64, "record"))
            };
            vec![(*name).to_owned(), range, String::new()]
        }));
        ctx.out.table(&["RESOURCE", "WOULD READ (UTC)", ""], &rows);
    }
    Ok(Exit::OK)
}

/// Says how it went: a table, a plain line for a log, or one document.
fn show(ctx: &Context, report: Report, range: &Range) -> Exit {
    let exit = report.exit();
    let next = next_of(&report, exit);
    if ctx.out.json {
        let mut document = report.json();
        document["schema"] = json!("health.ingest/1");
        document["range"] = range.json.clone();
        let kept =
            json!({"raw": report.total(|counts| counts.new + counts.changed), "canonical": report.canonical().0});
        let next: Vec<&str> = next.iter().map(String::as_str).collect();
        document["result"] = result(exit, &kept, &next);
        ctx.out.json(&document);
    } else {
        super::report::tell(ctx, &report);
    }
    let began = report.run_id.is_some();
    for failure in report.failures {
        let told = Failure {
            kept: failure.kept.or_else(|| began.then(|| super::report::kept_line(&report.resources))),
            ..failure
        };
        ctx.out.failure_lines(&told);
    }
    exit
}

fn next_of(report: &Report, exit: Exit) -> Vec<String> {
    let own: Vec<String> = report.failures.iter().filter_map(|failure| failure.next.clone()).collect();
    match exit {
        Exit::OK => vec!["health status".into()],
        Exit::PARTIAL if own.is_empty() => vec!["health rejects".into()],
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("20m"), Ok(Duration::from_mins(20)));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        for bad in ["", "m", "20", "20d", "99999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
