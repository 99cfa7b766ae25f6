//! A port at which any bytes arrive: the loader's whole conversation with a chip that says nonsense.

use larch_loader::flash::WriteOptions;
use larch_loader::transport::{Lines, Transport};
use larch_loader::{Before, Blob, Error, Loader, Options, Patience};
use larch_protocol::slip;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// What one read takes.
const READ: Duration = Duration::from_millis(1);
/// More reads than any conversation needs that ends.
const MOST_READS: u32 = 2_000_000;

struct Nonsense {
    bytes: VecDeque<u8>,
    now: Duration,
    reads: u32,
}

impl Transport for Nonsense {
    /// One frame at a time, so that what is discarded on the way is not everything.
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.reads += 1;
        assert!(self.reads < MOST_READS, "the loader reads without end");
        if self.bytes.is_empty() {
            self.now += timeout;
            return Ok(0);
        }
        self.now += READ;
        let end = self
            .bytes
            .iter()
            .skip(1)
            .position(|&byte| byte == slip::END)
            .map_or(self.bytes.len(), |at| at + 2);
        let count = end.min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.bytes.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write_all(&mut self, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn set_baud(&mut self, _baud: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_lines(&mut self, _lines: Lines) -> io::Result<()> {
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.now += duration;
    }

    fn now(&self) -> Duration {
        self.now
    }
}

/// Connects, writes and reads back, as far as the bytes allow. It can only succeed if the digests are right.
pub(crate) fn talk(bytes: &[u8]) -> Result<(), Error> {
    let port = Nonsense { bytes: bytes.iter().copied().collect(), now: Duration::ZERO, reads: 0 };
    let options = Options { before: Before::NoReset, patience: Patience::Attempts(1), ..Options::default() };
    let mut loader = Loader::connect(Box::new(port), Box::new(|_: &larch_loader::Event<'_>| ()), &options)?;
    // What is read is anything; that it is read without harm is what is wanted to know.
    let _ = loader.security_info();
    let blob = Blob { name: "blob".to_owned(), offset: 0x1_0000, data: vec![0x5A; 0x1100] };
    loader.write_flash(&[blob], &WriteOptions::default())?;
    loader.read_flash(0, 0x100).map(drop)
}

/// What an ESP32-C3 says to the first commands, and then yes to everything.
pub(crate) fn example() -> Vec<u8> {
    const SYNC: u8 = 0x08;
    const READ_REG: u8 = 0x0A;
    let answer = |opcode: u8, value: u32, data: &[u8]| {
        let length = u16::try_from(data.len() + 4).unwrap_or(0).to_le_bytes();
        let mut frame = vec![1, opcode, length[0], length[1]];
        frame.extend(value.to_le_bytes());
        frame.extend(data);
        frame.extend([0; 4]);
        slip::encode(frame).collect::<Vec<u8>>()
    };
    let mut bytes = answer(SYNC, 0x2012_0707, &[]).repeat(8);
    bytes.extend(answer(READ_REG, 0x1B31_506F, &[]));
    // eFuses, twice; then the flash's id comes out of registers that are read until they are idle.
    bytes.extend(answer(READ_REG, 0, &[]).repeat(60));
    for opcode in [0x0D, READ_REG, 0x09, READ_REG, 0x09, READ_REG, 0x0B, 0x13, 0x02, 0x03, 0x10, 0x11, 0x13] {
        bytes.extend(answer(opcode, 0x0016_40EF, &[]).repeat(6));
        bytes.extend(answer(opcode, 0, &[b'0'; 32]));
    }
    bytes
}
