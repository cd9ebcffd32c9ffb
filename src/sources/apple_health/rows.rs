//! Records on their way to the stage of `apple_health_raw.records`: words become numbers, the content becomes an
//! identity, the zone becomes an offset. The order of the fields is that of `sql/create_stage.sql`.

use chrono::{DateTime, Offset, TimeZone};
use serde_json::{Value, json};

use super::instant;
use super::reader::{self, Export, Visitor};
use super::record::{Fault, Record};
use crate::source::{About, Reading, Rejected, Row, Sink, Unreadable};

/// Places in `RECORDS.dictionaries`.
const TYPES: usize = 0;
const UNITS: usize = 1;
const SOURCE_NAMES: usize = 2;
const SOURCE_VERSIONS: usize = 3;
const DEVICES: usize = 4;
const ZONES: usize = 5;

/// Reads an export into the sink.
pub(super) fn read(
    document: &mut dyn std::io::BufRead,
    reading: Reading,
    sink: &mut dyn Sink,
) -> Result<About, Unreadable> {
    let mut rows = Rows { sink, reading, row: Row::default(), buffer: Vec::new() };
    let export = reader::read(document, &mut rows)?;
    Ok(about(&export))
}

fn about(export: &Export) -> About {
    let made = export.date.as_deref().and_then(instant::stamp);
    About {
        made_at: made.and_then(|stamp| DateTime::from_timestamp(stamp.at, 0)),
        records: export.elements.get("Record").copied().unwrap_or(0),
        columns: json!({
            "export_date": export.date,
            "locale": export.locale,
            "format_version": export.version,
            "elements": export.elements,
        }),
    }
}

struct Rows<'a> {
    sink: &'a mut dyn Sink,
    reading: Reading,
    row: Row,
    buffer: Vec<u8>,
}

impl Visitor for Rows<'_> {
    fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        let id = record.identity(&mut self.buffer);
        let zone = record.zone.unwrap_or(self.reading.home_tz);
        let at = DateTime::from_timestamp(record.start_at, 0).unwrap_or_default();
        let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
        let sink = &mut *self.sink;
        let mut word = |place, text: Option<&String>| text.map(|text| sink.word(place, text));
        let numbers = [
            word(TYPES, Some(&record.kind)),
            word(UNITS, record.unit.as_ref()),
            word(SOURCE_NAMES, record.source_name.as_ref()),
            word(SOURCE_VERSIONS, record.source_version.as_ref()),
            word(DEVICES, record.device.as_ref()),
        ];
        let zone = sink.word(ZONES, zone.name());
        let row = &mut self.row;
        row.clear();
        row.int(numbers[TYPES]);
        row.instant(Some(record.start_at));
        row.uuid(id);
        row.instant(record.end_at);
        row.instant(record.created_at);
        row.int(numbers[UNITS]);
        row.int(numbers[SOURCE_NAMES]);
        row.int(numbers[SOURCE_VERSIONS]);
        row.int(numbers[DEVICES]);
        row.int(Some(zone));
        row.int(Some(offset));
        row.bool(record.zone.is_some());
        row.float(record.value);
        row.text(record.value_text.as_deref());
        row.jsonb(metadata(&record.metadata).as_deref());
        row.floats(record.beats.iter().map(|(seconds, _)| *seconds));
        row.floats(record.beats.iter().map(|(_, bpm)| *bpm));
        sink.row(&record.kind, row)
    }

    fn reject(&mut self, number: u64, at: u64, fault: Fault, text: &str) -> anyhow::Result<()> {
        self.sink.reject(Rejected {
            locator: json!({"offset": at, "record": number}),
            code: fault.code,
            detail: fault.detail,
            source_id: None,
            payload: text.as_bytes().to_vec(),
        })
    }

    fn progress(&mut self, at: u64) -> anyhow::Result<()> {
        self.sink.progress(at)
    }
}

/// Metadata as a JSON object; a key that occurs twice holds an array. None for no metadata.
fn metadata(entries: &[(String, String)]) -> Option<String> {
    let mut object = serde_json::Map::new();
    for (key, value) in entries {
        let value = Value::String(value.clone());
        match object.get_mut(key) {
            None => drop(object.insert(key.clone(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    (!object.is_empty()).then(|| Value::Object(object).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keeps_every_value_of_a_key() {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(metadata(&[]), None);
        assert_eq!(
            metadata(&[entry("a", "1"), entry("b", "\""), entry("a", "2"), entry("a", "3")]).as_deref(),
            Some(r#"{"a":["1","2","3"],"b":"\""}"#)
        );
    }
}
