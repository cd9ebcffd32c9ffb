//! One source as it stands, and the verdict: a word for its state, and the command that helps.

use chrono::{DateTime, Utc};

use super::books::{LastRun, Row};
use crate::config::Config;
use crate::oauth::{self, LoginSummary, State};
use crate::source::{Source, Window};

/// Data older than this is late, where nothing else is promised.
const FRESH_HOURS: i64 = 36;

/// One account of a source.
pub(super) struct Line {
    pub(super) source: &'static Source,
    pub(super) account: String,
    /// ok | late | look | login | stop | new | off
    pub(super) state: &'static str,
    pub(super) row: Option<Row>,
    /// Resources with a time of their own that may be read.
    pub(super) timed: Vec<&'static str>,
    pub(super) next: Option<String>,
    /// Whether its data is older than it should be, for whatever reason.
    pub(super) is_stale: bool,
}

impl Line {
    pub(super) fn covered_until(&self) -> Option<DateTime<Utc>> {
        self.row.as_ref().and_then(|row| complete_to(row, &self.timed))
    }
}

/// Until when an account's data is complete: as far as its interface was read, or when its newest file was made.
fn complete_to(row: &Row, timed: &[&str]) -> Option<DateTime<Utc>> {
    row.newest_file.or_else(|| row.covered_until(timed))
}

/// Seen from when, and whether one source is shown alone, with what its last run met.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) config: &'a Config,
    pub(super) now: DateTime<Utc>,
    pub(super) is_alone: bool,
}

/// Every login and every account that ever brought something, once.
pub(super) fn lines(mut rows: Vec<Row>, logins: &[LoginSummary], view: View<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    for login in logins {
        let place = rows.iter().position(|row| row.source == login.source.id && row.account == login.account);
        lines.push(line(place.map(|place| rows.remove(place)), Some(login), login.source, view));
    }
    for row in rows {
        let Some(source) = crate::sources::find(&row.source) else { continue };
        lines.push(line(Some(row), None, source, view));
    }
    lines.sort_by_key(|line| {
        (crate::sources::ALL.iter().position(|source| source.id == line.source.id), line.account.clone())
    });
    lines
}

/// What must be held for the source to be complete. One whose scope was not granted is not waited for.
fn timed(source: &'static Source, granted: &[String]) -> Vec<&'static str> {
    let resources = source.api.as_ref().map_or(&[][..], |api| api.resources);
    let timed = resources.iter().filter(|one| one.window != Window::Snapshot && one.is_open_to(granted));
    timed.map(|resource| resource.name).collect()
}

fn line(row: Option<Row>, login: Option<&LoginSummary>, source: &'static Source, view: View<'_>) -> Line {
    let account = row.as_ref().map(|row| &row.account).or(login.map(|login| &login.account));
    let account = account.map_or(oauth::DEFAULT_ACCOUNT, String::as_str).to_owned();
    let timed = timed(source, login.map_or(&[], |login| &login.granted));
    let is_stale = row.as_ref().is_some_and(|row| row.has_begun() && !is_fresh(row, source, &timed, view.now));
    let (state, next) = match &row {
        _ if !view.config.is_enabled(source) => ("off", None),
        row => judge(row.as_ref(), login, source, (&account, is_stale, view.is_alone)),
    };
    Line { source, account, state, row, timed, next, is_stale: is_stale && state != "off" }
}

fn is_fresh(row: &Row, source: &Source, timed: &[&str], now: DateTime<Utc>) -> bool {
    let files = source.files.as_ref().filter(|_| source.api.is_none());
    let hours = match files.map(|files| files.fresh_days) {
        Some(Some(days)) => days * 24,
        Some(None) => return true,
        None => FRESH_HOURS,
    };
    complete_to(row, timed).is_some_and(|until| (now - until).num_hours() <= hours)
}

fn judge(
    row: Option<&Row>,
    login: Option<&LoginSummary>,
    source: &Source,
    (account, is_stale, is_alone): (&str, bool, bool),
) -> (&'static str, Option<String>) {
    let name = source.command_name();
    let log_in = || Some(oauth::auth_command(source, account));
    let ingest = match (account, source.api.is_some()) {
        (oauth::DEFAULT_ACCOUNT, true) => format!("health ingest {name}"),
        (oauth::DEFAULT_ACCOUNT, false) => format!("health ingest {name} FILE"),
        (other, _) => format!("health ingest {name} --account {other}"),
    };
    if row.is_some_and(|row| row.status == "retired") {
        return ("stop", Some(format!("health sources {name}")));
    }
    if source.api.is_some() {
        let refused = row.is_some_and(|row| row.status == "needs_auth" && !is_newer(login, row));
        match login {
            None => return ("login", log_in()),
            Some(login) if login.state == State::Stop => return ("stop", Some("health doctor".into())),
            Some(login) if login.state == State::Login || refused => return ("login", log_in()),
            Some(_) => {}
        }
    }
    let Some(row) = row.filter(|row| row.has_begun()) else { return ("new", Some(format!("{ingest} --since 6m"))) };
    let seen = if is_alone { ingest.clone() } else { format!("health status {name}") };
    match (is_stale, row.last_run.as_ref().and_then(|run| look(run, seen))) {
        (false, None) => ("ok", None),
        (false, Some(next)) => ("look", Some(next)),
        (true, next) => ("late", next.or(Some(ingest))),
    }
}

/// Whether a person logged in after the last run, which found that they should.
fn is_newer(login: Option<&LoginSummary>, row: &Row) -> bool {
    let began = row.last_run.as_ref().map(|run| run.began);
    login.and_then(|login| login.connected_at).is_some_and(|at| began.is_none_or(|began| at > began))
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
