//! A batch into its raw table: COPY into a temporary stage, then what is new or differs, with the old version kept in
//! the source's history. The only COPY of JSON records, and one of the three places where identifiers are put into SQL.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use postgres::Transaction;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};
use sha2::{Digest, Sha256};

use super::Counts;
use crate::run::Run;
use crate::source::{Batch, Provisional, RawRecord, Resource, Source};

const STAGE_TYPES: [Type; 4] = [Type::TEXT, Type::TIMESTAMPTZ, Type::JSON, Type::BYTEA];

/// Writes the records of `batch`; says how many were new, changed and the same. Rejected ones are counted as well.
pub(super) fn upsert(
    t: &mut Transaction,
    run: &Run,
    source: &Source,
    batch: &Batch,
) -> Result<Counts, postgres::Error> {
    let rejected = i64::try_from(batch.rejected.len()).unwrap_or(i64::MAX);
    if batch.records.is_empty() {
        return Ok(Counts { rejected, ..Counts::default() });
    }
    t.batch_execute(include_str!("sql/stage.sql"))?;
    let writer =
        t.copy_in("copy pg_temp.raw_stage (source_id, record_at, payload, hash) from stdin (format binary)")?;
    let mut writer = BinaryCopyInWriter::new(writer, &STAGE_TYPES);
    for (id, at, record) in last_of_each(batch, run) {
        let hash = Sha256::digest(record.payload.get()).to_vec();
        let row: [&(dyn ToSql + Sync); 4] = [&id, &at, &postgres::types::Json(&record.payload), &hash];
        writer.write(&row)?;
    }
    writer.finish()?;
    let is_snapshot = batch.records.iter().all(|record| record.source_id.is_none());
    let template = if is_snapshot { include_str!("sql/snapshot.sql") } else { include_str!("sql/upsert.sql") };
    let statement = named(template, source, batch.resource).replace("{older}", &older(source, batch.resource));
    let row = t.query_one(&statement, &[&run.user_id, &run.account_id, &run.run_id, &batch.resource])?;
    Ok(Counts { new: row.get(0), changed: row.get(1), same: row.get(2), rejected, ..Counts::default() })
}

/// One record a key: of two with the same key in a page the last counts, as two pages would have it. A snapshot is
/// keyed and dated by the run.
fn last_of_each<'a>(batch: &'a Batch, run: &Run) -> Vec<(String, Option<DateTime<Utc>>, &'a RawRecord)> {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (index, record) in batch.records.iter().enumerate() {
        last.insert(record.source_id.as_deref().unwrap_or_default(), index);
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable();
    let of = |index: usize| {
        let record = &batch.records[index];
        match &record.source_id {
            Some(id) => (id.clone(), record.record_at, record),
            None => (format!("run {}", run.run_id), Some(run.started_at), record),
        }
    };
    kept.into_iter().map(of).collect()
}

/// Whether the staged record `s` states an older version than the stored one, `t`. Instants of one length and form sort
/// as text, and no malformed one can end the batch.
fn older(source: &Source, resource: &str) -> String {
    let pointer = described(source, resource).map_or("", |r| r.version);
    if pointer.is_empty() {
        return "false".into();
    }
    let (new, held) = (member("s", pointer), member("t", pointer));
    format!(r#"coalesce(length({new}) = length({held}) and {new} collate "C" < {held} collate "C", false)"#)
}

/// The last instant of the stored record `t`. One that has not ended yet is taken to last two days: longer than all but an
/// odd one, and short enough that the lookback still judges it.
pub(super) fn last(source: &Source, resource: &str) -> String {
    match described(source, resource).map_or("", |r| r.ends) {
        "" => "t.record_at".into(),
        pointer => {
            let said = member("t", pointer);
            format!(
                "coalesce(meta.epoch_or_null({said}), meta.instant_or_null({said}), t.record_at + interval '2 days')"
            )
        }
    }
}

/// Whether the provider has not finished with the stored record `t`.
pub(super) fn provisional(source: &Source, resource: &str) -> String {
    let marks = described(source, resource).map_or(&[][..], |r| r.provisional);
    let said = |mark: &Provisional| match mark {
        Provisional::Missing(pointer) => format!("{} is null", member("t", pointer)),
        Provisional::Says(pointer, word) => format!("{} = '{word}'", member("t", pointer)),
    };
    let any = marks.iter().map(said).collect::<Vec<_>>().join(" or ");
    if any.is_empty() { "false".into() } else { format!("({any})") }
}

pub(super) fn described(source: &Source, resource: &str) -> Option<&'static Resource> {
    source.api.as_ref()?.resources.iter().find(|r| r.name == resource)
}

/// What stands at a JSON pointer of a row's payload, as text.
fn member(row: &str, pointer: &str) -> String {
    format!("({row}.payload #>> '{{{}}}')", pointer[1..].replace('/', ","))
}

/// A statement over the raw table of `resource`: `{raw}` and `{history}` become quoted names.
pub(super) fn named(template: &str, source: &Source, resource: &str) -> String {
    let schema = source.raw_schema();
    template
        .replace("{raw}", &format!("\"{schema}\".\"{resource}\""))
        .replace("{history}", &format!("\"{schema}\".history"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    #[test]
    fn of_two_records_with_one_key_the_last_counts() {
        let record = |id: &str, text: &str| RawRecord {
            source_id: Some(id.into()),
            record_at: None,
            payload: RawValue::from_string(text.into()).unwrap(),
        };
        let batch = Batch {
            run: 1,
            resource: "x",
            records: vec![record("a", "1"), record("b", "2"), record("a", "3")],
            rejected: vec![],
            is_change: false,
            slice: None,
            next_page: None,
            closes: None,
            owner: None,
            single: None,
        };
        let run =
            Run { user_id: 1, account_id: 1, run_id: 1, fence: 1, started_at: DateTime::UNIX_EPOCH, continues: None };
        let texts: Vec<_> =
            last_of_each(&batch, &run).iter().map(|(id, _, r)| format!("{id}{}", r.payload.get())).collect();
        assert_eq!(texts, ["b2", "a3"]);
    }
}
