//! One source as it stands, and the verdict: a word for its state, and the command that helps.

use chrono::{DateTime, Utc};

use super::books::{LastRun, Row};
use crate::oauth::{self, LoginSummary, State};
use crate::source::{Source, Window};

/// Data older than this is late, where nothing else is promised.
const FRESH_HOURS: i64 = 36;

/// One account of a source.
pub(super) struct Line {
    pub(super) source: &'static Source,
    pub(super) account: String,
    /// ok | late | look | login | stop | new
    pub(super) state: &'static str,
    pub(super) row: Option<Row>,
    /// Resources with a time of their own that may be read.
    pub(super) timed: Vec<&'static str>,
    pub(super) next: Option<String>,
}

impl Line {
    pub(super) fn covered_until(&self) -> Option<DateTime<Utc>> {
        self.row.as_ref().and_then(|row| row.covered_until(&self.timed))
    }
}

/// Every login and every account that ever brought something, once.
/// `is_alone`: one source is shown, with what its last run met.
pub(super) fn lines(mut rows: Vec<Row>, logins: &[LoginSummary], now: DateTime<Utc>, is_alone: bool) -> Vec<Line> {
    let when = (now, is_alone);
    let mut lines = Vec::new();
    for login in logins {
        let place = rows.iter().position(|row| row.source == login.source.id && row.account == login.account);
        let row = place.map(|place| rows.remove(place));
        let timed = timed(login.source, &login.granted);
        let (state, next) = judge(row.as_ref(), Some(login), login.source, &timed, when);
        lines.push(Line { source: login.source, account: login.account.clone(), state, row, timed, next });
    }
    for row in rows {
        let Some(source) = crate::sources::find(&row.source) else { continue };
        let timed = timed(source, &[]);
        let (state, next) = judge(Some(&row), None, source, &timed, when);
        lines.push(Line { source, account: row.account.clone(), state, row: Some(row), timed, next });
    }
    lines.sort_by_key(|line| {
        (crate::sources::ALL.iter().position(|source| source.id == line.source.id), line.account.clone())
    });
    lines
}

/// What must be held for the source to be complete. One whose scope was not granted is not waited for.
fn timed(source: &'static Source, granted: &[String]) -> Vec<&'static str> {
    let resources = source.api.as_ref().map_or(&[][..], |api| api.resources);
    let is_granted = |scope: &str| scope.is_empty() || granted.is_empty() || granted.iter().any(|one| one == scope);
    let timed = resources.iter().filter(|one| one.window != Window::Snapshot && is_granted(one.scope));
    timed.map(|resource| resource.name).collect()
}

fn judge(
    row: Option<&Row>,
    login: Option<&LoginSummary>,
    source: &Source,
    timed: &[&str],
    (now, is_alone): (DateTime<Utc>, bool),
) -> (&'static str, Option<String>) {
    let name = source.command_name();
    let account = row.map(|row| &row.account).or(login.map(|login| &login.account));
    let account = account.map_or(oauth::DEFAULT_ACCOUNT, String::as_str);
    let log_in = || Some(oauth::auth_command(source, account));
    let ingest = match account {
        oauth::DEFAULT_ACCOUNT => format!("health ingest {name}"),
        other => format!("health ingest {name} --account {other}"),
    };
    let again = if source.api.is_none() { format!("{ingest} FILE") } else { ingest.clone() };
    let seen = if is_alone { again } else { format!("health status {name}") };
    let look = row.and_then(|row| row.last_run.as_ref()).and_then(|run| look(run, seen));
    if row.is_some_and(|row| row.status == "retired") {
        return ("stop", Some(format!("health sources {name}")));
    }
    if row.is_some_and(|row| row.status == "file") {
        return look.map_or(("ok", None), |next| ("look", Some(next)));
    }
    let refused = row.is_some_and(|row| row.status == "needs_auth");
    match login {
        None => return ("login", log_in()),
        Some(login) if login.state == State::Stop => return ("stop", Some("health doctor".into())),
        Some(login) if login.state == State::Login || refused => return ("login", log_in()),
        Some(_) => {}
    }
    let Some(row) = row else { return ("new", Some(format!("{ingest} --since 6m"))) };
    let is_fresh = row.covered_until(timed).is_some_and(|until| (now - until).num_hours() <= FRESH_HOURS);
    match (is_fresh, look) {
        (true, None) => ("ok", None),
        (true, Some(next)) => ("look", Some(next)),
        (false, next) => ("late", next.or(Some(ingest))),
    }
}

/// What a person should look at after the last run. A run that met trouble of the network or another run, or was stopped,
/// needs nobody: the next one goes on where it ended (docs/exit-codes.md). `seen`: where its error is shown, or what comes
/// after it has been read.
fn look(run: &LastRun, seen: String) -> Option<String> {
    match run.exit? {
        0 | 4 | 5 | 10 | 128.. => None,
        _ if run.rejects > 0 => Some(format!("health rejects list --run {}", run.run_id)),
        _ => Some(seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_wants_a_look_or_nobody() {
        let run = |exit: Option<i16>, rejects: i64| LastRun {
            run_id: 7,
            began: DateTime::UNIX_EPOCH,
            status: "x".into(),
            exit,
            error: None,
            rejects,
        };
        for exit in [None, Some(0), Some(5), Some(10), Some(130), Some(143)] {
            assert_eq!(look(&run(exit, 1), "seen".into()), None, "{exit:?}");
        }
        assert_eq!(look(&run(Some(3), 1), "seen".into()).as_deref(), Some("health rejects list --run 7"));
        for exit in [1, 3, 6, 7, 8, 11, 12] {
            assert_eq!(look(&run(Some(exit), 0), "seen".into()).as_deref(), Some("seen"));
        }
    }
}
