//! All that reading a document gives, to compare two ways of reading it: for the tests of the scanner and for its fuzz
//! target, which compiles this file in.

use std::io::{BufReader, Cursor};

use super::reader::{Element, Export, Visitor, walk};
use super::record::{Fault, Record};
use super::scanner::Scanner;
use crate::source::Unreadable;

/// All that a reader told, in its order.
#[derive(Default, PartialEq, Debug)]
pub(super) struct Told {
    pub(super) records: Vec<(Record, u128)>,
    pub(super) elements: Vec<(String, u64, u64, String)>,
    pub(super) rejects: Vec<(String, u64, u64, Fault, String)>,
    pub(super) end: Option<Result<Export, (u64, String, bool)>>,
}

impl Visitor for Told {
    fn record(&mut self, record: &Record) -> anyhow::Result<()> {
        self.records.push((record.clone(), record.identity(&mut Vec::new())));
        Ok(())
    }
    fn element(&mut self, element: Element) -> anyhow::Result<()> {
        self.elements.push((element.name.to_owned(), element.number, element.at, element.text.to_owned()));
        Ok(())
    }
    fn reject(&mut self, element: Element, fault: Fault) -> anyhow::Result<()> {
        self.rejects.push((element.name.to_owned(), element.number, element.at, fault, element.text.to_owned()));
        Ok(())
    }
    fn progress(&mut self, _: u64) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Reads a document in blocks of so many bytes, with the scanner in front of the XML reader or without.
pub(super) fn told(document: &[u8], block: usize, scanner: Option<Scanner>) -> Told {
    let mut told = Told::default();
    let mut reader = BufReader::with_capacity(block, Cursor::new(document));
    let end = walk(&mut reader, &mut told, false, scanner);
    told.end = Some(end.map_err(|Unreadable { at, why, is_cut }| (at, why.to_string(), is_cut)));
    told
}
