//! The debug port and its first access port, to the AHB; what further ports do is the chip's. Source: ADIv5.2 B1, B2, C2.

use super::Target;

/// DPIDR of a Cortex-M4's SW-DP.
const DPIDR: u32 = 0x2ba0_1477;
/// IDR of an AHB-AP.
const AP_IDR: u32 = 0x2477_0011;
/// BASE: where the ROM table is, present, in the newer format.
const AP_BASE: u32 = 0xe00f_f003;

/// Bits of CTRL/STAT.
mod control {
    pub const STICKYERR: u32 = 1 << 5;
    pub const READOK: u32 = 1 << 6;
    pub const WDATAERR: u32 = 1 << 7;
    /// Power requests; each is acknowledged by the bit above it.
    pub const REQUESTS: u32 = 1 << 28 | 1 << 30;
    /// Bits that are written; the others only tell.
    pub const WRITABLE: u32 = 0x7000_0f0d | 1 << 28;
    pub const DEBUG_POWER: u32 = 1 << 28;
}
/// Bits of ABORT that clear sticky flags: STKCMPCLR, STKERRCLR, WDERRCLR, ORUNERRCLR.
const CLEARS: [(u32, u32); 4] = [(1, 1 << 4), (2, control::STICKYERR), (3, control::WDATAERR), (4, 1 << 1)];

/// CSW: enabled, and the transfer bits that are always set.
const CSW_ENABLED: u32 = 1 << 6;
const CSW_WRITABLE: u32 = 0xff00_0037;
/// Auto-increment stays within this many bytes.
const INCREMENT_WINDOW: u32 = 0x400;

/// Which register a transfer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Of the access port, not of the debug port.
    pub ap: bool,
    /// Bits 2 and 3 of its address.
    pub address: u8,
}

/// How the port answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done; what a read gives.
    Ok(u32),
    /// A sticky flag is set.
    Fault,
}

/// The ports.
#[derive(Clone, Debug, Default)]
pub struct Dap {
    control: u32,
    select: u32,
    /// What the last read through the access port gave; it is handed out with the next one.
    posted: u32,
    csw: u32,
    tar: u32,
}

impl Dap {
    /// The debug port's own state after a line reset.
    pub fn line_reset(&mut self) {
        self.select = 0;
    }

    /// The data of a write was damaged on the wire.
    pub fn damage(&mut self) {
        self.control |= control::WDATAERR;
    }

    fn is_stuck(&self) -> bool {
        self.control & (control::STICKYERR | control::WDATAERR) != 0
    }

    /// Reads a register.
    pub fn read(&mut self, target: &mut dyn Target, register: Register) -> Answer {
        if register.ap {
            if self.is_stuck() {
                return Answer::Fault;
            }
            let value = self.posted;
            self.posted = self.read_ap(target, register.address);
            return Answer::Ok(value);
        }
        match (register.address, self.select & 15) {
            (0x0, _) => Answer::Ok(DPIDR),
            (0x4, 0) => Answer::Ok(self.status()),
            (0x4, _) => Answer::Ok(0),
            _ if self.is_stuck() => Answer::Fault,
            _ => Answer::Ok(self.posted),
        }
    }

    /// Writes a register.
    pub fn write(&mut self, target: &mut dyn Target, register: Register, value: u32) -> Answer {
        if register.ap {
            if self.is_stuck() {
                return Answer::Fault;
            }
            self.write_ap(target, register.address, value);
            return Answer::Ok(0);
        }
        match (register.address, self.select & 15) {
            (0x0, _) => {
                let cleared = CLEARS.iter().filter(|(bit, _)| value >> bit & 1 != 0);
                self.control &= !cleared.fold(0, |bits, (_, flag)| bits | flag);
            }
            _ if self.is_stuck() => return Answer::Fault,
            (0x4, 0) => {
                self.control = self.control & !control::WRITABLE | value & control::WRITABLE;
            }
            (0x8, _) => self.select = value,
            _ => {}
        }
        Answer::Ok(0)
    }

    fn status(&self) -> u32 {
        self.control | (self.control & control::REQUESTS) << 1 | control::READOK
    }

    /// The port in SELECT, and its register: the bank in SELECT, and the address in it. `None`: no power.
    fn ap_register(&self, address: u8) -> Option<(u8, u8)> {
        let [low, .., port] = self.select.to_le_bytes();
        (self.control & control::DEBUG_POWER != 0).then_some((port, low & 0xf0 | address))
    }

    fn read_ap(&mut self, target: &mut dyn Target, address: u8) -> u32 {
        match self.ap_register(address) {
            Some((0, 0x00)) => self.csw | CSW_ENABLED,
            Some((0, 0x04)) => self.tar,
            Some((0, 0x0c)) => self.load(target),
            Some((0, banked @ 0x10..=0x1c)) => {
                let loaded = target.load(self.tar & !15 | u32::from(banked & 12), 4);
                self.or_fault(loaded)
            }
            Some((0, 0xf8)) => AP_BASE,
            Some((0, 0xfc)) => AP_IDR,
            Some((0, _)) | None => 0,
            Some((port, register)) => target.load_port(port, register),
        }
    }

    fn write_ap(&mut self, target: &mut dyn Target, address: u8, value: u32) {
        match self.ap_register(address) {
            Some((0, 0x00)) => self.csw = value & CSW_WRITABLE,
            Some((0, 0x04)) => self.tar = value,
            Some((0, 0x0c)) => self.store(target, value),
            Some((0, banked @ 0x10..=0x1c)) => {
                let stored = target.store(self.tar & !15 | u32::from(banked & 12), 4, value).map(|()| 0);
                self.or_fault(stored);
            }
            Some((0, _)) | None => {}
            Some((port, register)) => target.store_port(port, register, value),
        }
    }

    /// Bytes of a transfer; three is reserved.
    fn size(&self) -> u32 {
        1 << (self.csw & 7).min(2)
    }

    fn load(&mut self, target: &mut dyn Target) -> u32 {
        let size = self.size();
        // The value is in the byte lanes of its address.
        let loaded = target.load(self.tar, size).map(|value| value << (8 * (self.tar & 3 & !(size - 1))));
        self.increment();
        self.or_fault(loaded)
    }

    fn store(&mut self, target: &mut dyn Target, value: u32) {
        let size = self.size();
        let lane = value >> (8 * (self.tar & 3 & !(size - 1)));
        let kept = if size == 4 { lane } else { lane & ((1 << (8 * size)) - 1) };
        let stored = target.store(self.tar, size, kept).map(|()| 0);
        self.increment();
        self.or_fault(stored);
    }

    fn increment(&mut self) {
        if self.csw >> 4 & 3 != 0 {
            let next = self.tar.wrapping_add(self.size()) & (INCREMENT_WINDOW - 1);
            self.tar = self.tar & !(INCREMENT_WINDOW - 1) | next;
        }
    }

    fn or_fault(&mut self, value: Option<u32>) -> u32 {
        if value.is_none() {
            self.control |= control::STICKYERR;
        }
        value.unwrap_or(0)
    }
}
