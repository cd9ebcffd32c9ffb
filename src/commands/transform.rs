//! `health transform`: canonical rows from raw, without asking anybody.

use serde_json::json;

use super::{Context, source_named};
use crate::db;
use crate::failure::{Exit, Failure, Kind};
use crate::output::result;
use crate::run::{Account, Person, Run, RunEnd, RunKind};
use crate::source::{Model, Source};
use crate::transform::{self, Upserted};

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:
  health transform
  health transform whoop --rebuild
  health transform --show whoop.sleep_sessions")]
pub(crate) struct Args {
    /// Sources; none: all
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// Start all models again from raw
    #[arg(long)]
    rebuild: bool,
    /// Print a model's statement for psql
    #[arg(long, value_name = "MODEL", conflicts_with = "rebuild")]
    show: Option<String>,
    /// Say which models would run, run none
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let sources: Vec<&'static Source> = if args.sources.is_empty() {
        crate::sources::ALL.to_vec()
    } else {
        args.sources.iter().map(|name| source_named(name)).collect::<Result<_, _>>()?
    };
    let (_, mut client) = db::open_to_write(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    if let Some(name) = &args.show {
        return show(ctx, &mut client, &person, name);
    }
    let mut done: Vec<(&'static Source, Account, Vec<Upserted>)> = Vec::new();
    for source in sources {
        for account in Account::all(&mut client, &person, source)? {
            let models = if args.dry_run {
                would_run(&mut client, source, &account, args.rebuild)?
            } else {
                one(ctx, &mut client, source, &account, args.rebuild)?
            };
            done.push((source, account, models));
        }
    }
    Ok(tell(ctx, &done, args.dry_run))
}

/// The models that have something to read, or all of them.
fn would_run(
    client: &mut postgres::Client,
    source: &'static Source,
    account: &Account,
    rebuild: bool,
) -> Result<Vec<Upserted>, Failure> {
    let behind = transform::behind(client, source, (account.user_id, account.account_id))?;
    let runs = |model: &&Model| rebuild || behind.iter().any(|one| one.name == model.name);
    let nothing = |model: &Model| Upserted { model: model.name, table: model.into.shape().name, ..Upserted::default() };
    Ok(source.models.iter().filter(runs).map(nothing).collect())
}

fn one(
    ctx: &Context,
    client: &mut postgres::Client,
    source: &'static Source,
    account: &Account,
    rebuild: bool,
) -> Result<Vec<Upserted>, Failure> {
    let kind = if rebuild { RunKind::Reprocess } else { RunKind::Transform };
    let run = Run::open(client, account, kind, ctx.config.clock.now())?;
    let models = transform::transform(client, &db::another(ctx), source, &run, rebuild);
    let rejected = models.as_ref().map_or(0, |models| models.iter().map(|model| model.rejected).sum::<i64>());
    let end = RunEnd {
        exit: match &models {
            Ok(_) if rejected > 0 => Exit::PARTIAL,
            Ok(_) => Exit::OK,
            Err(failure) => failure.exit(),
        },
        fenced: false,
        error: models.as_ref().err().map(|failure| failure.error.to_string()),
        complete_scope: json!([]),
        counts: json!({"models": models.as_ref().map_or(json!({}), |models| {
            models.iter().map(|m| (m.model.to_owned(), json!({"inserted": m.inserted, "updated": m.updated, "retired": m.retired, "rejected": m.rejected}))).collect()
        })}),
    };
    run.close(client, &end, ctx.config.clock.now())?;
    models
}

fn tell(ctx: &Context, done: &[(&'static Source, Account, Vec<Upserted>)], dry_run: bool) -> Exit {
    let rejected: i64 = done.iter().flat_map(|(_, _, models)| models).map(|model| model.rejected).sum();
    let exit = if rejected > 0 { Exit::PARTIAL } else { Exit::OK };
    let next = if rejected > 0 { "health rejects" } else { "health status" };
    if ctx.out.json {
        let models: Vec<_> = done
            .iter()
            .flat_map(|(source, account, models)| {
                models.iter().map(move |model| {
                    json!({"source": source.id, "account": account.label, "model": model.model, "table": model.table,
                        "new": model.inserted, "changed": model.updated, "retired": model.retired, "rejected": model.rejected})
                })
            })
            .collect();
        ctx.out.json(&json!({"schema": "health.transform/1", "dry_run": dry_run, "models": models,
            "result": result(exit, &json!(null), &[next])}));
        return exit;
    }
    if done.is_empty() {
        ctx.out.note("ok  nothing to do: no source has brought anything yet\n\nNext:  health sources");
        return exit;
    }
    if dry_run {
        return tell_dry(ctx, done);
    }
    let rows: Vec<Vec<String>> = done
        .iter()
        .flat_map(|(source, _, models)| {
            models.iter().map(move |model| {
                let mut row = vec![format!("{}.{}", source.id, model.model), model.table.to_owned()];
                row.extend([model.inserted, model.updated, model.retired, model.rejected].map(|n| n.to_string()));
                row
            })
        })
        .collect();
    ctx.out.note_table(&["MODEL", "TABLE", "NEW", "CHANGED", "RETIRED", "REJECTED"], &rows);
    ctx.out.note(&format!("\nNext:  {next}"));
    exit
}

fn tell_dry(ctx: &Context, done: &[(&'static Source, Account, Vec<Upserted>)]) -> Exit {
    let mut none = true;
    for (source, account, models) in done {
        for model in models {
            none = false;
            ctx.out.line(&format!("would run {}.{} on {}", source.id, model.model, account.label));
        }
    }
    if none {
        ctx.out.note("ok  nothing to do: every model has read everything");
    }
    Exit::OK
}

/// The model's SELECT over this person's account, to be pasted into psql.
fn show(ctx: &Context, client: &mut postgres::Client, person: &Person, name: &str) -> Result<Exit, Failure> {
    let unknown = || {
        let all: Vec<String> = crate::sources::ALL
            .iter()
            .flat_map(|source| source.models.iter().map(move |model| format!("{}.{}", source.id, model.name)))
            .collect();
        Failure::new(
            Kind::Usage,
            format!("there is no model \"{}\"; there are: {}", crate::output::clean(name), all.join(", ")),
        )
        .next("health transform --help")
    };
    let (source, model) = name.split_once('.').ok_or_else(unknown)?;
    let source = crate::sources::find(source).ok_or_else(unknown)?;
    let model = source.models.iter().find(|one| one.name == model).ok_or_else(unknown)?;
    let account = Account::all(client, person, source)?.first().map_or(1, |account| account.account_id);
    ctx.out.text("health.model/1", transform::shown(source, model, person.user_id, account).trim_end());
    Ok(Exit::OK)
}
