//! Over any bytes the scanner of Apple Health exports finds what the XML reader alone finds, or refuses what that refuses,
//! at the same byte for the same reason. The reader's own files are compiled in, because the program shows nobody its insides.

#![no_main]
#![allow(dead_code, reason = "only the reader is driven here")]

/// What the reader knows of the program's vocabulary.
mod source {
    #[derive(Clone, PartialEq, Eq, Debug)]
    pub enum Recognised {
        Yes,
        No(String),
        More,
    }

    #[derive(Debug)]
    pub struct Unreadable {
        pub at: u64,
        pub why: anyhow::Error,
        pub is_cut: bool,
    }
}

#[path = "../../../src/sources/apple_health"]
mod apple_health {
    mod attributes;
    mod elements;
    mod instant;
    mod prologue;
    mod reader;
    mod record;
    mod scanner;

    use std::io::{BufReader, Cursor};

    use reader::{Element, Export, Visitor, walk};
    use record::{Fault, Record};
    use scanner::Scanner;

    #[derive(Default, PartialEq, Debug)]
    struct Told {
        records: Vec<(Record, u128)>,
        elements: Vec<(String, u64, u64, String)>,
        rejects: Vec<(String, u64, u64, Fault, String)>,
        end: Option<Result<Export, (u64, String, bool)>>,
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

    fn told(document: &[u8], block: usize, scanner: Option<Scanner>) -> Told {
        let mut told = Told::default();
        let mut reader = BufReader::with_capacity(block, Cursor::new(document));
        let end = walk(&mut reader, &mut told, false, scanner);
        told.end = Some(end.map_err(|found| (found.at, found.why.to_string(), found.is_cut)));
        told
    }

    pub fn check(input: &[u8]) {
        // The first byte is the size of a block, so that records end up on both sides of a border.
        let Some((block, document)) = input.split_first() else { return };
        let block = 16 + usize::from(*block) * 8;
        assert_eq!(told(document, block, Some(Scanner::default())), told(document, block, None));
    }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| apple_health::check(input));
