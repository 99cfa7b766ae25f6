//! A board with a microcontroller: the chip, a reset button, a power switch, and a serial adapter at its console's UART.
//!
//! As [`crate::board`]: reads have a time limit, writes take line time, and all of it is simulated time, which moves only
//! inside these calls.

use super::{Mcu, Soc, Stop, UnknownAccess};
use crate::adapter::{Adapter, SerialFaults};
use crate::board::Input;
use crate::lent::Lent;
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

/// A board whatever chip is on it.
pub trait AnyBoard: Target + Lent + Send {
    /// Switches the power on.
    fn power_on(&mut self);
    /// Switches the power off.
    fn power_off(&mut self);
    /// Presses the reset button; a board that is off is switched on.
    fn press_reset(&mut self);
    /// Sets the adapter's rate.
    fn set_baud(&mut self, baud: u32);
    /// Reads what arrived; waits at most `timeout` of simulated time for the first byte. 0 means nothing came.
    ///
    /// # Errors
    /// If the chip stopped in strict mode.
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize>;
    /// Sends bytes to the chip; returns when the last one left the line.
    fn write_all(&mut self, bytes: &[u8]);
    /// Drops everything that arrived so far without letting time pass.
    fn discard_output(&mut self);
    /// Bytes that came from the chip since the board was made, damaged and lost ones included.
    fn heard(&mut self) -> u64;
    /// Damage on the way from the chip.
    fn faults_from_chip(&mut self) -> &mut SerialFaults;
    /// The power fails half-way through the n-th operation of the flash from now.
    fn cut_power_at(&mut self, operation: u64);
    /// Drives a pin from outside, or leaves it open.
    ///
    /// # Errors
    /// There is no such pin.
    fn set_pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()>;
    /// Loads the flash contents from `path`, which must be of the flash's size.
    ///
    /// # Errors
    /// If the file cannot be read or has another size.
    fn load_flash(&mut self, path: &Path) -> io::Result<()>;
    /// Accesses to registers that nobody described, in words.
    fn unknown_accesses(&mut self) -> Vec<String>;
}

/// The board.
#[derive(Clone)]
pub struct McuBoard<S> {
    chip: Mcu<S>,
    powered: bool,
    /// Something holds the reset line low, whatever the probe does.
    reset_held: bool,
    sent: u64,
    /// When the last byte to the chip will have left the line.
    line_free_at: Ticks,
    /// Damage on the way to the chip.
    pub faults_to_chip: SerialFaults,
    stopped_at: Option<UnknownAccess>,
}

impl<S: Soc> McuBoard<S> {
    /// A board without power and with blank flash. On a strict one the chip stops at the first unknown register.
    #[must_use]
    pub fn new(strict: bool) -> Self {
        Self {
            chip: Mcu::new(strict),
            powered: false,
            reset_held: false,
            sent: 0,
            line_free_at: 0,
            faults_to_chip: SerialFaults::default(),
            stopped_at: None,
        }
    }

    /// The chip.
    #[must_use]
    pub fn chip(&self) -> &Mcu<S> {
        &self.chip
    }

    /// The chip, for faults, pins and flash contents.
    pub fn chip_mut(&mut self) -> &mut Mcu<S> {
        &mut self.chip
    }

    /// Holds the reset line low (a button that is stuck, another tool), or lets it go.
    pub fn hold_reset(&mut self, held: bool) {
        self.reset_held = held;
        self.chip.set_reset(held);
    }

    /// Bytes sent to the chip so far, damaged and lost ones included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Draws bytes on the line to the chip, behind those that are there.
    fn draw(&mut self, bytes: &[u8]) {
        let bit = self.chip.adapter().bit();
        for &byte in bytes {
            if let Some(byte) = self.faults_to_chip.apply(self.sent, byte) {
                self.line_free_at = self.chip.send(byte, bit);
            }
            self.sent += 1;
        }
    }

    /// Lets simulated time pass.
    pub fn sleep(&mut self, time: Duration) {
        timed::sleep(self, time);
    }
}

impl<S: Soc> AnyBoard for McuBoard<S> {
    fn power_on(&mut self) {
        if !self.powered {
            self.powered = true;
            self.stopped_at = None;
            self.chip.power_on();
        }
    }

    fn power_off(&mut self) {
        if self.powered {
            self.powered = false;
            self.chip.power_off();
        }
    }

    fn press_reset(&mut self) {
        if !self.powered {
            return self.power_on();
        }
        self.chip.set_reset(true);
        self.sleep(PRESS);
        self.chip.set_reset(false);
    }

    fn set_baud(&mut self, baud: u32) {
        self.chip.adapter().set_baud(baud);
    }

    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        timed::read(self, buffer, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) {
        let bit = self.chip.adapter().bit();
        for chunk in bytes.chunks(DRAWN_AHEAD) {
            let end = self.chip.now() + bit * 10 * chunk.len() as u64 / FRACTION;
            self.draw(chunk);
            self.advance(end);
        }
    }

    fn discard_output(&mut self) {
        self.chip.adapter().heard.clear();
    }

    fn heard(&mut self) -> u64 {
        self.chip.adapter().count()
    }

    fn faults_from_chip(&mut self) -> &mut SerialFaults {
        &mut self.chip.adapter().faults
    }

    fn cut_power_at(&mut self, operation: u64) {
        self.chip.flash_faults().power_cut_at_operation = Some(operation);
    }

    fn set_pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        let (count, last) = S::PINS;
        if pin >= count {
            let why = format!("the chip has pins 0 to {} ({last})", count - 1);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.chip.set_pin(pin, level);
        Ok(())
    }

    fn load_flash(&mut self, path: &Path) -> io::Result<()> {
        let contents = std::fs::read(path)?;
        let size = self.chip.flash_contents().len();
        if contents.len() != size {
            let text = format!("{} holds {} bytes, not {size}", path.display(), contents.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        self.chip.load_flash(0, &contents);
        Ok(())
    }

    fn unknown_accesses(&mut self) -> Vec<String> {
        self.chip.unknown_accesses().map(ToString::to_string).collect()
    }
}

impl<S: Soc> Timed for McuBoard<S> {
    fn ticks(duration: Duration) -> Ticks {
        Mcu::<S>::ticks(duration)
    }

    fn now_ticks(&self) -> Ticks {
        self.chip.now()
    }

    /// Returns early if the adapter was asked to wake the caller and heard something.
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

    fn adapter(&mut self) -> &mut Adapter {
        self.chip.adapter()
    }

    fn stopped(&self) -> Option<String> {
        self.stopped_at.as_ref().map(ToString::to_string)
    }
}

impl<S: Soc> Lent for McuBoard<S> {
    fn time(&self) -> Duration {
        Mcu::<S>::duration(self.chip.now())
    }

    fn run_until(&mut self, until: Duration) {
        self.advance(Mcu::<S>::ticks(until));
    }

    fn stopped(&self) -> Option<String> {
        Timed::stopped(self)
    }

    fn take_output(&mut self) -> Vec<u8> {
        self.chip.adapter().heard.drain(..).collect()
    }

    fn backlog(&self) -> Duration {
        Mcu::<S>::duration(self.line_free_at.saturating_sub(self.chip.now()))
    }

    fn apply(&mut self, input: Input) {
        match input {
            Input::Bytes(bytes) => self.draw(&bytes),
            Input::Baud(baud) => self.set_baud(baud),
            Input::ResetButton(pressed) => self.hold_reset(pressed),
            Input::Power(true) => self.power_on(),
            Input::Power(false) => self.power_off(),
            Input::Pin(pin, level) => self.chip.set_pin(pin, level),
            // The adapter's control lines go nowhere, and the others are of other boards.
            Input::Lines { .. } | Input::Jumper(_) | Input::Usb(_) => {}
        }
    }

    fn take_flash_changed(&mut self) -> bool {
        self.chip.take_flash_changed()
    }

    fn save_flash(&self, path: &Path) -> io::Result<()> {
        timed::save(path, self.chip.flash_contents())
    }
}

/// What a probe that is wired to the board sees.
impl<S: Soc> Target for McuBoard<S> {
    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        self.chip.debug_load(address, size)
    }

    fn store(&mut self, address: u32, size: u32, value: u32) -> Option<()> {
        self.chip.debug_store(address, size, value)
    }

    fn load_port(&mut self, port: u8, register: u8) -> u32 {
        self.chip.load_port(port, register)
    }

    fn store_port(&mut self, port: u8, register: u8, value: u32) {
        self.chip.store_port(port, register, value);
    }

    fn set_reset(&mut self, low: bool) {
        self.chip.set_reset(low || self.reset_held);
    }

    fn pass(&mut self, time: Duration) {
        self.sleep(time);
    }

    fn now(&self) -> Duration {
        Mcu::<S>::duration(self.chip.now())
    }

    fn is_running(&self) -> bool {
        !self.chip.cpu().is_halted()
    }

    fn answers(&self) -> bool {
        self.powered && self.chip.has_debug_pins()
    }
}
