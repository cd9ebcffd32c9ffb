//! What came of one account: counts, failures, the exit code, and how it is told.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use postgres::Client;
use serde_json::{Value, json};

use crate::db::Sql;
use crate::extract::{Finished, Reach};
use crate::failure::{Exit, Failure, Kind};
use crate::load::{Counts, Load};
use crate::run::{Account, Connection, Run};
use crate::source::Source;
use crate::transform::Upserted;

/// The result of one job.
pub(crate) struct Report {
    pub(crate) source: &'static Source,
    pub(crate) account: String,
    pub(crate) run_id: Option<i64>,
    pub(crate) requests: u32,
    pub(crate) seconds: f64,
    pub(crate) resources: BTreeMap<&'static str, Counts>,
    /// Until when each resource is held.
    pub(crate) covered: BTreeMap<String, DateTime<Utc>>,
    pub(crate) models: Vec<Upserted>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) signal: Option<u8>,
    pub(super) connection: Option<Connection>,
    pub(super) not_before: Option<DateTime<Utc>>,
    /// Codes that add up: one a resource.
    codes: Vec<Exit>,
    /// A code that stands above all others.
    decisive: Option<Exit>,
}

impl Report {
    pub(super) fn new(source: &'static Source, account: &str) -> Self {
        Self {
            source,
            account: account.to_owned(),
            run_id: None,
            requests: 0,
            seconds: 0.0,
            resources: BTreeMap::new(),
            covered: BTreeMap::new(),
            models: Vec::new(),
            failures: Vec::new(),
            signal: None,
            connection: None,
            not_before: None,
            codes: Vec::new(),
            decisive: None,
        }
    }

    /// A failure that concerns the whole account.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.decide(&failure);
        // All resources meet one dead login or one lost network; a person reads of it once.
        if !self.failures.iter().any(|told| told.error.to_string() == failure.error.to_string()) {
            self.failures.push(failure);
        }
    }

    /// What a failure beyond one resource means for the account.
    fn decide(&mut self, failure: &Failure) {
        if failure.kind == Kind::Login {
            self.connection = Some(Connection::NeedsAuth);
        }
        let exit = failure.exit();
        self.decisive = Some(self.decisive.map_or(exit, |earlier| Exit::merge(&[earlier, exit])));
    }

    /// Says how many records could not be used, and why; the code of the account follows from the counts.
    pub(super) fn tell_rejects(&mut self, client: &mut Client, run: &Run) -> Result<(), Failure> {
        if self.rejected() == 0 {
            return Ok(());
        }
        let rows = client.query(include_str!("reasons.sql"), &[&run.user_id, &run.run_id, &run.started_at]).sql()?;
        // A record that several models refuse is one record; one that was read by an earlier run is none of this one's.
        let rejected: i64 = rows.first().map(|row| row.get(1)).filter(|count| *count > 0).unwrap_or(self.rejected());
        let reasons: Vec<String> =
            rows.iter().skip(1).map(|row| format!("{} {}", row.get::<_, i64>(1), row.get::<_, &str>(0))).collect();
        let all = self.total(Counts::fetched) + self.total(|counts| counts.rejected);
        let what = format!("{rejected} of {} records could not be used ({})", all.max(rejected), reasons.join(", "));
        self.failures.push(
            Failure::new(Kind::Partial, what)
                .kept("all others; these as they were received")
                .next(format!("health rejects list --run {}", run.run_id)),
        );
        Ok(())
    }

    /// Resources that cannot be read because their scopes were not granted; the others run.
    pub(super) fn not_granted(&mut self, source: &Source, resources: &[&str]) {
        self.codes.extend(resources.iter().map(|_| Exit::from(Kind::Login)));
        let (need, left) = match resources {
            [] => return,
            [_] => ("needs", "it is"),
            _ => ("need", "they are"),
        };
        let what = format!("{} did not grant what {} {need}; {left} left out", source.title, resources.join(", "));
        self.failures.push(
            Failure::new(Kind::Login, what)
                .kept("the other resources run")
                .next(format!("{} --again", crate::oauth::auth_command(source, &self.account))),
        );
    }

    pub(super) fn take_load(&mut self, load: &Load, finished: Vec<Finished>, loaded: &Result<(), Failure>) {
        self.resources.clone_from(&load.counts);
        let mut alike = Alike::of(finished.iter().map(|end| end.resource).collect());
        for end in finished {
            self.resources.entry(end.resource).or_default();
            match end.result {
                Ok(()) => self.codes.push(Exit::OK),
                Err(error) if error.loader_gone => {}
                Err(error) => {
                    self.signal = self.signal.or(error.signal);
                    self.not_before = self.not_before.max(error.not_before);
                    self.connection = self.connection.or(error.connection);
                    match error.reach {
                        Reach::Resource => {
                            self.codes.push(error.failure.exit());
                            alike.add(end.resource, error.failure);
                        }
                        Reach::Run | Reach::Account => {
                            self.decide(&error.failure);
                            alike.add(end.resource, error.failure);
                        }
                    }
                }
            }
        }
        self.failures.extend(alike.told());
        for failure in load.fused.values() {
            self.fail(failure.again());
        }
        if load.fenced {
            self.fail(crate::run::fenced_failure());
        }
        if let (Err(failure), false) = (loaded, load.fenced) {
            self.fail(failure.again());
        }
    }

    /// Asked to stop once everything was read: the models are left to the next run.
    pub(super) fn stopped(&mut self, signal: u8) {
        self.signal = Some(signal);
        self.failures.push(Failure { kept: None, ..crate::signals::stopped() });
    }

    pub(crate) fn rejected(&self) -> i64 {
        self.resources.values().map(|counts| counts.rejected).sum::<i64>()
            + self.models.iter().map(|model| model.rejected).sum::<i64>()
    }

    pub(crate) fn total(&self, of: impl Fn(&Counts) -> i64) -> i64 {
        self.resources.values().map(of).sum()
    }

    /// Canonical rows: new, and changed or retired.
    pub(crate) fn canonical(&self) -> (i64, i64) {
        let new = self.models.iter().map(|model| model.inserted).sum();
        let changed = self.models.iter().map(|model| model.updated + model.retired).sum();
        (new, changed)
    }

    /// The code of this account alone.
    pub(crate) fn exit(&self) -> Exit {
        if let Some(number) = self.signal {
            return Exit::signal(number);
        }
        if let Some(decisive) = self.decisive {
            return decisive;
        }
        let merged = Exit::merge(&self.codes);
        if merged == Exit::OK && self.rejected() > 0 { Exit::PARTIAL } else { merged }
    }

    /// For `meta.import_runs.counts`.
    pub(super) fn counts_json(&self) -> Value {
        let resources: serde_json::Map<_, _> =
            self.resources.iter().map(|(name, counts)| ((*name).to_owned(), counts_json(counts))).collect();
        let models: serde_json::Map<_, _> =
            self.models.iter().map(|model| (model.model.to_owned(), model_json(model))).collect();
        json!({"requests": self.requests, "resources": resources, "models": models})
    }

    /// The account's part of a `--json` document.
    pub(crate) fn json(&self) -> Value {
        let resources: Vec<Value> = self
            .resources
            .iter()
            .map(|(name, counts)| {
                let mut value = counts_json(counts);
                value["name"] = json!(name);
                value["covered_until"] = json!(self.covered.get(*name));
                value
            })
            .collect();
        let (new, changed) = self.canonical();
        let exit = self.exit();
        json!({
            "run": self.run_id, "source": self.source.id, "account": self.account, "resources": resources,
            "requests": self.requests, "seconds": (self.seconds * 10.0).round() / 10.0,
            "canonical": {"new": new, "changed": changed},
            "errors": self.failures.iter().map(|failure| failure.error.to_string()).collect::<Vec<_>>(),
            "code": exit.name(), "exit": exit.0,
        })
    }
}

/// Failures that differ in nothing but the name of the resource: a provider that is down is told of once.
#[derive(Default)]
struct Alike {
    /// What was asked for.
    all: Vec<&'static str>,
    failed: Vec<(String, Vec<&'static str>, Failure)>,
}

/// So many names are no help where nearly all are meant.
const MANY: usize = 6;

impl Alike {
    fn of(all: Vec<&'static str>) -> Self {
        Self { all, failed: Vec::new() }
    }

    fn add(&mut self, resource: &'static str, failure: Failure) {
        let text = failure.error.to_string().replace(resource, "\0");
        match self.failed.iter_mut().find(|(other, _, one)| *other == text && one.next == failure.next) {
            Some((_, resources, _)) => resources.push(resource),
            None => self.failed.push((text, vec![resource], failure)),
        }
    }

    fn told(self) -> impl Iterator<Item = Failure> {
        let Self { all, failed } = self;
        failed.into_iter().map(move |(text, resources, failure)| match resources.len() {
            1 => failure,
            _ => Failure { error: anyhow::anyhow!(text.replace('\0', &names(&resources, &all))), ..failure },
        })
    }
}

/// The names, or what all but a few of them are called together.
fn names(resources: &[&str], all: &[&str]) -> String {
    let others: Vec<&str> = all.iter().copied().filter(|name| !resources.contains(name)).collect();
    match others.len() {
        0 if resources.len() > MANY => format!("all {} resources", resources.len()),
        few if resources.len() > MANY && few * MANY <= resources.len() => {
            format!("all resources but {}", others.join(", "))
        }
        _ => resources.join(", "),
    }
}

fn counts_json(counts: &Counts) -> Value {
    json!({"pages": counts.pages, "new": counts.new, "changed": counts.changed, "same": counts.same,
        "rejected": counts.rejected, "retired": counts.retired})
}

fn model_json(model: &Upserted) -> Value {
    json!({"table": model.table, "inserted": model.inserted, "updated": model.updated, "retired": model.retired,
        "rejected": model.rejected})
}

/// Until when each resource of an account is held.
pub(super) fn covered(client: &mut Client, account: &Account) -> Result<BTreeMap<String, DateTime<Utc>>, Failure> {
    let rows = client.query(include_str!("covered.sql"), &[&account.user_id, &account.account_id]).sql()?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_the_resource_alone_is_told_once() {
        let mut alike = Alike::default();
        for name in ["cycles", "sleeps"] {
            alike.add(name, Failure::new(Kind::Later, format!("no answer for {name}: HTTP 500")));
        }
        alike.add("workouts", Failure::new(Kind::Later, "no answer for workouts: HTTP 503"));
        let told: Vec<String> = alike.told().map(|failure| failure.error.to_string()).collect();
        assert_eq!(told, ["no answer for cycles, sleeps: HTTP 500", "no answer for workouts: HTTP 503"]);
    }

    #[test]
    fn nearly_all_are_not_named_one_by_one() {
        let all = ["a", "b", "c", "d", "e", "f", "g", "h"];
        assert_eq!(names(&all, &all), "all 8 resources");
        assert_eq!(names(&all[1..], &all), "all resources but a");
        assert_eq!(names(&all[..4], &all), "a, b, c, d");
        assert_eq!(names(&all[..6], &all[..6]), "a, b, c, d, e, f", "so many are read at a glance");
    }

    #[test]
    fn what_reaches_the_run_or_was_not_granted_is_told_once_too() {
        let source = crate::sources::find("whoop").unwrap();
        let mut report = Report::new(source, "default");
        report.not_granted(source, &[]);
        assert!(report.failures.is_empty());
        report.not_granted(source, &["workouts", "user_body_measurement"]);
        let run =
            Run { user_id: 1, account_id: 1, run_id: 1, fence: 1, started_at: DateTime::UNIX_EPOCH, continues: None };
        let load = Load::new(run, source, crate::load::Deletions::of(source, "default", false));
        let cut = |resource: &'static str| {
            let error = crate::extract::ExtractError::distrust(format!("the page of {resource} ends in the middle"));
            Finished { resource, result: Err(error) }
        };
        report.take_load(&load, vec![cut("cycles"), cut("sleeps")], &Ok(()));
        let told: Vec<String> = report.failures.iter().map(|failure| failure.error.to_string()).collect();
        assert_eq!(
            told,
            [
                "WHOOP did not grant what workouts, user_body_measurement need; they are left out",
                "the page of cycles, sleeps ends in the middle"
            ]
        );
        assert_eq!(report.exit(), Exit::from(Kind::Refused), "it decides the run as before");
    }
}
