//! The state of logins in words: the table of `health auth`, its JSON, and the lines after a login. Shows no
//! secret; what stands for one is a keyed fingerprint.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::commands::Context;
use crate::failure::{Exit, Failure, Kind};
use crate::oauth::{self, LoginSummary, State};

/// `health auth` alone: code 4 when any login needs a person.
pub(super) fn run(ctx: &Context) -> Result<Exit, Failure> {
    let logins = oauth::list(&ctx.config)?;
    let exit = worst(&logins);
    let commands: Vec<String> = logins.iter().filter_map(next).collect();
    if ctx.out.json {
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        ctx.out.json(&document(&logins, ctx, exit, &commands));
        return Ok(exit);
    }
    if logins.is_empty() {
        ctx.out.line("No source is connected.");
        ctx.out.line("\nNext:  health auth whoop     or     health sources");
        return Ok(exit);
    }
    for line in lines(&logins, ctx.config.clock.now(), ctx.config.home.shown()) {
        ctx.out.line(&line);
    }
    Ok(exit)
}

fn worst(logins: &[LoginSummary]) -> Exit {
    let has = |state: State| logins.iter().any(|login| login.state == state);
    if has(State::Stop) {
        Exit::from(Kind::Local)
    } else if has(State::Login) {
        Exit::from(Kind::Login)
    } else {
        Exit::OK
    }
}

/// The command that helps, if help is needed.
fn next(login: &LoginSummary) -> Option<String> {
    let command = oauth::auth_command(login.source, &login.account);
    match (login.state, &login.problem) {
        (State::Ok, _) => None,
        (_, Some(problem)) => problem.way_out().map(str::to_owned).or(Some(command)),
        (State::Late, _) => Some(format!("{command} --again")),
        _ => Some(command),
    }
}

/// Columns lined up; what to do stands under the login that needs it.
fn lines(logins: &[LoginSummary], now: DateTime<Utc>, zone: Tz) -> Vec<String> {
    let mut rows: Vec<[String; 5]> = vec![["SOURCE", "STATE", "ACCESS", "LOGIN LASTS", "SCOPES"].map(str::to_owned)];
    rows.extend(logins.iter().map(|login| row(login, now, zone)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut lines = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        lines.push(cells.join("  ").trim_end().to_owned());
        let login = index.checked_sub(1).and_then(|index| logins.get(index));
        let indent = " ".repeat(widths[0] + 2);
        if let Some(problem) = login.and_then(|login| login.problem.as_ref()) {
            lines.push(format!("{indent}{problem}"));
        }
        if let Some((_, reason)) = login.and_then(|login| login.dead.as_ref()) {
            lines.push(format!("{indent}{}", crate::output::clean(reason)));
        }
        if let Some(command) = login.and_then(next) {
            lines.push(format!("{indent}{command}"));
        }
    }
    lines
}

fn row(login: &LoginSummary, now: DateTime<Utc>, zone: Tz) -> [String; 5] {
    let name = if login.account == oauth::DEFAULT_ACCOUNT {
        login.source.id.to_owned()
    } else {
        format!("{}/{}", login.source.id, login.account)
    };
    let scopes = match login.state {
        State::Stop => "-".to_owned(),
        _ => format!("{} of {}", login.granted_count(), login.asked.len()),
    };
    [name, login.state.word().to_owned(), access(login, now), lasts(login, now, zone), scopes]
}

/// How long the access token is good for.
fn access(login: &LoginSummary, now: DateTime<Utc>) -> String {
    match login.access_expires_at {
        _ if matches!(login.state, State::Login | State::Stop) => "-".into(),
        None => "unknown".into(),
        Some(end) if end > now => span(end - now),
        Some(_) => "on use".into(),
    }
}

fn lasts(login: &LoginSummary, now: DateTime<Utc>, zone: Tz) -> String {
    if login.problem.is_some() {
        return "unreadable".into();
    }
    if let Some((at, _)) = &login.dead {
        return format!("refused on {}", at.with_timezone(&zone).format("%-d %B"));
    }
    let auth = login.source.api.as_ref().map(|api| &api.auth);
    match (login.renewable, login.access_expires_at) {
        (true, _) if login.renewal_open => "a renewal was interrupted".into(),
        (true, _) if auth.is_some_and(|auth| auth.rotates && auth.offline_scope.is_none()) => {
            "renewed each time, single use".into()
        }
        (true, _) => "until revoked".into(),
        (false, Some(end)) if end > now => format!("ends in {}", span(end - now)),
        (false, Some(_)) => "ended".into(),
        (false, None) => "unknown".into(),
    }
}

/// A length of time in its largest unit.
pub(super) fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3570 => format!("{} min", (seconds + 30) / 60),
        3570..171_000 => format!("{} h", (seconds + 1800) / 3600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// What a login that just worked brought, and what it lacks.
pub(super) fn outcome(login: &LoginSummary, now: DateTime<Utc>) -> Vec<String> {
    let title = login.source.title;
    let mut lines = vec![format!("ok  Logged in. {} of {} scopes granted.", login.granted_count(), login.asked.len())];
    let life = login.access_expires_at.filter(|end| *end > now).map(|end| span(end - now));
    let offline = login.source.api.as_ref().and_then(|api| api.auth.offline_scope);
    if login.renewable {
        let life = life.map_or_else(|| "lives a while".to_owned(), |life| format!("lives {life}"));
        lines.push(format!("    The access token {life} and is renewed by itself."));
        if let Some(offline) = offline.filter(|scope| login.granted.iter().any(|granted| granted == scope)) {
            lines.push(format!("    `{offline}` was granted, so the login lasts until you revoke it."));
        }
    }
    lines.push("    Stored in the token store (age file, key kept apart).".into());
    let missing: Vec<&str> = login.missing().into_iter().filter(|scope| Some(*scope) != offline).collect();
    if !missing.is_empty() {
        let closed: Vec<&str> = login
            .source
            .api
            .iter()
            .flat_map(|api| api.resources)
            .filter(|resource| resource.scope.split('|').all(|scope| missing.contains(&scope)))
            .map(|resource| resource.name)
            .collect();
        let closed = if closed.is_empty() { String::new() } else { format!("; not readable: {}", closed.join(", ")) };
        let missing: Vec<&str> = missing.into_iter().map(crate::source::short_scope).collect();
        lines.push(format!("late  {title} did not grant {}{closed}.", missing.join(", ")));
        lines.push(format!("    To tick more: {} --again", oauth::auth_command(login.source, &login.account)));
    }
    lines
}

/// What a login that cannot be renewed lacks, and when it ends.
pub(super) fn not_renewable(login: &LoginSummary, now: DateTime<Utc>) -> String {
    let offline = login.source.api.as_ref().and_then(|api| api.auth.offline_scope);
    let why =
        offline.map_or_else(|| "gave no token to renew with".to_owned(), |scope| format!("did not grant \"{scope}\""));
    let end = match login.access_expires_at.filter(|end| *end > now) {
        Some(end) => format!("this login ends in {}", span(end - now)),
        None => "this login cannot be renewed".to_owned(),
    };
    format!("{} {why}: {end}", login.source.title)
}

/// The JSON of one or all logins.
pub(super) fn document(logins: &[LoginSummary], ctx: &Context, exit: Exit, commands: &[&str]) -> Value {
    let entries: Vec<Value> = logins.iter().map(entry).collect();
    json!({
        "schema": "health.auth/1",
        "tz": ctx.config.home.shown().name(),
        "logins": entries,
        "result": crate::output::result(exit, &Value::Null, commands),
    })
}

fn entry(login: &LoginSummary) -> Value {
    let at = |time: DateTime<Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({
        "source": login.source.id,
        "account": login.account,
        "state": login.state.word(),
        "access_expires_at": login.access_expires_at.map(at),
        "renewable": login.renewable,
        "renewal_open": login.renewal_open,
        "connected_at": login.connected_at.map(at),
        "refused_at": login.dead.as_ref().map(|(time, _)| at(*time)),
        "reason": login.dead.as_ref().map(|(_, reason)| reason),
        "scopes_asked": login.asked,
        "scopes_granted": login.granted,
        "scopes_missing": login.missing(),
        "token": login.fingerprint.as_ref().map(|print| format!("#{print}")),
        "problem": login.problem.as_ref().map(ToString::to_string),
        "next": next(login),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_their_largest_unit() {
        for (seconds, text) in
            [(5, "5 s"), (2460, "41 min"), (3599, "1 h"), (3600, "1 h"), (79_200, "22 h"), (172_800, "2 d")]
        {
            assert_eq!(span(TimeDelta::seconds(seconds)), text);
        }
    }
}
