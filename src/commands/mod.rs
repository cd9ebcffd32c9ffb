//! What a person types, a file a command. Shared here: the context of a call.

mod ask;
pub(crate) mod auth;
pub(crate) mod completions;
pub(crate) mod daily_refresh;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod help;
pub(crate) mod ingest;
pub(crate) mod migrate;
mod notices;
pub(crate) mod rejects;
mod report;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod terms;
pub(crate) mod transform;
pub(crate) mod zones;

use crate::config::Config;
use crate::failure::{Exit, Failure, Kind};
use crate::output::Out;
use crate::source::Source;

/// What every command needs: the settings of this call, and where to print.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) out: Out,
}

/// The source that a person names; a usage failure with those that exist, or what became of one that has ended.
pub(crate) fn source_named(name: &str) -> Result<&'static Source, Failure> {
    if let Some(retired) = crate::sources::retired(name) {
        return Err(Failure::new(Kind::Refused, retired.what).kept(retired.kept).next(retired.next));
    }
    crate::sources::find(name).ok_or_else(|| {
        let known: Vec<String> = crate::sources::ALL.iter().map(|source| source.command_name()).collect();
        Failure::new(
            Kind::Usage,
            format!("\"{}\" is not a source; there are: {}", crate::output::clean(name), known.join(", ")),
        )
        .next("health sources")
    })
}

/// `health` alone: how the logins are, what to do next, then help.
pub(crate) fn front_page(ctx: &Context) -> Result<Exit, Failure> {
    let logins = crate::oauth::list(&ctx.config)?;
    let needy =
        logins.iter().find(|login| matches!(login.state, crate::oauth::State::Login | crate::oauth::State::Stop));
    if ctx.out.json {
        let next = match (logins.len(), needy) {
            (0, _) => "health demo".to_owned(),
            (_, Some(login)) => crate::oauth::auth_command(login.source, &login.account),
            (_, None) => "health status".to_owned(),
        };
        ctx.out.json(&serde_json::json!({
            "schema": "health.overview/1", "connected": logins.len(), "needs": needy.map(|login| login.source.id),
            "result": crate::output::result(Exit::OK, &serde_json::Value::Null, &[&next]),
        }));
        return Ok(Exit::OK);
    }
    match (logins.len(), needy) {
        (0, _) => ctx.out.line(
            "Nothing is connected yet. Three ways to begin:\n  health demo                             a synthetic year\n  \
             health ingest apple-health export.zip   a file from your phone\n  health auth whoop                       a login\n",
        ),
        (_, Some(login)) => {
            ctx.out.line(&format!("{} needs you:  {}\n", login.source.title, crate::oauth::auth_command(login.source, &login.account)));
        }
        (count, None) => ctx.out.line(&format!("{count} connected:  health status   |   health daily-refresh\n")),
    }
    ctx.out.line(&crate::cli::command().render_help().to_string());
    Ok(Exit::OK)
}
