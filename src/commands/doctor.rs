//! `health doctor`: what is wrong with a set-up, and what mends it. Reads only; prints no values and no secrets, so that
//! its output can be pasted into an issue.

use serde_json::json;

use super::{Context, notices, source_named};
use crate::config::Database;
use crate::db::{self, schema};
use crate::failure::{Exit, Failure, Kind};
use crate::oauth::{self, State};
use crate::output::{counted, result};
use crate::server::{self, Condition};
use crate::source::{Nearness, Source};

#[derive(clap::Args, Default)]
#[command(after_help = "Examples:\n  health doctor\n  health doctor --json    for an issue: no values, no secrets")]
pub(crate) struct Args {
    /// Look at one source only
    source: Option<String>,
}

/// One thing looked at.
struct Finding {
    /// `ok`, `late`, `stop` or `note`.
    mark: &'static str,
    what: &'static str,
    text: String,
    fix: Option<String>,
    /// The code of a `stop`.
    kind: Option<Kind>,
}

impl Finding {
    fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self { mark: "ok", what, text: text.into(), fix: None, kind: None }
    }

    fn late(what: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { mark: "late", what, text: text.into(), fix: Some(fix.into()), kind: None }
    }

    fn note(what: &'static str, text: impl Into<String>) -> Self {
        Self { mark: "note", what, text: text.into(), fix: None, kind: None }
    }

    fn stop(what: &'static str, failure: Failure) -> Self {
        Self { mark: "stop", what, text: failure.error.to_string(), fix: failure.next, kind: Some(failure.kind) }
    }
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let only = args.source.as_deref().map(source_named).transpose()?;
    let mut findings = vec![configuration(ctx)];
    findings.extend(database(ctx));
    findings.extend(secrets(ctx, only));
    findings.extend(logins(ctx, only)?);
    findings.extend(announced(ctx, only)?);
    findings.push(hosts(ctx, only)?);
    findings.push(Finding::note("not checked", "whether providers answer; health ingest tells"));
    let stops: Vec<Exit> = findings.iter().filter_map(|finding| finding.kind).map(Exit::from).collect();
    let late = findings.iter().filter(|finding| finding.mark == "late").count();
    let exit = Exit::merge(&stops);
    if ctx.out.json {
        let all: Vec<_> = findings
            .iter()
            .map(
                |finding| json!({"mark": finding.mark, "what": finding.what, "text": finding.text, "fix": finding.fix}),
            )
            .collect();
        let next: Vec<&str> = findings.iter().filter_map(|finding| finding.fix.as_deref()).collect();
        ctx.out.json(&json!({"schema": "health.doctor/1", "version": env!("CARGO_PKG_VERSION"),
            "platform": platform(), "findings": all, "result": result(exit, &json!(null), &next)}));
        return Ok(exit);
    }
    ctx.out.line(&format!(
        "health {} ({})            read-only, nothing was changed\n",
        env!("CARGO_PKG_VERSION"),
        platform()
    ));
    for finding in &findings {
        ctx.out.line(&format!("{:<6}{:<16}{}", finding.mark, finding.what, finding.text));
        if let Some(fix) = &finding.fix {
            ctx.out.line(&format!("{:22}fix: {fix}", ""));
        }
    }
    ctx.out.line(&format!(
        "\n{}, {}.   For an issue, paste: health doctor --json  (no values)",
        number(stops.len(), "problem"),
        number(late, "warning")
    ));
    Ok(exit)
}

fn number(of: usize, what: &str) -> String {
    counted(u32::try_from(of).unwrap_or(u32::MAX), what)
}

fn platform() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

fn configuration(ctx: &Context) -> Finding {
    match ctx.config.notes.first() {
        Some(note) => Finding::late("configuration", note.clone(), "chmod 600 .env"),
        None => Finding::ok("configuration", format!("zone {}", ctx.config.home.shown())),
    }
}

fn database(ctx: &Context) -> Vec<Finding> {
    let kind = match &ctx.config.database {
        Database::Private => {
            if let Some(finding) = not_running(ctx) {
                return vec![finding];
            }
            "private"
        }
        Database::External { .. } => "named by you",
    };
    let (target, mut client) =
        match db::target(&ctx.config, &|_| {}).and_then(|target| Ok((target.clone(), target.connect()?))) {
            Ok(both) => both,
            Err(failure) => return vec![Finding::stop("database", failure)],
        };
    let mut findings = Vec::new();
    let checked = db::expect_suitable(&mut client).and_then(|()| schema::expect_current(&mut client, &target.shown));
    findings.push(match checked {
        Ok(()) => Finding::ok("database", format!("{} ({kind}), schema {}", target.shown, schema::known_version())),
        Err(failure) => Finding::stop("database", failure),
    });
    findings.push(match crate::run::expect_sane_clock(&mut client, &ctx.config.clock) {
        Ok(()) => Finding::ok("clock", "within a day of the database's"),
        Err(failure) => Finding::stop("clock", failure),
    });
    findings
}

/// The private PostgreSQL, unless it runs: whoever connects to it would make or start it.
fn not_running(ctx: &Context) -> Option<Finding> {
    let condition = match server::status(&server::Settings::from(&ctx.config)) {
        Ok(status) => status.condition,
        Err(failure) => return Some(Finding::stop("database", failure)),
    };
    let text = match condition {
        Condition::Running => return None,
        Condition::NotInitialised => "there is no private PostgreSQL yet; the first command that needs it makes it",
        Condition::Stopped => "the private PostgreSQL does not run; the first command that needs it starts it",
        Condition::NotAnswering => {
            let failure = Failure::new(Kind::Database, "the private PostgreSQL is there and lets nobody in")
                .next("health db stop --force, then: health db start");
            return Some(Finding::stop("database", failure));
        }
    };
    Some(Finding::late("database", text, "health db start"))
}

fn secrets(ctx: &Context, only: Option<&Source>) -> Vec<Finding> {
    let exposed = crate::sources::ALL
        .iter()
        .filter(|source| source.api.is_some() && only.is_none_or(|one| one.id == source.id))
        .filter(|source| ctx.config.secret_is_in_environment(source));
    exposed
        .map(|source| {
            let name = source.id.to_uppercase();
            Finding::late(
                "secrets",
                format!("{name}_CLIENT_SECRET is in the environment, where other programs of yours can read it"),
                format!(
                    "put it into a file and name it: sources.{}.client_secret_file in the configuration",
                    source.id
                ),
            )
        })
        .collect()
}

fn logins(ctx: &Context, only: Option<&Source>) -> Result<Vec<Finding>, Failure> {
    let all = oauth::list(&ctx.config)?;
    if all.is_empty() {
        return Ok(vec![Finding::note("logins", "none yet")]);
    }
    let chosen = all.iter().filter(|login| only.is_none_or(|one| one.id == login.source.id));
    Ok(chosen
        .map(|login| {
            let name = login.source.command_name();
            match login.state {
                State::Ok | State::Late => {
                    let scopes = format!("{} of {} scopes", login.granted_count(), login.asked.len());
                    let store = "age file, key in another directory";
                    Finding::ok(login.source.id, format!("logged in, {scopes} ({store})"))
                }
                State::Login => {
                    let why = login.dead.as_ref().map_or("not renewable".to_owned(), |(_, reason)| reason.clone());
                    let failure = Failure::new(Kind::Login, format!("the login is over ({why})"))
                        .next(format!("health auth {name}"));
                    Finding::stop(login.source.id, failure)
                }
                State::Stop => {
                    let problem = login.problem.clone().map(Failure::from);
                    let failure =
                        problem.unwrap_or_else(|| Failure::new(Kind::Local, "the token store cannot be read"));
                    Finding::stop(login.source.id, failure)
                }
            }
        })
        .collect())
}

/// What is announced of the source that was named, else of those with a login: a warning from thirty days ahead.
fn announced(ctx: &Context, only: Option<&'static Source>) -> Result<Vec<Finding>, Failure> {
    let sources = match only {
        Some(source) => vec![source],
        None => oauth::list(&ctx.config)?.iter().map(|login| login.source).collect(),
    };
    let today = notices::today(ctx);
    let found = notices::near(ctx, sources).into_iter().map(|(source, notice)| Finding {
        mark: if notice.nearness(today) == Some(Nearness::Ahead) { "note" } else { "late" },
        fix: Some(notice.next.to_owned()),
        ..Finding::note(source.id, notice.said(today))
    });
    Ok(found.collect())
}

/// Who may be contacted, and nobody else.
fn hosts(ctx: &Context, only: Option<&Source>) -> Result<Finding, Failure> {
    let mut hosts = std::collections::BTreeSet::new();
    for source in
        crate::sources::ALL.iter().filter(|source| source.api.is_some() && only.is_none_or(|one| one.id == source.id))
    {
        let app = ctx.config.app(source)?;
        for url in [&app.base_url, &app.authorize_url].into_iter().chain(app.token_urls(None)) {
            hosts.extend(url.host_str().map(str::to_owned));
        }
    }
    let list: Vec<String> = hosts.into_iter().collect();
    Ok(Finding::note("hosts", format!("may contact {}, and nothing else", list.join(", "))))
}
