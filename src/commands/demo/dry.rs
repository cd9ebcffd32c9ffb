//! `health demo --dry-run`: what the demo would make or remove. Starts no server and makes no database.

use serde_json::{Value, json};

use super::place::{self, Place};
use super::{Args, Context};
use crate::config::Database;
use crate::failure::{Exit, Failure};
use crate::output::result;
use crate::server::{self, Condition};

pub(super) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let condition = match &ctx.config.database {
        Database::External { .. } => Condition::Running,
        Database::Private => server::status(&server::Settings::from(&ctx.config))?.condition,
    };
    let folder = ctx.config.dirs.data.join(place::FOLDER);
    // Only a server that runs can be asked.
    let taken = match condition {
        Condition::Running => Place::find(ctx)?.is_taken()?,
        _ => folder.exists(),
    };
    let what = format!("the database {} and the folder {}", place::DATABASE, folder.display());
    let text = match (args.drop, taken) {
        (true, true) => format!("would remove {what}"),
        (true, false) => "there is no demo to remove".to_owned(),
        (false, taken) => {
            let server = match condition {
                Condition::NotInitialised => "make the private PostgreSQL, and ",
                Condition::Stopped | Condition::NotAnswering => "start the private PostgreSQL, and ",
                Condition::Running => "",
            };
            let instead = if taken { ", in place of the demo that is there" } else { "" };
            format!("would {server}load {} days with seed {} into {what}{instead}", args.days, args.seed)
        }
    };
    if ctx.out.json {
        let next = if args.drop { "health demo --drop" } else { "health demo" };
        ctx.out.json(&json!({
            "schema": "health.demo/1", "dry_run": true, "database": place::DATABASE, "folder": folder,
            "replaces": taken, "text": text, "result": result(Exit::OK, &Value::Null, &[next]),
        }));
    } else {
        ctx.out.line(&text);
    }
    Ok(Exit::OK)
}
