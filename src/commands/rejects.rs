//! `health rejects`: records that could not be used. Lists rules and places, never values.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Context;
use crate::db::{self, Sql};
use crate::failure::{Exit, Failure, Kind};
use crate::output::{clean, result};
use crate::run::Person;

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  health rejects
  health rejects list --run 41
  health rejects show 3         the record as it was received")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand)]
enum Action {
    /// The open ones
    #[command(after_help = "Examples:\n  health rejects list --run 41\n  health rejects list --all")]
    List(List),
    /// One, with the record as it was received
    #[command(after_help = "Example:\n  health rejects show 3")]
    Show {
        /// Number in the list
        id: i64,
    },
}

#[derive(clap::Args, Default)]
struct List {
    /// Of one run
    #[arg(long, value_name = "ID")]
    run: Option<i64>,
    /// Of one file
    #[arg(long, value_name = "ID")]
    file: Option<i64>,
    /// Also those whose record could be used later
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let (_, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    match &args.action {
        None => list(ctx, &mut client, &person, &List::default()),
        Some(Action::List(what)) => list(ctx, &mut client, &person, what),
        Some(Action::Show { id }) => show(ctx, &mut client, &person, *id),
    }
}

fn list(ctx: &Context, client: &mut postgres::Client, person: &Person, what: &List) -> Result<Exit, Failure> {
    let rows = client.query(include_str!("rejects.sql"), &[&person.user_id, &what.run, &what.file, &what.all]).sql()?;
    let mut shown = Vec::new();
    let mut documents = Vec::new();
    for row in &rows {
        let (id, source, resource): (i64, String, String) = (row.get(0), row.get(1), row.get(2));
        let (code, detail, place): (String, Option<String>, serde_json::Value) = (row.get(3), row.get(4), row.get(5));
        let (times, run, last): (i32, i64, DateTime<Utc>) = (row.get(6), row.get(7), row.get(8));
        let why = format!("{} ({})", clean(detail.as_deref().unwrap_or_default()), clean(&code));
        shown.push(vec![
            id.to_string(),
            source.clone(),
            clean(&resource),
            why,
            times.to_string(),
            last.with_timezone(&ctx.config.home.shown()).format("%Y-%m-%d %H:%M").to_string(),
        ]);
        documents.push(json!({"id": id, "source": source, "resource": resource, "code": code, "detail": detail,
            "locator": place, "times": times, "run": run, "last_seen": last}));
    }
    if ctx.out.json {
        ctx.out.json(&json!({"schema": "health.rejects/1", "rejects": documents,
            "result": result(Exit::OK, &json!(null), &[])}));
    } else if shown.is_empty() {
        ctx.out.note("ok  no rejects: every record that arrived could be used");
    } else {
        ctx.out.table(&["ID", "SOURCE", "RESOURCE", "WHY", "TIMES", "LAST SEEN"], &shown);
        ctx.out.note(&format!("\nNext:  health rejects show {}", shown[0][0]));
    }
    Ok(Exit::OK)
}

fn show(ctx: &Context, client: &mut postgres::Client, person: &Person, id: i64) -> Result<Exit, Failure> {
    let row = client.query_opt(include_str!("reject.sql"), &[&person.user_id, &id]).sql()?;
    let row =
        row.ok_or_else(|| Failure::new(Kind::Usage, format!("there is no reject {id}")).next("health rejects"))?;
    let payload: Option<Vec<u8>> = row.get(0);
    let locator: serde_json::Value = row.get(1);
    if ctx.out.json {
        let text = payload.as_deref().map(String::from_utf8_lossy);
        ctx.out.json(&json!({"schema": "health.rejects/1", "id": id, "locator": locator, "payload": text,
            "result": result(Exit::OK, &json!(null), &[])}));
        return Ok(Exit::OK);
    }
    ctx.out.line(&format!("place: {}", clean(&locator.to_string())));
    match payload {
        // Whole and on one line, so that it can be copied; only what would steer the terminal is replaced.
        Some(bytes) => {
            let text: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
            let parts: String = text.chunks(120).map(|part| clean(&part.iter().collect::<String>())).collect();
            ctx.out.line(&parts);
        }
        None => ctx.out.line("the record itself is in the raw table that the place names"),
    }
    Ok(Exit::OK)
}
