//! The UART and the frames on it.
//!
//! Bytes are taken from the FIFO by [`Serial::pump`] and collected into frames of a small ring. Blocks of data are judged and
//! acknowledged here, at the moment at which they are complete, so that the line never rests.

use crate::hardware::{CHIP, read, rom, write};
use larch_stub::protocol::{BLOCK, WINDOW, error};

/// UART_FIFO.
const FIFO: u32 = CHIP.uart;
/// UART_INT_ENA.
const INT_ENA: u32 = CHIP.uart + 0x0C;
/// UART_STATUS: bytes received in bits 0 to 9, bytes to be sent in bits 16 to 25.
const STATUS: u32 = CHIP.uart + 0x1C;
/// Bytes that the transmit FIFO may hold for another to be put in.
const ROOM: u32 = 120;

const END: u8 = 0xC0;
const ESCAPE: u8 = 0xDB;
const ESCAPED_END: u8 = 0xDC;
const ESCAPED_ESCAPE: u8 = 0xDD;

/// Direction, code, length, checksum.
pub const HEAD: usize = 8;
/// Length, number and two unused words before the data of a block.
pub const BLOCK_HEAD: usize = HEAD + 16;
const FRAME: usize = BLOCK_HEAD + BLOCK;
const CHECKSUM_SEED: u8 = 0xEF;
/// Frames that are kept: one in use, one arriving, and the window.
const FRAMES: usize = WINDOW + 2;

/// What the chip was sent.
pub struct Frame {
    len: usize,
    words: [u32; FRAME / 4],
}

impl Frame {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: any words are bytes, four each; `len` is at most their number (see `Serial::put`).
        unsafe { core::slice::from_raw_parts(self.words.as_ptr().cast(), self.len) }
    }

    /// The command's code; `None` if it is no command.
    pub fn opcode(&self) -> Option<u8> {
        (self.len >= HEAD && self.bytes()[0] == 0).then(|| self.bytes()[1])
    }

    /// A word of the command's arguments; 0 beyond their end.
    pub fn word(&self, n: usize) -> u32 {
        if HEAD + 4 * n + 4 <= self.len { self.words[HEAD / 4 + n] } else { 0 }
    }

    fn put(&mut self, at: usize, byte: u8) {
        // SAFETY: `Serial::put` checks `at` against `FRAME`.
        unsafe { self.words.as_mut_ptr().cast::<u8>().add(at).write(byte) }
    }
}

/// How blocks of data are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// No stream is open.
    Closed,
    /// The number of the next block.
    Open(u32),
    /// The stream ended with this error.
    Failed(u8),
}

/// The line.
pub struct Serial {
    frames: [Frame; FRAMES],
    /// The oldest frame that is not given back.
    first: usize,
    /// Frames that are complete and not given back.
    complete: usize,
    /// Bytes of the frame that arrives.
    at: usize,
    /// Espressif's checksum of its data so far: calculated at its end, bytes would be lost meanwhile at 3 Mbaud.
    sum: u8,
    /// Within a frame.
    inside: bool,
    escaped: bool,
    /// Blocks that are complete, but not acknowledged for want of room.
    owed: u32,
    /// How blocks are taken.
    pub flow: Flow,
}

impl Serial {
    /// Stops the ROM's use of the UART.
    pub fn begin(&mut self) {
        write(INT_ENA, 0);
        self.flow = Flow::Closed;
    }

    /// Takes what the UART has received. To be called at least every 100 us.
    pub fn pump(&mut self) {
        // Again until it is empty: to judge a block takes time, in which the next one arrives.
        loop {
            let waiting = read(STATUS) & 0x3FF;
            if waiting == 0 {
                return;
            }
            for _ in 0..waiting {
                let byte = read(FIFO) as u8;
                self.put(byte);
            }
        }
    }

    fn put(&mut self, byte: u8) {
        if byte == END {
            if self.inside && self.at > 0 {
                self.frame_is_complete();
            }
            self.inside = self.complete < FRAMES;
            self.escaped = false;
            self.at = 0;
            self.sum = CHECKSUM_SEED;
            return;
        }
        if !self.inside {
            return;
        }
        let byte = match (self.escaped, byte) {
            (false, ESCAPE) => {
                self.escaped = true;
                return;
            }
            (true, ESCAPED_END) => END,
            (true, ESCAPED_ESCAPE) => ESCAPE,
            (true, _) => {
                self.inside = false;
                return;
            }
            (false, byte) => byte,
        };
        self.escaped = false;
        if self.at == FRAME {
            self.inside = false;
            return;
        }
        let place = (self.first + self.complete) % FRAMES;
        self.frames[place].put(self.at, byte);
        if self.at >= BLOCK_HEAD {
            self.sum ^= byte;
        }
        self.at += 1;
    }

    fn frame_is_complete(&mut self) {
        let place = (self.first + self.complete) % FRAMES;
        let frame = &mut self.frames[place];
        frame.len = self.at;
        match frame.opcode() {
            Some(opcode @ (0x03 | 0x11)) => self.judge(place, opcode),
            _ => self.complete += 1,
        }
    }

    /// A block of data is kept only if it is the next one and whole.
    fn judge(&mut self, place: usize, opcode: u8) {
        let frame = &self.frames[place];
        let (bytes, length, number) = (frame.bytes(), frame.word(0) as usize, frame.word(1));
        let verdict = match self.flow {
            Flow::Closed => Err(error::NOT_IN_FLASH_MODE),
            Flow::Failed(code) => Err(code),
            Flow::Open(_) if bytes.len() < BLOCK_HEAD || bytes.len() - BLOCK_HEAD != length => {
                Err(error::BAD_DATA_LEN)
            }
            Flow::Open(_) if self.sum != bytes[4] => Err(error::BAD_DATA_CHECKSUM),
            Flow::Open(next) if number > next => Err(error::BAD_DATA_CHECKSUM),
            // The acknowledgement was lost.
            Flow::Open(next) if number < next => Ok(false),
            Flow::Open(_) => Ok(true),
        };
        match verdict {
            Ok(true) => {
                self.flow = Flow::Open(number + 1);
                self.complete += 1;
                self.owed += 1;
                self.acknowledge(opcode);
            }
            Ok(false) => self.respond(opcode, self.taken(), &[], 0),
            Err(code) => self.respond(opcode, self.taken(), &[], code),
        }
    }

    /// How many blocks of the stream are acknowledged; answers to blocks carry it.
    fn taken(&self) -> u32 {
        if let Flow::Open(next) = self.flow { next - self.owed } else { 0 }
    }

    /// Acknowledges blocks as long as there is room for a window of further ones.
    fn acknowledge(&mut self, opcode: u8) {
        while self.owed > 0 && self.complete + WINDOW <= FRAMES {
            self.owed -= 1;
            self.respond(opcode, self.taken(), &[], 0);
        }
    }

    /// The oldest frame, if one is complete.
    pub fn frame(&self) -> Option<&Frame> {
        (self.complete > 0).then(|| &self.frames[self.first])
    }

    /// Gives the oldest frame back.
    pub fn release(&mut self) {
        if self.complete == 0 {
            return;
        }
        let opcode = self.frames[self.first].opcode().unwrap_or(0);
        self.first = (self.first + 1) % FRAMES;
        self.complete -= 1;
        self.acknowledge(opcode);
    }

    /// Waits for a frame.
    pub fn wait(&mut self) -> &Frame {
        while self.complete == 0 {
            self.pump();
        }
        &self.frames[self.first]
    }

    /// Sends a byte; what arrives meanwhile is taken.
    fn send_raw(&mut self, byte: u8) {
        while read(STATUS) >> 16 & 0x3FF >= ROOM {}
        write(FIFO, byte.into());
    }

    /// Begins or ends a frame.
    pub fn send_end(&mut self) {
        self.send_raw(END);
    }

    /// Sends a byte of a frame.
    pub fn send(&mut self, byte: u8) {
        match byte {
            END => {
                self.send_raw(ESCAPE);
                self.send_raw(ESCAPED_END);
            }
            ESCAPE => {
                self.send_raw(ESCAPE);
                self.send_raw(ESCAPED_ESCAPE);
            }
            byte => self.send_raw(byte),
        }
    }

    /// Sends bytes of a frame.
    pub fn send_all(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.send(byte);
        }
    }

    /// Begins a response that will have `len` bytes of data.
    pub fn respond_head(&mut self, opcode: u8, value: u32, len: usize) {
        let [low, high, ..] = (len as u32 + 2).to_le_bytes();
        self.send_end();
        self.send_all(&[1, opcode, low, high]);
        self.send_all(&value.to_le_bytes());
    }

    /// Ends a response: success, or an error.
    pub fn respond_tail(&mut self, code: u8) {
        self.send_all(&[u8::from(code != 0), code]);
        self.send_end();
    }

    /// Sends a response.
    pub fn respond(&mut self, opcode: u8, value: u32, data: &[u8], code: u8) {
        self.respond_head(opcode, value, data.len());
        self.send_all(data);
        self.respond_tail(code);
    }

    /// Waits until everything is sent, then goes on at another rate.
    pub fn set_baud(&mut self, baud: u32) {
        // 5 bits of fraction in hardware, 4 here, as the mask ROM takes it.
        let divider = ((CHIP.uart_clock_hz << 4) + baud / 2) / baud;
        rom(CHIP.rom.uart_tx_wait_idle, [0; 6]);
        rom(CHIP.rom.uart_div_modify, [0, divider, 0, 0, 0, 0]);
        self.inside = false;
    }
}
