//! `health zones`: where a person was when. Records of many sources name no zone; their local days follow this list, else
//! the home zone. A change derives the days of the time it is about again, and of no other.

use chrono::{DateTime, Duration, NaiveTime, Utc};
use chrono_tz::Tz;
use postgres::Client;
use serde_json::{Value, json};

use super::Context;
use crate::config;
use crate::db::{self, Sql, transaction};
use crate::failpoint::failpoint;
use crate::failure::{Exit, Failure, Kind};
use crate::load::typed;
use crate::output::{clean, result};
use crate::run::{Account, Person, Run, RunEnd, RunKind};
use crate::source::{Files, Source};
use crate::time::{Edge, parse_when};
use crate::transform::{self, Upserted};
use crate::zones::{self, Stay, Zones};

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  health zones
  health zones set Asia/Tokyo --from 2025-03-01 --until 2025-03-10    a trip
  health zones set Europe/Berlin --from 2025-06-01                    a move
  health zones remove 2025-03-01

Dates are local days of that zone, the last one included; instants such as 2025-03-01T18:20+09:00 are exact.
Of several stays that hold at a time the one that began last counts; where there is none the home zone does.")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand)]
enum Action {
    /// The stays, and the home zone
    #[command(after_help = "Examples:\n  health zones list\n  health zones list --json")]
    List,
    /// Add a move or a trip, or change one that begins at the same time
    #[command(after_help = "Examples:
  health zones set Asia/Tokyo --from 2025-03-01 --until 2025-03-10
  health zones set Asia/Tokyo --from 2025-03-01T18:20+09:00 --dry-run")]
    Set {
        /// Name in the IANA database: Asia/Tokyo
        zone: String,
        /// First day, or first instant
        #[arg(long, value_name = "DATE")]
        from: String,
        /// Last day, or first instant after it; none: it has no end
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        /// Say what would change, change nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Take a stay back
    #[command(after_help = "Example:\n  health zones remove 2025-03-01")]
    Remove {
        /// When it begins, as the list shows it
        from: String,
        /// Say what would change, change nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
}

/// What becomes of the list.
#[derive(Clone, Copy)]
enum Change {
    Set(Stay),
    Remove(Stay),
}

/// What a change did.
#[derive(Default)]
struct Done {
    /// Raw rows with another offset.
    moved: u64,
    models: Vec<Upserted>,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let (_, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    let known = zones::load(&mut client, person.user_id, ctx.config.home.zone())?;
    let now = ctx.config.clock.now();
    let (change, dry_run) = match args.action.as_ref().unwrap_or(&Action::List) {
        Action::List => return Ok(list(ctx, &known)),
        Action::Set { zone, from, until, dry_run } => (Change::Set(stay(zone, from, until.as_deref(), now)?), *dry_run),
        Action::Remove { from, dry_run } => (Change::Remove(named(&known, from, now)?), *dry_run),
    };
    db::expect_writable(&mut client, "the database")?;
    if let Change::Set(stay) = change
        && known.stays().contains(&stay)
    {
        return Ok(tell(ctx, &known, change, dry_run, &Done::default()));
    }
    // What the stay held before counts as well as what it holds now.
    let older = known.stays().iter().find(|older| older.from == change.stay().from);
    let until = older.into_iter().chain([change.stay()]).map(|stay| stay.until).reduce(later).flatten();
    let span = (change.stay().from, until);
    let done = if dry_run {
        rehearse(ctx, &mut client, &person, change, span)?
    } else {
        apply(ctx, &mut client, &person, change, span)?
    };
    let held = if dry_run { known } else { zones::load(&mut client, person.user_id, ctx.config.home.zone())? };
    Ok(tell(ctx, &held, change, dry_run, &done))
}

impl Change {
    fn stay(&self) -> &Stay {
        match self {
            Self::Set(stay) | Self::Remove(stay) => stay,
        }
    }

    fn write(self, t: &mut postgres::Transaction, person: &Person) -> Result<(), Failure> {
        match self {
            Self::Set(stay) => zones::set(t, person.user_id, &stay),
            Self::Remove(stay) => zones::remove(t, person.user_id, &stay),
        }
    }
}

fn stay(zone: &str, from: &str, until: Option<&str>, now: DateTime<Utc>) -> Result<Stay, Failure> {
    let zone = config::zone(zone)?;
    let when = |text: &str, edge| {
        parse_when(text, edge, zone, now).map_err(|error| {
            Failure::new(Kind::Usage, error.to_string()).kept("nothing was changed").next("health help dates")
        })
    };
    let stay =
        Stay { from: when(from, Edge::Start)?, until: until.map(|text| when(text, Edge::End)).transpose()?, zone };
    if stay.until.is_some_and(|until| until <= stay.from) {
        return Err(Failure::new(Kind::Usage, "--until is before --from")
            .kept("nothing was changed")
            .next("give the last day of the stay: --from 2025-03-01 --until 2025-03-10"));
    }
    Ok(stay)
}

/// The stay that begins then: a day is one of its own zone.
fn named(known: &Zones, from: &str, now: DateTime<Utc>) -> Result<Stay, Failure> {
    let begins = |stay: &&Stay| parse_when(from, Edge::Start, stay.zone, now).is_ok_and(|at| at == stay.from);
    let mut found: Vec<&Stay> = known.stays().iter().filter(begins).collect();
    found.sort_by_key(|stay| stay.from);
    let wrong = |what: String| {
        Failure::new(Kind::Usage, what).kept("nothing was changed").next("health zones    shows when each begins")
    };
    match found[..] {
        [one] => Ok(*one),
        [] => Err(wrong(format!("no stay begins at {}", clean(from)))),
        _ => {
            let exact = |stay: &Stay| stay.from.with_timezone(&stay.zone).format("%Y-%m-%dT%H:%M:%S%:z");
            let each: Vec<String> = found.iter().map(|stay| format!("{} in {}", exact(stay), stay.zone)).collect();
            let next = format!("health zones remove {}    (the first of: {})", exact(found[0]), each.join(", "));
            Err(wrong(format!("{} stays begin at {}; give the instant of one", found.len(), clean(from))).next(next))
        }
    }
}

/// The later end; none is later than any.
fn later(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// A source, how its files are dated anew if they are, and an account.
type Dated = (&'static Source, Option<&'static Files>, Account);

/// Accounts with raw rows whose offset is derived, or with models that derive one.
fn accounts(client: &mut Client, person: &Person) -> Result<Vec<Dated>, Failure> {
    let mut all = Vec::new();
    for source in crate::sources::ALL {
        let files = source.files.as_ref().filter(|files| !files.rezone.is_empty());
        if files.is_some() || source.models.iter().any(|model| model.zoned) {
            all.extend(Account::all(client, person, source)?.into_iter().map(|account| (*source, files, account)));
        }
    }
    Ok(all)
}

type Span = (DateTime<Utc>, Option<DateTime<Utc>>);

/// Does it and takes it back.
fn rehearse(ctx: &Context, client: &mut Client, person: &Person, change: Change, span: Span) -> Result<Done, Failure> {
    let accounts = accounts(client, person)?;
    let mut t = client.transaction().sql()?;
    change.write(&mut t, person)?;
    let zones = zones::load(&mut t, person.user_id, ctx.config.home.zone())?;
    let mut done = Done::default();
    for (_, files, account) in accounts {
        let Some(files) = files else { continue };
        done.moved += zones::rezone(&mut t, (account.user_id, account.account_id, 0), files, &zones, span)?;
    }
    t.rollback().sql()?;
    Ok(done)
}

/// One transaction for the list and for all offsets that follow from it; then the models.
fn apply(ctx: &Context, client: &mut Client, person: &Person, change: Change, span: Span) -> Result<Done, Failure> {
    let mut held: Vec<(&'static Source, Option<&'static Files>, Run)> = Vec::new();
    let result = (|| {
        for (source, files, account) in accounts(client, person)? {
            held.push((source, files, Run::open(client, &account, RunKind::Transform, ctx.config.clock.now())?));
        }
        let moved = transaction(client, |t| {
            held.iter().try_for_each(|(_, _, run)| typed::hold(t, run))?;
            change.write(t, person)?;
            let zones = zones::load(t, person.user_id, ctx.config.home.zone())?;
            let mut moved = 0;
            for (_, files, run) in &held {
                let Some(files) = files else { continue };
                moved += zones::rezone(t, (run.user_id, run.account_id, run.run_id), files, &zones, span)?;
                typed::follow(t, run, files)?;
            }
            failpoint!("zones.before_commit");
            Ok(moved)
        })?;
        failpoint!("zones.moved");
        let mut models = Vec::new();
        for (source, _, run) in &held {
            models.extend(transform::transform(client, &db::another(ctx), source, run, false)?);
        }
        Ok(Done { moved, models })
    })();
    for (_, _, run) in &held {
        let end = RunEnd {
            exit: result.as_ref().map_or_else(Failure::exit, Done::exit),
            fenced: false,
            error: result.as_ref().err().map(|failure| failure.error.to_string()),
            complete_scope: json!([]),
            counts: json!({"moved": result.as_ref().map_or(0, |done| done.moved)}),
        };
        let closed = run.close(client, &end, ctx.config.clock.now());
        if result.is_ok() {
            closed?;
        }
    }
    result
}

impl Done {
    fn rejected(&self) -> i64 {
        self.models.iter().map(|model| model.rejected).sum()
    }

    fn exit(&self) -> Exit {
        if self.rejected() > 0 { Exit::PARTIAL } else { Exit::OK }
    }
}

fn tell(ctx: &Context, held: &Zones, change: Change, dry_run: bool, done: &Done) -> Exit {
    let exit = done.exit();
    let stay = change.stay();
    let canonical: i64 = done.models.iter().map(|model| model.inserted + model.updated + model.retired).sum();
    if ctx.out.json {
        ctx.out.json(&json!({
            "schema": "health.zones/1",
            "home": ctx.config.home.zone().name(),
            "zones": held.stays().iter().rev().map(of_json).collect::<Vec<Value>>(),
            "change": {"action": match change { Change::Set(_) => "set", Change::Remove(_) => "remove" }, "stay": of_json(stay)},
            "dry_run": dry_run,
            "moved": done.moved,
            "canonical": canonical,
            "result": result(exit, &json!(null), &["health zones"]),
        }));
        return exit;
    }
    let (from, until) = shown(stay);
    let until = until.map_or("on".to_owned(), |until| format!("until {until}"));
    let verb = match (change, dry_run) {
        (Change::Set(_), false) => "ok  ",
        (Change::Set(_), true) => "would set  ",
        (Change::Remove(_), false) => "ok  removed  ",
        (Change::Remove(_), true) => "would remove  ",
    };
    let moved = if dry_run { "raw rows would take" } else { "raw rows took" };
    ctx.out.line(&format!("{verb}{} from {from} {until}. {} {moved} another offset.", stay.zone.name(), done.moved));
    if canonical > 0 {
        ctx.out.note(&format!("canonical: {canonical} rows changed"));
    }
    if done.rejected() > 0 {
        ctx.out.note(&format!("{} could not be used and are kept in raw: health rejects", done.rejected()));
    }
    exit
}

fn list(ctx: &Context, known: &Zones) -> Exit {
    let home = ctx.config.home.zone().name();
    if ctx.out.json {
        ctx.out.json(&json!({
            "schema": "health.zones/1",
            "home": home,
            "zones": known.stays().iter().rev().map(of_json).collect::<Vec<Value>>(),
            "result": result(Exit::OK, &json!(null), &[]),
        }));
        return Exit::OK;
    }
    let rows: Vec<Vec<String>> = known
        .stays()
        .iter()
        .rev()
        .map(|stay| {
            let (from, until) = shown(stay);
            vec![from, until.unwrap_or_default(), stay.zone.name().to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        ctx.out.table(&["FROM", "UNTIL", "ZONE"], &rows);
    }
    ctx.out.line(&format!("home: {home}"));
    if rows.is_empty() {
        ctx.out.note("\nNext:  health zones set Asia/Tokyo --from 2025-03-01 --until 2025-03-10");
    }
    Exit::OK
}

fn of_json(stay: &Stay) -> Value {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({"from": text(stay.from), "until": stay.until.map(text), "zone": stay.zone.name()})
}

/// First and last day, or instants where the stay does not begin or end at midnight; no last one where it has no end.
fn shown(stay: &Stay) -> (String, Option<String>) {
    let local = |at: DateTime<Utc>, last: bool| {
        let there = at.with_timezone::<Tz>(&stay.zone);
        if there.time() == NaiveTime::MIN {
            let day = if last { there.date_naive() - Duration::days(1) } else { there.date_naive() };
            return day.to_string();
        }
        there.format("%Y-%m-%dT%H:%M%:z").to_string()
    };
    (local(stay.from, false), stay.until.map(|until| local(until, true)))
}
