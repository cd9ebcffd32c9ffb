//! The oracle of docs/scorecard.md: what must hold after any fault, checked by one function.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;
use serde_json::{Value, json};

use super::faults::Fired;
use super::rows::{fingerprint, rows, run_states, tables};
use super::secrets::{assert_hidden, assert_store};
use super::subject::Subject;
use super::truth::{Spot, Truth, same};
use super::world::World;

pub struct Oracle<'a, S: Subject> {
    world: &'a World<S>,
    fired: Vec<Fired>,
    end: Vec<i32>,
    command: Vec<String>,
}

impl<'a, S: Subject> Oracle<'a, S> {
    pub fn new(world: &'a World<S>) -> Self {
        Oracle { world, fired: vec![], end: vec![0], command: vec!["ingest".into(), S::ID.into()] }
    }

    /// A fault that must have happened.
    pub fn fired(mut self, fault: &Fired) -> Self {
        self.fired.push(fault.clone());
        self
    }

    /// The code with which a good run ends while the provider keeps sending an unusable record.
    pub fn ends_with(mut self, code: i32) -> Self {
        self.end = vec![code];
        self
    }

    /// The same for a record that is stored and of no use to a model: only the run that read it says so.
    pub fn may_end_with(mut self, code: i32) -> Self {
        self.end.push(code);
        self
    }

    pub fn command(mut self, args: &[&str]) -> Self {
        self.command = args.iter().map(ToString::to_string).collect();
        self
    }

    /// Runs the command again with no faults until it succeeds, and compares everything with the truth.
    #[track_caller]
    pub fn check(self) {
        let world = self.world;
        for fired in &self.fired {
            fired.assert();
        }
        world.provider.no_faults();
        let args: Vec<&str> = self.command.iter().map(String::as_str).collect();
        let mut last = None;
        for _ in 0..3 {
            let run = world.health(&args);
            let done = self.end.contains(&run.code);
            last = Some(run);
            if done {
                break;
            }
        }
        last.expect("a run").expect_one_of(&self.end);
        let mut client = world.sql();
        world.assert_truth();
        let before = fingerprint(&mut client);
        world.health(&args).expect_one_of(&self.end);
        let after = fingerprint(&mut client);
        for (table, print) in &before {
            assert_eq!(Some(print), after.get(table), "a run with nothing new wrote to {table}");
        }
        let states = run_states(&mut client);
        assert!(!states.iter().any(|s| s == "running"), "a run is still open: {states:?}");
        world.assert_safe(&mut client);
    }
}

impl<S: Subject> World<S> {
    /// Tokens, store and secrets are as they must be at any time.
    #[track_caller]
    pub fn assert_safe(&self, client: &mut Client) {
        let secrets = self.provider.grants(|grants| {
            grants.assert_single_use();
            grants.secrets()
        });
        assert_hidden(&self.home, client, &secrets);
        assert_store(&self.home);
    }

    /// The database holds what the provider holds: nothing lost, nothing doubled, nothing invented.
    #[track_caller]
    pub fn assert_truth(&self) {
        let wrong = self.differences();
        let shown: Vec<&String> = wrong.iter().take(15).collect();
        assert!(wrong.is_empty(), "{} differences from the truth:\n{shown:#?}", wrong.len());
    }
}

impl<S: Subject> World<S> {
    /// What differs from the truth: lines that say `lost`, `doubled`, `phantom`, or which value is wrong.
    pub fn differences(&self) -> Vec<String> {
        differences::<S>(&mut self.sql(), &self.provider.truth())
    }
}

/// What of one source differs from the truth.
pub fn differences<S: Subject>(client: &mut Client, truth: &Truth) -> Vec<String> {
    let mut wrong = raw_differences(client, S::ID, truth);
    wrong.extend(canonical_differences(client, S::ID, truth));
    wrong.extend(point_differences(client, S::ID, truth));
    wrong.extend(lineage_differences(client, S::ID));
    wrong
}

fn raw_differences(client: &mut Client, id: &str, truth: &Truth) -> Vec<String> {
    let mut wrong = vec![];
    let mut held = BTreeMap::new();
    let schema = format!("{id}_raw");
    for (_, table) in tables(client, &schema) {
        if table == "history" {
            continue;
        }
        let sql = format!(
            r#"select source_id, payload::text, hash = sha256(convert_to(payload::text, 'UTF8')) from {schema}."{table}"
                where missing_since_run_id is null order by run_id, source_id"#
        );
        for row in client.query(&sql, &[]).expect("raw rows") {
            let (key, payload, hashed): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
            if !hashed {
                wrong.push(format!("{table} {key}: the hash is not that of the payload"));
            }
            if truth.snapshots.contains_key(&table) {
                held.insert((table.clone(), "*".to_owned()), payload); // the newest is the last
            } else if held.insert((table.clone(), key.clone()), payload).is_some() {
                wrong.push(format!("{table} {key}: twice in raw"));
            }
        }
    }
    let snapshots = truth.snapshots.iter().map(|(table, text)| ((table.clone(), "*".to_owned()), text));
    let expected: BTreeMap<_, &String> = truth.raw.iter().map(|(k, v)| (k.clone(), v)).chain(snapshots).collect();
    for (key, text) in &expected {
        match held.get(key) {
            None if truth.optional_raw.contains(key) => {}
            None => wrong.push(format!("{} {}: lost from raw", key.0, key.1)),
            Some(payload) if payload != *text => {
                wrong.push(format!("{} {}: raw differs\n  sent {text}\n  held {payload}", key.0, key.1));
            }
            Some(_) => {}
        }
    }
    wrong.extend(held.keys().filter(|k| !expected.contains_key(k)).map(|k| format!("{} {}: phantom in raw", k.0, k.1)));
    wrong
}

/// What distinguishes several rows of one raw record.
fn discriminator(table: &str) -> &'static str {
    match table {
        "biometrics_vitals" | "daily_summaries" | "samples" => "metric_code",
        "scores" => "kind",
        _ => "",
    }
}

fn canonical_differences(client: &mut Client, id: &str, truth: &Truth) -> Vec<String> {
    let mut wrong = vec![];
    let mut held: BTreeMap<Spot, Value> = BTreeMap::new();
    let known: BTreeSet<&'static str> = [
        "user_identity",
        "sleep_sessions",
        "workouts",
        "biometrics_vitals",
        "scores",
        "daily_summaries",
        "samples",
        "sample_origins",
    ]
    .into_iter()
    .chain(truth.canonical.keys().map(|s| s.table))
    .collect();
    for table in known {
        let sql = format!(
            "select * from canonical.{table} where source_system = '{id}' and retired_at is null order by run_id"
        );
        for mut row in rows(client, &sql) {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let raw_table = text("raw_table");
            let short = raw_table.rsplit('.').next().unwrap_or_default().to_owned();
            let raw_source_id = if truth.snapshots.contains_key(&short) { "*".into() } else { text("raw_source_id") };
            let what = match discriminator(table) {
                "" => String::new(),
                column => text(column),
            };
            // Beside its mean a metric of a day may have a lowest and a highest value.
            let what = match row["stat"].as_str() {
                Some(stat @ ("min" | "max")) => format!("{what} {stat}"),
                _ => what,
            };
            let mut spot = Spot { table, raw_table, raw_source_id, what };
            // Several series of one record are told apart by their paths, where the truth tells them apart.
            let of_series = Spot { what: text("raw_path"), ..spot.clone() };
            if table == "sample_origins" && truth.canonical.contains_key(&of_series) {
                spot = of_series;
            }
            if truth.optional_raw.contains(&(short, spot.raw_source_id.clone())) {
                continue;
            }
            if table == "workouts" {
                let energy =
                    [&row["energy_total_kcal"], &row["energy_active_kcal"]].into_iter().find(|v| !v.is_null()).cloned();
                row["energy_kcal"] = energy.unwrap_or(Value::Null);
            }
            let snapshot = spot.raw_source_id == "*";
            if held.insert(spot.clone(), row).is_some() && !snapshot {
                wrong.push(format!("{spot:?}: doubled"));
            }
        }
    }
    for (spot, columns) in &truth.canonical {
        let Some(row) = held.get(spot) else {
            wrong.push(format!("{spot:?}: lost"));
            continue;
        };
        for (column, expected) in columns {
            let actual = row.get(*column).cloned().unwrap_or(json!("(no such column)"));
            if !same(expected, &actual) {
                wrong.push(format!("{spot:?}: {column} is {actual}, not {expected}"));
            }
        }
    }
    let phantom = held.keys().filter(|s| !truth.canonical.contains_key(s) && !truth.optional.contains(s));
    wrong.extend(phantom.map(|s| format!("{s:?}: phantom")));
    wrong
}

/// The values of series, each once.
fn point_differences(client: &mut Client, id: &str, truth: &Truth) -> Vec<String> {
    let mut wrong = vec![];
    let mut held = BTreeMap::new();
    let stated: BTreeSet<&String> = truth.points.keys().map(|(table, ..)| table).collect();
    let sql = format!(
        "select o.raw_table, o.raw_source_id, p.metric_code, floor(extract(epoch from p.start_at))::bigint, p.value_num
           from canonical.sample_points p join canonical.sample_origins o using (user_id, origin_id)
          where o.source_system = '{id}' and o.retired_at is null"
    );
    for row in client.query(&sql, &[]).expect("points") {
        let (table, record, metric, at, value): (String, String, String, i64, f64) =
            (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
        if stated.contains(&table) && held.insert((table.clone(), record.clone(), metric, at), value).is_some() {
            wrong.push(format!("{table} {record}: two values at {at}"));
        }
    }
    for ((table, record, metric, at), value) in &truth.points {
        match held.remove(&(table.clone(), record.clone(), (*metric).to_owned(), *at)) {
            None => wrong.push(format!("{table} {record}: the {metric} at {at} is lost")),
            Some(said) if (said - value).abs() > 1e-9 => {
                wrong.push(format!("{table} {record}: the {metric} at {at} is {said}, not {value}"));
            }
            Some(_) => {}
        }
    }
    wrong.extend(held.keys().map(|key| format!("{key:?}: a phantom value")));
    wrong
}

/// Every canonical row leads back to the raw version it was made from, to a run, and to a model.
fn lineage_differences(client: &mut Client, id: &str) -> Vec<String> {
    let mut wrong = vec![];
    let schema = format!("{id}_raw");
    let raw: BTreeSet<String> = tables(client, &schema).into_iter().map(|(_, table)| table).collect();
    for table in ["user_identity", "sleep_sessions", "workouts", "biometrics_vitals", "scores", "daily_summaries"] {
        let of = format!("select distinct raw_table from canonical.{table} where source_system = '{id}' order by 1");
        let from: Vec<String> = client.query(&of, &[]).expect("raw tables").iter().map(|row| row.get(0)).collect();
        for raw_table in from {
            let Some((of, resource)) = raw_table.split_once('.').filter(|(of, _)| *of == schema) else {
                continue; // computed from canonical rows
            };
            assert!(raw.contains(resource), "{table} names {raw_table}, which is no table");
            let sql = format!(
                r#"select c.raw_source_id || ' ' || coalesce(c.raw_path, ''), c.run_id, c.mapping_version,
                          exists (select from {of}."{resource}" r where r.source_id = c.raw_source_id and r.hash = c.raw_hash)
                            or exists (select from {of}.history h
                                        where h.resource = $2 and h.source_id = c.raw_source_id and h.hash = c.raw_hash),
                          exists (select from meta.import_runs i where i.run_id = c.run_id)
                     from canonical.{table} c
                    where c.source_system = '{id}' and c.raw_table = $1"#
            );
            for row in client.query(&sql, &[&raw_table, &resource]).expect("lineage") {
                let (at, run, version): (String, i64, String) = (row.get(0), row.get(1), row.get(2));
                let at = format!("{table} {at}");
                if !row.get::<_, bool>(3) {
                    wrong.push(format!("{at}: leads to no raw version"));
                }
                if !row.get::<_, bool>(4) {
                    wrong.push(format!("{at}: run {run} is not recorded"));
                }
                let named = version.strip_prefix(&format!("{id}.")).and_then(|v| v.rsplit_once('/'));
                if !named.is_some_and(|(_, hash)| hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit())) {
                    wrong.push(format!("{at}: mapping_version {version:?}"));
                }
            }
        }
    }
    wrong
}
