//! A serial NOR flash chip as Winbond's W25Q series behaves. Source: W25Q32JV data sheet, revision H.
//!
//! The contents live in the memory arena, so that the cache can map them. Programming only clears bits, wraps within its
//! page and, as erasing does, needs the write-enable latch and takes the data sheet's typical time, during which the chip
//! answers status reads only. A power cut in the middle leaves what it would leave: a half-done operation.

use crate::memory::Memory;
use crate::time::{NEVER, TICKS_PER_US, Ticks};
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes in a page, the unit of programming.
const PAGE: usize = 256;
/// Bytes in a sector, the smallest unit of erasing.
pub const SECTOR: usize = 4096;

const BUSY: u8 = 1 << 0;
const WRITE_ENABLED: u8 = 1 << 1;
/// Status register 2: an erase or program operation is suspended.
const SUSPENDED: u8 = 1 << 7;

/// Typical times of the data sheet, in ticks.
mod timing {
    use super::{TICKS_PER_US, Ticks};
    pub const SECTOR_ERASE: Ticks = 45_000 * TICKS_PER_US;
    pub const BLOCK32_ERASE: Ticks = 120_000 * TICKS_PER_US;
    pub const BLOCK64_ERASE: Ticks = 150_000 * TICKS_PER_US;
    /// Ten seconds for 4 MB; in proportion for other sizes.
    pub const CHIP_ERASE_PER_MB: Ticks = 2_500_000 * TICKS_PER_US;
    pub const PAGE_PROGRAM: Ticks = 400 * TICKS_PER_US;
    pub const FIRST_BYTE: Ticks = 30 * TICKS_PER_US;
    pub const NEXT_BYTE: Ticks = 5 * TICKS_PER_US / 2;
    pub const WRITE_STATUS: Ticks = 10_000 * TICKS_PER_US;
    pub const RESET: Ticks = 30 * TICKS_PER_US;
    pub const SUSPEND: Ticks = 20 * TICKS_PER_US;
}

/// What an operation in progress does, so that a power cut can leave it half done.
#[derive(Clone, Debug)]
struct Operation {
    started: Ticks,
    range: Range<usize>,
    before: Vec<u8>,
}

/// Faults that a test can inject.
#[derive(Clone, Debug, Default)]
pub struct FlashFaults {
    /// The power fails half-way through the n-th program or erase operation from now (1 is the next one).
    pub power_cut_at_operation: Option<u64>,
    /// Sectors whose first byte no longer erases and no longer programs.
    pub bad_sectors: BTreeSet<usize>,
}

/// The chip.
#[derive(Clone)]
pub struct Flash {
    /// Where the contents are in the arena.
    range: Range<usize>,
    write_enabled: bool,
    status: [u8; 3],
    busy_until: Ticks,
    operation: Option<Operation>,
    suspended_for: Option<Ticks>,
    powered_down: bool,
    reset_armed: bool,
    unique_id: [u8; 8],
    /// Program and erase operations since the contents were last saved.
    changes: u64,
    operations: u64,
    /// Injected faults.
    pub faults: FlashFaults,
    power_fails_at: Ticks,
}

impl Flash {
    /// A chip whose contents are `range` of the arena.
    ///
    /// # Panics
    /// If the size is not a power of two between 1 and 16 MB.
    #[must_use]
    pub fn new(range: Range<usize>, unique_id: [u8; 8]) -> Self {
        let size = range.len();
        assert!(
            size.is_power_of_two() && (1 << 20..=16 << 20).contains(&size),
            "flash size {size} is not 1, 2, 4, 8 or 16 MB"
        );
        Self {
            range,
            write_enabled: false,
            status: [0; 3],
            busy_until: 0,
            operation: None,
            suspended_for: None,
            powered_down: false,
            reset_armed: false,
            unique_id,
            changes: 0,
            operations: 0,
            faults: FlashFaults::default(),
            power_fails_at: NEVER,
        }
    }

    /// Bytes of storage.
    #[must_use]
    pub fn size(&self) -> usize {
        self.range.len()
    }

    /// Where the contents are in the arena.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Program and erase operations since power-on of the simulation.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Whether the contents changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changes) != 0
    }

    /// When the injected power cut strikes, or [`NEVER`].
    #[must_use]
    pub fn power_fails_at(&self) -> Ticks {
        self.power_fails_at
    }

    /// When the operation in progress ends, if that is after `now`.
    #[must_use]
    pub fn next_event(&self, now: Ticks) -> Ticks {
        let done = if self.busy_until > now { self.busy_until } else { NEVER };
        done.min(self.power_fails_at)
    }

    /// The power fails at `now`: an operation in progress stays half done, volatile state is lost.
    pub fn power_off(&mut self, memory: &mut Memory, now: Ticks) {
        if now < self.busy_until
            && let Some(operation) = self.operation.take()
        {
            let length = operation.before.len();
            let total = u128::from(self.busy_until - operation.started).max(1);
            let done = (u128::from(now - operation.started) * length as u128 / total) as usize;
            memory.change(operation.range, |bytes| {
                let cells = bytes.iter_mut().zip(&operation.before).skip(done);
                for (i, (byte, before)) in cells.enumerate() {
                    // Some of the bits under the pulse have changed; those that were not to change never do.
                    let changed = if i < 64 { 0x11u8.rotate_left(i as u32 % 8) } else { 0 };
                    *byte = before ^ ((before ^ *byte) & changed);
                }
            });
        }
        let fresh = Self::new(self.range.clone(), self.unique_id);
        *self = Self {
            changes: self.changes + 1,
            operations: self.operations,
            faults: FlashFaults { power_cut_at_operation: None, ..std::mem::take(&mut self.faults) },
            ..fresh
        };
    }

    /// One transaction: `opcode`, the bytes after it, and room for the answer, which is filled.
    pub fn transfer(&mut self, memory: &mut Memory, now: Ticks, opcode: u8, sent: &[u8], answer: &mut [u8]) {
        answer.fill(0xFF);
        let busy = now < self.busy_until;
        if !busy {
            self.operation = None;
        }
        let reset_armed = std::mem::take(&mut self.reset_armed);
        match opcode {
            0x05 => answer.fill(self.status1(now)),
            0x35 => answer.fill(self.status[1]),
            0x15 => answer.fill(self.status[2]),
            0x66 => self.reset_armed = true,
            0x99 if reset_armed => self.reset(now),
            0x75 if busy => self.suspend(now),
            _ if busy => tracing::debug!(opcode, "flash is busy, command ignored"),
            0xAB => {
                self.powered_down = false;
                answer.fill(0x15);
            }
            _ if self.powered_down => tracing::debug!(opcode, "flash is powered down, command ignored"),
            0xB9 => self.powered_down = true,
            0x7A => self.resume(now),
            0x9F => cycle(answer, &[0xEF, 0x40, self.capacity_id()]),
            0x90 => cycle(answer, &[0xEF, self.capacity_id() - 1]),
            0x4B => cycle(answer, &self.unique_id),
            0x5A => self.read_sfdp(address(sent), answer),
            0x03 | 0x0B | 0x3B | 0x6B | 0xBB | 0xEB => self.read(memory, address(sent), answer),
            0x06 | 0x50 => self.write_enabled = true,
            0x04 => self.write_enabled = false,
            _ => self.change(memory, now, opcode, sent),
        }
    }

    /// Commands that need the write-enable latch.
    fn change(&mut self, memory: &mut Memory, now: Ticks, opcode: u8, sent: &[u8]) {
        if !self.write_enabled {
            tracing::debug!(opcode, "flash command without write enable ignored");
            return;
        }
        self.write_enabled = false;
        let at = address(sent);
        match opcode {
            0x01 => self.write_status(now, 0, sent),
            0x31 => self.write_status(now, 1, sent),
            0x11 => self.write_status(now, 2, sent),
            0x02 | 0x32 => self.program(memory, now, at, sent.get(3..).unwrap_or(&[])),
            0x20 => self.erase(memory, now, at, SECTOR, timing::SECTOR_ERASE),
            0x52 => self.erase(memory, now, at, 32 << 10, timing::BLOCK32_ERASE),
            0xD8 => self.erase(memory, now, at, 64 << 10, timing::BLOCK64_ERASE),
            0x60 | 0xC7 => {
                let megabytes = (self.size() >> 20) as u64;
                self.erase(memory, now, 0, self.size(), timing::CHIP_ERASE_PER_MB * megabytes);
            }
            _ => tracing::warn!(opcode = format!("{opcode:#04x}"), "flash command unknown, ignored"),
        }
    }

    fn status1(&self, now: Ticks) -> u8 {
        let busy = if now < self.busy_until { BUSY | WRITE_ENABLED } else { 0 };
        self.status[0] & !(BUSY | WRITE_ENABLED) | busy | if self.write_enabled { WRITE_ENABLED } else { 0 }
    }

    fn write_status(&mut self, now: Ticks, first: usize, values: &[u8]) {
        for (register, &value) in self.status[first..].iter_mut().zip(values) {
            *register = value;
        }
        self.status[1] &= !SUSPENDED;
        self.busy_until = now + timing::WRITE_STATUS;
    }

    fn capacity_id(&self) -> u8 {
        u8::try_from(self.size().trailing_zeros()).unwrap_or(0)
    }

    fn read(&self, memory: &Memory, at: usize, answer: &mut [u8]) {
        let contents = &memory.bytes()[self.range.clone()];
        for (i, byte) in answer.iter_mut().enumerate() {
            *byte = contents[(at + i) % contents.len()];
        }
    }

    fn program(&mut self, memory: &mut Memory, now: Ticks, at: usize, data: &[u8]) {
        let page = self.range.start + ((at % self.size()) & !(PAGE - 1));
        let bad = self.faults.bad_sectors.contains(&(at % self.size() / SECTOR));
        // More than a page of data overwrites the latch: the last 256 bytes win.
        let skip = data.len().saturating_sub(PAGE);
        let time = timing::PAGE_PROGRAM
            .min(timing::FIRST_BYTE + timing::NEXT_BYTE * (data.len() as u64).saturating_sub(1));
        let first = at % PAGE;
        let wraps = first + data.len() > PAGE;
        let cells = if wraps { 0..PAGE } else { first..first + data.len() };
        let start = cells.start;
        self.begin(memory, now, page + cells.start..page + cells.end, time, |bytes| {
            for (i, byte) in data.iter().enumerate().skip(skip) {
                let at = (at + i) % PAGE;
                if !(bad && at == 0) {
                    bytes[at - start] &= byte;
                }
            }
        });
    }

    fn erase(&mut self, memory: &mut Memory, now: Ticks, at: usize, size: usize, time: Ticks) {
        let first = (at % self.size()) & !(size - 1);
        let bad: Vec<usize> = self.faults.bad_sectors.iter().map(|sector| sector * SECTOR).collect();
        let start = self.range.start + first;
        self.begin(memory, now, start..start + size, time, |bytes| {
            let kept: Vec<(usize, u8)> = bad
                .iter()
                .filter(|at| (first..first + size).contains(at))
                .map(|at| (at - first, bytes[at - first] & 0x7F))
                .collect();
            bytes.fill(0xFF);
            for (at, byte) in kept {
                bytes[at] = byte;
            }
        });
    }

    fn begin(
        &mut self,
        memory: &mut Memory,
        now: Ticks,
        range: Range<usize>,
        time: Ticks,
        change: impl FnOnce(&mut [u8]),
    ) {
        self.operation = Some(Operation {
            started: now,
            range: range.clone(),
            before: memory.bytes()[range.clone()].to_vec(),
        });
        memory.change(range, change);
        self.busy_until = now + time;
        self.changes += 1;
        self.operations += 1;
        if let Some(n) = &mut self.faults.power_cut_at_operation {
            *n = n.saturating_sub(1);
            if *n == 0 {
                self.faults.power_cut_at_operation = None;
                self.power_fails_at = now + time / 2;
            }
        }
    }

    fn suspend(&mut self, now: Ticks) {
        self.suspended_for = Some(self.busy_until - now);
        self.status[1] |= SUSPENDED;
        self.busy_until = now + timing::SUSPEND;
    }

    fn resume(&mut self, now: Ticks) {
        if let Some(rest) = self.suspended_for.take() {
            self.busy_until = now + rest;
        }
        self.status[1] &= !SUSPENDED;
    }

    fn reset(&mut self, now: Ticks) {
        self.write_enabled = false;
        self.powered_down = false;
        self.suspended_for = None;
        self.status[1] &= !SUSPENDED;
        self.busy_until = now + timing::RESET;
    }

    /// Serial Flash Discoverable Parameters, JESD216: header, one parameter header, basic table of nine words.
    fn read_sfdp(&self, at: usize, answer: &mut [u8]) {
        let mut table = vec![0xFF; 256];
        table[..16].copy_from_slice(&[
            b'S', b'F', b'D', b'P', 0x05, 0x01, 0x00, 0xFF, 0x00, 0x05, 0x01, 0x09, 0x80, 0x00, 0x00, 0xFF,
        ]);
        let density = (self.size() * 8 - 1) as u32;
        let words: [u32; 9] = [
            0xFFF9_20E5,
            density,
            0x6B08_EB44,
            0xBB42_3B08,
            0xFFFF_FFFE,
            0x0000_FFFF,
            0xEB40_FFFF,
            0x520F_200C,
            0x0000_D810,
        ];
        for (i, word) in words.iter().enumerate() {
            table[0x80 + 4 * i..0x84 + 4 * i].copy_from_slice(&word.to_le_bytes());
        }
        for (i, byte) in answer.iter_mut().enumerate() {
            *byte = table.get(at + i).copied().unwrap_or(0xFF);
        }
    }
}

fn address(sent: &[u8]) -> usize {
    sent.iter().take(3).fold(0, |address, &byte| address << 8 | usize::from(byte))
}

fn cycle(answer: &mut [u8], pattern: &[u8]) {
    for (byte, &value) in answer.iter_mut().zip(pattern.iter().cycle()) {
        *byte = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        memory: Memory,
        flash: Flash,
        now: Ticks,
    }

    impl Bench {
        fn new() -> Self {
            let mut memory = Memory::new(1 << 20);
            memory.change(0..1 << 20, |bytes| bytes.fill(0xFF));
            Self { memory, flash: Flash::new(0..1 << 20, *b"larch\0\0\x01"), now: 0 }
        }

        fn command<const N: usize>(&mut self, opcode: u8, sent: &[u8]) -> [u8; N] {
            let mut answer = [0; N];
            self.flash.transfer(&mut self.memory, self.now, opcode, sent, &mut answer);
            answer
        }

        fn write(&mut self, opcode: u8, sent: &[u8]) {
            self.command::<0>(0x06, &[]);
            self.command::<0>(opcode, sent);
            while self.command::<1>(0x05, &[])[0] & BUSY != 0 {
                self.now += 1000 * TICKS_PER_US;
            }
        }
    }

    #[test]
    fn identifies_itself() {
        let mut bench = Bench::new();
        assert_eq!(bench.command(0x9F, &[]), [0xEF, 0x40, 0x14]);
        assert_eq!(bench.command(0x5A, &[0, 0, 0, 0]), *b"SFDP");
        assert_eq!(bench.command(0x4B, &[0; 4]), *b"larch\0\0\x01");
    }

    #[test]
    fn programming_clears_bits_and_wraps_in_its_page() {
        let mut bench = Bench::new();
        bench.write(0x02, &[0, 1, 0xFE, 0xF0, 0x0F, 0xAA]);
        assert_eq!(bench.command(0x03, &[0, 1, 0xFE]), [0xF0, 0x0F]);
        assert_eq!(bench.command(0x03, &[0, 1, 0]), [0xAA]);
        bench.write(0x02, &[0, 1, 0xFE, 0x3C]);
        assert_eq!(bench.command(0x03, &[0, 1, 0xFE]), [0x30]);
    }

    #[test]
    fn needs_write_enable_and_time() {
        let mut bench = Bench::new();
        bench.command::<0>(0x02, &[0, 0, 0, 0]);
        assert_eq!(bench.command(0x03, &[0, 0, 0]), [0xFF], "no write enable");
        bench.command::<0>(0x06, &[]);
        bench.command::<0>(0x20, &[0, 0, 0]);
        assert_eq!(bench.command(0x05, &[]), [BUSY | WRITE_ENABLED]);
        assert_eq!(bench.command(0x9F, &[]), [0xFF; 3], "busy");
        bench.now += 44_999 * TICKS_PER_US;
        assert_eq!(bench.command::<1>(0x05, &[])[0] & BUSY, BUSY);
        bench.now += 2 * TICKS_PER_US;
        assert_eq!(bench.command(0x05, &[]), [0]);
    }

    #[test]
    fn erases_each_size() {
        for (opcode, size) in [(0x20, 4096), (0x52, 32768), (0xD8, 65536), (0xC7, 1 << 20)] {
            let mut bench = Bench::new();
            bench.memory.change(0..1 << 20, |bytes| bytes.fill(0));
            bench.write(opcode, &[0x01, 0x23, 0x45]);
            let erased = bench.memory.bytes().iter().filter(|&&byte| byte == 0xFF).count();
            assert_eq!(erased, size, "opcode {opcode:#x}");
            assert_eq!(bench.memory.bytes()[0x12345], 0xFF);
        }
    }

    #[test]
    fn a_power_cut_leaves_an_erase_half_done() {
        let mut bench = Bench::new();
        bench.memory.change(0..4096, |bytes| bytes.fill(0));
        bench.flash.faults.power_cut_at_operation = Some(1);
        bench.command::<0>(0x06, &[]);
        bench.command::<0>(0x20, &[0, 0, 0]);
        let cut = bench.flash.power_fails_at();
        bench.flash.power_off(&mut bench.memory, cut);
        let bytes = &bench.memory.bytes()[..4096];
        assert!(bytes[..2048].iter().all(|&byte| byte == 0xFF));
        assert!(bytes[2112..].iter().all(|&byte| byte == 0));
        assert_eq!(bench.command(0x05, &[]), [0]);
    }

    #[test]
    fn a_power_cut_leaves_a_program_half_done_and_its_neighbours_alone() {
        let mut bench = Bench::new();
        bench.memory.change(0..256, |bytes| {
            bytes.fill(0xFF);
            bytes[..128].fill(0xA5);
            bytes[200..].fill(0x5A);
        });
        bench.flash.faults.power_cut_at_operation = Some(1);
        bench.command::<0>(0x06, &[]);
        bench.command::<0>(0x02, &[&[0, 0, 128], [0; 64].as_slice()].concat());
        let cut = bench.flash.power_fails_at();
        bench.flash.power_off(&mut bench.memory, cut);
        let bytes = &bench.memory.bytes()[..256];
        assert!(
            bytes[..128].iter().all(|&byte| byte == 0xA5) && bytes[200..].iter().all(|&byte| byte == 0x5A)
        );
        assert!(bytes[128..160].iter().all(|&byte| byte == 0));
        assert!(bytes[160..192].iter().all(|&byte| byte != 0 && byte != 0xFF));
        assert!(bytes[192..200].iter().all(|&byte| byte == 0xFF));
    }

    #[test]
    fn a_bad_sector_does_not_erase() {
        let mut bench = Bench::new();
        bench.memory.change(0..8192, |bytes| bytes.fill(0));
        bench.flash.faults.bad_sectors.insert(1);
        bench.write(0x20, &[0, 0x10, 0]);
        assert_eq!(bench.memory.bytes()[4096..4098], [0, 0xFF]);
    }

    #[test]
    fn sleeps_and_wakes() {
        let mut bench = Bench::new();
        bench.command::<0>(0xB9, &[]);
        assert_eq!(bench.command(0x9F, &[]), [0xFF; 3]);
        bench.command::<0>(0xAB, &[]);
        assert_eq!(bench.command(0x9F, &[]), [0xEF, 0x40, 0x14]);
    }
}
