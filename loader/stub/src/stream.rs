//! Blocks of data on their way into flash.

use crate::flash::{self, CHUNK, SECTOR};
use crate::serial::{BLOCK_HEAD, Flow, Serial};
use larch_stub::inflate::{Inflate, Pipe, WINDOW};
use larch_stub::protocol::error;

const WORDS: usize = WINDOW / 4;

/// What inflated data are kept in: the stream's window, from which flash is written too.
pub struct Window(pub [u32; WORDS]);

/// Why a stream ends early.
pub enum Stop {
    /// The host sent another command; it waits to be taken.
    Abandoned,
    /// An error that the host must know of.
    Failed(u8),
}

/// A stream of blocks.
pub struct Stream<'s> {
    /// The line.
    pub serial: &'s mut Serial,
    window: &'s mut Window,
    opcode: u8,
    /// What is left of the block in use.
    data: core::ops::Range<usize>,
    /// Flash address of the next byte; its place in the window is the same, modulo the window.
    at: u32,
    begin: u32,
    end: u32,
    /// Flash is blank up to here.
    blank_until: u32,
}

impl<'s> Stream<'s> {
    /// A stream of `size` bytes for flash from `offset` on, in blocks of command `opcode`.
    pub fn new(serial: &'s mut Serial, window: &'s mut Window, opcode: u8, offset: u32, size: u32) -> Self {
        let end = offset.wrapping_add(size);
        Self { serial, window, opcode, data: 0..0, at: offset, begin: offset, end, blank_until: 0 }
    }

    /// Inflates the blocks into flash.
    pub fn inflate(&mut self, inflate: &mut Inflate) -> Result<(), Stop> {
        inflate.run(self)?;
        self.close()
    }

    /// Writes the blocks into flash; what fills the last one up is left out.
    pub fn copy(&mut self) -> Result<(), Stop> {
        while self.at < self.end {
            let byte = self.next()?;
            self.push(byte)?;
        }
        self.close()
    }

    fn close(&mut self) -> Result<(), Stop> {
        if !self.at.is_multiple_of(CHUNK) {
            let rest = self.at.next_multiple_of(CHUNK);
            let start = self.at & !(CHUNK - 1);
            for at in self.at..rest {
                self.put(at, 0xFF);
            }
            self.flush(start.max(self.begin & !3), rest);
        }
        if !self.data.is_empty() || self.is_block() {
            self.serial.release();
        }
        flash::wait(self.serial);
        Ok(())
    }

    /// Whether the oldest frame is a block of this stream.
    fn is_block(&self) -> bool {
        self.serial.frame().and_then(|frame| frame.opcode()) == Some(self.opcode)
    }

    fn next_block(&mut self) -> Result<(), Stop> {
        if self.data.end > 0 {
            self.serial.release();
            self.data = 0..0;
        }
        let len = self.serial.wait().bytes().len();
        if !self.is_block() {
            return Err(Stop::Abandoned);
        }
        self.data = BLOCK_HEAD..len;
        Ok(())
    }

    fn put(&mut self, at: u32, byte: u8) {
        let bytes = self.window.0.as_mut_ptr().cast::<u8>();
        // SAFETY: the window has `WINDOW` bytes.
        unsafe { bytes.add(at as usize % WINDOW).write(byte) }
    }

    /// Writes the window's bytes from `start` to `end`, which are in one chunk.
    fn flush(&mut self, start: u32, end: u32) {
        let first = start as usize % WINDOW / 4;
        let words = &self.window.0[first..first + (end - start) as usize / 4];
        self.serial.pump();
        if start >= self.blank_until {
            self.blank_until = flash::prepare(self.serial, start, self.end);
        }
        if words.iter().any(|&word| word != u32::MAX) {
            flash::program(self.serial, start, words);
        }
    }
}

impl Pipe for Stream<'_> {
    type Error = Stop;

    fn next(&mut self) -> Result<u8, Stop> {
        while self.data.is_empty() {
            self.next_block()?;
        }
        let at = self.data.start;
        self.data.start += 1;
        let frame = self.serial.frame().ok_or(Stop::Abandoned)?;
        frame.bytes().get(at).copied().ok_or(Stop::Abandoned)
    }

    fn push(&mut self, byte: u8) -> Result<(), Stop> {
        if self.at >= self.end {
            return Err(Stop::Failed(error::TOO_MUCH_DATA));
        }
        self.put(self.at, byte);
        self.at += 1;
        if self.at.is_multiple_of(CHUNK) {
            self.flush((self.at - CHUNK).max(self.begin & !3), self.at);
        }
        Ok(())
    }

    fn meanwhile(&mut self) {
        self.serial.pump();
    }

    fn back(&self, distance: usize) -> Option<u8> {
        let distance = distance as u32;
        if distance > self.at - self.begin {
            return None;
        }
        let at = (self.at - distance) as usize % WINDOW;
        Some((self.window.0[at / 4] >> (at % 4 * 8)) as u8)
    }

    fn damaged(&self) -> Stop {
        Stop::Failed(error::INFLATE)
    }
}

/// Erases whole sectors that are not blank.
pub fn erase_region(serial: &mut Serial, offset: u32, size: u32) {
    let end = offset.wrapping_add(size);
    let mut at = offset & !(SECTOR - 1);
    while at < end {
        at = flash::prepare(serial, at, end);
    }
    flash::wait(serial);
}

/// Marks how a stream went, for the blocks that may still come.
pub fn conclude(serial: &mut Serial, result: &Result<(), Stop>) {
    if let Err(Stop::Failed(code)) = result {
        serial.flow = Flow::Failed(*code);
    }
}
