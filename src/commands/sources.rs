//! `health sources`: what can be connected, how, and with what limits.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Context, notices, source_named};
use crate::canonical::Table;
use crate::db::{self, Sql};
use crate::failure::{Exit, Failure};
use crate::oauth;
use crate::output::result;
use crate::run::Person;
use crate::source::{Retired, Source, Window};

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:\n  health sources\n  health sources whoop")]
pub(crate) struct Args {
    /// One source in detail
    source: Option<String>,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.source {
        Some(name) => match crate::sources::retired(name) {
            Some(retired) => Ok(ended(ctx, retired)),
            None => one(ctx, source_named(name)?),
        },
        None => all(ctx),
    }
}

/// `login`, `files` or `both`.
fn kind(source: &Source) -> &'static str {
    match (source.api.is_some(), source.files.is_some()) {
        (true, true) => "both",
        (true, false) => "login",
        _ => "files",
    }
}

fn state(ctx: &Context, source: &'static Source) -> Result<String, Failure> {
    if source.api.is_none() {
        return Ok("-".into());
    }
    let logins = oauth::list(&ctx.config)?;
    Ok(logins.iter().find(|login| login.source.id == source.id).map_or("-", |login| login.state.word()).into())
}

fn all(ctx: &Context) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for source in crate::sources::ALL {
        let state = state(ctx, source)?;
        rows.push(vec![
            source.command_name(),
            kind(source).into(),
            state.clone(),
            source.brings.into(),
            source.needs.into(),
        ]);
        documents.push(document(ctx, source, &state));
    }
    if ctx.out.json {
        let retired: Vec<Value> = crate::sources::RETIRED.iter().map(|one| retired_document(ctx, one)).collect();
        ctx.out.json(&json!({"schema": "health.sources/1", "sources": documents, "retired": retired,
            "result": result(Exit::OK, &json!(null), &[])}));
    } else {
        ctx.out.table(&["SOURCE", "KIND", "STATE", "BRINGS", "NEEDS"], &rows);
        tell_notices(ctx, crate::sources::ALL);
        let today = notices::today(ctx);
        for retired in crate::sources::RETIRED.iter().filter(|one| one.notice.nearness(today).is_some()) {
            ctx.out.line(&format!("\n{}", notices::of(retired.title, &retired.notice, today)));
        }
    }
    Ok(Exit::OK)
}

/// One that has ended: what became of it, since when, and where its data are. Asking is no mistake; fetching is (code 6).
fn ended(ctx: &Context, retired: &Retired) -> Exit {
    if ctx.out.json {
        ctx.out.json(&json!({"schema": "health.sources/1", "sources": [], "retired": [retired_document(ctx, retired)],
            "result": result(Exit::OK, &json!(null), &[retired.next])}));
    } else {
        let name = retired.id.replace('_', "-");
        ctx.out.line(&format!("{} ({name}): {}\nkept: {}", retired.title, retired.what, retired.kept));
        ctx.out.line(&format!("\n{}", notices::of(retired.title, &retired.notice, notices::today(ctx))));
    }
    Exit::OK
}

fn retired_document(ctx: &Context, retired: &Retired) -> Value {
    let notice = notices::document_of(retired.id, &retired.notice, notices::today(ctx));
    json!({"id": retired.id, "title": retired.title, "what": retired.what, "kept": retired.kept, "next": retired.next,
        "notices": [notice]})
}

/// Scopes that open a resource, as a person reads them; `any` where most do.
fn scopes(opening: &str) -> String {
    let names: Vec<&str> = opening.split('|').map(crate::source::short_scope).collect();
    if names.len() > 3 { "any".to_owned() } else { names.join(" or ") }
}

/// What is near or has come.
fn tell_notices(ctx: &Context, sources: &[&'static Source]) {
    let today = notices::today(ctx);
    for announced in notices::near(ctx, sources.iter().copied()) {
        ctx.out.line(&format!("\n{}", notices::lines(&announced, today)));
    }
}

fn document(ctx: &Context, source: &'static Source, state: &str) -> Value {
    let today = notices::today(ctx);
    let announced: Vec<Value> =
        source.notices.iter().map(|notice| notices::document(&(source, notice), today)).collect();
    let resources: Vec<Value> = source
        .api
        .iter()
        .flat_map(|api| api.resources)
        .map(
            |resource| json!({"name": resource.name, "scope": resource.scope, "lookback_days": resource.lookback_days}),
        )
        .collect();
    json!({"id": source.id, "aliases": source.aliases.iter().map(|alias| alias.name).collect::<Vec<_>>(), "title": source.title, "kind": kind(source), "state": state,
        "api": source.api.is_some(), "files": source.files.as_ref().map(|files| files.accepts),
        "brings": source.brings, "needs": source.needs, "resources": resources, "notices": announced,
        "tables": source.models.iter().map(|model| model.into).filter(|table| *table != Table::Rejects)
            .map(|table| table.shape().name).chain(source.shown.iter().copied()).collect::<std::collections::BTreeSet<_>>()})
}

/// A type of which raw holds records and canonical none.
struct RawOnly {
    name: String,
    records: i64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// Those of the person, as far as there is a database to ask.
fn raw_only(ctx: &Context, source: &Source) -> Result<Vec<RawOnly>, Failure> {
    let (Some(files), Some(mut client)) = (&source.files, db::look(ctx)) else { return Ok(Vec::new()) };
    let Ok(person) = Person::find(&mut client, ctx) else { return Ok(Vec::new()) };
    let rows = client.query(files.raw_only, &[&person.user_id]).sql()?;
    let of =
        |row: &postgres::Row| RawOnly { name: row.get(0), records: row.get(1), first: row.get(2), last: row.get(3) };
    Ok(rows.iter().map(of).collect())
}

fn one(ctx: &Context, source: &'static Source) -> Result<Exit, Failure> {
    let (state, raw_only) = (state(ctx, source)?, raw_only(ctx, source)?);
    if ctx.out.json {
        let mut document = document(ctx, source, &state);
        document["raw_only"] = raw_only
            .iter()
            .map(|one| json!({"type": one.name, "records": one.records, "first_at": one.first, "last_at": one.last}))
            .collect();
        ctx.out.json(&json!({"schema": "health.sources/1", "sources": [document],
            "result": result(Exit::OK, &json!(null), &[])}));
        return Ok(Exit::OK);
    }
    let name = source.command_name();
    let also: Vec<String> = source.aliases.iter().map(|alias| format!(", also {}", alias.name)).collect();
    let also = also.concat();
    ctx.out.line(&format!("{} ({name}{also}): {}\nneeds: {}", source.title, source.brings, source.needs));
    if let Some(api) = &source.api {
        ctx.out.line(&format!(
            "\nby login:  health auth {name}\n           your own application: {}\n           limit: {} until the provider says otherwise\n",
            api.auth.console, api.limits.shown()
        ));
        let rows: Vec<Vec<String>> = api
            .resources
            .iter()
            .map(|resource| {
                let window = match (resource.window, resource.each) {
                    (Window::Snapshot, Some(each)) => format!("one by one, as {} tell", each.of.join(" and ")),
                    (Window::Snapshot, None) => "read whole every time".to_owned(),
                    (Window::Range { .. }, _) => {
                        let changes = if resource.changed_since.is_empty() { "" } else { "what changed; " };
                        format!("{changes}by time; the last {} days are read again", resource.lookback_days)
                    }
                };
                vec![resource.name.into(), scopes(resource.scope), window]
            })
            .collect();
        ctx.out.table(&["RESOURCE", "SCOPE", "HOW"], &rows);
    }
    if let Some(files) = &source.files {
        ctx.out.line(&format!("\nby file:   health ingest {name} PATH    ({})", files.accepts));
    }
    if !raw_only.is_empty() {
        ctx.out.line("\nheld in raw alone, since no metric is named for them:");
        let day = |at: DateTime<Utc>| at.with_timezone(&ctx.config.home.shown()).format("%Y-%m-%d").to_string();
        let rows: Vec<Vec<String>> = raw_only
            .iter()
            .map(|one| vec![crate::output::clean(&one.name), one.records.to_string(), day(one.first), day(one.last)])
            .collect();
        ctx.out.table(&["TYPE", "RECORDS", "FIRST DAY", "LAST DAY"], &rows);
    }
    tell_notices(ctx, &[source]);
    ctx.out.line(&format!("\nmore: docs/sources/{}.md", source.id));
    Ok(Exit::OK)
}
