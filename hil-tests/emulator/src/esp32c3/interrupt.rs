//! The interrupt matrix and the processor's interrupt controller. Source: TRM chapter 8.

use super::io::Io;

/// Base address.
pub const BASE: u32 = 0x600C_2000;
const STATUS0: u32 = 0xF8;
const STATUS1: u32 = 0xFC;
const ENABLE: u32 = 0x104;
const TYPE: u32 = 0x108;
const CLEAR: u32 = 0x10C;
const EIP: u32 = 0x110;
const PRIORITY: u32 = 0x114;
const THRESHOLD: u32 = 0x194;

/// Interrupt sources that the emulated peripherals raise, by their number in the matrix.
pub mod source {
    pub const WIFI_MAC: u32 = 0;
    /// Beacon times and timers of the Wi-Fi MAC.
    pub const WIFI_PWR: u32 = 2;
    pub const RTC: u32 = 27;
    pub const GPIO: u32 = 16;
    pub const UART0: u32 = 21;
    pub const UART1: u32 = 22;
    pub const USB: u32 = 26;
    /// Timer, and watchdog in the next number.
    pub const TG0_T0: u32 = 32;
    /// Timer, and watchdog in the next number.
    pub const TG1_T0: u32 = 34;
    pub const SYSTIMER: u32 = 37;
    pub const SHA: u32 = 49;
    pub const FROM_CPU: u32 = 50;
}

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &{
    let mut offsets = [0; 62 + 2 + 4 + 32 + 1];
    let mut i = 0;
    while i < 62 {
        offsets[i] = 4 * i as u32;
        i += 1;
    }
    offsets[62] = STATUS0;
    offsets[63] = STATUS1;
    offsets[64] = ENABLE;
    offsets[65] = TYPE;
    offsets[66] = CLEAR;
    offsets[67] = EIP;
    i = 0;
    while i < 32 {
        offsets[68 + i] = PRIORITY + 4 * i as u32;
        i += 1;
    }
    offsets[100] = THRESHOLD;
    offsets
};

/// The controller.
#[derive(Clone, Default)]
pub struct Interrupts {
    sources: u64,
    /// Lines whose edge was latched.
    latched: u32,
    pending: u32,
    best: Option<u8>,
}

impl Interrupts {
    /// Takes the state of all sources and works out the line to take.
    pub fn update(&mut self, io: &Io<'_>, sources: u64) {
        let rising = sources & !self.sources;
        self.sources = sources;
        let edge = io.registers.get(BASE + TYPE);
        self.latched = (self.latched | self.lines(io, rising)) & edge;
        self.pending = self.lines(io, sources) & !edge | self.latched;
        let mut enabled = self.pending & io.registers.get(BASE + ENABLE) & !1;
        let threshold = io.registers.get(BASE + THRESHOLD) & 15;
        let mut best = (0, None);
        while enabled != 0 {
            let line = enabled.trailing_zeros();
            enabled &= enabled - 1;
            let priority = io.registers.get(BASE + PRIORITY + 4 * line) & 15;
            if priority >= threshold && priority > best.0 {
                best = (priority, Some(line as u8));
            }
        }
        self.best = best.1;
    }

    fn lines(&self, io: &Io<'_>, mut sources: u64) -> u32 {
        let mut lines = 0;
        while sources != 0 {
            let source = sources.trailing_zeros();
            sources &= sources - 1;
            lines |= 1 << (io.registers.get(BASE + 4 * source) & 31);
        }
        lines
    }

    /// The line to take, if any.
    #[must_use]
    pub fn best(&self) -> Option<u8> {
        self.best
    }

    /// Reads a register.
    pub fn read(&self, io: &Io<'_>, offset: u32) -> u32 {
        match offset {
            STATUS0 => self.sources as u32,
            STATUS1 => (self.sources >> 32) as u32,
            EIP => self.pending,
            _ => io.registers.get(BASE + offset),
        }
    }

    /// Writes a register.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) {
        match offset {
            STATUS0 | STATUS1 | EIP => {}
            CLEAR => {
                self.latched &= !value;
                io.registers.set(BASE + CLEAR, value);
            }
            _ => io.registers.set(BASE + offset, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers::Registers;

    struct Bench(Registers, Interrupts);

    impl Bench {
        fn new() -> Self {
            Self(Registers::new(BASE, 0x1000, &[], &[(BASE, MODELLED)], &[]), Interrupts::default())
        }

        fn set(&mut self, offset: u32, value: u32) {
            let (mut volatile, mut stable_until) = (false, 0);
            let mut io = Io {
                registers: &mut self.0,
                now: 0,
                apb: 6,
                volatile: &mut volatile,
                stable_until: &mut stable_until,
            };
            self.1.write(&mut io, offset, value);
        }

        fn with(&mut self, sources: u64) -> Option<u8> {
            let (mut volatile, mut stable_until) = (false, 0);
            let io = Io {
                registers: &mut self.0,
                now: 0,
                apb: 6,
                volatile: &mut volatile,
                stable_until: &mut stable_until,
            };
            self.1.update(&io, sources);
            self.1.best()
        }
    }

    #[test]
    fn priority_threshold_and_enable_decide() {
        let mut bench = Bench::new();
        bench.set(4 * 21, 5);
        bench.set(4 * 37, 7);
        bench.set(PRIORITY + 4 * 5, 2);
        bench.set(PRIORITY + 4 * 7, 3);
        bench.set(ENABLE, 1 << 5 | 1 << 7);
        bench.set(THRESHOLD, 1);
        assert_eq!(bench.with(1 << 21), Some(5));
        assert_eq!(bench.with(1 << 21 | 1 << 37), Some(7));
        bench.set(THRESHOLD, 4);
        assert_eq!(bench.with(1 << 21 | 1 << 37), None);
        bench.set(THRESHOLD, 2);
        bench.set(ENABLE, 1 << 5);
        assert_eq!(bench.with(1 << 21 | 1 << 37), Some(5));
    }

    #[test]
    fn edges_stay_until_cleared() {
        let mut bench = Bench::new();
        bench.set(4 * 21, 5);
        bench.set(PRIORITY + 4 * 5, 1);
        bench.set(ENABLE, 1 << 5);
        bench.set(TYPE, 1 << 5);
        assert_eq!(bench.with(1 << 21), Some(5));
        assert_eq!(bench.with(0), Some(5));
        bench.set(CLEAR, 1 << 5);
        bench.set(CLEAR, 0);
        assert_eq!(bench.with(0), None);
    }
}
