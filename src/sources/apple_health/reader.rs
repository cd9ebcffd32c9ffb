//! Reads an export from its first byte to its last: one root, closed, everything balanced; every element at the top, one
//! by one, in memory that does not grow with the document. A `Record` is understood on the way, any other element is
//! handed over as it is written. Puts what it finds into a [`Visitor`]; knows no database.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use anyhow::anyhow;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::prologue::{self, NoRoot, Prologue, ROOT};
use super::record::{Draft, Fault, LONGEST, Record};
use super::scanner::Scanner;
use crate::source::Unreadable;

/// No single tag, comment or run of text may be longer (docs/adr/24).
const LONGEST_EVENT: usize = 1 << 20;
/// No element may stand deeper (docs/adr/24).
const DEEPEST: usize = 128;
/// How many different element names are counted; a document with more has made them up.
const MOST_NAMES: usize = 200;

/// An element at the top of the document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Element<'a> {
    pub(super) name: &'a str,
    /// From 1, among those of its name.
    pub(super) number: u64,
    /// The byte that it begins at.
    pub(super) at: u64,
    /// The whole of it, as written; of a rejected one that is too long, its beginning.
    pub(super) text: &'a str,
}

/// Takes what a reader finds.
pub(super) trait Visitor {
    fn record(&mut self, record: &Record) -> anyhow::Result<()>;
    /// Anything but a record, and a record that holds more than a record does, after `record` had it: whole, at most
    /// 16 MiB.
    fn element(&mut self, element: Element) -> anyhow::Result<()>;
    /// A record or another element that could not be used.
    fn reject(&mut self, element: Element, fault: Fault) -> anyhow::Result<()>;
    /// How far the document has been read.
    fn progress(&mut self, at: u64) -> anyhow::Result<()>;
}

/// What an export says about itself outside its elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Export {
    /// How it ends, where it is cut off and that was allowed.
    pub(super) cut: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) version: Option<String>,
    /// Elements at the top, by name.
    pub(super) elements: BTreeMap<String, u64>,
}

/// Reads a document to its end; where `allow_truncated`, to where it is cut off, if anything stands before that.
pub(super) fn read(
    document: &mut dyn BufRead,
    visitor: &mut dyn Visitor,
    allow_truncated: bool,
) -> Result<Export, Unreadable> {
    walk(document, visitor, allow_truncated, Some(Scanner::default()))
}

/// Without a scanner every event goes through the XML reader; what is found is the same.
pub(super) fn walk(
    document: &mut dyn BufRead,
    visitor: &mut dyn Visitor,
    allow_truncated: bool,
    scanner: Option<Scanner>,
) -> Result<Export, Unreadable> {
    let (head, prologue) = begin(document)?;
    let rest = io::Cursor::new(head[prologue.root..].to_vec()).chain(document);
    let mut walk = Walk {
        events: Reader::from_reader(Capped { inner: rest, left: LONGEST_EVENT, kept: Vec::new(), too_long: false }),
        root: prologue.root as u64,
        depth: 0,
        top: Top::default(),
        closed: false,
        is_cut: false,
        draft: Draft::default(),
        records: 0,
        scanner,
        between: false,
        export: Export { version: prologue.version, ..Export::default() },
        visitor,
    };
    let Err(why) = walk.run() else { return Ok(walk.export) };
    let (at, is_cut) = (walk.root + walk.events.buffer_position(), walk.is_cut);
    if allow_truncated && is_cut && !walk.export.elements.is_empty() {
        return Ok(Export { cut: Some(format!("{why} (byte {at})")), ..walk.export });
    }
    Err(Unreadable { at, why, is_cut })
}

/// Reads as much as it takes to find the root.
fn begin(document: &mut dyn BufRead) -> Result<(Vec<u8>, Prologue), Unreadable> {
    let mut head = Vec::new();
    loop {
        let size = (head.len() as u64).max(4096);
        let read = (&mut *document).take(size).read_to_end(&mut head);
        let failed = |error: io::Error| Unreadable { at: head.len() as u64, why: damaged(&error), is_cut: false };
        let read = read.map_err(failed)?;
        let no = |why: String| Unreadable { at: 0, why: anyhow!(why), is_cut: false };
        match prologue::find(&head) {
            Ok(found) if found.name == ROOT => return Ok((head, found)),
            Ok(found) => return Err(no(prologue::another_root(&found.name))),
            Err(NoRoot::Not(why)) => return Err(no(why)),
            Err(NoRoot::More) if head.is_empty() => return Err(no("is empty".into())),
            Err(NoRoot::More) if read == 0 => {
                let why = anyhow!("ends before its first element");
                return Err(Unreadable { at: head.len() as u64, why, is_cut: false });
            }
            Err(NoRoot::More) if head.len() >= prologue::LONGEST => {
                return Err(no("has no root element in its first MiB".into()));
            }
            Err(NoRoot::More) => {}
        }
    }
}

/// The element at the top that is being read; reused from element to element.
#[derive(Default)]
struct Top {
    name: String,
    number: u64,
    at: u64,
    is_record: bool,
    /// A record that holds what a record does not.
    is_odd: bool,
}

/// One pass over the elements.
struct Walk<'a, R> {
    events: Reader<Capped<R>>,
    /// Bytes of the document that the XML reader never saw: what stands before the root, and what the scanner took.
    root: u64,
    depth: usize,
    top: Top,
    closed: bool,
    /// What stopped the walk is that nothing more comes.
    is_cut: bool,
    draft: Draft,
    records: u64,
    scanner: Option<Scanner>,
    /// An element at the top has just ended.
    between: bool,
    export: Export,
    visitor: &'a mut dyn Visitor,
}

impl<R: BufRead> Walk<'_, R> {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        loop {
            if std::mem::take(&mut self.between) {
                self.scan()?;
            }
            buffer.clear();
            let input = self.events.get_mut();
            input.left = LONGEST_EVENT;
            if self.depth <= 1 {
                input.kept.clear();
                input.too_long = false;
            }
            let at = self.root + self.events.buffer_position();
            let event = match self.events.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => {
                    self.is_cut = self.ends_with(&error);
                    return Err(self.place(&reason(&error)));
                }
            };
            match event {
                Event::Start(tag) => {
                    self.open(at, name_of(&tag), tag.attributes_raw())?;
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return Err(anyhow!("nests elements deeper than {DEEPEST}"));
                    }
                }
                Event::Empty(tag) => {
                    self.open(at, name_of(&tag), tag.attributes_raw())?;
                    self.close()?;
                }
                Event::End(_) => {
                    self.depth -= 1;
                    self.close()?;
                }
                Event::Eof if self.closed => return Ok(()),
                Event::Eof => {
                    self.is_cut = true;
                    return Err(self.place(&anyhow!("ends too early")));
                }
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) if self.depth > 1 => self.top.is_odd = true,
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) if !self.closed => drop(self.count("(text)")),
                _ => return Err(anyhow!("goes on after its last element")),
            }
        }
    }

    /// Takes as many records as stand here in the form that phones write. The XML reader goes on behind them: between
    /// two elements it holds nothing back.
    fn scan(&mut self) -> anyhow::Result<()> {
        let Some(mut scanner) = self.scanner.take() else { return Ok(()) };
        let mut taken = 0;
        loop {
            let position = self.root + self.events.buffer_position();
            let document = &mut self.events.get_mut().inner;
            let block = match document.fill_buf() {
                Ok(block) => block,
                Err(error) => {
                    self.is_cut = is_damage(error.kind());
                    return Err(self.place(&damaged(&error)));
                }
            };
            let (mut used, mut told) = (0, Ok(()));
            while let Some((length, record)) = scanner.next(&block[used..]) {
                used += length;
                taken += 1;
                told = self.visitor.record(record);
                if told.is_err() {
                    break;
                }
            }
            let is_whole = used == block.len();
            document.consume(used);
            self.root += used as u64;
            told.and_then(|()| self.visitor.progress(position + used as u64))?;
            if used == 0 || !is_whole {
                break;
            }
        }
        if taken > 0 {
            self.records += taken;
            self.count_many("Record", taken);
        }
        self.scanner = Some(scanner);
        Ok(())
    }

    fn open(&mut self, at: u64, name: &str, attributes: &str) -> anyhow::Result<()> {
        match (self.depth, name) {
            (0, _) if self.closed => return Err(anyhow!("goes on after its last element")),
            (0, _) => self.export.locale = attribute(attributes, "locale"),
            (1, _) => {
                self.top.number = self.count(name);
                name.clone_into(&mut self.top.name);
                self.top.at = at;
                self.top.is_odd = false;
                self.top.is_record = name == "Record";
                if self.top.is_record {
                    self.records += 1;
                    self.draft.begin(attributes);
                }
            }
            _ if self.top.is_record && self.events.get_ref().too_long => self.draft.too_large(),
            (_, "MetadataEntry") if self.top.is_record => self.draft.metadata_entry(attributes),
            (_, "InstantaneousBeatsPerMinute") if self.top.is_record => self.draft.beat(attributes),
            (_, "HeartRateVariabilityMetadataList") => {}
            _ if self.top.is_record => {
                self.top.is_odd = true;
                self.count(&format!("Record/{name}"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Called when an element has ended, and `depth` is that of its parent.
    fn close(&mut self) -> anyhow::Result<()> {
        self.between = self.depth == 1;
        match self.depth {
            0 => self.closed = true,
            1 => {
                self.hand_over()?;
                self.visitor.progress(self.root + self.events.buffer_position())?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The element at the top has ended.
    fn hand_over(&mut self) -> anyhow::Result<()> {
        let (input, top) = (self.events.get_ref(), &self.top);
        let kept = match std::str::from_utf8(&input.kept) {
            Ok(text) => text,
            Err(error) if input.too_long => str::from_utf8(&input.kept[..error.valid_up_to()]).unwrap_or_default(),
            Err(_) => return Err(anyhow!("is not UTF-8")),
        };
        let element = Element { name: &top.name, number: top.number, at: top.at, text: kept };
        if top.is_record {
            if input.too_long {
                self.draft.too_large();
            }
            match self.draft.finish() {
                Ok(record) => self.visitor.record(&record)?,
                Err(fault) => return self.visitor.reject(element, fault),
            }
        }
        if input.too_long {
            return self.visitor.reject(element, Fault::too_large());
        }
        if top.is_odd || !top.is_record { self.visitor.element(element) } else { Ok(()) }
    }

    /// Whether an error means that the document goes no further, and not that it is something else: its bytes end inside
    /// of something, or what it lies in is damaged here. Our own limits are neither.
    fn ends_with(&mut self, error: &quick_xml::Error) -> bool {
        use quick_xml::errors::IllFormedError;
        match error {
            quick_xml::Error::Io(error) => is_damage(error.kind()),
            quick_xml::Error::Syntax(_)
            | quick_xml::Error::Encoding(_)
            | quick_xml::Error::IllFormed(IllFormedError::UnclosedReference)
                if !self.closed =>
            {
                let input = self.events.get_mut();
                input.left = LONGEST_EVENT;
                input.fill_buf().map_or_else(|error| is_damage(error.kind()), <[u8]>::is_empty)
            }
            _ => false,
        }
    }

    /// Counts an element, and says how many of its name there have been.
    fn count(&mut self, name: &str) -> u64 {
        self.count_many(name, 1)
    }

    fn count_many(&mut self, name: &str, number: u64) -> u64 {
        if let Some(count) = self.export.elements.get_mut(name) {
            *count += number;
            return *count;
        }
        let known = self.export.elements.len() < MOST_NAMES;
        let name = if known { name.chars().filter(|c| !c.is_control()).take(80).collect() } else { "(others)".into() };
        let count = self.export.elements.entry(name).or_default();
        *count += number;
        *count
    }

    /// Adds which record it was.
    fn place(&self, why: &anyhow::Error) -> anyhow::Error {
        match (self.records, self.top.is_record && self.depth > 1) {
            (0, _) => anyhow!("{why}, before its first record"),
            (number, true) => anyhow!("{why}, in record {number}"),
            (number, false) => anyhow!("{why}, after record {number}"),
        }
    }
}

fn name_of<'a>(tag: &'a quick_xml::events::BytesStart<'_>) -> &'a str {
    tag.name().into_inner()
}

/// An attribute of an element that is not worth failing for.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let found = super::attributes::split(attributes).filter_map(Result::ok).find(|(other, _)| *other == name)?;
    let value = super::attributes::unescape(found.1).ok()?;
    Some(value.chars().take(200).collect::<String>()).filter(|value| !value.is_empty())
}

/// What an error of the XML reader means for a person.
fn reason(error: &quick_xml::Error) -> anyhow::Error {
    use quick_xml::errors::IllFormedError;
    match error {
        quick_xml::Error::Io(error) => damaged(error),
        quick_xml::Error::Syntax(_) => anyhow!("ends inside a tag, or a tag is not closed"),
        quick_xml::Error::IllFormed(IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_)) => {
            anyhow!("closes an element that is not open")
        }
        quick_xml::Error::Encoding(_) => anyhow!("is not UTF-8"),
        _ => anyhow!("is not well-formed XML"),
    }
}

/// Reading failed: the archive is damaged, the medium is, or a limit was met.
fn damaged(error: &io::Error) -> anyhow::Error {
    anyhow!("cannot be read on: {error}")
}

/// Whether bytes are missing or wrong; what is too large is not damaged.
fn is_damage(kind: io::ErrorKind) -> bool {
    kind != io::ErrorKind::FileTooLarge
}

/// A reader that gives no more than `left` bytes until that is raised again, and keeps what was taken from it.
struct Capped<R> {
    inner: R,
    left: usize,
    kept: Vec<u8>,
    /// More was taken than is kept.
    too_long: bool,
}

impl<R: BufRead> Read for Capped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(into.len());
        into[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Capped<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.inner.fill_buf()?;
        if self.left == 0 && !available.is_empty() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a tag or a text is longer than 1 MiB"));
        }
        Ok(&available[..available.len().min(self.left)])
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        if let Ok(taken) = self.inner.fill_buf() {
            let room = LONGEST.saturating_sub(self.kept.len());
            self.too_long |= amount > room;
            self.kept.extend_from_slice(&taken[..amount.min(room)]);
        }
        self.inner.consume(amount);
    }
}
