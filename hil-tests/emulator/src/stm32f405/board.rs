//! A board with an STM32F405: the chip, a reset button, a power switch, and a serial adapter at USART1.
//!
//! As [`crate::board`]: reads have a time limit, writes take line time, and all of it is simulated time, which moves only
//! inside these calls.

use super::{Stm32f405, Stop, UnknownAccess, duration, ticks};
use crate::adapter::{Adapter, SerialFaults};
use crate::probe::Target;
use crate::time::Ticks;
use crate::timed::{self, Timed};
use crate::wire::FRACTION;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long the button is pressed.
const PRESS: Duration = Duration::from_millis(10);
/// Bytes drawn ahead on the line at most.
const DRAWN_AHEAD: usize = 64;

/// The board.
#[derive(Clone)]
pub struct Stm32Board {
    chip: Stm32f405,
    powered: bool,
    /// Something holds the reset line low, whatever the probe does.
    reset_held: bool,
    sent: u64,
    /// Damage on the way to the chip.
    pub faults_to_chip: SerialFaults,
    stopped_at: Option<UnknownAccess>,
}

impl Stm32Board {
    /// A board without power and with blank flash. On a strict one the chip stops at the first unknown register.
    #[must_use]
    pub fn new(strict: bool) -> Self {
        Self {
            chip: Stm32f405::new(strict),
            powered: false,
            reset_held: false,
            sent: 0,
            faults_to_chip: SerialFaults::default(),
            stopped_at: None,
        }
    }

    /// The chip.
    #[must_use]
    pub fn chip(&self) -> &Stm32f405 {
        &self.chip
    }

    /// The chip, for faults, pins and flash contents.
    pub fn chip_mut(&mut self) -> &mut Stm32f405 {
        &mut self.chip
    }

    /// Simulated time since the board was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        duration(self.chip.now())
    }

    /// Switches the power on.
    pub fn power_on(&mut self) {
        if !self.powered {
            self.powered = true;
            self.stopped_at = None;
            self.chip.power_on();
        }
    }

    /// Switches the power off.
    pub fn power_off(&mut self) {
        if self.powered {
            self.powered = false;
            self.chip.power_off();
        }
    }

    /// Presses the reset button; a board that is off is switched on.
    pub fn press_reset(&mut self) {
        if !self.powered {
            return self.power_on();
        }
        self.chip.set_reset(true);
        self.sleep(PRESS);
        self.chip.set_reset(false);
    }

    /// Holds the reset line low (a button that is stuck, another tool), or lets it go.
    pub fn hold_reset(&mut self, held: bool) {
        self.reset_held = held;
        self.chip.set_reset(held);
    }

    /// Sets the adapter's rate.
    pub fn set_baud(&mut self, baud: u32) {
        self.chip.adapter().set_baud(baud);
    }

    /// Damage on the way from the chip.
    pub fn faults_from_chip(&mut self) -> &mut SerialFaults {
        &mut self.chip.adapter().faults
    }

    /// Bytes that came from the chip since the board was made, damaged and lost ones included.
    pub fn heard(&mut self) -> u64 {
        self.chip.adapter().count()
    }

    /// Bytes sent to the chip so far, damaged and lost ones included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Lets simulated time pass.
    pub fn sleep(&mut self, time: Duration) {
        timed::sleep(self, time);
    }

    /// Reads what arrived; waits at most `timeout` of simulated time for the first byte. 0 means nothing came.
    ///
    /// # Errors
    /// If the chip stopped in strict mode.
    pub fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        timed::read(self, buffer, timeout)
    }

    /// Sends bytes to the chip; returns when the last one left the line.
    pub fn write_all(&mut self, bytes: &[u8]) {
        let bit = self.chip.adapter().bit();
        for chunk in bytes.chunks(DRAWN_AHEAD) {
            let end = self.chip.now() + bit * 10 * chunk.len() as u64 / FRACTION;
            for &byte in chunk {
                if let Some(byte) = self.faults_to_chip.apply(self.sent, byte) {
                    self.chip.send(byte, bit);
                }
                self.sent += 1;
            }
            self.advance(end);
        }
    }

    /// Drops everything that arrived so far without letting time pass.
    pub fn discard_output(&mut self) {
        self.chip.adapter().heard.clear();
    }

    /// Lets time pass until `until`; returns early if the adapter was asked to wake the caller and heard something.
    fn advance(&mut self, until: Ticks) {
        while self.chip.now() < until {
            if self.stopped_at.is_some() || !self.powered {
                self.chip.pass_time(until);
                return;
            }
            match self.chip.run(until) {
                Stop::Limit | Stop::Halted => {}
                Stop::Output => return,
                Stop::PowerFailed => self.power_off(),
                Stop::Unknown(access) => self.stopped_at = Some(access),
            }
        }
    }

    /// Writes the flash contents to `path`; the file is whole at every moment.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_flash(&self, path: &Path) -> io::Result<()> {
        timed::save(path, self.chip.flash_contents())
    }

    /// Loads the flash contents from `path`, which must be of the flash's size.
    ///
    /// # Errors
    /// If the file cannot be read or has another size.
    pub fn load_flash(&mut self, path: &Path) -> io::Result<()> {
        let contents = std::fs::read(path)?;
        let size = self.chip.flash_contents().len();
        if contents.len() != size {
            let text = format!("{} holds {} bytes, not {size}", path.display(), contents.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        self.chip.load_flash(0, &contents);
        Ok(())
    }
}

impl Timed for Stm32Board {
    fn ticks(duration: Duration) -> Ticks {
        ticks(duration)
    }

    fn now_ticks(&self) -> Ticks {
        self.chip.now()
    }

    fn advance(&mut self, until: Ticks) {
        Stm32Board::advance(self, until);
    }

    fn adapter(&mut self) -> &mut Adapter {
        self.chip.adapter()
    }

    fn stopped(&self) -> Option<String> {
        self.stopped_at.as_ref().map(ToString::to_string)
    }
}

/// What a probe that is wired to the board sees.
impl Target for Stm32Board {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        self.chip.debug_load(address, size)
    }

    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        self.chip.debug_store(address, size, value)
    }

    fn set_reset(&mut self, low: bool) {
        self.chip.set_reset(low || self.reset_held);
    }

    fn pass(&mut self, time: Duration) {
        self.sleep(time);
    }

    fn now(&self) -> Duration {
        Stm32Board::now(self)
    }

    fn is_running(&self) -> bool {
        !self.chip.cpu().is_halted()
    }

    fn answers(&self) -> bool {
        self.powered && self.chip.has_debug_pins()
    }
}
