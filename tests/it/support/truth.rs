//! What the database should hold, as the simulated provider's own records imply it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

/// One canonical row: its table, the raw record it comes from, and what of that record it is (metric or kind; empty: the whole).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    pub table: &'static str,
    pub raw_table: String,
    pub raw_source_id: String,
    pub what: String,
}

pub type Columns = BTreeMap<&'static str, Value>;

#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// Exact text of every record, by resource and key.
    pub raw: BTreeMap<(String, String), String>,
    /// Exact text of the newest state of a resource without a key.
    pub snapshots: BTreeMap<String, String>,
    /// Expected columns of every canonical row; a row may have more columns than are expected here.
    pub canonical: BTreeMap<Spot, Columns>,
    /// Records that may be missing from raw, because they cannot be stored.
    pub optional_raw: BTreeSet<(String, String)>,
    /// Values of series: raw table, raw record, metric, second since 1970. Those of a raw table are checked where any is stated.
    pub points: BTreeMap<(String, String, &'static str, i64), f64>,
    /// Rows that the documents neither demand nor forbid.
    pub optional: BTreeSet<Spot>,
}

impl Truth {
    pub fn row(&mut self, table: &'static str, raw_table: &str, id: &str, what: &str, columns: Columns) {
        let spot = Spot { table, raw_table: raw_table.into(), raw_source_id: id.into(), what: what.into() };
        assert!(self.canonical.insert(spot.clone(), columns).is_none(), "two truths for {spot:?}");
    }

    pub fn may_have(&mut self, table: &'static str, raw_table: &str, id: &str, what: &str) {
        self.optional.insert(Spot { table, raw_table: raw_table.into(), raw_source_id: id.into(), what: what.into() });
    }

    /// Number of raw records, without snapshots.
    pub fn records(&self) -> usize {
        self.raw.len()
    }

    pub fn of(&self, table: &str) -> usize {
        self.canonical.keys().filter(|s| s.table == table).count()
    }
}

/// Seconds of an offset as providers write it: `+05:45`, `-08:00` or `Z`.
pub fn offset_s(text: &str) -> i64 {
    if text == "Z" {
        return 0;
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (h, m) = text[1..].split_once(':').expect("an offset");
    sign * (h.parse::<i64>().expect("hours") * 3600 + m.parse::<i64>().expect("minutes") * 60)
}

pub fn local_date(at: DateTime<Utc>, offset: &str) -> NaiveDate {
    (at + TimeDelta::seconds(offset_s(offset))).date_naive()
}

/// `2026-11-20T06:41:10.120Z`.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("an instant").to_utc()
}

/// Whether a value from the database is the expected one. Instants are compared as instants, numbers within what a
/// four-byte float can hold.
pub fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= 1e-6 * a.abs().max(1.0)
        }
        (Value::String(a), Value::String(b)) => {
            a == b
                || matches!((DateTime::parse_from_rfc3339(a), DateTime::parse_from_rfc3339(b)), (Ok(a), Ok(b)) if a == b)
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => expected == actual,
    }
}
