//! The STM32F405 from power-on: its processor, memories and peripherals.
//!
//! Sources: RM0090 (reference manual), DS8626 (data sheet). Modelled: RCC, the flash memory interface, USART1, GPIO, RNG,
//! SysTick and NVIC (in [`crate::thumb`]). What the manual documents besides is stored, everything else is reported.
//!
//! Not modelled: DMA, timers, analog, the other communication interfaces, the boot loader in system memory, flash wait states.

mod board;
mod clock;
mod flash;
mod gpio;
mod random;
mod soc;
#[cfg(test)]
mod tests;
mod usart;

pub use board::Stm32Board;
pub use flash::{FLASH_SIZE, FlashFaults, sector_of};

use crate::adapter::Adapter;
use crate::registers::Register;
use crate::thumb::{self, Cpu, Exit};
use crate::time::Ticks;
use soc::Soc;
use std::time::Duration;

pub use soc::UnknownAccess;

/// Ticks in a simulated second: what divides 168, 84, 42, 16 and 8 MHz evenly.
pub const TICKS_PER_SECOND: u64 = 336_000_000;

/// Converts a duration to ticks, rounding up.
#[must_use]
pub fn ticks(duration: Duration) -> Ticks {
    let ticks = (duration.as_nanos() * u128::from(TICKS_PER_SECOND)).div_ceil(1_000_000_000);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// Converts ticks to a duration, rounding down to nanoseconds.
#[must_use]
pub fn duration(ticks: Ticks) -> Duration {
    let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(TICKS_PER_SECOND);
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// Why the chip starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetCause {
    /// The supply came up.
    PowerOn,
    /// NRST was low.
    Pin,
    /// The program or the debugger asked for it.
    Software,
}

/// Why [`Stm32f405::run`] returned.
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

/// The chip.
#[derive(Clone)]
pub struct Stm32f405 {
    cpu: Cpu,
    soc: Soc,
    /// NRST is low.
    in_reset: bool,
}

impl Stm32f405 {
    /// A chip without power and with blank flash. A strict one stops at the first access to an unknown register.
    #[must_use]
    pub fn new(strict: bool) -> Self {
        Self { cpu: Cpu::new(), soc: Soc::new(strict), in_reset: false }
    }

    /// Power comes: everything starts.
    pub fn power_on(&mut self) {
        self.soc.forget();
        self.soc.flash.set_debugged(false);
        self.reset(ResetCause::PowerOn);
    }

    /// Power goes: memories are lost, flash stays.
    pub fn power_off(&mut self) {
        self.cpu.power_off();
        self.soc.forget();
    }

    /// NRST goes low, or high again.
    pub fn set_reset(&mut self, low: bool) {
        // What a reset does to registers it does while the line is low; the processor starts when it is high.
        if self.in_reset != low {
            self.reset(ResetCause::Pin);
        }
        self.in_reset = low;
    }

    /// Whether the debug port has its pins: a program can take them, until the next reset.
    #[must_use]
    pub fn has_debug_pins(&self) -> bool {
        gpio::leaves_debug_pins(&self.soc.registers)
    }

    /// Protects the flash against reading (level 1), as somebody did who shipped the board.
    pub fn protect_reading(&mut self) {
        self.soc.flash.protect_reading();
        self.soc.flash.set_up(&mut self.soc.registers);
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
                    thumb::Bus::service(&mut self.soc, limit);
                    return Stop::Halted;
                }
                Exit::ResetRequest => self.reset(ResetCause::Software),
                Exit::Stopped if self.soc.flash.take_power_failure() => return Stop::PowerFailed,
                Exit::Stopped => match self.soc.take_unknown() {
                    Some(access) => return Stop::Unknown(access),
                    None => return Stop::Output,
                },
            }
        }
    }

    /// Loads through the debug port. `None` is a bus fault.
    pub fn debug_load(&mut self, address: u32, size: u32) -> Option<u32> {
        self.soc.flash.set_debugged(true);
        let value = self.cpu.debug_load(&mut self.soc, address, size)?;
        Some(match address {
            // A processor that is held in reset is not halted, whatever was asked for.
            thumb::DHCSR if self.in_reset => value & !thumb::S_HALT | thumb::S_RESET,
            _ => value,
        })
    }

    /// Stores through the debug port.
    pub fn debug_store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        self.soc.flash.set_debugged(true);
        self.cpu.debug_store(&mut self.soc, address, size, value)
    }

    /// The serial adapter at USART1.
    pub fn adapter(&mut self) -> &mut Adapter {
        &mut self.soc.adapter
    }

    /// Draws a byte on the line to USART1, with bits of `bit` (1/256 tick); gives when it will have been sent.
    pub fn send(&mut self, byte: u8, bit: u64) -> Ticks {
        self.soc.usart.send(byte, self.cpu.now(), bit)
    }

    /// Drives a pin (16 times the port, A is 0, plus its number) from outside, or leaves it open.
    pub fn set_pin(&mut self, pin: u8, level: Option<bool>) {
        self.soc.gpio.drive(pin, level);
    }

    /// Level at a pin.
    #[must_use]
    pub fn pin(&self, pin: u8) -> bool {
        self.soc.gpio.level(&self.soc.registers, pin)
    }

    /// What the flash holds.
    #[must_use]
    pub fn flash_contents(&self) -> &[u8] {
        self.soc.flash.contents()
    }

    /// Puts contents into the flash at an offset; for tests and for boards that are kept as files.
    pub fn load_flash(&mut self, offset: usize, contents: &[u8]) {
        self.soc.flash.load(offset, contents);
        self.cpu.forget_code(None);
    }

    /// Faults to inject into the flash.
    pub fn flash_faults(&mut self) -> &mut FlashFaults {
        &mut self.soc.flash.faults
    }

    /// Every register that is described, with its class.
    pub fn registers(&self) -> impl Iterator<Item = &Register> {
        self.soc.registers.catalogue()
    }

    /// Accesses to registers that nobody described, the first to each.
    pub fn unknown_accesses(&self) -> impl Iterator<Item = &UnknownAccess> {
        self.soc.unknown.values()
    }
}
