//! A document on its way to its reader: one thread inflates it into blocks and seals them while they are at hand, and the
//! reader takes them without copying and gives them back. Memory stays the same for any size.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crc32fast::Hasher as Crc;
use twox_hash::XxHash3_128;

/// Larger than any record that phones write, by far.
const BLOCK: usize = 1 << 20;
/// Blocks that may wait for the reader.
const WAITING: usize = 2;

/// Bytes of a document in memory that is used again.
#[derive(Default)]
struct Block {
    memory: Vec<u8>,
    length: usize,
}

/// Where the blocks come in.
pub(super) struct Pump {
    reader: SyncSender<io::Result<Block>>,
    /// Memory that the reader has done with.
    used: Receiver<Vec<u8>>,
}

/// What the digest of a document says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seal {
    /// XXH3-128: it tells documents apart at the speed of memory, where SHA-256 would cost a third of the time of a reading.
    pub(super) digest: Vec<u8>,
    /// CRC-32, as archives hold it.
    pub(super) crc: u32,
    pub(super) bytes: u64,
}

/// Two ends: for the thread that inflates, and for the reader.
pub(super) fn blocks() -> (Pump, Blocks) {
    let ((reader, blocks), (done, used)) = (sync_channel(WAITING), channel());
    (Pump { reader, used }, Blocks { blocks, done, block: Block::default(), at: 0 })
}

impl Pump {
    /// Reads to the end, or until nobody listens any more.
    pub(super) fn run(self, bytes: &mut dyn Read) -> Seal {
        let mut sealing = Sealing::new();
        loop {
            let mut memory = self.used.try_recv().unwrap_or_else(|_| vec![0; BLOCK]);
            let (length, read) = fill(bytes, &mut memory);
            sealing.add(&memory[..length]);
            // What came before an error is still read, so that the place of the error is right.
            let is_over = length == 0 || self.reader.send(Ok(Block { memory, length })).is_err();
            if let Err(error) = read {
                let _ = self.reader.send(Err(error));
                return sealing.seal();
            }
            if is_over {
                return sealing.seal();
            }
        }
    }
}

/// Reads until `into` is full or nothing more comes; how much came, and what went wrong behind it.
fn fill(bytes: &mut dyn Read, into: &mut [u8]) -> (usize, io::Result<()>) {
    let mut length = 0;
    while length < into.len() {
        match bytes.read(&mut into[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (length, Err(error)),
        }
    }
    (length, Ok(()))
}

/// Bytes that are read where they arrive, because nobody knows when more come; they are sealed all the same.
pub(super) struct Tapped<'a> {
    bytes: &'a mut dyn Read,
    sealing: Sealing,
}

impl<'a> Tapped<'a> {
    pub(super) fn new(bytes: &'a mut dyn Read) -> Self {
        Self { bytes, sealing: Sealing::new() }
    }

    pub(super) fn seal(self) -> Seal {
        self.sealing.seal()
    }
}

impl Read for Tapped<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.sealing.add(&into[..count]);
        Ok(count)
    }
}

/// The reader's end.
pub(super) struct Blocks {
    blocks: Receiver<io::Result<Block>>,
    done: Sender<Vec<u8>>,
    block: Block,
    at: usize,
}

impl Read for Blocks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(into.len());
        into[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Blocks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.block.length {
            self.at = 0;
            let Block { memory, .. } = std::mem::take(&mut self.block);
            if !memory.is_empty() {
                let _ = self.done.send(memory); // nobody needs it behind the end
            }
            self.block = self.blocks.recv().unwrap_or_else(|_| Ok(Block::default()))?;
        }
        Ok(&self.block.memory[self.at..self.block.length])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.block.length);
    }
}

/// A seal in the making.
struct Sealing {
    digest: XxHash3_128,
    crc: Crc,
    bytes: u64,
}

impl Sealing {
    fn new() -> Self {
        Self { digest: XxHash3_128::new(), crc: Crc::new(), bytes: 0 }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.digest.write(bytes);
        self.crc.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn seal(self) -> Seal {
        let digest = self.digest.finish_128().to_be_bytes().to_vec();
        Seal { digest, crc: self.crc.finalize(), bytes: self.bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_is_sealed() {
        let document: Vec<u8> = (0..3_000_001u32).map(|n| (n % 251) as u8).collect();
        let (pump, mut reader) = blocks();
        let (mut read, mut seal) = (Vec::new(), None);
        std::thread::scope(|scope| {
            let sealed = scope.spawn(|| pump.run(&mut document.as_slice()));
            reader.read_to_end(&mut read).expect("a document");
            seal = sealed.join().ok();
        });
        assert!(read == document);
        let digest = XxHash3_128::oneshot(&document).to_be_bytes().to_vec();
        let whole = Seal { digest, crc: crc32fast::hash(&document), bytes: 3_000_001 };
        assert_eq!(seal, Some(whole.clone()));
        let (mut document, mut read) = (document.as_slice(), Vec::new());
        let mut tapped = Tapped::new(&mut document);
        tapped.read_to_end(&mut read).expect("a document");
        assert_eq!((read.len(), tapped.seal()), (3_000_001, whole));
    }

    #[test]
    fn an_error_comes_where_it_happened() {
        let (pump, mut reader) = blocks();
        let broken = io::Cursor::new(vec![7u8; 1 << 20]).chain(Broken);
        std::thread::scope(|scope| {
            scope.spawn(move || pump.run(&mut { broken }));
            let mut read = Vec::new();
            assert!(reader.read_to_end(&mut read).is_err());
            assert_eq!(read.len(), 1 << 20);
        });
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
}
