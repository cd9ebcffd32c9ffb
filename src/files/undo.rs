//! Takes back the newest file of an account: one transaction turns its rows into missing ones, makes those that it had
//! retired count again, and withdraws it; the models follow; then its rows go for good. Killed in between, the same
//! command goes on from there. Knows no table.

use postgres::Client;
use serde_json::json;

use super::Options;
use super::import::ACCOUNT;
use super::ledger::{self, Asked, Entry};
use super::report::{self, Imported, grouped};
use crate::commands::Context;
use crate::db::{self, transaction};
use crate::failpoint::failpoint;
use crate::failure::{Exit, Failure, Kind};
use crate::load::typed::{self, TakenBack};
use crate::output::clean;
use crate::run::{Account, Person, Run, RunEnd, RunKind};
use crate::source::{Files, Source};
use crate::transform::{self, Upserted};

/// Takes back one file.
pub(super) fn one(
    ctx: &Context,
    source: &'static Source,
    files: &'static Files,
    file_id: i64,
    options: Options,
) -> Result<Imported, Failure> {
    let (_, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    let account = Account::find(&mut client, &person, source, ACCOUNT)?;
    let (account, asked) = match account {
        None => return Err(no_such(source, file_id)),
        Some(account) => {
            let key = (account.user_id, account.account_id);
            (account, ledger::asked(&mut client, key, file_id)?.ok_or_else(|| no_such(source, file_id))?)
        }
    };
    expect_newest(source, file_id, &asked)?;
    let shown = asked.name.as_deref().map_or_else(|| "standard input".to_owned(), clean);
    let now = ctx.config.clock.now();
    let whose = (account.user_id, account.account_id);
    let is_left =
        asked.status == "published" || asked.has_rows || !transform::behind(&mut client, source, whose)?.is_empty();
    if options.dry_run || !is_left {
        let what = if is_left { "would be taken back. Nothing was written" } else { "is taken back already" };
        if !ctx.out.json {
            ctx.out.line(&format!("file {file_id} ({shown}) {what}."));
        }
        let status = if is_left { "would_take_back" } else { "withdrawn" };
        let report = json!({"file": shown, "source": source.id, "file_id": file_id, "status": status, "exit": 0});
        return Ok(Imported { exit: Exit::OK, report });
    }
    let run = Run::open(&mut client, &account, RunKind::Import, now)?;
    let result = take_back(ctx, &mut client, source, files, &run, Entry { file_id }, options);
    let exit = result.as_ref().map_or_else(Failure::exit, |(_, models)| report::models_exit(models));
    let counts = result.as_ref().map_or_else(|_| json!({}), |(taken, models)| {
        json!({"taken_back": {"file_id": file_id, "gone": taken.went, "back": taken.came_back}, "models": report::models_json(models)})
    });
    let end = RunEnd {
        exit,
        fenced: exit == Exit::from(Kind::Busy),
        error: result.as_ref().err().map(|failure| failure.error.to_string()),
        complete_scope: json!([]),
        counts,
    };
    let closed = run.close(&mut client, &end, ctx.config.clock.now());
    let (taken, models) = result?;
    closed?;
    if !ctx.out.json {
        tell(ctx, file_id, &shown, taken, &models);
    }
    let report = json!({"file": shown, "source": source.id, "file_id": file_id, "status": "withdrawn", "gone": taken.went,
        "back": taken.came_back, "models": report::models_json(&models), "exit": exit.0});
    Ok(Imported { exit, report })
}

fn no_such(source: &Source, file_id: i64) -> Failure {
    Failure::new(Kind::Usage, format!("there is no file {file_id} of {}", source.title)).next("health status")
}

/// Later files were compared with this one: what they added and retired would mean nothing without it.
fn expect_newest(source: &Source, file_id: i64, asked: &Asked) -> Result<(), Failure> {
    let refused = |why: String| Failure::new(Kind::Refused, why).kept("the database is as before");
    match (asked.status.as_str(), asked.newest) {
        ("withdrawn", _) => Ok(()),
        ("published", Some(newest)) if newest == file_id => Ok(()),
        ("published", Some(newest)) => {
            let why = format!("file {file_id} is not the newest: file {newest} was read after it and builds on it");
            Err(refused(why).next(format!("health ingest {} --undo {newest}", source.command_name())))
        }
        _ => Err(refused(format!("file {file_id} was never published, so nothing of it counts")).next("health status")),
    }
}

fn take_back(
    ctx: &Context,
    client: &mut Client,
    source: &'static Source,
    files: &Files,
    run: &Run,
    entry: Entry,
    options: Options,
) -> Result<(TakenBack, Vec<Upserted>), Failure> {
    let taken = transaction(client, |t| {
        typed::hold(t, run)?;
        // Another process may have been faster than our look.
        let asked = ledger::asked(t, (run.user_id, run.account_id), entry.file_id)?;
        let asked = asked.ok_or_else(|| no_such(source, entry.file_id))?;
        expect_newest(source, entry.file_id, &asked)?;
        if asked.status == "withdrawn" {
            return Ok(TakenBack::default());
        }
        let taken = typed::take_back(t, run, source, files, entry.file_id)?;
        ledger::withdraw(t, run, entry)?;
        typed::follow(t, run, files)?;
        failpoint!("undo.before_commit");
        Ok(taken)
    })?;
    failpoint!("undo.committed");
    if options.raw_only {
        return Ok((taken, Vec::new()));
    }
    // From raw anew: what a file says also shows in rows that none of its records made, as an export ends days.
    let models = transform::transform(client, &db::another(ctx), source, run, true)?;
    failpoint!("undo.before_forget");
    forget(client, run, source, files)?;
    failpoint!("undo.forgotten");
    Ok((taken, models))
}

/// Removes the rows of files that were taken back. Every model must have seen that they are missing.
pub(super) fn forget(client: &mut Client, run: &Run, source: &Source, files: &Files) -> Result<(), Failure> {
    for entry in ledger::withdrawn(client, run)? {
        transaction(client, |t| {
            typed::hold(t, run)?;
            typed::forget(t, run, source, files, entry.file_id)?;
            ledger::forgotten(t, run, entry)
        })?;
    }
    Ok(())
}

fn tell(ctx: &Context, file_id: i64, shown: &str, taken: TakenBack, models: &[Upserted]) {
    let out = &ctx.out;
    let (went, back) = (grouped(taken.went), grouped(taken.came_back));
    out.line(&format!("ok  file {file_id} ({shown}) is taken back: {went} records gone, {back} there again."));
    report::tell_models(out, models);
    out.note("It can be loaded again at any time.");
}
