//! An archive that has lost its end: a download that was interrupted. Its directory stood there, so what it holds is told
//! by the headers in front of the entries, one after the other from the first byte, and never by searching for them.
//! Knows neither documents nor sources.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Take};
use std::path::Path;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::archive::{MOST_NAMES, too_much};

const MARK: &[u8] = b"PK\x03\x04";
const DESCRIPTOR_MARK: &[u8] = b"PK\x07\x08";
/// Of a header, without its name and its extra fields.
const HEADER: usize = 30;
/// Nobody's path is longer; a hundred thousand of them stay in memory.
const LONGEST_NAME: usize = 4 << 10;
const BLOCK: usize = 256 << 10;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Extra field with lengths over 4 GiB.
const ZIP64: u16 = 1;

/// What there is of an archive.
#[derive(Debug)]
pub(super) struct Torn {
    pub(super) entries: Vec<Local>,
    /// First byte behind the last entry that is whole.
    pub(super) at: u64,
}

/// An entry, as its own header describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Local {
    pub(super) name: String,
    /// Its data are all there.
    pub(super) is_whole: bool,
    /// Length in bytes and CRC-32 of its content, where it is whole.
    pub(super) size: u64,
    pub(super) crc: u32,
    /// First byte of its data, and how many of them there are.
    from: u64,
    packed: u64,
    method: u16,
    is_locked: bool,
    /// Lengths and checksum stand behind the data.
    has_descriptor: bool,
}

/// Whether a file begins like an archive with something in it.
pub(super) fn begins(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(MARK.len() as u64).read_to_end(&mut head)?;
    Ok(head == MARK)
}

impl Torn {
    /// Lists the entries in their order, as far as they follow each other. One whose length stands behind its data is
    /// inflated to find its end.
    pub(super) fn walk(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let length = file.get_ref().metadata()?.len();
        let mut torn = Self { entries: Vec::new(), at: 0 };
        while let Some(mut local) = Local::at(&mut file, torn.at)? {
            let there = length.saturating_sub(local.from);
            let end = if local.has_descriptor {
                local.find_end(path, there)?
            } else {
                (local.packed <= there).then(|| local.from + local.packed)
            };
            local.is_whole = end.is_some();
            if end.is_none() {
                local.packed = there;
            }
            torn.entries.push(local);
            match end {
                Some(end) => torn.at = end,
                None => break,
            }
            if torn.entries.len() > MOST_NAMES {
                return Err(io::Error::other("it holds too many files"));
            }
        }
        Ok(torn)
    }
}

impl Local {
    /// The entry whose header begins there; none where there is no whole header.
    fn at(file: &mut BufReader<File>, at: u64) -> io::Result<Option<Self>> {
        file.seek(SeekFrom::Start(at))?;
        let Some(head) = exactly(file, HEADER)?.filter(|head| head.starts_with(MARK)) else { return Ok(None) };
        let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (flags, name_length, extra_length) = (short(6), usize::from(short(26)), usize::from(short(28)));
        if name_length > LONGEST_NAME {
            return Err(io::Error::other("a name in it is too long"));
        }
        let Some(name) = exactly(file, name_length)? else { return Ok(None) };
        let Some(extra) = exactly(file, extra_length)? else { return Ok(None) };
        let (mut packed, mut size) = (u64::from(long(18)), u64::from(long(22)));
        let mut large = zip64(&extra).into_iter();
        for length in [&mut size, &mut packed] {
            if *length == u64::from(u32::MAX) {
                *length = large.next().unwrap_or(*length);
            }
        }
        Ok(Some(Self {
            name: String::from_utf8_lossy(&name).replace('\\', "/"),
            is_whole: false,
            size,
            crc: long(14),
            from: at + (HEADER + name_length + extra_length) as u64,
            packed,
            method: short(8),
            is_locked: flags & 1 != 0,
            has_descriptor: flags & 8 != 0,
        }))
    }

    /// Reads the data for their end, and what stands behind them; says where the entry ends, if it does.
    fn find_end(&mut self, path: &Path, there: u64) -> io::Result<Option<u64>> {
        if self.method == DEFLATED {
            self.packed = there;
        }
        let (mut content, mut block) = (self.open(path)?, vec![0; BLOCK]);
        loop {
            match content.read(&mut block) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::FileTooLarge => return Err(error),
                Err(_) => return Ok(None),
            }
        }
        (self.packed, self.size, self.crc) = (content.used(), content.given, content.crc.sum());
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.from + self.packed))?;
        let mut behind = Vec::new();
        file.take(24).read_to_end(&mut behind)?;
        Ok(self.descriptor(&behind).map(|length| self.from + self.packed + length))
    }

    /// The length of what stands behind the data, if it describes them: with a mark or without, lengths in four bytes or
    /// in eight.
    fn descriptor(&self, behind: &[u8]) -> Option<u64> {
        let (crc, packed, size) = (self.crc.to_le_bytes(), self.packed.to_le_bytes(), self.size.to_le_bytes());
        let in_four = [crc.as_slice(), &packed[..4], &size[..4]].concat();
        let in_eight = [crc.as_slice(), &packed, &size].concat();
        let forms = [&in_eight, &in_four].into_iter().flat_map(|one| [[DESCRIPTOR_MARK, one].concat(), one.clone()]);
        forms.into_iter().find(|form| behind.starts_with(form)).map(|form| form.len() as u64)
    }

    /// Its content as far as it goes. One that is whole is held against its checksum.
    pub(super) fn open(&self, path: &Path) -> io::Result<Content> {
        if self.is_locked {
            return Err(io::Error::other("it is encrypted"));
        }
        if let Some(why) = too_much(self.size, self.packed).filter(|_| self.is_whole) {
            return Err(why);
        }
        let mut file = BufReader::with_capacity(BLOCK, File::open(path)?);
        file.seek(SeekFrom::Start(self.from))?;
        let data = file.take(self.packed);
        let data = match self.method {
            STORED => Data::Stored(data),
            DEFLATED => Data::Deflated(DeflateDecoder::new(data)),
            other => return Err(io::Error::other(format!("it is packed by method {other}, which is not known"))),
        };
        let expected = self.is_whole.then_some((self.size, self.crc));
        Ok(Content { data, packed: self.packed, expected, given: 0, crc: Crc::new() })
    }
}

/// So many bytes; none where there are fewer.
fn exactly(file: &mut impl Read, count: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(count);
    file.take(count as u64).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() == count))
}

/// The lengths in extra fields, in their order.
fn zip64(mut extra: &[u8]) -> Vec<u64> {
    while let [a, b, c, d, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*c, *d])).min(rest.len());
        if u16::from_le_bytes([*a, *b]) == ZIP64 {
            let (numbers, _) = rest[..length].as_chunks::<8>();
            return numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
        }
        extra = &rest[length..];
    }
    Vec::new()
}

enum Data {
    Stored(Take<BufReader<File>>),
    Deflated(DeflateDecoder<Take<BufReader<File>>>),
}

/// What is in an entry, as long as it stays within reason.
pub(super) struct Content {
    data: Data,
    packed: u64,
    /// Length and CRC-32.
    expected: Option<(u64, u32)>,
    given: u64,
    crc: Crc,
}

impl Content {
    /// How many bytes of the data have been read.
    fn used(&self) -> u64 {
        match &self.data {
            Data::Stored(data) => self.packed - data.limit(),
            Data::Deflated(data) => data.total_in(),
        }
    }
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.data {
            Data::Stored(data) => data.read(into)?,
            Data::Deflated(data) => data.read(into)?,
        };
        self.given += count as u64;
        self.crc.update(&into[..count]);
        if let Some(why) = too_much(self.given, self.used()) {
            return Err(why);
        }
        match self.expected {
            Some(expected) if count == 0 && !into.is_empty() && expected != (self.given, self.crc.sum()) => {
                Err(io::Error::new(ErrorKind::InvalidData, "Invalid checksum"))
            }
            _ => Ok(count),
        }
    }
}
