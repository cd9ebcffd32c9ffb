//! `health status`: is it working, what is missing, what to do next. Reads books alone, never counts data, asks nobody.

mod books;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;

use super::{Context, source_named};
use crate::db;
use crate::failure::{Exit, Failure};
use crate::oauth::{self, LoginSummary, State};
use crate::output::result;
use crate::run::Person;
use crate::source::{Source, Window};
use crate::time::local_midnight;
use books::Row;

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  health status
  health status whoop
  health status --fail-if-stale -q    exit 3 when data is older than a day and a half")]
pub(crate) struct Args {
    /// One source, with its resources
    source: Option<String>,
    /// Exit 3 when a connected source's data is older than 36 hours
    #[arg(long)]
    fail_if_stale: bool,
}

impl Line {
    fn covered_until(&self) -> Option<DateTime<Utc>> {
        self.row.as_ref().and_then(|row| row.covered_until(&self.timed))
    }
}

/// Data older than this is late, where nothing else is promised.
const FRESH_HOURS: i64 = 36;

/// Days of the coverage picture.
const PICTURE: u64 = 30;

/// One source as it stands.
struct Line {
    source: &'static Source,
    account: String,
    state: &'static str,
    row: Option<Row>,
    /// Resources with a time of their own that may be read.
    timed: Vec<&'static str>,
    next: Option<String>,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let only = args.source.as_deref().map(source_named).transpose()?;
    let (target, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, &ctx.config)?;
    let rows = books::read(&mut client, &person)?;
    let logins = oauth::list(&ctx.config)?;
    let now = ctx.config.clock.now();
    let lines: Vec<Line> = lines(rows, &logins, now)
        .into_iter()
        .filter(|line| only.is_none_or(|source| source.id == line.source.id))
        .collect();
    let late = lines.iter().any(|line| line.state == "late");
    let exit = if args.fail_if_stale && late { Exit::PARTIAL } else { Exit::OK };
    if ctx.out.json {
        ctx.out.json(&document(ctx, &lines, exit, now));
        return Ok(exit);
    }
    let zone = ctx.config.home_tz;
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
        resources(ctx, &lines);
    } else {
        picture(ctx, &lines, now);
    }
    closing(ctx, &lines);
    Ok(exit)
}

/// Every login and every account that ever brought something, once.
fn lines(mut rows: Vec<Row>, logins: &[LoginSummary], now: DateTime<Utc>) -> Vec<Line> {
    let mut lines = Vec::new();
    for login in logins {
        let place = rows.iter().position(|row| row.source == login.source.id && row.account == login.account);
        let row = place.map(|place| rows.remove(place));
        let timed = timed(login.source, &login.granted);
        let (state, next) = judge(row.as_ref(), Some(login), login.source, &timed, now);
        lines.push(Line { source: login.source, account: login.account.clone(), state, row, timed, next });
    }
    for row in rows {
        let Some(source) = crate::sources::find(&row.source) else { continue };
        let timed = timed(source, &[]);
        let (state, next) = judge(Some(&row), None, source, &timed, now);
        lines.push(Line { source, account: row.account.clone(), state, row: Some(row), timed, next });
    }
    lines.sort_by_key(|line| {
        (crate::sources::ALL.iter().position(|source| source.id == line.source.id), line.account.clone())
    });
    lines
}

/// What must be held for the source to be complete. One whose scope was not granted is not waited for.
fn timed(source: &'static Source, granted: &[String]) -> Vec<&'static str> {
    let resources = source.api.as_ref().map_or(&[][..], |api| api.resources);
    let is_granted = |scope: &str| scope.is_empty() || granted.is_empty() || granted.iter().any(|one| one == scope);
    let timed = resources.iter().filter(|one| one.window != Window::Snapshot && is_granted(one.scope));
    timed.map(|resource| resource.name).collect()
}

fn judge(
    row: Option<&Row>,
    login: Option<&LoginSummary>,
    source: &Source,
    timed: &[&str],
    now: DateTime<Utc>,
) -> (&'static str, Option<String>) {
    let name = source.command_name();
    let account = row.map(|row| &row.account).or(login.map(|login| &login.account));
    let account = account.map_or(oauth::DEFAULT_ACCOUNT, String::as_str);
    let log_in = || Some(oauth::auth_command(source, account));
    let ingest = match account {
        oauth::DEFAULT_ACCOUNT => format!("health ingest {name}"),
        other => format!("health ingest {name} --account {other}"),
    };
    if row.is_some_and(|row| row.status == "retired") {
        return ("stop", Some(format!("health sources {name}")));
    }
    if row.is_some_and(|row| row.status == "file") {
        return ("ok", None);
    }
    let refused = row.is_some_and(|row| row.status == "needs_auth");
    match login {
        None => return ("login", log_in()),
        Some(login) if login.state == State::Stop => return ("stop", Some("health doctor".into())),
        Some(login) if login.state == State::Login || refused => return ("login", log_in()),
        Some(_) => {}
    }
    let Some(row) = row else { return ("new", Some(format!("{ingest} --since 6m"))) };
    match row.covered_until(timed) {
        Some(until) if (now - until).num_hours() <= FRESH_HOURS => ("ok", None),
        _ => ("late", Some(ingest)),
    }
}

fn local(ctx: &Context, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let zone = ctx.config.home_tz;
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
                .map_or("-".to_owned(), |(at, status)| format!("{} {status}", local(ctx, *at, now)));
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

fn resources(ctx: &Context, lines: &[Line]) {
    let zone = ctx.config.home_tz;
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
    ctx.out.line("");
    ctx.out.table(&["RESOURCE", "FROM", "COMPLETE TO", "GAPS", ""], &rows);
}

/// One mark a day: `#` held by every resource, `:` by some, `.` by none.
fn picture(ctx: &Context, lines: &[Line], now: DateTime<Utc>) {
    let drawn: Vec<&Line> =
        lines.iter().filter(|line| line.row.as_ref().is_some_and(|row| !row.resources.is_empty())).collect();
    if drawn.is_empty() {
        return;
    }
    ctx.out.line(&format!("\nCoverage of the last {PICTURE} days, one mark a day (# complete, : partial, . missing)"));
    let zone = ctx.config.home_tz;
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
                "last_run": row.and_then(|row| row.last_run.as_ref()).map(|(at, status)| json!({"started_at": at, "status": status})),
                "not_before": row.and_then(|row| row.not_before), "resources": resources, "next": line.next})
        })
        .collect();
    let next: Vec<&str> = lines.iter().filter_map(|line| line.next.as_deref()).collect();
    json!({"schema": "health.status/1", "now": now, "tz": ctx.config.home_tz.name(), "schema_version": db::schema::known_version(),
        "sources": sources, "result": result(exit, &json!(null), &next)})
}
