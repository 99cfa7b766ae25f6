//! What microcontrollers with a Cortex-M and a debug port have in common: processor and system on one clock, reset, power, what a
//! debugger reaches. [`McuBoard`] adds what is around the chip.

mod board;

pub use crate::registers::UnknownAccess;
pub use board::{AnyBoard, McuBoard};

use crate::adapter::Adapter;
use crate::registers::{Register, Registers};
use crate::thumb::{self, Bus, Cpu, Exit};
use crate::time::Ticks;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Why the chip starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetCause {
    /// The supply came up.
    PowerOn,
    /// The reset line was low.
    Pin,
    /// The program or the debugger asked for it.
    Software,
}

/// The accesses to registers that nobody described, the first to each.
#[derive(Clone, Debug, Default)]
pub struct Unknown {
    seen: BTreeMap<u32, UnknownAccess>,
    strict: bool,
    stopped_at: Option<UnknownAccess>,
}

impl Unknown {
    /// None yet; if it is strict, the chip must stop at the first one.
    #[must_use]
    pub fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// There was one.
    pub fn report(&mut self, address: u32, pc: u32, is_store: bool) {
        let access = UnknownAccess { address, pc, is_store };
        self.seen.entry(address).or_insert_with(|| {
            tracing::warn!("{access}");
            access.clone()
        });
        if self.strict {
            self.stopped_at.get_or_insert(access);
        }
    }

    /// Whether the chip must stop.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.stopped_at.is_some()
    }
}

/// Faults to inject into a flash.
#[derive(Clone, Debug, Default)]
pub struct FlashFaults {
    /// Sectors that are write-protected, whatever else says so.
    pub protected: BTreeSet<usize>,
    /// Operations (programmed units, erasures) until one does nothing; the chip reports that if it can.
    pub fail_after: Option<u64>,
    /// The power fails half-way through the n-th operation from now (1 is the next one).
    pub power_cut_at_operation: Option<u64>,
}

impl FlashFaults {
    /// Whether the injected failure strikes this operation.
    pub(crate) fn fails(&mut self) -> bool {
        match &mut self.fail_after {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    /// Whether the power fails during this operation.
    pub(crate) fn cuts_power(&mut self) -> bool {
        let Some(left) = &mut self.power_cut_at_operation else { return false };
        *left = left.saturating_sub(1);
        let now = *left == 0;
        if now {
            self.power_cut_at_operation = None;
        }
        now
    }
}

/// A chip without its processor.
pub trait Soc: Bus + Clone + Send + 'static {
    /// Ticks in a simulated second; the processor's frequencies divide it evenly.
    const TICKS_PER_SECOND: u64;
    /// Pins, numbered through, and how the last one is called.
    const PINS: (u8, &'static str);

    /// Blank flash, nothing running. A strict one stops at the first access to an unknown register.
    fn new(strict: bool) -> Self;
    /// The supply comes up.
    fn power_on(&mut self);
    /// The supply is gone: memories hold nothing in particular, flash stays.
    fn forget(&mut self);
    /// Peripherals start afresh.
    fn reset(&mut self, cause: ResetCause);
    /// Whether a low level at the reset pin resets the chip.
    fn has_reset_pin(&self) -> bool {
        true
    }
    /// Whether the power has failed since the last call.
    fn take_power_failure(&mut self) -> bool;
    /// Accesses to unknown registers.
    fn unknown(&mut self) -> &mut Unknown;
    /// Every register that is described.
    fn registers(&self) -> Vec<&Registers>;
    /// The serial adapter at the console's UART.
    fn adapter(&mut self) -> &mut Adapter;
    /// Draws a byte on the line to the console's UART, with bits of `bit` (1/256 tick); gives when it will have been sent.
    fn send(&mut self, byte: u8, now: Ticks, bit: u64) -> Ticks;
    /// Drives a pin from outside, or leaves it open.
    fn drive(&mut self, pin: u8, level: Option<bool>);
    /// The level at a pin.
    fn level(&self, pin: u8) -> bool;
    /// What is kept without power.
    fn flash(&self) -> &[u8];
    /// Puts contents into the flash.
    fn load_flash(&mut self, offset: usize, contents: &[u8]);
    /// Whether the program has changed the flash since the last call.
    fn take_flash_changed(&mut self) -> bool;
    /// Faults to inject.
    fn flash_faults(&mut self) -> &mut FlashFaults;
    /// Whether the debug port has its pins.
    fn has_debug_pins(&self) -> bool {
        true
    }
    /// Whether a debugger may reach the processor and its memory; one is trying to.
    fn is_open(&mut self) -> bool {
        true
    }
    /// Reads a register of a further access port.
    fn load_port(&mut self, _port: u8, _register: u8) -> u32 {
        0
    }
    /// Writes a register of a further access port; true if that resets the chip.
    fn store_port(&mut self, _port: u8, _register: u8, _value: u32, _now: Ticks) -> bool {
        false
    }
}

/// Why [`Mcu::run`] returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The limit was reached.
    Limit,
    /// The adapter heard something and was asked to wake its user.
    Output,
    /// The debugger holds the processor.
    Halted,
    /// The injected power failure.
    PowerFailed,
    /// Strict mode, and nobody described this register.
    Unknown(UnknownAccess),
}

/// A chip.
#[derive(Clone)]
pub struct Mcu<S> {
    cpu: Cpu,
    pub(crate) soc: S,
    /// The reset line is low.
    in_reset: bool,
}

impl<S: Soc> Mcu<S> {
    /// A chip without power and with blank flash. A strict one stops at the first access to an unknown register.
    #[must_use]
    pub fn new(strict: bool) -> Self {
        Self { cpu: Cpu::new(), soc: S::new(strict), in_reset: false }
    }

    /// Converts a duration to ticks, rounding up.
    #[must_use]
    pub fn ticks(duration: Duration) -> Ticks {
        let ticks = (duration.as_nanos() * u128::from(S::TICKS_PER_SECOND)).div_ceil(1_000_000_000);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// Converts ticks to a duration, rounding down to nanoseconds.
    #[must_use]
    pub fn duration(ticks: Ticks) -> Duration {
        let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(S::TICKS_PER_SECOND);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// Power comes: everything starts.
    pub fn power_on(&mut self) {
        self.soc.forget();
        self.soc.power_on();
        self.reset(ResetCause::PowerOn);
    }

    /// Power goes: memories are lost, flash stays.
    pub fn power_off(&mut self) {
        self.cpu.power_off();
        self.soc.forget();
    }

    /// The reset line goes low, or high again.
    pub fn set_reset(&mut self, low: bool) {
        let low = low && self.soc.has_reset_pin();
        // What a reset does to registers it does while the line is low; the processor starts when it is high.
        if self.in_reset != low {
            self.reset(ResetCause::Pin);
        }
        self.in_reset = low;
    }

    /// Whether the debug port has its pins: a program can take them, until the next reset.
    #[must_use]
    pub fn has_debug_pins(&self) -> bool {
        self.soc.has_debug_pins()
    }

    fn reset(&mut self, cause: ResetCause) {
        self.soc.reset(cause);
        self.cpu.reset(&mut self.soc);
    }

    /// Simulated time.
    #[must_use]
    pub fn now(&self) -> Ticks {
        self.cpu.now()
    }

    /// The processor.
    #[must_use]
    pub fn cpu(&self) -> &Cpu {
        &self.cpu
    }

    /// Lets time pass while nothing runs.
    pub fn pass_time(&mut self, until: Ticks) {
        self.cpu.pass_time(until);
    }

    /// Runs until `limit` or until something else ends it.
    pub fn run(&mut self, limit: Ticks) -> Stop {
        loop {
            if self.in_reset {
                self.cpu.pass_time(limit);
                return Stop::Limit;
            }
            match self.cpu.run(&mut self.soc, limit) {
                Exit::Limit => return Stop::Limit,
                Exit::Halted => {
                    // Devices go on.
                    self.cpu.pass_time(limit);
                    self.soc.service(limit);
                    return Stop::Halted;
                }
                Exit::ResetRequest => self.reset(ResetCause::Software),
                Exit::Stopped if self.soc.take_power_failure() => return Stop::PowerFailed,
                Exit::Stopped => match self.soc.unknown().stopped_at.take() {
                    Some(access) => return Stop::Unknown(access),
                    None => return Stop::Output,
                },
            }
        }
    }

    /// Loads through the debug port. `None` is a bus fault.
    pub fn debug_load(&mut self, address: u32, size: u32) -> Option<u32> {
        if !self.soc.is_open() {
            return None;
        }
        let value = self.cpu.debug_load(&mut self.soc, address, size)?;
        Some(match address {
            // A processor that is held in reset is not halted, whatever was asked for.
            thumb::DHCSR if self.in_reset => value & !thumb::S_HALT | thumb::S_RESET,
            _ => value,
        })
    }

    /// Stores through the debug port.
    pub fn debug_store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        if !self.soc.is_open() {
            return None;
        }
        self.cpu.debug_store(&mut self.soc, address, size, value)
    }

    /// Reads a register of a further access port.
    pub fn load_port(&mut self, port: u8, register: u8) -> u32 {
        self.soc.load_port(port, register)
    }

    /// Writes a register of a further access port.
    pub fn store_port(&mut self, port: u8, register: u8, value: u32) {
        let resets = self.soc.store_port(port, register, value, self.cpu.now());
        if let Some(changed) = self.soc.take_code_changed() {
            self.cpu.forget_code(Some(changed));
        }
        if resets {
            self.reset(ResetCause::Software);
        }
    }

    /// The serial adapter at the console's UART.
    pub fn adapter(&mut self) -> &mut Adapter {
        self.soc.adapter()
    }

    /// Draws a byte on the line to the console's UART, with bits of `bit` (1/256 tick); gives when it will have been sent.
    pub fn send(&mut self, byte: u8, bit: u64) -> Ticks {
        self.soc.send(byte, self.cpu.now(), bit)
    }

    /// Drives a pin from outside, or leaves it open.
    pub fn set_pin(&mut self, pin: u8, level: Option<bool>) {
        self.soc.drive(pin, level);
    }

    /// Level at a pin.
    #[must_use]
    pub fn pin(&self, pin: u8) -> bool {
        self.soc.level(pin)
    }

    /// What the flash holds.
    #[must_use]
    pub fn flash_contents(&self) -> &[u8] {
        self.soc.flash()
    }

    /// Puts contents into the flash at an offset; for tests and for boards that are kept as files.
    pub fn load_flash(&mut self, offset: usize, contents: &[u8]) {
        self.soc.load_flash(offset, contents);
        self.cpu.forget_code(None);
    }

    /// Whether the flash has been changed since the last call.
    pub fn take_flash_changed(&mut self) -> bool {
        self.soc.take_flash_changed()
    }

    /// Faults to inject into the flash.
    pub fn flash_faults(&mut self) -> &mut FlashFaults {
        self.soc.flash_faults()
    }

    /// Every register that is described, with its class.
    pub fn registers(&self) -> impl Iterator<Item = &Register> {
        self.soc.registers().into_iter().flat_map(Registers::catalogue)
    }

    /// Accesses to registers that nobody described, the first to each.
    pub fn unknown_accesses(&mut self) -> impl Iterator<Item = &UnknownAccess> {
        self.soc.unknown().seen.values()
    }
}
