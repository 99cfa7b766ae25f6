//! Serial Wire Debug: line reset, protocol selection, transfers, and what can go wrong on two wires. Source: ADIv5.2 B4, B5.

use super::Target;
use super::dap::{Answer, Dap, Register};
use std::collections::BTreeSet;

/// Ones in a row that reset the line.
const RESET_ONES: u32 = 50;
/// What follows a line reset to change from JTAG to SWD, least significant bit first.
const TO_SWD: u16 = 0xe79e;

/// Faults to inject, by the number of the transfer, from 0.
#[derive(Clone, Debug, Default)]
pub struct SwdFaults {
    /// The data phase is damaged.
    pub parity: BTreeSet<u64>,
    /// The target says WAIT.
    pub wait: BTreeSet<u64>,
    /// The target says FAULT.
    pub fault: BTreeSet<u64>,
    /// From this transfer on the probe is gone.
    pub vanish_at: Option<u64>,
    /// As soon as this is so, the probe is gone.
    pub vanish_when: Option<fn(&mut dyn Target) -> bool>,
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target acknowledged; what a read gave.
    Ok(Option<u32>),
    /// Try again.
    Wait,
    /// A sticky flag is set.
    Fault,
    /// No acknowledgement, or a damaged one.
    Error,
}

/// The wire and the ports at its end.
#[derive(Clone, Debug, Default)]
pub struct Swd {
    dap: Dap,
    /// Ones in a row until now.
    ones: u32,
    /// The last 16 bits.
    recent: u16,
    selected: bool,
    transfers: u64,
    /// Faults to inject.
    pub faults: SwdFaults,
}

impl Swd {
    /// A wire with these faults.
    #[must_use]
    pub fn new(faults: SwdFaults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Transfers so far.
    #[must_use]
    pub fn transfers(&self) -> u64 {
        self.transfers
    }

    /// Whether the injected end of the probe has come.
    pub fn is_gone(&mut self, target: &mut dyn Target) -> bool {
        if self.faults.vanish_when.is_some_and(|is_so| is_so(target)) {
            self.faults.vanish_at = Some(0);
        }
        self.faults.vanish_at.is_some_and(|at| self.transfers >= at)
    }

    /// Bits that are no transfer.
    pub fn sequence(&mut self, length: u32, bits: u32) {
        for bit in (0..length).map(|at| bits >> at & 1) {
            self.recent = self.recent >> 1 | (bit as u16) << 15;
            if bit == 1 {
                self.ones += 1;
                if self.ones == RESET_ONES {
                    self.dap.line_reset();
                }
            } else {
                self.ones = 0;
            }
            self.selected |= self.recent == TO_SWD;
        }
    }

    /// A transfer; `write` is the data of a write.
    pub fn transfer(&mut self, target: &mut dyn Target, register: Register, write: Option<u32>) -> Outcome {
        let number = self.transfers;
        self.transfers += 1;
        (self.ones, self.recent) = (0, 0);
        if !self.selected || !target.answers() {
            return Outcome::Error;
        }
        if self.faults.wait.contains(&number) {
            return Outcome::Wait;
        }
        if self.faults.fault.contains(&number) {
            return Outcome::Fault;
        }
        let damaged = self.faults.parity.contains(&number);
        let answer = match write {
            Some(_) if damaged => {
                self.dap.damage();
                Answer::Ok(0)
            }
            Some(value) => self.dap.write(target, register, value),
            None => self.dap.read(target, register),
        };
        match answer {
            Answer::Fault => Outcome::Fault,
            Answer::Ok(_) if damaged && write.is_none() => Outcome::Error,
            Answer::Ok(value) => Outcome::Ok(write.is_none().then_some(value)),
        }
    }
}
