//! An element other than `Record`, whole: workouts with all they hold, correlations, activity summaries, and whatever a
//! later version of the format brings. Its text becomes JSON, and its content an identity that is the same in every
//! export. Records inside a correlation are understood on the way. Knows no database.

use chrono::NaiveDate;
use chrono_tz::Tz;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::attributes::{split, unescape};
use super::instant::stamp;
use super::record::{Draft, Fault, LONGEST, MOST_ATTRIBUTES, Record, date, without_address};

/// Elements whose dates are known to be dates. Of an element that this version does not know nothing is demanded.
const KNOWN: [&str; 6] =
    ["Correlation", "Workout", "ActivitySummary", "Audiogram", "VisionPrescription", "ClinicalRecord"];
/// A longer name is no name.
const LONGEST_NAME: usize = 80;

/// An element as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Element {
    /// xxh3-128 of the content in normal form.
    pub(super) id: u128,
    /// Instants in seconds since 1970.
    pub(super) start_at: Option<i64>,
    pub(super) end_at: Option<i64>,
    pub(super) created_at: Option<i64>,
    pub(super) source_name: Option<String>,
    /// The zone that the element names.
    pub(super) zone: Option<Tz>,
    /// The local day that it is of, where it has a day and no instant.
    pub(super) day: Option<NaiveDate>,
    /// The whole of it as JSON.
    pub(super) payload: String,
}

/// Takes a record inside a correlation, or why it cannot be used; the byte of the element that it begins at, and its text.
pub(super) type Nested<'a> = dyn FnMut(Result<Record, Fault>, u64, &str) -> anyhow::Result<()> + 'a;

/// Whether this version knows what stands at the top under this name.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || matches!(name, "Record" | "ExportDate" | "Me")
}

/// Reads the text of one element, which its reader has found to be balanced. Each record directly inside a correlation
/// goes to `nested`, also where the correlation itself turns out to be unusable.
pub(super) fn parse(text: &str, nested: &mut Nested) -> anyhow::Result<Result<Element, Fault>> {
    let mut events = Reader::from_str(text);
    let mut parser = Parser::default();
    loop {
        let from = usize::try_from(events.buffer_position())?;
        let event = events.read_event()?;
        let to = usize::try_from(events.buffer_position())?;
        let inside =
            |name: &str, end: &str| text[from..to].get(1 + name.len()..to - from - end.len()).unwrap_or_default();
        let read = match event {
            Event::Start(tag) => {
                let name = tag.name().into_inner();
                parser.open(name, inside(name, ">"), from)
            }
            Event::Empty(tag) => {
                let name = tag.name().into_inner();
                let read = parser.open(name, inside(name, "/>"), from);
                parser.close(&text[..to], nested)?;
                read
            }
            Event::End(_) => {
                parser.close(&text[..to], nested)?;
                Ok(())
            }
            Event::Text(_) | Event::GeneralRef(_) => parser.text(&text[from..to]),
            Event::CData(data) => parser.plain(&data),
            Event::Eof => break,
            _ => Ok(()),
        };
        parser.note(read);
    }
    Ok(parser.finish())
}

/// An element that is open.
#[derive(Default)]
struct Open {
    /// Name and attributes in normal form.
    head: Vec<u8>,
    text: String,
    /// Digests of its children.
    children: Vec<u128>,
    /// Of a record inside a correlation: the byte that it begins at.
    record: Option<usize>,
}

#[derive(Default)]
struct Parser {
    name: String,
    /// From the element itself to the innermost.
    open: Vec<Open>,
    /// Attributes of the element itself.
    attributes: Vec<(String, String)>,
    zone: Option<Tz>,
    json: String,
    id: u128,
    draft: Draft,
    buffer: Vec<u8>,
    fault: Option<Fault>,
}

impl Parser {
    /// The first fault counts.
    fn note(&mut self, read: Result<(), Fault>) {
        if let Err(fault) = read {
            self.fault.get_or_insert(fault);
        }
    }

    /// `written` is the tag between its name and its end; it begins at byte `from`.
    fn open(&mut self, name: &str, written: &str, from: usize) -> Result<(), Fault> {
        let depth = self.open.len();
        if let Some(parent) = self.open.last() {
            self.json.push_str(if parent.children.is_empty() { ",\"children\":[" } else { "," });
        } else {
            name.clone_into(&mut self.name);
        }
        let mut open = Open::default();
        if depth == 1 && name == "Record" && self.name == "Correlation" {
            open.record = Some(from);
            self.draft.begin(written);
        } else if self.open.get(1).is_some_and(|child| child.record.is_some()) {
            match name {
                "MetadataEntry" => self.draft.metadata_entry(written),
                "InstantaneousBeatsPerMinute" => self.draft.beat(written),
                _ => {}
            }
        }
        self.open.push(open);
        self.json.push_str("{\"element\":");
        push_json(&mut self.json, name);
        let attributes = attributes(written)?;
        self.json.push_str(",\"attributes\":{");
        for (place, (name, value)) in attributes.iter().enumerate() {
            self.json.push_str(if place == 0 { "" } else { "," });
            push_json(&mut self.json, name);
            self.json.push(':');
            push_json(&mut self.json, value);
        }
        self.json.push('}');
        if self.json.len() > LONGEST {
            self.json = String::new();
            return Err(Fault::too_large());
        }
        if let Some(open) = self.open.last_mut() {
            open.head = head(name, &attributes);
        }
        if depth == 1 && name == "MetadataEntry" && self.zone.is_none() {
            self.zone = zone(&attributes);
        }
        if depth == 0 {
            self.attributes = attributes;
        }
        Ok(())
    }

    /// Text between tags, as written.
    fn text(&mut self, written: &str) -> Result<(), Fault> {
        let text = unescape(written).map_err(|bad| Fault::new("bad_text", format!("text: {}", bad.0)))?;
        self.plain(&text)
    }

    fn plain(&mut self, text: &str) -> Result<(), Fault> {
        if text.contains('\0') {
            return Err(Fault::new("bad_text", "text: a NUL character"));
        }
        if let Some(open) = self.open.last_mut() {
            open.text.push_str(text);
        }
        Ok(())
    }

    /// The innermost element has ended; `text` is everything up to there.
    fn close(&mut self, text: &str, nested: &mut Nested) -> anyhow::Result<()> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        self.json.push_str(if open.children.is_empty() { "" } else { "]" });
        let said = open.text.trim();
        if !said.is_empty() {
            self.json.push_str(",\"text\":");
            push_json(&mut self.json, said);
        }
        self.json.push('}');
        open.children.sort_unstable();
        let digest = &mut self.buffer;
        digest.clear();
        digest.push(1); // the form of this digest
        add(digest, &open.head);
        add(digest, said.as_bytes());
        open.children.iter().for_each(|child| digest.extend_from_slice(&child.to_le_bytes()));
        let mut id = twox_hash::XxHash3_128::oneshot(digest);
        if let Some(from) = open.record {
            let record = self.draft.finish();
            if let Ok(record) = &record {
                id = record.identity(digest); // the same whatever the order of its metadata
            }
            nested(record, from as u64, &text[from..])?;
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(id),
            None => self.id = id,
        }
        Ok(())
    }

    /// The element, or why it cannot be used.
    fn finish(mut self) -> Result<Element, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if self.name.len() > LONGEST_NAME || self.name.chars().any(char::is_control) {
            return Err(Fault::new("bad_name", "the name of the element: too long, or no text"));
        }
        let is_known = KNOWN.contains(&self.name.as_str());
        let instant = |names: [&str; 2]| -> Result<Option<i64>, Fault> {
            let found = self.attributes.iter().find(|(name, _)| names.contains(&name.as_str()));
            let Some((name, value)) = found else { return Ok(None) };
            let read = date(name, Some(value.clone()));
            let read = if is_known { read? } else { read.unwrap_or(None) };
            Ok(read.map(|stamp| stamp.at))
        };
        let (start_at, end_at, created_at) = (
            instant(["startDate", "dateIssued"])?,
            instant(["endDate", "expirationDate"])?,
            instant(["creationDate", "receivedDate"])?,
        );
        let named = |wanted: &[&str]| {
            self.attributes.iter().find(|(name, _)| wanted.contains(&name.as_str())).map(|(_, value)| value.clone())
        };
        Ok(Element {
            id: self.id,
            start_at,
            end_at,
            created_at,
            source_name: named(&["sourceName", "source"]),
            zone: self.zone,
            day: named(&["dateComponents"]).and_then(|day| day.parse().ok()),
            payload: self.json,
        })
    }
}

/// Attributes of one tag in their order; of two with one name the first counts.
fn attributes(written: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (count, pair) in split(written).enumerate() {
        if count == MOST_ATTRIBUTES {
            return Err(Fault::new("too_many_attributes", format!("more than {MOST_ATTRIBUTES} attributes")));
        }
        let (name, value) = pair?;
        let name = unescape(name)?;
        if found.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let value = unescape(value).map_err(|bad| Fault::new("bad_text", format!("an attribute: {}", bad.0)))?;
        found.push((name.into_owned(), value.into_owned()));
    }
    Ok(found)
}

fn zone(attributes: &[(String, String)]) -> Option<Tz> {
    let of = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    super::instant::zone(of("value").filter(|_| of("key") == Some("HKTimeZone"))?)
}

/// Name and attributes in the order of their names, instants whatever offset they are written in, devices without their
/// memory address. A route's file is named after its local end, so its name is another one after a journey.
fn head(name: &str, attributes: &[(String, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    add(&mut bytes, name.as_bytes());
    let is_route_file = |(attribute, _): &&(String, String)| name == "FileReference" && attribute == "path";
    let mut sorted: Vec<&(String, String)> = attributes.iter().filter(|one| !is_route_file(one)).collect();
    sorted.sort();
    for (name, value) in sorted {
        add(&mut bytes, name.as_bytes());
        if let Some(stamp) = stamp(value) {
            bytes.push(2);
            bytes.extend_from_slice(&stamp.at.to_le_bytes());
        } else if name == "device" {
            add(&mut bytes, without_address(value.clone()).as_bytes());
        } else {
            add(&mut bytes, value.as_bytes());
        }
    }
    bytes
}

fn add(digest: &mut Vec<u8>, bytes: &[u8]) {
    digest.push(1);
    digest.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    digest.extend_from_slice(bytes);
}

fn push_json(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::String(text.to_owned()).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> u128 {
        parse(text, &mut |_, _, _| Ok(())).expect("balanced").expect("an element").id
    }

    #[test]
    fn a_workout_with_a_route_is_the_same_after_a_journey() {
        let walk = "<Workout workoutActivityType='W' sourceName='a' startDate='2019-09-01 05:51:58 -0400' endDate='2019-09-01 06:51:58 -0400'>\
            <WorkoutRoute sourceName='a' startDate='2019-09-01 05:51:58 -0400' endDate='2019-09-01 06:51:58 -0400'>\
            <FileReference path='/workout-routes/route_2019-09-01_6.51am.gpx'/></WorkoutRoute></Workout>";
        let winter =
            walk.replace(" 05:", " 04:").replace(" 06:", " 05:").replace("-0400", "-0500").replace("6.51am", "5.51am");
        assert_eq!(id(walk), id(&winter));
        assert_ne!(id(walk), id(&walk.replace("'W'", "'R'")));
        assert_ne!(id(walk), id(&walk.replace("FileReference", "Attachment")));
    }
}
