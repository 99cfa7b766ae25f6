//! SPI1, the controller that commands the flash chip. Source: TRM chapter 27 and the register descriptions of SPI_MEM.
//!
//! A command takes the time its bits take at the configured clock. SPI0, the cache's controller, only stores its registers:
//! the cache reads the flash through the memory arena.

use super::io::Io;
use crate::flash::Flash;
use crate::memory::Memory;
use crate::time::{NEVER, Ticks};

/// Base address.
pub const BASE: u32 = 0x6000_2000;
const CMD: u32 = 0x00;
const ADDR: u32 = 0x04;
const CTRL: u32 = 0x08;
const CLOCK: u32 = 0x14;
const USER: u32 = 0x18;
const USER1: u32 = 0x1C;
const USER2: u32 = 0x20;
const MOSI_DLEN: u32 = 0x24;
const MISO_DLEN: u32 = 0x28;
const RD_STATUS: u32 = 0x2C;
const W0: u32 = 0x58;
const SUS_STATUS: u32 = 0xA4;
const INT_CLR: u32 = 0xC4;
const INT_RAW: u32 = 0xC8;
const INT_ST: u32 = 0xCC;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    CMD, ADDR, CTRL, CLOCK, USER, USER1, USER2, MOSI_DLEN, MISO_DLEN, RD_STATUS, 0x58, 0x5C, 0x60, 0x64,
    0x68, 0x6C, 0x70, 0x74, 0x78, 0x7C, 0x80, 0x84, 0x88, 0x8C, 0x90, 0x94, SUS_STATUS, INT_CLR, INT_RAW,
    INT_ST,
];

/// Offsets of modelled registers that are plain storage when accessed.
pub const PLAIN: &[u32] = &[
    ADDR, CTRL, CLOCK, USER, USER1, USER2, MOSI_DLEN, MISO_DLEN, RD_STATUS, 0x58, 0x5C, 0x60, 0x64, 0x68,
    0x6C, 0x70, 0x74, 0x78, 0x7C, 0x80, 0x84, 0x88, 0x8C, 0x90, 0x94, SUS_STATUS,
];

/// Bytes in the data buffer.
const BUFFER: usize = 64;

/// A command as it goes over the wires.
struct Command {
    opcode: u8,
    sent: Vec<u8>,
    /// Bytes to receive.
    receive: usize,
    /// Dummy clock cycles.
    dummy: u64,
    /// Where the answer goes.
    to_status: bool,
    /// Buffer word at which the answer begins.
    first_word: u32,
}

/// The controller.
#[derive(Clone, Default)]
pub struct Spi1 {
    busy_until: Ticks,
    /// Bits of CMD that read 1 until then.
    command: u32,
    raw: u32,
    polled: bool,
    commands: u64,
}

impl Spi1 {
    /// Whether the flash's status was read since the last call while an operation was in progress.
    pub fn take_polled(&mut self) -> bool {
        std::mem::take(&mut self.polled)
    }

    /// Commands so far that did not only read the status.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// Whether a command is on the line.
    #[must_use]
    pub fn is_busy(&self, now: Ticks) -> bool {
        now < self.busy_until
    }

    /// Time was moved on by whole turns of a loop.
    pub fn move_on(&mut self, time: Ticks) {
        self.busy_until += time;
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        match offset {
            CMD if io.now < self.busy_until => {
                *io.stable_until = (*io.stable_until).min(self.busy_until);
                self.command
            }
            CMD => 0,
            INT_RAW => self.raw,
            INT_CLR | INT_ST => 0,
            _ => io.registers.get(BASE + offset),
        }
    }

    /// Writes a register; says whether events may have changed.
    pub fn write(
        &mut self,
        io: &mut Io<'_>,
        flash: &mut Flash,
        memory: &mut Memory,
        offset: u32,
        value: u32,
    ) -> bool {
        match offset {
            CMD => {
                if let Some(command) = self.command(io, value) {
                    self.execute(io, flash, memory, value, &command);
                    self.polled = command.opcode == 0x05 && flash.next_event(io.now) != NEVER;
                    if command.opcode != 0x05 {
                        self.commands += 1;
                    }
                    return flash.next_event(io.now) != NEVER;
                }
            }
            INT_CLR => self.raw &= !value,
            INT_RAW | INT_ST => {}
            _ => io.registers.set(BASE + offset, value),
        }
        false
    }

    fn command(&self, io: &Io<'_>, value: u32) -> Option<Command> {
        let register = |offset| io.registers.get(BASE + offset);
        if value & 1 << 18 != 0 {
            return Some(user_command(io));
        }
        let address = register(ADDR) & 0xFF_FFFF;
        let length = (register(ADDR) >> 24) as usize;
        let bytes = address.to_be_bytes()[1..].to_vec();
        let simple = |opcode, sent: Vec<u8>, receive, to_status| Command {
            opcode,
            sent,
            receive,
            dummy: 0,
            to_status,
            first_word: 0,
        };
        // The controller's built-in commands, highest bit first.
        Some(match 31 - (value & 0xFFF8_0000).checked_ilog2()? {
            0 => simple(0x03, bytes, length.min(BUFFER), false),
            1 => simple(0x06, vec![], 0, false),
            2 => simple(0x04, vec![], 0, false),
            3 => simple(0x9F, vec![], 3, false),
            4 => simple(0x05, vec![], 1, true),
            5 => {
                let status = register(RD_STATUS).to_le_bytes();
                let two = register(CTRL) & 1 << 22 != 0;
                simple(0x01, status[..if two { 2 } else { 1 }].to_vec(), 0, false)
            }
            6 => {
                let mut sent = bytes;
                sent.extend(buffer(io, 0, length.min(BUFFER)));
                simple(0x02, sent, 0, false)
            }
            7 => simple(0x20, bytes, 0, false),
            8 => simple(0xD8, bytes, 0, false),
            9 => simple(0xC7, vec![], 0, false),
            10 => simple(0xB9, vec![], 0, false),
            11 => simple(0xAB, vec![], 0, false),
            _ => return None,
        })
    }

    fn execute(
        &mut self,
        io: &mut Io<'_>,
        flash: &mut Flash,
        memory: &mut Memory,
        value: u32,
        command: &Command,
    ) {
        let clocks = 8 + 8 * command.sent.len() as u64 + command.dummy + 8 * command.receive as u64;
        let lanes = lanes(command.opcode);
        self.busy_until = io.now + clocks.div_ceil(lanes) * clock_period(io);
        self.command = value;
        let mut answer = vec![0; command.receive];
        flash.transfer(memory, self.busy_until, command.opcode, &command.sent, &mut answer);
        tracing::trace!(opcode = format!("{:02x}", command.opcode), sent = ?command.sent.get(..4), answer = ?answer.get(..4), "flash");
        if command.to_status {
            io.registers.modify(BASE + RD_STATUS, |old| old & !0xFF | u32::from(answer[0]));
        }
        for (i, chunk) in (command.first_word..).zip(answer.chunks(4)) {
            let mut word = io.registers.get(BASE + W0 + 4 * i).to_le_bytes();
            word[..chunk.len()].copy_from_slice(chunk);
            io.registers.set(BASE + W0 + 4 * i, u32::from_le_bytes(word));
        }
        self.raw |= 1 << 3;
    }
}

/// A command that the program put together itself.
fn user_command(io: &Io<'_>) -> Command {
    let register = |offset| io.registers.get(BASE + offset);
    let (user, user1) = (register(USER), register(USER1));
    let has = |bit: u32| user >> bit & 1 != 0;
    let mut sent = Vec::new();
    if has(30) {
        // The address register is sent from its highest configured bit on.
        let bits = (user1 >> 26) + 1;
        let bytes = bits.div_ceil(8).min(4) as usize;
        sent.extend(&register(ADDR).to_be_bytes()[4 - bytes..]);
    }
    let length = |offset| ((register(offset) & 0x3FF) as usize + 1).div_ceil(8).min(BUFFER);
    if has(27) {
        sent.extend(buffer(io, if has(25) { 8 } else { 0 }, length(MOSI_DLEN)));
    }
    Command {
        opcode: register(USER2) as u8,
        sent,
        receive: if has(28) { length(MISO_DLEN) } else { 0 },
        dummy: if has(29) { u64::from(user1 & 0x3F) + 1 } else { 0 },
        to_status: false,
        first_word: if has(24) { 8 } else { 0 },
    }
}

fn buffer(io: &Io<'_>, first_word: u32, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (first_word..16).flat_map(|i| io.registers.get(BASE + W0 + 4 * i).to_le_bytes()).collect();
    bytes.truncate(length);
    bytes
}

/// Data lines that most of the command uses.
fn lanes(opcode: u8) -> u64 {
    match opcode {
        0xBB | 0x3B => 2,
        0xEB | 0x6B | 0x32 => 4,
        _ => 1,
    }
}

fn clock_period(io: &Io<'_>) -> Ticks {
    let clock = io.registers.get(BASE + CLOCK);
    if clock >> 31 != 0 { io.apb } else { io.apb * (u64::from(clock >> 16 & 0xFF) + 1) }
}
