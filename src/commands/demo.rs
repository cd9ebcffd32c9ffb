//! `health demo`: a synthetic year in a database of its own, by the same commands that a person would type.

mod browser;
mod dry;
mod facts;
mod place;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Context;
use crate::cli;
use crate::demo::Provider;
use crate::failure::{Exit, Failure, Kind};
use crate::output::{ProgressMode, result};
use place::Place;

const EXAMPLES: &str = "\
Examples:
  health demo                a year of a person who does not exist, in the database health_demo
  health demo --days 30      a month of it
  health demo --drop         remove that database and its folder
  health demo --dry-run      what it would make, and where";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many days, up to now
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(14..=3660))]
    days: u32,
    /// Another person
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Remove the demo's database and folder
    #[arg(long, conflicts_with_all = ["days", "seed"])]
    drop: bool,
    /// Only say what would be made or removed
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// One command of the demo, and how it went.
struct Step {
    command: String,
    exit: Exit,
    took: Duration,
}

pub(crate) fn run(ctx: Context, args: &Args) -> Result<Exit, Failure> {
    if args.dry_run {
        return dry::run(&ctx, args);
    }
    let place = Place::find(&ctx)?;
    let _alone = place.hold()?;
    if args.drop {
        return drop_all(&ctx, &place);
    }
    let begun = Instant::now();
    let json = ctx.out.json;
    place.make()?;
    let provider = Provider::start(args.seed, args.days, ctx.config.clock.now())?;
    let demo = place.context(ctx, &provider)?;
    demo.out.line(&format!(
        "{} days that nobody lived, seed {}, from a simulated WHOOP at {}.\n\
         Everything goes to the database {} and the folder {}; your own data is not touched.",
        args.days,
        args.seed,
        provider.base_url(),
        place::DATABASE,
        place.folder().display(),
    ));
    let mut tour = Tour { ctx: &demo, steps: Vec::new() };
    let walked = tour.walk(&provider);
    // Stopped by a person: the command that was under way has said so.
    if let Some(step) = tour.steps.last().filter(|step| step.exit.0 > 128) {
        return Ok(step.exit);
    }
    walked?;
    let steps = tour.steps;
    let mut client = place.connect()?;
    if json {
        let facts = facts::counts(&mut client)?;
        let document = document(&steps, &facts, &place, args, begun.elapsed());
        crate::output::Out { json: true, ..Default::default() }.json(&document);
        return Ok(Exit::OK);
    }
    facts::show(&demo.out, &mut client)?;
    demo.out.line(&format!(
        "\nThat took {:.1} s. Your own data:  health sources    health auth whoop    health ingest apple-health export.zip\n\
         Remove the demo:  health demo --drop\nLook around in it:\n\n  {}",
        begun.elapsed().as_secs_f64(),
        place.psql(),
    ));
    Ok(Exit::OK)
}

/// Goes through the commands and shows each with what it prints.
struct Tour<'a> {
    ctx: &'a Context,
    steps: Vec<Step>,
}

impl Tour<'_> {
    fn walk(&mut self, provider: &Provider) -> Result<(), Failure> {
        self.step(&["migrate"])?;
        self.log_in()?;
        self.step(&["auth"])?;
        self.step(&["ingest", "whoop"])?;
        self.ctx
            .out
            .line("\nA quarter of an hour later at WHOOP: last night got its scores, and a workout was deleted.");
        provider.advance();
        self.step(&["ingest", "whoop"])?;
        self.step(&["rejects"])?;
        self.step(&["transform", "whoop"])?;
        self.step(&["status"])
    }

    /// Runs one command. "Partial" is expected: the year holds a record that cannot be used.
    fn step(&mut self, words: &[&str]) -> Result<(), Failure> {
        let command = format!("health {}", words.join(" "));
        self.timed(&command, |ctx| cli::run_words(ctx, words))
    }

    /// As `health auth whoop`, where the person at the browser is played by a task.
    fn log_in(&mut self) -> Result<(), Failure> {
        self.timed("health auth whoop", browser::log_in)
    }

    fn timed(&mut self, command: &str, act: impl FnOnce(&Context) -> Result<Exit, Failure>) -> Result<(), Failure> {
        self.ctx.out.line(&format!("\n$ {command}"));
        let begun = Instant::now();
        let exit = act(self.ctx)?;
        self.steps.push(Step { command: command.to_owned(), exit, took: begun.elapsed() });
        if matches!(exit, Exit::OK | Exit::PARTIAL) {
            return Ok(());
        }
        Err(Failure::new(kind_of(exit), format!("\"{command}\" ended with exit code {}", exit.0))
            .kept(format!("what the demo did so far, in the database {}", place::DATABASE))
            .next("health demo --drop"))
    }
}

/// The demo fails as its command did.
fn kind_of(exit: Exit) -> Kind {
    [Kind::Login, Kind::Later, Kind::Refused, Kind::Database, Kind::Schema, Kind::Busy, Kind::Local, Kind::Config]
        .into_iter()
        .find(|kind| Exit::from(*kind) == exit)
        .unwrap_or(Kind::Bug)
}

fn document(steps: &[Step], facts: &Value, place: &Place, args: &Args, took: Duration) -> Value {
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| json!({"command": step.command, "exit": step.exit.0, "seconds": rounded(step.took)}))
        .collect();
    json!({
        "schema": "health.demo/1", "days": args.days, "seed": args.seed, "database": place::DATABASE,
        "folder": place.folder(), "psql": place.psql(), "steps": steps, "facts": facts, "seconds": rounded(took),
        "result": result(Exit::OK, &Value::Null, &["health demo --drop"]),
    })
}

/// Seconds, to the millisecond.
fn rounded(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e3).round() / 1e3
}

fn drop_all(ctx: &Context, place: &Place) -> Result<Exit, Failure> {
    let removed = place.remove()?;
    let text = if removed {
        format!("ok  removed the database {} and the folder {}", place::DATABASE, place.folder().display())
    } else {
        "ok  there is no demo".to_owned()
    };
    if ctx.out.json {
        let result = result(Exit::OK, &Value::Null, &["health demo"]);
        ctx.out.json(&json!({"schema": "health.demo-drop/1", "removed": removed, "result": result}));
    } else {
        ctx.out.line(&text);
    }
    Ok(Exit::OK)
}

/// How the demo's own commands print: as they would alone, or not at all when one document is wanted.
fn manner(out: &crate::output::Out) -> crate::output::Out {
    let mute = out.json;
    let progress = if mute { ProgressMode::None } else { out.progress };
    crate::output::Out { json: false, quiet: out.quiet || mute, mute, progress, no_input: true, ..out.clone() }
}
