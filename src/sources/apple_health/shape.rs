//! How the start tag of a record is written, apart from what differs from record to record: its times, its value and the
//! address of its device. A tag of a known shape is compared and not read: the words in it are known. Shapes are learnt
//! from tags in the form that phones write; any other tag has none. Knows no inner elements.

use std::ops::Range;

use super::attributes::unescape;
use super::record::{QUANTITY, Record, Words, without_address};
use super::text::Text;

/// What a device's description begins with, as written.
const ADDRESS: &[u8] = b"&lt;&lt;HKDevice: 0x";
/// `2024-01-01 01:01:36 +0200`
const TIME: usize = 25;
/// Longer tags have no shape: phones write some hundred bytes, and shapes are kept.
const LONGEST: usize = 16 << 10;

/// What differs from record to record.
#[derive(Clone, Copy)]
enum Hole {
    /// Hexadecimal digits, which mean nothing.
    Address,
    Value,
    Created,
    Start,
    End,
}

/// The attributes of a record, by their places in a list.
const KIND: usize = 0;
const UNIT: usize = 1;
const SOURCE_NAME: usize = 2;
const SOURCE_VERSION: usize = 3;
const DEVICE: usize = 4;
const VALUE: usize = 5;
const CREATED: usize = 6;
const START: usize = 7;
const END: usize = 8;

/// What stands in the holes of a tag, as written.
#[derive(Default)]
pub(super) struct Filling<'a> {
    pub(super) value: Option<&'a [u8]>,
    /// Of 25 bytes, as the other times.
    pub(super) created: Option<&'a [u8]>,
    pub(super) start: &'a [u8],
    pub(super) end: Option<&'a [u8]>,
    /// Of the tag.
    pub(super) length: usize,
}

pub(super) struct Shape {
    /// What stands before each hole, in their order.
    holes: Vec<(Vec<u8>, Hole)>,
    /// What stands behind the last.
    last: Vec<u8>,
    /// Whether the tag is the whole element.
    pub(super) is_empty: bool,
    /// Whether a value must be a number.
    pub(super) is_quantity: bool,
    /// The last record of this shape; its words are those of all.
    pub(super) record: Record,
    /// What stands before each value of its metadata, as written: ` key="…" value="`.
    pub(super) keys: Vec<Vec<u8>>,
}

impl Shape {
    /// The shape of the tag that `bytes` begin with.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let mut text = Text::new(bytes);
        text.take(b"<Record")?;
        let mut places: [Option<Range<usize>>; 9] = Default::default();
        let is_empty = loop {
            match text.blanks() {
                0 if text.take(b"/>").is_some() => break true,
                0 if text.take(b">").is_some() => break false,
                0 => return None,
                _ => {
                    let (name, value) = text.attribute()?;
                    let place = &mut places[place(name)?];
                    if place.replace(value).is_some() {
                        return None;
                    }
                }
            }
        };
        if text.at > LONGEST {
            return None;
        }
        let word = |place: usize| match &places[place] {
            None => Some(None),
            Some(at) => read(&bytes[at.clone()]).map(Some),
        };
        let kind = word(KIND)?.filter(|kind| !kind.is_empty())?;
        let is_quantity = kind.starts_with(QUANTITY);
        let device = word(DEVICE)?.map(without_address);
        let words = Words::new(kind, word(UNIT)?, word(SOURCE_NAME)?, word(SOURCE_VERSION)?, device);
        let (holes, last) = around(&bytes[..text.at], holes(bytes, &places)?);
        let record = Record { words, ..Record::default() };
        Some(Self { holes, last, is_empty, is_quantity, record, keys: Vec::new() })
    }

    /// What stands in the holes, where `bytes` begin with a tag of this shape.
    pub(super) fn fits<'a>(&self, bytes: &'a [u8]) -> Option<Filling<'a>> {
        let (mut rest, mut filling) = (bytes, Filling::default());
        for (before, hole) in &self.holes {
            rest = rest.strip_prefix(before.as_slice())?;
            let length = match hole {
                Hole::Address => digits(rest),
                Hole::Value => rest.iter().position(|byte| *byte == b'"')?,
                Hole::Created | Hole::Start | Hole::End => TIME,
            };
            let (inside, after) = rest.split_at_checked(length)?;
            match hole {
                Hole::Address => {}
                Hole::Value => filling.value = Some(inside),
                Hole::Created => filling.created = Some(inside),
                Hole::Start => filling.start = inside,
                Hole::End => filling.end = Some(inside),
            }
            rest = after;
        }
        filling.length = bytes.len() - rest.strip_prefix(self.last.as_slice())?.len();
        Some(filling)
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

/// The holes of a tag, and what stands in each, from left to right.
fn holes(bytes: &[u8], places: &[Option<Range<usize>>; 9]) -> Option<Vec<(Range<usize>, Hole)>> {
    let mut holes = Vec::new();
    for (place, hole) in [(VALUE, Hole::Value), (CREATED, Hole::Created), (START, Hole::Start), (END, Hole::End)] {
        match places[place].clone() {
            None if place == START => return None,
            None => {}
            // A time that says nothing is none.
            Some(at) if at.is_empty() && matches!(place, CREATED | END) => {}
            Some(at) if place == VALUE || at.len() == TIME => holes.push((at, hole)),
            Some(_) => return None,
        }
    }
    if let Some(at) = places[DEVICE].clone()
        && let Some(rest) = bytes[at.clone()].strip_prefix(ADDRESS)
        && rest[digits(rest)..].starts_with(b"&gt;")
    {
        let from = at.start + ADDRESS.len();
        holes.push((from..from + digits(rest), Hole::Address));
    }
    holes.sort_by_key(|(at, _)| at.start);
    Some(holes)
}

/// What stands before each hole of a tag, and behind the last.
fn around(tag: &[u8], holes: Vec<(Range<usize>, Hole)>) -> (Vec<(Vec<u8>, Hole)>, Vec<u8>) {
    let mut from = 0;
    let before = |(at, hole): (Range<usize>, Hole)| {
        let before = tag[from..at.start].to_vec();
        from = at.end;
        (before, hole)
    };
    let holes = holes.into_iter().map(before).collect();
    (holes, tag[from..].to_vec())
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count()
}

fn read(value: &[u8]) -> Option<String> {
    Some(unescape(std::str::from_utf8(value).ok()?).ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "<Record type=\"HKQuantityTypeIdentifierStepCount\" \
        device=\"&lt;&lt;HKDevice: 0x28f&gt;, name:Watch&gt;\" unit=\"count\" creationDate=\"\" \
        startDate=\"2026-01-02 03:04:05 +0100\"  endDate=\"2026-01-02 03:14:05 +0100\" value=\"12\"/>";

    #[test]
    fn a_tag_fits_the_shape_of_another_that_differs_in_times_value_and_address() {
        let shape = Shape::of(TAG.as_bytes()).expect("a shape");
        assert_eq!(shape.record.words.device.as_deref(), Some("name:Watch"));
        let other = TAG.replace("28f", "3012772a0").replace("12\"", "\"").replace("03:14", "04:00") + "<Record";
        let filling = shape.fits(other.as_bytes()).expect("the same shape");
        assert_eq!(filling.length, other.len() - "<Record".len());
        assert_eq!((filling.value, filling.created), (Some(&b""[..]), None));
        assert_eq!(filling.start, b"2026-01-02 03:04:05 +0100");
        assert_eq!(filling.end, Some(&b"2026-01-02 04:00:05 +0100"[..]));
    }

    #[test]
    fn a_tag_that_differs_otherwise_has_another_shape_or_none() {
        let shape = Shape::of(TAG.as_bytes()).expect("a shape");
        for (from, to) in
            [("count", "m"), ("/>", ">"), ("  end", " end"), ("28f", "28g"), ("0100", "01000"), ("12\"", "12")]
        {
            assert!(shape.fits(TAG.replace(from, to).as_bytes()).is_none(), "{to} in place of {from}");
        }
        assert!(Shape::of(TAG.replace("Watch", &"W".repeat(LONGEST)).as_bytes()).is_none());
        assert!(Shape::of(TAG.replace("startDate=\"2026", "startDate=\"226").as_bytes()).is_none());
    }
}
