//! Inflating a zlib stream whose input and output are pulled and pushed byte by byte.
//!
//! Small rather than fast: it outruns every serial line. Source: RFC 1950, RFC 1951. The Adler-32 at the end is not checked,
//! because the host compares MD5 digests of flash, which prove more. Damaged input ends in [`Damaged`], never in a panic.

/// Longest code of deflate.
const LONGEST: usize = 15;
/// Literals, end of block, lengths.
const LITERALS: usize = 288;
/// Distance codes.
const DISTANCES: usize = 30;
/// Code lengths of code lengths.
const CODE_LENGTHS: usize = 19;
/// Codes up to this length are looked up at once.
const FAST: u32 = 9;
/// Code lengths that are read between two looks at what else there is to do.
const MEANWHILE: usize = 64;
/// Bytes that a distance may reach back.
pub const WINDOW: usize = 0x8000;

/// First length of each length code, and how many bits follow it.
const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const LENGTH_BITS: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// Order in which the lengths of the code length code come.
const ORDER: [u8; CODE_LENGTHS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Where the bytes come from and go to.
pub trait Pipe {
    /// Why it may stop.
    type Error;
    /// The next byte of the deflated stream; waits for it.
    ///
    /// # Errors
    /// If no more will come.
    fn next(&mut self) -> Result<u8, Self::Error>;
    /// Takes an inflated byte.
    ///
    /// # Errors
    /// If there is no room for it.
    fn push(&mut self, byte: u8) -> Result<(), Self::Error>;
    /// Called every hundred microseconds or so of work that neither takes nor gives bytes.
    fn meanwhile(&mut self) {}
    /// A byte that was pushed `distance` (1 to [`WINDOW`]) bytes ago; `None` if none was.
    fn back(&self, distance: usize) -> Option<u8>;
    /// The stream makes no sense.
    fn damaged(&self) -> Self::Error;
}

/// A Huffman code.
struct Code {
    /// How many codes there are of each length.
    count: [u16; LONGEST + 1],
    /// Symbols in the order of their codes.
    symbols: [u16; LITERALS],
    /// By the next bits: symbol and length (0: the code is longer).
    fast: [u16; 1 << FAST],
}

impl Code {
    const fn new() -> Self {
        Self { count: [0; LONGEST + 1], symbols: [0; LITERALS], fast: [0; 1 << FAST] }
    }

    /// Builds the code from the lengths. False if there are more codes than fit.
    fn build(&mut self, lengths: &[u8]) -> bool {
        self.count = [0; LONGEST + 1];
        for &length in lengths {
            self.count[usize::from(length & 15)] += 1;
        }
        let mut left: i32 = 1;
        let mut offset = [0_u16; LONGEST + 2];
        let mut next = [0_u16; LONGEST + 2];
        for length in 1..=LONGEST {
            left = left * 2 - i32::from(self.count[length]);
            if left < 0 {
                return false;
            }
            offset[length + 1] = offset[length] + self.count[length];
            next[length + 1] = (next[length] + self.count[length]) << 1;
        }
        self.fast = [0; 1 << FAST];
        for (symbol, &length) in (0_u16..).zip(lengths) {
            let bits = u32::from(length & 15);
            if bits == 0 {
                continue;
            }
            let slot = &mut offset[bits as usize];
            if let Some(place) = self.symbols.get_mut(usize::from(*slot)) {
                *place = symbol;
            }
            *slot += 1;
            let code = next[bits as usize];
            next[bits as usize] += 1;
            if bits <= FAST {
                // Codes are sent from their highest bit on.
                let mut at = usize::from(code.reverse_bits() >> (16 - bits));
                while let Some(entry) = self.fast.get_mut(at) {
                    *entry = symbol << 4 | bits as u16;
                    at += 1 << bits;
                }
            }
        }
        true
    }
}

/// The tables, kept by the caller: they are too large for a small stack.
pub struct Inflate {
    literals: Code,
    distances: Code,
    bits: u32,
    count: u32,
}

impl Default for Inflate {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflate {
    /// Ready for a stream.
    pub const fn new() -> Self {
        Self { literals: Code::new(), distances: Code::new(), bits: 0, count: 0 }
    }

    /// Inflates a whole zlib stream.
    ///
    /// # Errors
    /// What the pipe says.
    pub fn run<P: Pipe>(&mut self, pipe: &mut P) -> Result<(), P::Error> {
        (self.bits, self.count) = (0, 0);
        let header = self.take(pipe, 16)?;
        if header & 0x0F != 8 || header & 0x2000 != 0 {
            return Err(pipe.damaged());
        }
        loop {
            let last = self.take(pipe, 1)? == 1;
            match self.take(pipe, 2)? {
                0 => self.stored(pipe)?,
                1 => {
                    self.fixed();
                    self.block(pipe)?;
                }
                2 => {
                    self.dynamic(pipe)?;
                    self.block(pipe)?;
                }
                _ => return Err(pipe.damaged()),
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Makes sure that `wanted` (at most 25) bits are there. The checksum behind the stream feeds the last look-ahead.
    #[inline(always)]
    fn need<P: Pipe>(&mut self, pipe: &mut P, wanted: u32) -> Result<(), P::Error> {
        while self.count < wanted {
            self.bits |= u32::from(pipe.next()?) << self.count;
            self.count += 8;
        }
        Ok(())
    }

    fn drop_bits(&mut self, count: u32) {
        self.bits >>= count;
        self.count -= count;
    }

    fn take<P: Pipe>(&mut self, pipe: &mut P, count: u32) -> Result<u32, P::Error> {
        self.need(pipe, count)?;
        let value = self.bits & ((1 << count) - 1);
        self.drop_bits(count);
        Ok(value)
    }

    fn symbol<P: Pipe>(&mut self, pipe: &mut P, distance: bool) -> Result<usize, P::Error> {
        self.need(pipe, LONGEST as u32)?;
        let code = if distance { &self.distances } else { &self.literals };
        let entry = code.fast[(self.bits & ((1 << FAST) - 1)) as usize];
        if entry != 0 {
            self.drop_bits(u32::from(entry & 15));
            return Ok(usize::from(entry >> 4));
        }
        // Bit by bit: among the codes of each length, `value` counts from the first.
        let (mut value, mut index) = (0_i32, 0_i32);
        for (length, &count) in (1..).zip(&code.count[1..]) {
            value += (self.bits >> (length - 1) & 1) as i32;
            let count = i32::from(count);
            if value < count {
                let symbol = code.symbols.get((index + value) as usize).copied();
                self.drop_bits(length);
                return symbol.map(usize::from).ok_or_else(|| pipe.damaged());
            }
            index += count;
            value = (value - count) << 1;
        }
        Err(pipe.damaged())
    }

    fn stored<P: Pipe>(&mut self, pipe: &mut P) -> Result<(), P::Error> {
        self.drop_bits(self.count % 8);
        let length = self.take(pipe, 16)?;
        if self.take(pipe, 16)? != !length & 0xFFFF {
            return Err(pipe.damaged());
        }
        for _ in 0..length {
            let byte = self.take(pipe, 8)? as u8;
            pipe.push(byte)?;
        }
        Ok(())
    }

    fn fixed(&mut self) {
        let mut lengths = [8_u8; LITERALS];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        self.literals.build(&lengths);
        self.distances.build(&[5; DISTANCES]);
    }

    fn dynamic<P: Pipe>(&mut self, pipe: &mut P) -> Result<(), P::Error> {
        let literals = self.take(pipe, 5)? as usize + 257;
        let distances = self.take(pipe, 5)? as usize + 1;
        let codes = self.take(pipe, 4)? as usize + 4;
        let mut lengths = [0_u8; LITERALS + 32];
        for &place in &ORDER[..codes] {
            lengths[usize::from(place)] = self.take(pipe, 3)? as u8;
        }
        pipe.meanwhile();
        if literals > LITERALS - 2 || !self.literals.build(&lengths[..CODE_LENGTHS]) {
            return Err(pipe.damaged());
        }
        pipe.meanwhile();
        let mut at = 0;
        let mut previous = 0;
        while at < literals + distances {
            let symbol = self.symbol(pipe, false)?;
            let (value, times) = match symbol {
                0..=15 => (symbol as u8, 1),
                16 if at == 0 => return Err(pipe.damaged()),
                16 => (previous, self.take(pipe, 2)? + 3),
                17 => (0, self.take(pipe, 3)? + 3),
                _ => (0, self.take(pipe, 7)? + 11),
            };
            previous = value;
            let end = at + times as usize;
            if end > literals + distances {
                return Err(pipe.damaged());
            }
            lengths[at..end].fill(value);
            if at / MEANWHILE != end / MEANWHILE {
                pipe.meanwhile();
            }
            at = end;
        }
        pipe.meanwhile();
        let literals_fit = self.literals.build(&lengths[..literals]);
        pipe.meanwhile();
        let distances_fit = self.distances.build(&lengths[literals..literals + distances]);
        pipe.meanwhile();
        if literals_fit && distances_fit { Ok(()) } else { Err(pipe.damaged()) }
    }

    fn block<P: Pipe>(&mut self, pipe: &mut P) -> Result<(), P::Error> {
        loop {
            let symbol = self.symbol(pipe, false)?;
            if symbol < 256 {
                pipe.push(symbol as u8)?;
                continue;
            }
            if symbol == 256 {
                return Ok(());
            }
            let (Some(&base), Some(&bits)) = (LENGTH_BASE.get(symbol - 257), LENGTH_BITS.get(symbol - 257))
            else {
                return Err(pipe.damaged());
            };
            let length = u32::from(base) + self.take(pipe, u32::from(bits))?;
            let symbol = self.symbol(pipe, true)? as u32;
            // 1, 2, 3, 4, then two codes for each number of further bits.
            let distance = if symbol < 4 {
                symbol + 1
            } else if symbol < DISTANCES as u32 {
                let bits = symbol / 2 - 1;
                ((2 | symbol & 1) << bits) + self.take(pipe, bits)? + 1
            } else {
                return Err(pipe.damaged());
            };
            for _ in 0..length {
                let byte = pipe.back(distance as usize).ok_or_else(|| pipe.damaged())?;
                pipe.push(byte)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;
    use std::io::Write;
    use std::vec::Vec;

    struct Memory<'i> {
        input: &'i [u8],
        output: Vec<u8>,
    }

    impl Pipe for Memory<'_> {
        type Error = ();

        fn next(&mut self) -> Result<u8, ()> {
            let (&first, rest) = self.input.split_first().ok_or(())?;
            self.input = rest;
            Ok(first)
        }

        fn push(&mut self, byte: u8) -> Result<(), ()> {
            self.output.push(byte);
            if self.output.len() < 1 << 22 { Ok(()) } else { Err(()) }
        }

        fn back(&self, distance: usize) -> Option<u8> {
            self.output.len().checked_sub(distance).and_then(|at| self.output.get(at)).copied()
        }

        fn damaged(&self) {}
    }

    fn inflate(input: &[u8]) -> Result<Vec<u8>, ()> {
        let mut pipe = Memory { input, output: Vec::new() };
        Inflate::new().run(&mut pipe)?;
        Ok(pipe.output)
    }

    fn deflate(data: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_kind_of_block_inflates() {
        let mut state = 1_u32;
        let data: Vec<u8> = (0..200_000_u32)
            .map(|n| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if n & 0x4000 == 0 {
                    (state >> 24) as u8
                } else {
                    ((state >> 30) as u8).wrapping_add((n >> 8) as u8)
                }
            })
            .collect();
        for level in [0, 1, 6, 9] {
            assert!(inflate(&deflate(&data, level)) == Ok(data.clone()), "level {level}");
        }
        assert!(inflate(&deflate(b"short", 9)) == Ok(b"short".to_vec()), "fixed codes");
        assert!(inflate(&deflate(&[], 9)) == Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn what_was_deflated_inflates(data in prop::collection::vec(0_u8..5, 0..5000), level in 0_u32..10) {
            prop_assert_eq!(inflate(&deflate(&data, level)), Ok(data));
        }

        #[test]
        fn damage_does_no_harm(data in prop::collection::vec(0_u8..5, 0..500), at in 0_usize..300, with: u8) {
            let mut bytes = deflate(&data, 9);
            let at = at % bytes.len();
            bytes[at] ^= with;
            let _ = inflate(&bytes);
        }

        #[test]
        fn nonsense_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = inflate(&bytes);
        }
    }
}
