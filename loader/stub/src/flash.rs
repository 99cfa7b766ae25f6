//! The flash, by commands through its SPI controller.
//!
//! Erasing and programming are started and not waited for; the next command waits. Whatever waits takes what the UART has
//! received meanwhile.

use crate::hardware::{CHIP, Md5, modify, read, write};
use crate::serial::Serial;

/// Bytes of an erase sector.
pub const SECTOR: u32 = 0x1000;
/// Bytes of an erase block.
const BLOCK: u32 = 0x1_0000;
/// Bytes that the controller's data words hold.
pub const CHUNK: u32 = 64;
/// From so many sectors on that are not blank, erasing their block at once is faster (150 ms instead of 45 ms each).
const WORTH_A_BLOCK: usize = 4;

const READ_DUAL: u32 = 0x3B;
const READ_STATUS: u32 = 0x05;
const WRITE_ENABLE: u32 = 0x06;
const PROGRAM: u32 = 0x02;
const ERASE_SECTOR: u32 = 0x20;
const ERASE_BLOCK: u32 = 0xD8;
const ERASE_CHIP: u32 = 0xC7;

/// SPI_USER: phases.
const COMMAND: u32 = 1 << 31;
const ADDRESS: u32 = 1 << 30;
const DUMMY: u32 = 1 << 29;
const MISO: u32 = 1 << 28;
const MOSI: u32 = 1 << 27;
/// SPI_CMD: go.
const GO: u32 = 1 << 18;

const fn at(offset: u32) -> u32 {
    CHIP.spi.base + offset
}

/// Starts a transaction.
fn start(opcode: u32, phases: u32) {
    write(at(CHIP.spi.user), COMMAND | phases);
    write(at(CHIP.spi.user2), 7 << 28 | opcode);
    write(at(0), GO);
}

fn finish() {
    while read(at(0)) != 0 {}
}

fn command(opcode: u32) {
    start(opcode, 0);
    finish();
}

/// Prepares the controller: rate, 24-bit addresses, 8 dummy cycles.
pub fn begin() {
    write(at(CHIP.spi_clock.0), CHIP.spi_clock.1);
}

fn is_busy() -> bool {
    write(at(CHIP.spi.miso_dlen), 7);
    start(READ_STATUS, MISO);
    finish();
    read(at(CHIP.spi.w0)) & 1 != 0
}

/// Waits until the flash has done what it was told.
pub fn wait(serial: &mut Serial) {
    while is_busy() {
        serial.pump();
    }
}

fn set_address(address: u32) {
    write(at(4), address);
    write(at(CHIP.spi.user1), 23 << 26 | 7);
}

/// Reading: started for a chunk, fetched by the next call.
struct Reader {
    next: u32,
}

impl Reader {
    fn new(serial: &mut Serial, address: u32) -> Self {
        wait(serial);
        modify(at(CHIP.spi_control.0), CHIP.spi_control.1, CHIP.spi_control.1);
        write(at(CHIP.spi.miso_dlen), CHUNK * 8 - 1);
        let reader = Self { next: address };
        reader.start();
        reader
    }

    fn start(&self) {
        set_address(self.next);
        start(READ_DUAL, ADDRESS | DUMMY | MISO);
    }

    /// The chunk that was started; starts the next one.
    fn fetch(&mut self, words: &mut [u32; 16]) {
        finish();
        for (word, register) in words.iter_mut().zip((at(CHIP.spi.w0)..).step_by(4)) {
            *word = read(register);
        }
        self.next = self.next.wrapping_add(CHUNK);
        self.start();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        finish();
        modify(at(CHIP.spi_control.0), CHIP.spi_control.1, 0);
    }
}

/// Reads flash in chunks and hands on the bytes of each.
pub fn read_through(
    serial: &mut Serial,
    address: u32,
    len: u32,
    mut take: impl FnMut(&mut Serial, &[u32; 16], u32) -> bool,
) {
    if len == 0 {
        return;
    }
    let mut reader = Reader::new(serial, address);
    let (mut words, mut left) = ([0; 16], len);
    while left > 0 {
        reader.fetch(&mut words);
        serial.pump();
        let count = left.min(CHUNK);
        left -= count;
        if !take(serial, &words, count) {
            return;
        }
    }
}

/// MD5 of a part of flash.
pub fn md5(serial: &mut Serial, address: u32, len: u32) -> [u8; 16] {
    let mut md5 = Md5::new();
    read_through(serial, address, len, |_, words, count| {
        md5.update_bytes(words.as_ptr() as u32, count);
        true
    });
    md5.finish()
}

fn is_blank(serial: &mut Serial, sector: u32) -> bool {
    let mut blank = true;
    read_through(serial, sector, SECTOR, |_, words, _| {
        blank = words.iter().all(|&word| word == u32::MAX);
        blank
    });
    blank
}

fn erase(serial: &mut Serial, opcode: u32, address: u32) {
    wait(serial);
    command(WRITE_ENABLE);
    set_address(address);
    start(opcode, ADDRESS);
    finish();
}

/// Erases everything.
pub fn erase_chip(serial: &mut Serial) {
    wait(serial);
    command(WRITE_ENABLE);
    command(ERASE_CHIP);
    wait(serial);
}

/// Makes the sector at `address` blank, or the block if it begins there and ends within `end`; sectors that are blank
/// already are left alone. Returns the address up to which flash is blank now.
pub fn prepare(serial: &mut Serial, address: u32, end: u32) -> u32 {
    let sector = address & !(SECTOR - 1);
    let is_whole = sector & (BLOCK - 1) == 0 && end.wrapping_sub(sector) > BLOCK - SECTOR;
    let until = sector + if is_whole { BLOCK } else { SECTOR };
    let (mut dirty, mut count) = ([0_u32; WORTH_A_BLOCK], 0);
    for sector in (sector..until).step_by(SECTOR as usize) {
        if is_blank(serial, sector) {
            continue;
        }
        dirty[count] = sector;
        count += 1;
        if count == WORTH_A_BLOCK {
            erase(serial, ERASE_BLOCK, sector & !(BLOCK - 1));
            return until;
        }
    }
    for &sector in &dirty[..count] {
        erase(serial, ERASE_SECTOR, sector);
    }
    until
}

/// Programs a chunk, which must not cross a page.
pub fn program(serial: &mut Serial, address: u32, words: &[u32]) {
    wait(serial);
    command(WRITE_ENABLE);
    for (&word, register) in words.iter().zip((at(CHIP.spi.w0)..).step_by(4)) {
        write(register, word);
    }
    write(at(CHIP.spi.mosi_dlen), words.len() as u32 * 32 - 1);
    set_address(address);
    start(PROGRAM, ADDRESS | MOSI);
    finish();
}
