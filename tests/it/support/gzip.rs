//! A gzip bomb without a compressor: one fixed-Huffman block that repeats a zero byte.

/// Gzip data that inflates to about `decoded` bytes of `0x20`, 159 times its own size.
pub fn bomb(decoded: usize) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut bits = Bits { out: Vec::new(), byte: 0, used: 0 };
    bits.push(0b1, 1); // last block
    bits.push(0b01, 2); // fixed codes
    bits.huffman(0x30 + 0x20, 8); // literal space
    for _ in 0..decoded / 258 {
        bits.huffman(0b1100_0101, 8); // length 258
        bits.huffman(0, 5); // distance 1
    }
    bits.huffman(0, 7); // end of block
    out.extend(bits.finish());
    out.extend([0; 8]); // a wrong checksum: nobody should come this far
    out
}

struct Bits {
    out: Vec<u8>,
    byte: u8,
    used: u8,
}

impl Bits {
    fn push(&mut self, value: u32, count: u8) {
        for i in 0..count {
            self.byte |= u8::from(value >> i & 1 == 1) << self.used;
            self.used += 1;
            if self.used == 8 {
                self.out.push(self.byte);
                (self.byte, self.used) = (0, 0);
            }
        }
    }

    /// Huffman codes go most significant bit first.
    fn huffman(&mut self, code: u32, count: u8) {
        for i in (0..count).rev() {
            self.push(code >> i & 1, 1);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.used > 0 {
            self.out.push(self.byte);
        }
        self.out
    }
}
