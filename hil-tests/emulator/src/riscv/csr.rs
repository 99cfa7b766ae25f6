//! Control and status registers of the ESP32-C3's processor. Source: TRM chapter 1, "ESP-RISC-V CPU".
//!
//! Machine mode only is executed; PMP and trigger registers are stored. A CSR that the chip does not have raises an
//! illegal instruction, as there.

use crate::time::Clock;

/// The cycle counter.
pub const CYCLES: u16 = 0x7E2;
/// The cycle counter, for user mode.
pub const USER_CYCLES: u16 = 0x802;

/// Whether a CSR is the cycle counter.
#[must_use]
pub fn is_counter(number: u16) -> bool {
    number == CYCLES || number == USER_CYCLES
}

/// mstatus.MIE
const MIE: u32 = 1 << 3;
/// mstatus.MPIE
const MPIE: u32 = 1 << 7;
/// mstatus.MPP, machine mode
const MPP: u32 = 3 << 11;

/// First PMP configuration register.
const PMPCFG: u16 = 0x3A0;
/// First trigger register.
const TRIGGER: u16 = 0x7A0;
/// First PMP address register.
const PMPADDR: u16 = 0x3B0;

/// The registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csrs {
    mstatus: u32,
    mtvec: u32,
    mscratch: u32,
    mepc: u32,
    mcause: u32,
    mtval: u32,
    ustatus: u32,
    pmpcfg: [u32; 4],
    pmpaddr: [u32; 16],
    trigger: [u32; 6],
    /// Counter event, counter mode (machine and user) and the user's GPIO registers: stored.
    plain: [u32; 7],
}

/// Which CSRs are kept in [`Csrs::plain`].
const PLAIN: [u16; 7] = [0x7E0, 0x7E1, 0x800, 0x801, 0x803, 0x804, 0x805];

impl Default for Csrs {
    fn default() -> Self {
        Self {
            mstatus: MPP,
            mtvec: 1,
            mscratch: 0,
            mepc: 0,
            mcause: 0,
            mtval: 0,
            ustatus: 0,
            pmpcfg: [0; 4],
            pmpaddr: [0; 16],
            trigger: [0; 6],
            plain: [0; 7],
        }
    }
}

impl Csrs {
    /// Whether interrupts are taken.
    #[must_use]
    pub fn interrupts_enabled(&self) -> bool {
        self.mstatus & MIE != 0
    }

    /// Enters a trap: saves `pc`, gives the handler's address.
    pub(super) fn enter(&mut self, pc: u32, cause: u32, value: u32) -> u32 {
        self.mepc = pc;
        self.mcause = cause;
        self.mtval = value;
        let enabled = self.mstatus & MIE != 0;
        self.mstatus = (self.mstatus & !(MIE | MPIE)) | MPP | if enabled { MPIE } else { 0 };
        let base = self.mtvec & !0xFF;
        // The vector table is indexed by the interrupt's line; exceptions use entry 0.
        if cause >> 31 != 0 { base + 4 * (cause & 31) } else { base }
    }

    /// Leaves a trap: gives the address to continue at.
    pub(super) fn leave(&mut self) -> u32 {
        let enabled = self.mstatus & MPIE != 0;
        self.mstatus = (self.mstatus & !MIE) | MPIE | if enabled { MIE } else { 0 };
        self.mepc
    }

    /// Reads a CSR; `counter` is the cycle counter. `None` if the chip does not have it.
    #[must_use]
    pub fn read(&self, number: u16, counter: u32) -> Option<u32> {
        Some(match number {
            0x000 => self.ustatus,
            0x300 => self.mstatus,
            0x301 => 0x4000_1104,
            0x305 => self.mtvec,
            0x340 => self.mscratch,
            0x341 => self.mepc,
            0x342 => self.mcause,
            0x343 => self.mtval,
            0x3A0..=0x3A3 => self.pmpcfg[usize::from(number - PMPCFG)],
            0x3B0..=0x3BF => self.pmpaddr[usize::from(number - PMPADDR)],
            0x7A0..=0x7A5 => self.trigger[usize::from(number - TRIGGER)],
            CYCLES | USER_CYCLES => counter,
            0xF11 => 0x0000_0612,
            0xF12 => 0x8000_0001,
            0xF13 => 0x0000_0001,
            0xF14 => 0,
            _ => self.plain[PLAIN.iter().position(|&n| n == number)?],
        })
    }

    /// Writes a CSR. `None` if the chip does not have it or it is read-only.
    pub fn write(&mut self, number: u16, value: u32, clock: &mut Clock) -> Option<()> {
        match number {
            0x000 => self.ustatus = value,
            0x300 => self.mstatus = value & (MIE | MPIE | MPP | 0x0020_0011),
            0x301 => {}
            0x305 => self.mtvec = value & !0xFE | 1,
            0x340 => self.mscratch = value,
            0x341 => self.mepc = value & !1,
            0x342 => self.mcause = value,
            0x343 => self.mtval = value,
            0x3A0..=0x3A3 => self.pmpcfg[usize::from(number - PMPCFG)] = value,
            0x3B0..=0x3BF => self.pmpaddr[usize::from(number - PMPADDR)] = value,
            0x7A0..=0x7A5 => self.trigger[usize::from(number - TRIGGER)] = value,
            CYCLES | USER_CYCLES => clock.set_counter(value),
            _ => self.plain[PLAIN.iter().position(|&n| n == number)?] = value,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_nest_as_the_manual_says() {
        let (mut csrs, mut clock) = (Csrs::default(), Clock::new(1));
        csrs.write(0x305, 0x4038_0001, &mut clock).unwrap();
        csrs.write(0x300, MIE, &mut clock).unwrap();
        assert_eq!(csrs.enter(0x4200_0000, 0x8000_0005, 0), 0x4038_0014);
        assert!(!csrs.interrupts_enabled());
        assert_eq!(csrs.read(0x342, 0), Some(0x8000_0005));
        assert_eq!(csrs.leave(), 0x4200_0000);
        assert!(csrs.interrupts_enabled());
        assert_eq!(csrs.enter(0x4200_0002, 2, 7), 0x4038_0000);
    }

    #[test]
    fn counter_counts_from_what_was_written() {
        let (mut csrs, mut clock) = (Csrs::default(), Clock::new(3));
        clock.base = 3000;
        csrs.write(CYCLES, 100, &mut clock).unwrap();
        clock.base = 3030;
        assert_eq!(csrs.read(CYCLES, clock.counter()), Some(110));
    }

    #[test]
    fn unknown_registers_do_not_exist() {
        assert_eq!(Csrs::default().read(0x123, 0), None);
        assert_eq!(Csrs::default().write(0xF14, 1, &mut Clock::new(1)), None);
    }
}
