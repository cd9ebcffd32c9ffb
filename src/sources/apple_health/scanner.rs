//! The fast way through `Record` elements: those that stand in the document exactly as phones write them are taken
//! straight from the block that was read, without events, copies or allocations. Whatever looks different in any respect
//! (another attribute, single quotes, text where none belongs, a value that cannot be used, the end of the block) is left
//! where it is, and the XML reader decides: it alone knows what is an error, a reject or a different element.
//! Knows no blocks, no other elements and no database.

use chrono_tz::Tz;

use super::attributes::unescape;
use super::instant::{Stamp, beat, stamp};
use super::record::{Record, without_address};

/// Longer elements go to the XML reader, which has a limit for each of their parts.
const LONGEST: usize = 1 << 20;
/// What a device's description begins with, as written.
const ADDRESS: &[u8] = b"&lt;&lt;HKDevice: 0x";

/// Reads record after record into one place that is used again: neighbours are alike, and what is the same as in the
/// record before is not touched.
#[derive(Default)]
pub(super) struct Scanner {
    record: Record,
    words: [Vec<u8>; 5],
    times: [Day; 3],
    zone: (String, Option<Tz>),
    /// Pairs of strings that the present record does not need.
    spare: Vec<(String, String)>,
}

/// The words of a record, by their places in [`Scanner::words`].
const KIND: usize = 0;
const UNIT: usize = 1;
const SOURCE_NAME: usize = 2;
const SOURCE_VERSION: usize = 3;
const DEVICE: usize = 4;
const VALUE: usize = 5;
const CREATED: usize = 6;
const START: usize = 7;
const END: usize = 8;

/// The day and the offset of the time read last: most records share both with the one before.
#[derive(Default)]
struct Day {
    date: [u8; 10],
    offset: [u8; 6],
    /// Its midnight; none before the first.
    midnight: Option<Stamp>,
}

impl Scanner {
    /// The record that `bytes` begin with behind blanks, and its length with them. None: this is for the XML reader.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<(usize, &Record)> {
        let mut text = Text { bytes, at: 0 };
        text.blanks();
        text.take(b"<Record")?;
        let mut fields = [None; 9];
        let ended = loop {
            match text.blanks() {
                0 if text.take(b"/>").is_some() => break true,
                0 if text.take(b">").is_some() => break false,
                0 => return None,
                _ => {
                    let (name, value) = text.attribute()?;
                    let field = &mut fields[place(name)?];
                    if field.is_some() {
                        return None;
                    }
                    *field = Some(value);
                }
            }
        };
        let start = self.fields(&fields)?;
        if !ended {
            self.children(&mut text, start)?;
        }
        self.record.zone = self.zone()?;
        (text.at <= LONGEST).then_some((text.at, &self.record))
    }

    /// The attributes of a record, and its start.
    fn fields(&mut self, fields: &[Option<&[u8]>; 9]) -> Option<Stamp> {
        self.spare.append(&mut self.record.metadata);
        self.record.beats.clear();
        let start = self.times[0].read(fields[START]?)?;
        self.record.start_at = start.at;
        self.record.end_at = optional(&mut self.times[1], fields[END])?;
        self.record.created_at = optional(&mut self.times[2], fields[CREATED])?;
        let (record, words) = (&mut self.record, &mut self.words);
        let kind = fields[KIND].filter(|kind| !kind.is_empty())?;
        if words[KIND] != kind {
            words[KIND].clear(); // until the new one stands
            read(kind, &mut record.kind)?;
            words[KIND].extend_from_slice(kind);
        }
        word(&mut words[UNIT], fields[UNIT], &mut record.unit)?;
        word(&mut words[SOURCE_NAME], fields[SOURCE_NAME], &mut record.source_name)?;
        word(&mut words[SOURCE_VERSION], fields[SOURCE_VERSION], &mut record.source_version)?;
        device(&mut words[DEVICE], fields[DEVICE], &mut record.device)?;
        record.value = None;
        match fields[VALUE] {
            None => record.value_text = None,
            Some(value) => {
                let text = record.value_text.get_or_insert_default();
                read(value, text)?;
                record.value = text.parse::<f64>().ok().filter(|number| number.is_finite());
                if record.value.is_none() && !text.is_empty() && record.kind.starts_with("HKQuantityType") {
                    return None;
                }
            }
        }
        Some(start)
    }

    /// Everything between the tags of a record, and its end tag.
    fn children(&mut self, text: &mut Text, start: Stamp) -> Option<()> {
        loop {
            text.blanks();
            if text.take(b"<MetadataEntry").is_some() {
                let (key, value) = text.pair(b"key", b"value")?;
                let mut entry = self.spare.pop().unwrap_or_default();
                read(key, &mut entry.0)?;
                read(value, &mut entry.1)?;
                self.record.metadata.push(entry);
            } else if text.take(b"<HeartRateVariabilityMetadataList>").is_some() {
                self.beats(text, start)?;
            } else {
                return text.take(b"</Record>");
            }
        }
    }

    fn beats(&mut self, text: &mut Text, start: Stamp) -> Option<()> {
        loop {
            text.blanks();
            if text.take(b"<InstantaneousBeatsPerMinute").is_none() {
                return text.take(b"</HeartRateVariabilityMetadataList>");
            }
            let (bpm, time) = text.pair(b"bpm", b"time")?;
            let bpm = unescape(std::str::from_utf8(bpm).ok()?).ok()?.parse::<f64>().ok()?;
            let time = unescape(std::str::from_utf8(time).ok()?).ok()?;
            self.record.beats.push((beat(&time, start)?, Some(bpm).filter(|bpm| bpm.is_finite())?));
        }
    }

    /// The zone that the record names; a name that is none is none.
    #[allow(clippy::option_option, reason = "None would be: not for this path")]
    fn zone(&mut self) -> Option<Option<Tz>> {
        let Some((_, name)) = self.record.metadata.iter().find(|(key, _)| key == "HKTimeZone") else {
            return Some(None);
        };
        if self.zone.0 != *name {
            name.clone_into(&mut self.zone.0);
            self.zone.1 = name.parse().ok();
        }
        Some(self.zone.1)
    }
}

fn place(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"type" => KIND,
        b"unit" => UNIT,
        b"value" => VALUE,
        b"sourceName" => SOURCE_NAME,
        b"sourceVersion" => SOURCE_VERSION,
        b"device" => DEVICE,
        b"creationDate" => CREATED,
        b"startDate" => START,
        b"endDate" => END,
        _ => return None,
    })
}

/// Puts what a value stands for in place of `into`.
fn read(value: &[u8], into: &mut String) -> Option<()> {
    let value = std::str::from_utf8(value).ok()?;
    into.clear();
    into.push_str(&unescape(value).ok()?);
    Some(())
}

/// A word that is the same as `last` stands in `into` already.
fn word(last: &mut Vec<u8>, found: Option<&[u8]>, into: &mut Option<String>) -> Option<()> {
    let Some(found) = found else {
        *into = None;
        return Some(());
    };
    if into.is_some() && last == found {
        return Some(());
    }
    let mut text = into.take().unwrap_or_default();
    read(found, &mut text)?;
    *into = Some(text);
    last.clear();
    last.extend_from_slice(found);
    Some(())
}

/// A description of a device counts without its address, so what stands behind that is compared.
fn device(last: &mut Vec<u8>, found: Option<&[u8]>, into: &mut Option<String>) -> Option<()> {
    let Some(found) = found else {
        *into = None;
        return Some(());
    };
    let rest = found.strip_prefix(ADDRESS).map(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        &rest[digits..]
    });
    let rest = rest.filter(|rest| rest.starts_with(b"&gt;"));
    if rest.is_some_and(|rest| into.is_some() && last == rest) {
        return Some(());
    }
    let text = unescape(std::str::from_utf8(found).ok()?).ok()?.into_owned();
    *into = Some(without_address(text));
    last.clear();
    last.extend_from_slice(rest.unwrap_or_default());
    Some(())
}

/// A time that may be missing or empty.
#[allow(clippy::option_option, reason = "None is: not for this path")]
fn optional(day: &mut Day, found: Option<&[u8]>) -> Option<Option<i64>> {
    match found.filter(|text| !text.is_empty()) {
        None => Some(None),
        Some(text) => day.read(text).map(|stamp| Some(stamp.at)),
    }
}

impl Day {
    /// `2024-01-01 01:01:36 +0200`; another form is for the XML reader.
    fn read(&mut self, text: &[u8]) -> Option<Stamp> {
        let text: &[u8; 25] = text.try_into().ok()?;
        let two = |at: usize| {
            let digits = [text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0')];
            (digits[0] < 10 && digits[1] < 10).then(|| i64::from(digits[0]) * 10 + i64::from(digits[1]))
        };
        let (hours, minutes, seconds) = (two(11)?, two(14)?, two(17)?);
        let is_time = text[13] == b':' && text[16] == b':' && hours < 24 && minutes < 60 && seconds < 60;
        if !is_time || text[10] != b' ' {
            return None;
        }
        let of_day = hours * 3600 + minutes * 60 + seconds;
        if let Some(midnight) = self.midnight
            && self.date == text[..10]
            && self.offset == text[19..]
        {
            return Some(Stamp { at: midnight.at + of_day, ..midnight });
        }
        let stamp = stamp(std::str::from_utf8(text).ok()?)?;
        self.date.copy_from_slice(&text[..10]);
        self.offset.copy_from_slice(&text[19..]);
        self.midnight = Some(Stamp { at: stamp.at - of_day, ..stamp });
        Some(stamp)
    }
}

/// What is being read, and how far.
struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    /// Steps over blanks; how many there were.
    fn blanks(&mut self) -> usize {
        let from = self.at;
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.at - from
    }

    /// Steps over `expected` where it stands here.
    fn take(&mut self, expected: &[u8]) -> Option<()> {
        if !self.bytes[self.at..].starts_with(expected) {
            return None;
        }
        self.at += expected.len();
        Some(())
    }

    /// `name="value"`.
    fn attribute(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let rest = &self.bytes[self.at..];
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if !rest[name..].starts_with(b"=\"") {
            return None;
        }
        let value = &rest[name + 2..];
        let length = memchr::memchr(b'"', value)?;
        self.at += name + 2 + length + 1;
        Some((&rest[..name], &value[..length]))
    }

    /// The values of exactly these two attributes in either order, up to the end of an empty tag.
    fn pair(&mut self, first: &[u8], second: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        let mut found = [None; 2];
        for _ in 0..2 {
            if self.blanks() == 0 {
                return None;
            }
            let (name, value) = self.attribute()?;
            let place = usize::from(name != first);
            if (place == 1 && name != second) || found[place].replace(value).is_some() {
                return None;
            }
        }
        self.blanks();
        self.take(b"/>")?;
        Some((found[0]?, found[1]?))
    }
}
