//! `health status`: is it working, what is missing, what to do next. Reads books alone, never counts data, asks nobody.

mod books;
mod line;

use chrono::{DateTime, Days, NaiveDate, Utc};
use postgres::Client;
use serde_json::json;

use super::{Context, notices, source_named};
use crate::extract::slices::Asked;
use crate::failure::{Exit, Failure};
use crate::output::{counted, result};
use crate::run::{Account, Person};
use crate::time::local_midnight;
use crate::{db, load, oauth};
use books::Row;
use line::{Line, View};

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  health status
  health status whoop
  health status --fail-if-stale -q    exit 3 when data is older than a day and a half")]
pub(crate) struct Args {
    /// One source, with its resources
    source: Option<String>,
    /// Exit 3 when a source's data is older than it should be (36 hours; Apple Health two weeks), for whatever reason
    #[arg(long)]
    fail_if_stale: bool,
}

/// Days of the coverage picture.
const PICTURE: u64 = 30;

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let only = args.source.as_deref().map(source_named).transpose()?;
    let (target, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    let rows = books::read(&mut client, &person)?;
    let logins = oauth::list(&ctx.config)?;
    let now = ctx.config.clock.now();
    let view = View { config: &ctx.config, now, is_alone: only.is_some() };
    let lines: Vec<Line> = line::lines(rows, &logins, view)
        .into_iter()
        .filter(|line| only.is_none_or(|source| source.id == line.source.id))
        .collect();
    let stale = lines.iter().any(|line| line.is_stale);
    let exit = if args.fail_if_stale && stale { Exit::PARTIAL } else { Exit::OK };
    if ctx.out.json {
        ctx.out.json(&document(ctx, &lines, exit, now));
        return Ok(exit);
    }
    let zone = ctx.config.home.shown();
    let day = now.with_timezone(&zone);
    ctx.out.line(&format!(
        "health  database ok ({}, schema {})   {}: {} ({zone})\n",
        target.shown,
        db::schema::known_version(),
        person.label,
        day.format("%a %Y-%m-%d")
    ));
    if lines.is_empty() {
        ctx.out.line("nothing is connected and nothing was loaded yet. Three ways to begin:");
        ctx.out.line("  health demo\n  health ingest apple-health export.zip\n  health auth whoop");
        return Ok(exit);
    }
    table(ctx, &lines, now);
    if only.is_some() {
        resources(ctx, &lines, &left(&mut client, &person, &lines, now)?);
        last_runs(ctx, &lines, now);
    } else {
        picture(ctx, &lines, now);
    }
    let today = notices::today(ctx);
    for announced in announced(ctx, &lines) {
        ctx.out.line(&format!("\n{}", notices::lines(&announced, today)));
    }
    closing(ctx, &lines);
    Ok(exit)
}

/// What is near of the sources that somebody waits for.
fn announced(ctx: &Context, lines: &[Line]) -> Vec<notices::Announcement> {
    notices::near(ctx, lines.iter().filter(|line| line.state != "off").map(|line| line.source))
}

fn local(ctx: &Context, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let zone = ctx.config.home.shown();
    let (at, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    if at.date_naive() == today {
        at.format("today %H:%M").to_string()
    } else {
        at.format("%Y-%m-%d %H:%M").to_string()
    }
}

fn table(ctx: &Context, lines: &[Line], now: DateTime<Utc>) {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let row = line.row.as_ref();
            let name = if line.account == oauth::DEFAULT_ACCOUNT {
                line.source.command_name()
            } else {
                format!("{} {}", line.source.command_name(), line.account)
            };
            let last_run = row
                .and_then(|row| row.last_run.as_ref())
                .map_or("-".to_owned(), |run| format!("{} {}", local(ctx, run.began, now), run.status));
            vec![
                name,
                line.state.to_owned(),
                line.covered_until().map_or("-".to_owned(), |at| local(ctx, at, now)),
                last_run,
                row.map_or(0, Row::gaps).to_string(),
                row.map_or(0, |row| row.rejects).to_string(),
                line.next.clone().unwrap_or_default(),
            ]
        })
        .collect();
    ctx.out.table(&["SOURCE", "STATE", "COMPLETE TO", "LAST RUN", "GAPS", "REJ", "NEXT"], &rows);
}

/// What is read one record at a time and not read yet: resource, and how many records.
fn left(
    client: &mut Client,
    person: &Person,
    lines: &[Line],
    now: DateTime<Utc>,
) -> Result<Vec<(&'static str, usize)>, Failure> {
    let asked = Asked { since: None, until: None, force: false };
    let mut left = Vec::new();
    for line in lines {
        let Some(account) = Account::find(client, person, line.source, &line.account)? else { continue };
        for resource in line.source.api.iter().flat_map(|api| api.resources).filter(|one| one.each.is_some()) {
            let records = load::singles::left(client, &account, line.source, resource, asked, now)?;
            left.extend((records > 0).then_some((resource.name, records)));
        }
    }
    Ok(left)
}

fn resources(ctx: &Context, lines: &[Line], left: &[(&str, usize)]) {
    let zone = ctx.config.home.shown();
    let at = |at: Option<DateTime<Utc>>| {
        at.map_or("-".to_owned(), |at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
    };
    let mut rows = Vec::new();
    for held in lines.iter().filter_map(|line| line.row.as_ref()).flat_map(|row| &row.resources) {
        let reading = if held.is_open { "being read" } else { "" };
        rows.push(vec![
            held.name.clone(),
            at(held.from()),
            at(held.until()),
            held.gaps().to_string(),
            reading.to_owned(),
        ]);
    }
    for line in lines.iter().filter(|line| line.row.is_some()) {
        let held = line.row.as_ref().map_or(&[][..], |row| &row.resources);
        for name in line.timed.iter().filter(|name| !held.iter().any(|one| one.name == **name)) {
            rows.push(vec![(*name).to_owned(), "-".into(), "-".into(), "0".into(), "never read to an end".into()]);
        }
    }
    for (name, records) in left {
        let what = format!("{} left to read one by one", counted(*records as u64, "record"));
        rows.push(vec![(*name).to_owned(), "-".into(), "-".into(), "0".into(), what]);
    }
    if rows.is_empty() {
        return; // it comes by file
    }
    ctx.out.line("");
    ctx.out.table(&["RESOURCE", "FROM", "COMPLETE TO", "GAPS", ""], &rows);
}

/// What the last run met, where it did not end well.
fn last_runs(ctx: &Context, lines: &[Line], now: DateTime<Utc>) {
    for run in lines.iter().filter_map(|line| line.row.as_ref()?.last_run.as_ref()) {
        if let Some(error) = &run.error {
            let exit = run.exit.map_or_else(String::new, |exit| format!(" ({exit})"));
            let began = local(ctx, run.began, now);
            ctx.out.line(&format!("\nrun {} of {began} ended {}{exit}: {error}", run.run_id, run.status));
        }
    }
}

/// One mark a day: `#` held by every resource, `:` by some, `.` by none.
fn picture(ctx: &Context, lines: &[Line], now: DateTime<Utc>) {
    let drawn: Vec<&Line> =
        lines.iter().filter(|line| line.row.as_ref().is_some_and(|row| !row.resources.is_empty())).collect();
    if drawn.is_empty() {
        return;
    }
    ctx.out.line(&format!("\nCoverage of the last {PICTURE} days, one mark a day (# complete, : partial, . missing)"));
    let zone = ctx.config.home.shown();
    let today = now.with_timezone(&zone).date_naive();
    for line in drawn {
        let marks: String = (0..PICTURE)
            .rev()
            .filter_map(|ago| today.checked_sub_days(Days::new(ago)))
            .map(|day| mark(line, day, zone, now))
            .collect();
        ctx.out.line(&format!("{:<14}{marks}", line.source.command_name()));
    }
}

fn mark(line: &Line, day: NaiveDate, zone: chrono_tz::Tz, now: DateTime<Utc>) -> char {
    let after = day.succ_opt().unwrap_or(day);
    let (Some(from), Some(to)) = (local_midnight(zone, day), local_midnight(zone, after)) else { return '.' };
    let resources = line.row.as_ref().map_or(&[][..], |row| &row.resources);
    let timed: Vec<_> = resources.iter().filter(|held| line.timed.contains(&held.name.as_str())).collect();
    // Today is as complete as it can be when it is held to within the promise.
    let to = if now < to { from } else { to };
    let whole =
        timed.iter().filter(|held| held.covered.iter().any(|slice| slice.from <= from && slice.to >= to)).count();
    let some = timed
        .iter()
        .filter(|held| {
            held.covered.iter().any(|slice| slice.from < to.max(from + chrono::Duration::hours(1)) && slice.to > from)
        })
        .count();
    match (whole, some) {
        (whole, _) if whole > 0 && whole == line.timed.len() => '#',
        (_, 0) => '.',
        _ => ':',
    }
}

fn closing(ctx: &Context, lines: &[Line]) {
    let needy: Vec<&str> = lines.iter().filter_map(|line| line.next.as_deref()).collect();
    if needy.is_empty() {
        ctx.out.line("\nnothing needs you");
    } else {
        ctx.out.line(&format!("\n{} of {} needs you:  {}", needy.len(), lines.len(), needy[0]));
    }
}

fn document(ctx: &Context, lines: &[Line], exit: Exit, now: DateTime<Utc>) -> serde_json::Value {
    let sources: Vec<_> = lines
        .iter()
        .map(|line| {
            let row = line.row.as_ref();
            let resources: Vec<_> = row.map_or(&[][..], |row| &row.resources).iter().map(|held| {
                json!({"name": held.name, "covered_from": held.from(), "covered_until": held.until(), "gaps": held.gaps(), "reading": held.is_open})
            }).collect();
            json!({"source": line.source.id, "account": line.account, "state": line.state,
                "covered_until": line.covered_until(), "gaps": row.map_or(0, Row::gaps),
                "rejects": row.map_or(0, |row| row.rejects),
                "last_run": row.and_then(|row| row.last_run.as_ref()).map(|run| json!({
                    "run": run.run_id, "started_at": run.began, "status": run.status, "exit": run.exit, "error": run.error,
                })),
                "not_before": row.and_then(|row| row.not_before), "resources": resources, "next": line.next, "stale": line.is_stale})
        })
        .collect();
    let next: Vec<&str> = lines.iter().filter_map(|line| line.next.as_deref()).collect();
    let today = notices::today(ctx);
    let announced: Vec<_> = announced(ctx, lines).iter().map(|one| notices::document(one, today)).collect();
    json!({"schema": "health.status/1", "now": now, "tz": ctx.config.home.shown().name(), "schema_version": db::schema::known_version(),
        "sources": sources, "notices": announced, "result": result(exit, &json!(null), &next)})
}
