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
    mod shape;
    mod text;
    mod told;

    use scanner::Scanner;
    use told::told;

    pub fn check(input: &[u8]) {
        // The first byte is the size of a block, so that records end up on both sides of a border.
        let Some((block, document)) = input.split_first() else { return };
        let block = 16 + usize::from(*block) * 8;
        assert_eq!(told(document, block, Some(Scanner::default())), told(document, block, None));
    }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| apple_health::check(input));
