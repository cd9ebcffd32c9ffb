//! Records and other elements on their way to their stages: words become numbers, the content becomes an identity, the
//! zone becomes an offset. The order of the fields is that of the `create_stage.sql` of each.

use chrono::DateTime;
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::reader::{self, Element, Export, Visitor};
use super::record::{Fault, Record};
use super::sums::Sums;
use super::{attributes, elements, instant};
use crate::source::{About, Bucket, Reading, Rejected, Row, Sample, Sink, Unreadable, Want};
use crate::zones::Place;

/// Places of the stages. Records that stand inside correlations wait in one of their own, because most are repeated at
/// the top.
pub(super) const RECORDS: usize = 0;
pub(super) const NESTED: usize = 1;
pub(super) const ELEMENTS: usize = 2;

/// Places of the dictionaries.
const TYPES: usize = 0;
const UNITS: usize = 1;
const SOURCE_NAMES: usize = 2;
const SOURCE_VERSIONS: usize = 3;
const DEVICES: usize = 4;
const ZONES: usize = 5;

/// Reads an export into the sink.
pub(super) fn read(
    document: &mut dyn std::io::BufRead,
    reading: &Reading,
    sink: &mut dyn Sink,
) -> Result<About, Unreadable> {
    let mut rows = Rows {
        sink,
        reading,
        row: Row::default(),
        buffer: Vec::new(),
        metadata: String::new(),
        places: Places::default(),
        sums: Sums::new(reading.for_models),
        date: None,
        me: None,
    };
    let export = reader::read(document, &mut rows, reading.allow_truncated)?;
    let last = rows.sums.finish(rows.sink);
    last.map_err(|why| Unreadable { at: 0, why, is_cut: false })?;
    Ok(about(&export, rows.date.as_deref(), rows.me.as_ref()))
}

fn about(export: &Export, date: Option<&str>, me: Option<&Value>) -> About {
    let made = date.and_then(instant::stamp);
    let at_top = export.elements.iter().filter(|(name, _)| !name.contains(['(', '/']));
    let rows = at_top.filter(|(name, _)| !matches!(name.as_str(), "ExportDate" | "Me"));
    let unknown = export.elements.iter().filter(|(name, _)| !elements::is_known(name));
    About {
        made_at: made.and_then(|stamp| DateTime::from_timestamp(stamp.at, 0)),
        records: rows.map(|(_, count)| count).sum(),
        cut: export.cut.clone(),
        unknown: unknown.map(|(name, count)| (name.clone(), *count)).collect(),
        columns: json!({
            "export_date": date,
            "locale": export.locale,
            "format_version": export.version,
            "elements": export.elements,
            "me": me,
        }),
    }
}

/// Seconds of a day of UTC.
const DAY: i64 = 86_400;

/// A record in numbers, where it has gone to the account's own table.
pub(super) struct Numbered {
    pub(super) kind: i32,
    pub(super) unit: Option<i32>,
    pub(super) source_name: Option<i32>,
    pub(super) device: Option<i32>,
    pub(super) offset_s: i32,
    /// In days since 1970.
    pub(super) local_day: i32,
    /// The value where it is a finite number.
    pub(super) value: Option<f64>,
    pub(super) id: u128,
    pub(super) ordinal: i32,
}

struct Rows<'a> {
    sink: &'a mut dyn Sink,
    reading: &'a Reading,
    row: Row,
    buffer: Vec<u8>,
    metadata: String,
    places: Places,
    sums: Sums,
    /// `ExportDate`.
    date: Option<String>,
    /// Attributes of `Me`.
    me: Option<Value>,
}

impl Visitor for Rows<'_> {
    fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        self.record_row(RECORDS, record)
    }

    fn element(&mut self, element: Element) -> anyhow::Result<()> {
        let parsed = elements::parse(element.text, &mut |record, from, text| match record {
            Ok(record) => self.record_row(NESTED, &record),
            Err(fault) => {
                let locator = json!({"offset": element.at + from, "element": element.name, "number": element.number});
                self.reject_row(RECORDS, text, locator, fault)
            }
        })?;
        match parsed {
            Ok(parsed) if self.is_about_the_export(element.name, &parsed)? => Ok(()),
            Ok(parsed) => self.element_row(element.name, &parsed),
            Err(fault) => self.reject(element, fault),
        }
    }

    fn reject(&mut self, element: Element, fault: Fault) -> anyhow::Result<()> {
        let Element { name, number, at, text } = element;
        if name == "Record" {
            return self.reject_row(RECORDS, text, json!({"offset": at, "record": number}), fault);
        }
        self.reject_row(ELEMENTS, text, json!({"offset": at, "element": name, "number": number}), fault)
    }

    fn progress(&mut self, at: u64) -> anyhow::Result<()> {
        self.sink.progress(at)
    }
}

impl Rows<'_> {
    fn record_row(&mut self, stage: usize, record: &Record) -> anyhow::Result<()> {
        let sink = &mut *self.sink;
        let kind = sink.word(TYPES, &record.words.kind);
        let bucket = Bucket { kind, day: i32::try_from(record.start_at.div_euclid(DAY))? };
        if sink.passes_by(bucket) {
            return Ok(());
        }
        let id = record.identity(&mut self.buffer);
        let (place, local_day) = self.places.at(self.reading, record.zone, record.start_at);
        let want = sink.want(&Sample { stage, kind: &record.words.kind, bucket, id, local_day });
        if want == Want::Nothing {
            return Ok(());
        }
        let mut word = |place, text: Option<&String>| text.map(|text| sink.word(place, text));
        let numbers = [
            Some(kind),
            word(UNITS, record.words.unit.as_ref()),
            word(SOURCE_NAMES, record.words.source_name.as_ref()),
            word(SOURCE_VERSIONS, record.words.source_version.as_ref()),
            word(DEVICES, record.words.device.as_ref()),
        ];
        let zone = sink.word(ZONES, place.zone.name());
        let value = record.value();
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
        row.int(Some(place.offset_s));
        row.bool(record.zone.is_some());
        row.float(value);
        row.text(record.value_text.as_deref());
        self.metadata.clear();
        row.jsonb(metadata(&record.metadata, &mut self.metadata));
        row.floats(record.beats.iter().map(|(seconds, _)| *seconds));
        row.floats(record.beats.iter().map(|(_, bpm)| *bpm));
        let Want::Numbered(ordinal) = want else { return sink.wanted(want, row) };
        row.int(Some(ordinal));
        sink.wanted(want, row)?;
        let numbered = Numbered {
            kind,
            unit: numbers[UNITS],
            source_name: numbers[SOURCE_NAMES],
            device: numbers[DEVICES],
            offset_s: place.offset_s,
            local_day,
            value,
            id,
            ordinal,
        };
        self.sums.add(record, &numbered, sink)
    }

    fn element_row(&mut self, name: &str, element: &elements::Element) -> anyhow::Result<()> {
        let at = element.start_at.or(element.created_at);
        let place = at.map(|at| self.reading.place(element.zone, at));
        let zone = place.map_or_else(|| element.zone.unwrap_or(self.reading.zones.home()), |(_, place)| place.zone);
        let row = &mut self.row;
        row.clear();
        row.text(Some(name));
        row.uuid(element.id);
        row.instant(element.start_at);
        row.instant(element.end_at);
        row.instant(element.created_at);
        row.text(element.source_name.as_deref());
        row.int(element.start_at.and(place).map(|(_, place)| place.offset_s));
        row.text(Some(zone.name()));
        row.text(Some(if element.zone.is_some() { "record" } else { "home" }));
        row.text(Some(&element.payload));
        let of_instant = place.map(|(at, place)| place.day(at));
        self.sink.row(ELEMENTS, name, element.day.map(|day| day.to_epoch_days()).or(of_instant), row)
    }

    fn reject_row(&mut self, stage: usize, text: &str, locator: Value, fault: Fault) -> anyhow::Result<()> {
        let kind = if stage == RECORDS { kind_of(text) } else { None };
        let kind = kind.or_else(|| locator["element"].as_str().map(str::to_owned)).unwrap_or_else(|| "Record".into());
        let payload = text.as_bytes().to_vec();
        let rejected = Rejected { locator, code: fault.code, detail: fault.detail, source_id: None, payload };
        self.sink.reject(stage, &kind, rejected)
    }

    /// `ExportDate` and `Me` describe the export, unless they hold more than they are known to, or come again.
    fn is_about_the_export(&mut self, name: &str, element: &elements::Element) -> anyhow::Result<bool> {
        let is_new = match name {
            "ExportDate" => self.date.is_none(),
            "Me" => self.me.is_none(),
            _ => false,
        };
        if !is_new {
            return Ok(false);
        }
        let mut payload: Value = serde_json::from_str(&element.payload)?;
        if payload.as_object().is_none_or(|parts| parts.len() > 2) {
            return Ok(false);
        }
        let attributes = payload["attributes"].take();
        if name == "Me" {
            self.me = Some(attributes);
            return Ok(true);
        }
        let only_value = attributes.as_object().is_some_and(|all| all.keys().all(|name| name == "value"));
        self.date = attributes["value"].as_str().filter(|date| !date.is_empty()).map(str::to_owned);
        Ok(only_value)
    }
}

/// The place found last, which holds for all of its day of UTC: neighbours share it.
#[derive(Default)]
struct Places {
    last: Option<(Option<Tz>, i64, Place)>,
}

impl Places {
    /// Where an instant was, and its local day in days since 1970.
    fn at(&mut self, reading: &Reading, named: Option<Tz>, at: i64) -> (Place, i32) {
        let day = at.div_euclid(DAY);
        let place = match self.last {
            Some((zone, of, place)) if zone == named && of == day => place,
            _ => {
                let all_day = reading.all_day(named, day * DAY);
                self.last = all_day.map(|place| (named, day, place));
                all_day.unwrap_or_else(|| reading.place(named, at).1)
            }
        };
        let local = (at + i64::from(place.offset_s)).div_euclid(DAY);
        (place, i32::try_from(local).unwrap_or_default()) // dates have four digits in their years
    }
}

/// The type of a record that could not be used, as far as it can be read.
fn kind_of(text: &str) -> Option<String> {
    let tag = text.strip_prefix("<Record")?;
    let (_, value) = attributes::split(tag).map_while(Result::ok).find(|(name, _)| *name == "type")?;
    attributes::unescape(value).ok().map(|kind| kind.chars().take(200).collect())
}

/// Metadata as a JSON object in `text`; a key that occurs twice holds an array. None for no metadata.
fn metadata<'a>(entries: &[(String, String)], text: &'a mut String) -> Option<&'a str> {
    let is_plain = |text: &str| text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    let is_simple = |(place, (key, value)): (usize, &(String, String))| {
        is_plain(key) && is_plain(value) && entries[..place].iter().all(|(other, _)| other != key)
    };
    if entries.len() < 8 && entries.iter().enumerate().all(is_simple) {
        for (key, value) in entries {
            text.push_str(if text.is_empty() { "{\"" } else { ",\"" });
            text.push_str(key);
            text.push_str("\":\"");
            text.push_str(value);
            text.push('"');
        }
        text.push_str(if text.is_empty() { "" } else { "}" });
        return (!text.is_empty()).then_some(text.as_str());
    }
    let mut object = serde_json::Map::new();
    for (key, value) in entries {
        let value = Value::String(value.clone());
        match object.get_mut(key) {
            None => drop(object.insert(key.clone(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    text.push_str(&Value::Object(object).to_string());
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keeps_every_value_of_a_key() {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(metadata(&[], &mut String::new()), None);
        assert_eq!(metadata(&[entry("b", "é"), entry("a", "")], &mut String::new()), Some(r#"{"b":"é","a":""}"#));
        assert_eq!(
            metadata(&[entry("a", "1"), entry("b", "\""), entry("a", "2"), entry("a", "3")], &mut String::new()),
            Some(r#"{"a":["1","2","3"],"b":"\""}"#)
        );
        for odd in ["\"", "\\", "\n"] {
            let mut text = String::new();
            let value: Value =
                serde_json::from_str(metadata(&[entry(odd, odd)], &mut text).expect("JSON")).expect("JSON");
            assert_eq!(value[odd], odd);
        }
    }
}
