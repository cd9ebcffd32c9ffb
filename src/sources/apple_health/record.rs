//! One `Record` element: gathered attribute by attribute, then judged. What it says is kept as it is said; its identity
//! is its content, because exports carry no ids. Knows no XML events and no database.

use chrono_tz::Tz;

use super::attributes::{Malformed, split, unescape};
use super::instant::{Stamp, beat, stamp, zone};

/// No tag may have more attributes (docs/adr/24).
pub(super) const MOST_ATTRIBUTES: usize = 256;
/// No element at the top of a document may be longer (docs/adr/24).
pub(super) const LONGEST: usize = 16 << 20;

/// What the types of quantities begin with.
pub(super) const QUANTITY: &str = "HKQuantityType";

/// A record as it is understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) words: Words,
    pub(super) value_text: Option<String>,
    /// Instants in seconds since 1970.
    pub(super) created_at: Option<i64>,
    pub(super) start_at: i64,
    pub(super) end_at: Option<i64>,
    /// In the order of the document; a key may occur twice.
    pub(super) metadata: Vec<(String, String)>,
    /// Seconds after the start, and the momentary rate per minute.
    pub(super) beats: Vec<(f64, f64)>,
    /// The zone that the record names.
    pub(super) zone: Option<Tz>,
}

/// The words of a record, which thousands of others share: made once, together with their part of an identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Words {
    pub(super) kind: String,
    pub(super) unit: Option<String>,
    pub(super) source_name: Option<String>,
    pub(super) source_version: Option<String>,
    /// Without its memory address.
    pub(super) device: Option<String>,
    /// What an identity holds of them before the value, and behind it.
    identity: [Vec<u8>; 2],
}

impl Words {
    pub(super) fn new(
        kind: String,
        unit: Option<String>,
        source_name: Option<String>,
        source_version: Option<String>,
        device: Option<String>,
    ) -> Self {
        let mut identity = [vec![1], Vec::new()]; // the form of this digest
        add(&mut identity[0], Some(kind.as_bytes()));
        add(&mut identity[0], unit.as_deref().map(str::as_bytes));
        for word in [&source_name, &source_version, &device] {
            add(&mut identity[1], word.as_deref().map(str::as_bytes));
        }
        Self { kind, unit, source_name, source_version, device, identity }
    }
}

/// Adds a field to what an identity is made of.
fn add(buffer: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else { return buffer.push(0) };
    buffer.push(1);
    buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    buffer.extend_from_slice(bytes);
}

/// Why a record cannot be used: our rule, and the field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    pub(super) fn too_large() -> Self {
        Self::new("too_large", "longer than 16 MiB")
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::new("bad_attribute", malformed.0)
    }
}

/// A record being gathered; reused from record to record.
#[derive(Default)]
pub(super) struct Draft {
    fields: [Option<String>; 9],
    metadata: Vec<(String, String)>,
    beats: Vec<(String, String)>,
    fault: Option<Fault>,
}

const FIELDS: [&str; 9] =
    ["type", "unit", "value", "sourceName", "sourceVersion", "device", "creationDate", "startDate", "endDate"];

impl Draft {
    /// Begins anew with the attributes of a `Record`.
    pub(super) fn begin(&mut self, attributes: &str) {
        self.fields = Default::default();
        self.metadata.clear();
        self.beats.clear();
        self.fault = None;
        let read = self.attributes(attributes);
        self.note(read);
    }

    fn attributes(&mut self, text: &str) -> Result<(), Fault> {
        for (count, pair) in split(text).enumerate() {
            if count == MOST_ATTRIBUTES {
                return Err(Fault::new("too_many_attributes", format!("more than {MOST_ATTRIBUTES} attributes")));
            }
            let (name, value) = pair?;
            let name = if name == "source" { "sourceName" } else { name }; // iOS 8
            let Some(place) = FIELDS.iter().position(|field| *field == name) else {
                self.metadata.push((unescape(name)?.into_owned(), unescape(value)?.into_owned())); // iOS 8
                continue;
            };
            if self.fields[place].is_none() {
                let value = unescape(value).map_err(|bad| Fault::new("bad_text", format!("{name}: {}", bad.0)))?;
                self.fields[place] = Some(value.into_owned());
            }
        }
        Ok(())
    }

    /// Adds a `MetadataEntry`.
    pub(super) fn metadata_entry(&mut self, attributes: &str) {
        let read = pair(attributes, "key", "value").map(|entry| self.metadata.push(entry));
        self.note(read);
    }

    /// Adds an `InstantaneousBeatsPerMinute`.
    pub(super) fn beat(&mut self, attributes: &str) {
        let read = pair(attributes, "time", "bpm").map(|entry| self.beats.push(entry));
        self.note(read);
    }

    /// The record is longer than any may be; what was gathered of it is dropped.
    pub(super) fn too_large(&mut self) {
        self.metadata.clear();
        self.beats.clear();
        self.note(Err(Fault::too_large()));
    }

    /// The first fault counts.
    fn note(&mut self, read: Result<(), Fault>) {
        if let Err(fault) = read {
            self.fault.get_or_insert(fault);
        }
    }

    /// What the record says, or why it cannot be used.
    pub(super) fn finish(&mut self) -> Result<Record, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let [kind, unit, value_text, source_name, source_version, device, created, start, end] =
            std::mem::take(&mut self.fields);
        let kind = kind.filter(|kind| !kind.is_empty()).ok_or_else(|| Fault::new("no_type", "type: missing"))?;
        let start = start.ok_or_else(|| Fault::new("no_start", "startDate: missing"))?;
        let start = date("startDate", Some(start))?.ok_or_else(|| Fault::new("no_start", "startDate: empty"))?;
        let metadata = std::mem::take(&mut self.metadata);
        let zone = metadata.iter().find(|(key, _)| key == "HKTimeZone").and_then(|(_, name)| zone(name));
        if is_unusable(&kind, value_text.as_deref()) {
            return Err(Fault::new("bad_number", "value: not a number"));
        }
        Ok(Record {
            words: Words::new(kind, unit, source_name, source_version, device.map(without_address)),
            value_text,
            created_at: date("creationDate", created)?.map(|stamp| stamp.at),
            start_at: start.at,
            end_at: date("endDate", end)?.map(|stamp| stamp.at),
            metadata,
            beats: beats(&self.beats, start)?,
            zone,
        })
    }
}

/// The values of two attributes that an element must have; the first of each name counts.
fn pair(attributes: &str, first: &str, second: &str) -> Result<(String, String), Fault> {
    let (mut one, mut two) = (None, None);
    for (count, found) in split(attributes).enumerate() {
        if count == MOST_ATTRIBUTES {
            return Err(Fault::new("too_many_attributes", format!("more than {MOST_ATTRIBUTES} attributes")));
        }
        let (name, value) = found?;
        if name == first && one.is_none() {
            one = Some(unescape(value)?.into_owned());
        } else if name == second && two.is_none() {
            two = Some(unescape(value)?.into_owned());
        }
    }
    one.zip(two).ok_or_else(|| Fault::new("bad_attribute", format!("an inner element without {first} or {second}")))
}

pub(super) fn date(field: &str, text: Option<String>) -> Result<Option<Stamp>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    stamp(&text).map(Some).ok_or_else(|| Fault::new("bad_date", format!("{field}: not a date as exports write it")))
}

/// A quantity must be a number where it has a value at all; elsewhere a value may be a word.
fn is_unusable(kind: &str, value: Option<&str>) -> bool {
    kind.starts_with(QUANTITY) && value.is_some_and(|value| !value.is_empty() && number(value).is_none())
}

/// No quantity of a body comes near: what is larger is damage, and would overflow where units are converted.
const LARGEST: f64 = 1e100;

/// What a text says where it is a number that can be reckoned with.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.abs() <= LARGEST)
}

fn beats(written: &[(String, String)], start: Stamp) -> Result<Vec<(f64, f64)>, Fault> {
    let read = |(time, bpm): &(String, String)| {
        let bpm = number(bpm);
        beat(time, start).zip(bpm).ok_or_else(|| Fault::new("bad_beat", "a beat without a time of day or a number"))
    };
    written.iter().map(read).collect()
}

/// `<<HKDevice: 0x282e30280>, name:iPhone, …>` differs from record to record in its address; the rest is the device.
pub(super) fn without_address(device: String) -> String {
    let rest = device.strip_prefix("<<HKDevice: 0x").and_then(|rest| rest.split_once('>'));
    match rest {
        Some((address, rest)) if address.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            let rest = rest.strip_suffix('>').unwrap_or(rest);
            rest.strip_prefix(", ").unwrap_or(rest).to_owned()
        }
        _ => device,
    }
}

impl Record {
    /// The value where it is a finite number.
    pub(super) fn value(&self) -> Option<f64> {
        self.value_text.as_deref().and_then(number)
    }

    /// 128 bits over the content. The same sample has the same id in every export: instants count, not how they are
    /// written, and neither do the order of metadata and the device's address.
    pub(super) fn identity(&self, buffer: &mut Vec<u8>) -> u128 {
        buffer.clear();
        buffer.extend_from_slice(&self.words.identity[0]);
        add(buffer, self.value_text.as_deref().map(str::as_bytes));
        buffer.extend_from_slice(&self.words.identity[1]);
        for instant in [Some(self.start_at), self.end_at, self.created_at] {
            add(buffer, instant.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
        }
        let add_entry = |buffer: &mut Vec<u8>, (key, value): &(String, String)| {
            add(buffer, Some(key.as_bytes()));
            add(buffer, Some(value.as_bytes()));
        };
        if let [entry] = self.metadata.as_slice() {
            add_entry(buffer, entry);
        } else if !self.metadata.is_empty() {
            let mut metadata: Vec<&(String, String)> = self.metadata.iter().collect();
            metadata.sort();
            for entry in metadata {
                add_entry(buffer, entry);
            }
        }
        buffer.push(2);
        for (seconds, bpm) in &self.beats {
            buffer.extend_from_slice(&seconds.to_le_bytes());
            buffer.extend_from_slice(&bpm.to_le_bytes());
        }
        twox_hash::XxHash3_128::oneshot(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(attributes: &str, metadata: &[&str]) -> Result<Record, Fault> {
        let mut draft = Draft::default();
        draft.begin(attributes);
        for entry in metadata {
            draft.metadata_entry(entry);
        }
        draft.finish()
    }

    fn id(attributes: &str, metadata: &[&str]) -> u128 {
        record(attributes, metadata).expect("a record").identity(&mut Vec::new())
    }

    const WALK: &str = "type='HKQuantityTypeIdentifierStepCount' unit='count' value='12' sourceName='a' \
        device='&lt;&lt;HKDevice: 0x3012772a0&gt;, name:Watch, model:W&gt;' creationDate='2019-09-01 05:52:58 -0400' \
        startDate='2019-09-01 05:51:58 -0400' endDate='2019-09-01 05:52:08 -0400'";

    #[test]
    fn a_sample_has_one_identity_in_every_export() {
        let winter = WALK.replace(" 05:", " 04:").replace("-0400", "-0500").replace("3012772a0", "28fe");
        assert_eq!(
            id(WALK, &["key='a' value='1'", "key='b' value='2'"]),
            id(&winter, &["key='b' value='2'", "key='a' value='1'"])
        );
        for (from, to) in
            [("'12'", "'12.0'"), ("'count'", "'m'"), ("W&gt;", "V&gt;"), ("05:52:08", "05:52:09"), ("'a'", "'b'")]
        {
            assert_ne!(id(WALK, &[]), id(&WALK.replace(from, to), &[]), "{from} and {to} are different samples");
        }
        assert_ne!(id(WALK, &["key='a' value='1'"]), id(WALK, &["key='a' value='1'", "key='a' value='1'"]));
    }

    /// Identities stand in databases: this number may only change together with a migration of them.
    #[test]
    fn the_form_of_an_identity_is_fixed() {
        assert_eq!(format!("{:032x}", id(WALK, &["key='a' value='1'"])), "8394da1b26286b5bca01cdc48d326dbe");
    }

    #[test]
    fn one_bad_field_costs_the_record() {
        let code = |attributes: &str| record(attributes, &[]).map_err(|fault| fault.code);
        assert_eq!(code(&WALK.replace("'12'", "'twelve'")).map(|_| ()), Err("bad_number"));
        assert_eq!(code(&WALK.replace("'12'", "'1e999'")).map(|_| ()), Err("bad_number"));
        assert_eq!(code(&WALK.replace("'12'", "'-1e101'")).map(|_| ()), Err("bad_number"));
        assert_eq!(code(&WALK.replace("'12'", "'NaN'")).map(|_| ()), Err("bad_number"));
        assert_eq!(code(&WALK.replace("2019-09-01 05:51", "2019-13-01 05:51")).map(|_| ()), Err("bad_date"));
        assert_eq!(code(&WALK.replace("startDate", "beginDate")).map(|_| ()), Err("no_start"));
        assert_eq!(code(&WALK.replace("type=", "kind=")).map(|_| ()), Err("no_type"));
        assert_eq!(code(&WALK.replace("'a'", "'&nbsp;'")).map(|_| ()), Err("bad_text"));
        assert_eq!(code(&"a='1' ".repeat(300)).map(|_| ()), Err("too_many_attributes"));
        assert_eq!(code(&WALK.replace("value='12'", "value=''")).map(|record| record.value()), Ok(None));
        assert_eq!(code(&WALK.replace("value='12'", "")).map(|record| record.value_text), Ok(None));
    }

    #[test]
    fn words_zones_devices_and_the_first_of_two() {
        let stage = WALK.replace("HKQuantityTypeIdentifierStepCount", "HKCategoryTypeIdentifierSleepAnalysis");
        let found = record(&stage.replace("'12'", "'Core' value='Deep'"), &["key='HKTimeZone' value='Asia/Jerusalem'"]);
        let found = found.expect("a record");
        assert_eq!((found.value(), found.value_text.as_deref()), (None, Some("Core")));
        assert_eq!(found.zone, Some(chrono_tz::Asia::Jerusalem));
        assert_eq!(found.words.device.as_deref(), Some("name:Watch, model:W"));
        assert_eq!(without_address("<Watch6,4>".into()), "<Watch6,4>");
    }
}
