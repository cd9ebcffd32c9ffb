//! Bytes of a document as they are read from left to right, in the form that phones write: double quotes, names of
//! letters. Whatever has another form is not found. Knows no elements.

use std::ops::Range;

/// What is being read, and how far.
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Steps over blanks; how many there were.
    pub(super) fn blanks(&mut self) -> usize {
        let from = self.at;
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.at - from
    }

    /// Steps over `expected` where it stands here.
    pub(super) fn take(&mut self, expected: &[u8]) -> Option<()> {
        if !self.rest().starts_with(expected) {
            return None;
        }
        self.at += expected.len();
        Some(())
    }

    /// What stands before the next quote, and steps over that.
    pub(super) fn until_quote(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest();
        let length = memchr::memchr(b'"', rest)?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// `name="value"`: the name, and where the value stands.
    pub(super) fn attribute(&mut self) -> Option<(&'a [u8], Range<usize>)> {
        let rest = self.rest();
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if !rest[name..].starts_with(b"=\"") {
            return None;
        }
        let from = self.at + name + 2;
        let value = from..from + memchr::memchr(b'"', &self.bytes[from..])?;
        self.at = value.end + 1;
        Some((&rest[..name], value))
    }

    /// The values of exactly these two attributes in either order, up to the end of an empty tag.
    pub(super) fn pair(&mut self, first: &[u8], second: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        let mut found = [None; 2];
        for _ in 0..2 {
            if self.blanks() == 0 {
                return None;
            }
            let (name, value) = self.attribute()?;
            let place = usize::from(name != first);
            if (place == 1 && name != second) || found[place].replace(&self.bytes[value]).is_some() {
                return None;
            }
        }
        self.blanks();
        self.take(b"/>")?;
        Some((found[0]?, found[1]?))
    }
}
