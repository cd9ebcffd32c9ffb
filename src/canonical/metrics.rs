//! The metric dictionary: a data file of this program, brought into `meta.metrics` by `migrate`.

use postgres::Client;
use serde_json::{Map, Value};

use crate::db::{Sql, transaction};
use crate::failure::{Blame, Failure, Kind};

const DICTIONARY: &str = include_str!("metrics.csv");

/// Adds what is new and corrects what changed; a code is never removed, since rows refer to it.
pub(crate) fn load(client: &mut Client) -> Result<(), Failure> {
    let rows = parse(DICTIONARY).blame(Kind::Bug)?;
    transaction(client, |t| {
        t.execute(include_str!("metrics.sql"), &[&rows]).sql()?;
        Ok(())
    })
}

/// The file as an array of objects, empty fields left out, so that they are null.
fn parse(text: &str) -> anyhow::Result<Value> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let filled = header.iter().zip(&record).filter(|(_, value)| !value.is_empty());
        rows.push(Value::Object(
            filled.map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<Map<_, _>>(),
        ));
    }
    Ok(Value::Array(rows))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_every_metric_has_a_unit() {
        let rows = super::parse(super::DICTIONARY).unwrap();
        let rows = rows.as_array().unwrap();
        assert!(rows.len() > 100);
        let codes: HashSet<_> = rows.iter().map(|row| row["metric_code"].as_str().unwrap()).collect();
        assert_eq!(codes.len(), rows.len());
        assert!(rows.iter().all(|row| row["ucum"].is_string() && row["category"].is_string()));
    }
}
