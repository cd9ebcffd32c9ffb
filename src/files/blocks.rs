//! A document on its way to its reader: one thread inflates it into blocks, one digests them, and the reader takes them
//! without copying. Nobody waits for the slowest but at the end, and memory stays the same for any size.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use flate2::Crc;
use twox_hash::XxHash3_128;

/// Larger than any record that phones write, by far.
const BLOCK: u64 = 1 << 20;
/// Blocks that may wait for the reader, and for the digest.
const WAITING: usize = 2;

type Block = Arc<Vec<u8>>;

/// Where the blocks come in.
pub(super) struct Pump {
    reader: SyncSender<io::Result<Block>>,
    digest: SyncSender<Block>,
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

/// Three ends: for the thread that inflates, for the reader, and for the thread that digests.
pub(super) fn blocks() -> (Pump, Blocks, Sealing) {
    let ((reader, blocks), (digest, sealing)) = (sync_channel(WAITING), sync_channel(WAITING));
    (Pump { reader, digest }, Blocks { blocks, block: Block::default(), at: 0 }, Sealing(sealing))
}

impl Pump {
    /// Reads to the end, or until nobody listens any more.
    pub(super) fn run(self, bytes: &mut dyn Read) {
        loop {
            let mut block = Vec::with_capacity(usize::try_from(BLOCK).unwrap_or_default());
            let read = bytes.take(BLOCK).read_to_end(&mut block);
            let block = Arc::new(block);
            // What came before an error is still read, so that the place of the error is right.
            let is_over = block.is_empty()
                || self.digest.send(Arc::clone(&block)).is_err()
                || self.reader.send(Ok(block)).is_err();
            if let Err(error) = read {
                return drop(self.reader.send(Err(error)));
            }
            if is_over {
                return;
            }
        }
    }
}

/// Bytes that are read where they arrive, because nobody knows when more come; they are digested all the same.
pub(super) struct Tapped<'a> {
    bytes: &'a mut dyn Read,
    digest: SyncSender<Block>,
}

impl Pump {
    /// In place of [`Pump::run`].
    pub(super) fn tap(self, bytes: &mut dyn Read) -> Tapped<'_> {
        Tapped { bytes, digest: self.digest }
    }
}

impl Read for Tapped<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.digest.send(Arc::new(into[..count].to_vec())).map_err(|_| io::Error::other("nobody digests"))?;
        Ok(count)
    }
}

/// The reader's end.
pub(super) struct Blocks {
    blocks: Receiver<io::Result<Block>>,
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
        if self.at == self.block.len() {
            self.at = 0;
            self.block = self.blocks.recv().unwrap_or_else(|_| Ok(Block::default()))?;
        }
        Ok(&self.block[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.block.len());
    }
}

/// The end of the thread that digests.
pub(super) struct Sealing(Receiver<Block>);

impl Sealing {
    /// Digests until the last block.
    pub(super) fn run(self) -> Seal {
        let (mut digest, mut crc) = (XxHash3_128::new(), Crc::new());
        let mut bytes = 0;
        for block in self.0 {
            digest.write(&block);
            crc.update(&block);
            bytes += block.len() as u64;
        }
        Seal { digest: digest.finish_128().to_be_bytes().to_vec(), crc: crc.sum(), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_is_sealed() {
        let document: Vec<u8> = (0..3_000_001u32).map(|n| (n % 251) as u8).collect();
        let (pump, mut reader, sealing) = blocks();
        let (mut read, mut seal) = (Vec::new(), None);
        std::thread::scope(|scope| {
            scope.spawn(|| pump.run(&mut document.as_slice()));
            let sealed = scope.spawn(|| sealing.run());
            reader.read_to_end(&mut read).expect("a document");
            seal = sealed.join().ok();
        });
        assert!(read == document);
        let digest = XxHash3_128::oneshot(&document).to_be_bytes().to_vec();
        let mut crc = Crc::new();
        crc.update(&document);
        assert_eq!(seal, Some(Seal { digest, crc: crc.sum(), bytes: 3_000_001 }));
    }

    #[test]
    fn an_error_comes_where_it_happened() {
        let (pump, mut reader, sealing) = blocks();
        let broken = io::Cursor::new(vec![7u8; 1 << 20]).chain(Broken);
        std::thread::scope(|scope| {
            scope.spawn(move || pump.run(&mut { broken }));
            scope.spawn(|| sealing.run());
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
