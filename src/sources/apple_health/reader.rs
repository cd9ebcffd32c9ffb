//! Reads an export from its first byte to its last: one root, closed, everything balanced; every `Record` at the top,
//! one by one, in memory that does not grow with the document. Records inside other elements repeat ones at the top
//! (`Correlation`) and are left alone. Puts what it finds into a [`Visitor`]; knows no database.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use anyhow::anyhow;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::prologue::{self, NoRoot, Prologue, ROOT};
use super::record::{Draft, Fault, Record};
use crate::source::Unreadable;

/// No single tag, comment or run of text may be longer (docs/adr/24).
const LONGEST_EVENT: usize = 1 << 20;
/// No element may stand deeper (docs/adr/24).
const DEEPEST: usize = 128;
/// How many different element names are counted; a document with more has made them up.
const MOST_NAMES: usize = 200;

/// Takes what a reader finds.
pub(super) trait Visitor {
    fn record(&mut self, record: &Record) -> anyhow::Result<()>;
    /// A record that could not be used: its number from 1, the byte it begins at, and its text.
    fn reject(&mut self, number: u64, at: u64, fault: Fault, text: &str) -> anyhow::Result<()>;
    /// How far the document has been read.
    fn progress(&mut self, at: u64) -> anyhow::Result<()>;
}

/// What an export says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Export {
    pub(super) date: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) version: Option<String>,
    /// Elements at the top, by name.
    pub(super) elements: BTreeMap<String, u64>,
}

pub(super) fn read(document: &mut dyn BufRead, visitor: &mut dyn Visitor) -> Result<Export, Unreadable> {
    let (head, prologue) = begin(document)?;
    let rest = io::Cursor::new(head[prologue.root..].to_vec()).chain(document);
    let mut walk = Walk {
        events: Reader::from_reader(Capped { inner: rest, left: LONGEST_EVENT }),
        root: prologue.root as u64,
        depth: 0,
        in_record: false,
        closed: false,
        draft: Draft::default(),
        records: 0,
        export: Export { version: prologue.version, ..Export::default() },
        visitor,
    };
    match walk.run() {
        Ok(()) => Ok(walk.export),
        Err(why) => Err(Unreadable { at: walk.root + walk.events.buffer_position(), why }),
    }
}

/// Reads as much as it takes to find the root.
fn begin(document: &mut dyn BufRead) -> Result<(Vec<u8>, Prologue), Unreadable> {
    let mut head = Vec::new();
    loop {
        let size = (head.len() as u64).max(4096);
        let read = (&mut *document).take(size).read_to_end(&mut head);
        let read = read.map_err(|error| Unreadable { at: head.len() as u64, why: damaged(&error) })?;
        let no = |why: String| Unreadable { at: 0, why: anyhow!(why) };
        match prologue::find(&head) {
            Ok(found) if found.name == ROOT => return Ok((head, found)),
            Ok(found) => return Err(no(prologue::another_root(&found.name))),
            Err(NoRoot::Not(why)) => return Err(no(why)),
            Err(NoRoot::More) if head.is_empty() => return Err(no("is empty".into())),
            Err(NoRoot::More) if read == 0 => {
                return Err(Unreadable { at: head.len() as u64, why: anyhow!("ends before its first element") });
            }
            Err(NoRoot::More) if head.len() >= prologue::LONGEST => {
                return Err(no("has no root element in its first MiB".into()));
            }
            Err(NoRoot::More) => {}
        }
    }
}

/// One pass over the elements.
struct Walk<'a, R> {
    events: Reader<Capped<R>>,
    /// Where the root begins in the document.
    root: u64,
    depth: usize,
    in_record: bool,
    closed: bool,
    draft: Draft,
    records: u64,
    export: Export,
    visitor: &'a mut dyn Visitor,
}

impl<R: BufRead> Walk<'_, R> {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            self.events.get_mut().left = LONGEST_EVENT;
            let at = self.root + self.events.buffer_position();
            let event = match self.events.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.place(&reason(&error))),
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
                Event::Eof => return Err(self.place(&anyhow!("ends too early"))),
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) if !self.closed => self.count("(text)"),
                _ => return Err(anyhow!("goes on after its last element")),
            }
        }
    }

    fn open(&mut self, at: u64, name: &str, attributes: &str) -> anyhow::Result<()> {
        match (self.depth, name) {
            (0, _) if self.closed => return Err(anyhow!("goes on after its last element")),
            (0, _) => self.export.locale = attribute(attributes, "locale"),
            (1, _) => {
                self.count(name);
                if name == "Record" {
                    self.in_record = true;
                    self.records += 1;
                    self.draft.begin(at, attributes);
                    self.draft.written(["<", name, attributes]);
                } else if name == "ExportDate" && self.export.date.is_none() {
                    self.export.date = attribute(attributes, "value");
                }
            }
            _ if self.in_record => {
                self.draft.written([">\n<", name, attributes]);
                match name {
                    "MetadataEntry" => self.draft.metadata_entry(attributes),
                    "InstantaneousBeatsPerMinute" => self.draft.beat(attributes),
                    "HeartRateVariabilityMetadataList" => {}
                    _ => self.count(&format!("Record/{name}")),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Called when an element has ended, and `depth` is that of its parent.
    fn close(&mut self) -> anyhow::Result<()> {
        match self.depth {
            0 => self.closed = true,
            1 if self.in_record => {
                self.in_record = false;
                match self.draft.finish() {
                    Ok(record) => self.visitor.record(&record)?,
                    Err(fault) => {
                        self.draft.written([">", "", ""]);
                        self.visitor.reject(self.records, self.draft.at, fault, &self.draft.text)?;
                    }
                }
                self.visitor.progress(self.root + self.events.buffer_position())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, name: &str) {
        if let Some(count) = self.export.elements.get_mut(name) {
            *count += 1;
        } else {
            let known = self.export.elements.len() < MOST_NAMES;
            let name =
                if known { name.chars().filter(|c| !c.is_control()).take(80).collect() } else { "(others)".into() };
            *self.export.elements.entry(name).or_default() += 1;
        }
    }

    /// Adds which record it was.
    fn place(&self, why: &anyhow::Error) -> anyhow::Error {
        match (self.records, self.in_record) {
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

/// A reader that gives no more than `left` bytes until that is raised again.
struct Capped<R> {
    inner: R,
    left: usize,
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
            return Err(io::Error::other("a tag or a text is longer than 1 MiB"));
        }
        Ok(&available[..available.len().min(self.left)])
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}
