//! The fast way through `Record` elements: those that stand in the document exactly as phones write them are taken
//! straight from the block that was read, without events, copies or allocations. Whatever looks different in any respect
//! (another attribute, single quotes, text where none belongs, a value that cannot be used, the end of the block) is left
//! where it is, and the XML reader decides: it alone knows what is an error, a reject or a different element.
//! Knows no blocks, no other elements and no database.

use chrono_tz::Tz;

use super::attributes::unescape;
use super::instant::{Stamp, beat, stamp};
use super::record::{Record, number};
use super::shape::{Filling, Shape};
use super::text::Text;

/// Longer elements go to the XML reader, which has a limit for each of their parts.
const LONGEST: usize = 1 << 20;
/// Records of one type come from a watch, a phone and an app or two, in turns.
const MOST_SHAPES: usize = 8;

/// Reads record after record. Neighbours are alike: most have the shape of one of the last, and of those only what
/// differs is read.
#[derive(Default)]
pub(super) struct Scanner {
    /// The one met last stands first.
    #[allow(clippy::vec_box, reason = "they are large, and change places with every other record")]
    shapes: Vec<Box<Shape>>,
    times: Times,
    zone: (String, Option<Tz>),
}

impl Scanner {
    /// The record that `bytes` begin with behind blanks, and its length with them. None: this is for the XML reader.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<(usize, &Record)> {
        let mut text = Text::new(bytes);
        text.blanks();
        let filling = self.known(text.rest())?;
        let shape = self.shapes.first_mut()?;
        let start = fill(shape, &filling, &mut self.times)?;
        text.at += filling.length;
        if !shape.is_empty {
            children(shape, &mut text, start)?;
            shape.record.zone = zone(&shape.record, &mut self.zone);
        }
        (text.at <= LONGEST).then_some((text.at, &shape.record))
    }

    /// Puts the shape of a tag in front.
    fn known<'a>(&mut self, tag: &'a [u8]) -> Option<Filling<'a>> {
        for place in 0..self.shapes.len() {
            if let Some(filling) = self.shapes[place].fits(tag) {
                self.shapes[..=place].rotate_right(1);
                return Some(filling);
            }
        }
        let shape = Shape::of(tag)?;
        self.shapes.truncate(MOST_SHAPES - 1);
        self.shapes.insert(0, Box::new(shape));
        self.shapes[0].fits(tag)
    }
}

/// Puts what stands in the holes of a tag into the record of its shape; says its start.
fn fill(shape: &mut Shape, filling: &Filling, times: &mut Times) -> Option<Stamp> {
    let record = &mut shape.record;
    let start = times.start.read(filling.start)?;
    record.start_at = start.at;
    record.end_at = optional(&mut times.end, filling.end)?;
    record.created_at = optional(&mut times.created, filling.created)?;
    if let Some(value) = filling.value {
        let text = record.value_text.get_or_insert_default();
        if is_decimal(value) {
            text.clear();
            text.push_str(std::str::from_utf8(value).ok()?);
            return Some(start);
        }
        read(value, text)?;
        if shape.is_quantity && !text.is_empty() && number(text).is_none() {
            return None;
        }
    }
    Some(start)
}

/// Whether a value is surely a finite number: digits, with a point among them or not.
fn is_decimal(value: &[u8]) -> bool {
    let mut points = 0;
    let mut is_part = |byte: &u8| {
        points += usize::from(*byte == b'.');
        byte.is_ascii_digit() || *byte == b'.'
    };
    value.iter().all(&mut is_part) && points < 2 && (points + 1..30).contains(&value.len())
}

/// Everything between the tags of a record, and its end tag.
fn children(shape: &mut Shape, text: &mut Text, start: Stamp) -> Option<()> {
    let mut entries = 0;
    shape.record.beats.clear();
    loop {
        text.blanks();
        if text.take(b"<MetadataEntry").is_some() {
            entry(shape, entries, text)?;
            entries += 1;
        } else if text.take(b"<HeartRateVariabilityMetadataList>").is_some() {
            beats(&mut shape.record.beats, text, start)?;
        } else {
            shape.record.metadata.truncate(entries);
            shape.keys.truncate(entries);
            return text.take(b"</Record>");
        }
    }
}

/// Reads an entry into its place; a key that was there before stands there.
fn entry(shape: &mut Shape, place: usize, text: &mut Text) -> Option<()> {
    let (entries, keys) = (&mut shape.record.metadata, &mut shape.keys);
    if place == entries.len() {
        entries.push(Default::default());
        keys.push(Vec::new());
    }
    let (entry, known) = (&mut entries[place], &mut keys[place]);
    let from = text.at;
    if !known.is_empty() && text.take(known).is_some() {
        let value = text.until_quote()?;
        text.take(b"/>")?;
        return read(value, &mut entry.1);
    }
    known.clear(); // until the new one stands
    let (key, value) = text.pair(b"key", b"value")?;
    read(key, &mut entry.0)?;
    read(value, &mut entry.1)?;
    let written = &text.bytes[from..text.at];
    if let Some(before) = written.strip_suffix(b"\"/>").and_then(|written| written.strip_suffix(value))
        && before.ends_with(b" value=\"")
    {
        known.extend_from_slice(before);
    }
    Some(())
}

fn beats(beats: &mut Vec<(f64, f64)>, text: &mut Text, start: Stamp) -> Option<()> {
    loop {
        text.blanks();
        if text.take(b"<InstantaneousBeatsPerMinute").is_none() {
            return text.take(b"</HeartRateVariabilityMetadataList>");
        }
        let (bpm, time) = text.pair(b"bpm", b"time")?;
        let bpm = number(&unescape(std::str::from_utf8(bpm).ok()?).ok()?)?;
        let time = unescape(std::str::from_utf8(time).ok()?).ok()?;
        beats.push((beat(&time, start)?, bpm));
    }
}

/// The zone that the record names; a name that is none is none. `last` is the one asked for last.
fn zone(record: &Record, last: &mut (String, Option<Tz>)) -> Option<Tz> {
    let (_, name) = record.metadata.iter().find(|(key, _)| key == "HKTimeZone")?;
    if last.0 != *name {
        name.clone_into(&mut last.0);
        last.1 = super::instant::zone(name);
    }
    last.1
}

/// Puts what a value stands for in place of `into`.
fn read(value: &[u8], into: &mut String) -> Option<()> {
    let value = std::str::from_utf8(value).ok()?;
    into.clear();
    into.push_str(&unescape(value).ok()?);
    Some(())
}

/// The days that the times of records were on, each by itself.
#[derive(Default)]
struct Times {
    start: Day,
    end: Day,
    created: Day,
}

/// The day and the offset of the time read last: most records share both with the one before.
#[derive(Default)]
struct Day {
    date: [u8; 10],
    offset: [u8; 6],
    /// Its midnight; none before the first.
    midnight: Option<Stamp>,
}

/// A time that may be missing.
#[allow(clippy::option_option, reason = "None is: not for this path")]
fn optional(day: &mut Day, found: Option<&[u8]>) -> Option<Option<i64>> {
    match found {
        None => Some(None),
        Some(text) => day.read(text).map(|stamp| Some(stamp.at)),
    }
}

impl Day {
    /// `2024-01-01 01:01:36 +0200`; another form is for the XML reader.
    fn read(&mut self, text: &[u8]) -> Option<Stamp> {
        let text: &[u8; 25] = text.try_into().ok()?;
        let two = |at: usize| {
            let (ten, one) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
            (ten < 10 && one < 10).then(|| ten * 10 + one)
        };
        let (hours, minutes, seconds) = (two(11)?, two(14)?, two(17)?);
        let is_form = text[10] == b' ' && text[13] == b':' && text[16] == b':';
        if !is_form || hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        let of_day = i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
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
