//! A development board: the chip, the auto-reset circuit, a button, a jumper, a power switch, and a serial adapter.
//!
//! The serial stream has the semantics of a serial port: reads have a time limit, writes take line time, and all of it is
//! simulated time, which moves only inside these calls. Every input is recorded with its moment; replaying the record
//! on an equal board gives the same run to the cycle.

use crate::adapter::Adapter;
use crate::air::{Place, exchange};
use crate::esp32c3::{Config, Esp32c3, ResetCause, SerialFaults, Stop, UnknownAccess};
use crate::time::{NEVER, Ticks, duration, ticks};
use crate::timed::{self, Timed};
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How the adapter's control lines reach the chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wiring {
    /// Two transistors: RTS alone pulls EN low, DTR alone pulls GPIO9 low.
    #[default]
    AutoReset,
    /// Only TX, RX and GND are connected.
    None,
}

/// Something that the outside does to the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Bytes on the line to the chip.
    Bytes(Vec<u8>),
    /// The adapter's rate.
    Baud(u32),
    /// The adapter's control lines, true is asserted.
    Lines {
        /// Data terminal ready.
        dtr: bool,
        /// Request to send.
        rts: bool,
    },
    /// The jumper from GPIO9 to GND is set or removed.
    Jumper(bool),
    /// The reset button is pressed or released.
    ResetButton(bool),
    /// The power switch.
    Power(bool),
    /// A pin is driven, or left open.
    Pin(u8, Option<bool>),
    /// Bytes over USB.
    Usb(Vec<u8>),
}

/// Inputs with the moments at which they happened.
#[derive(Clone, Debug, Default)]
pub struct Recording(pub Vec<(Ticks, Input)>);

/// After release, the capacitor at EN takes this long to charge.
const EN_RISE: Duration = Duration::from_millis(1);
/// Bytes drawn ahead on the line at most.
const DRAWN_AHEAD: usize = 64;

/// The board.
#[derive(Clone)]
pub struct Board {
    chip: Esp32c3,
    wiring: Wiring,
    dtr: bool,
    rts: bool,
    jumper: bool,
    button: bool,
    powered: bool,
    /// EN is low, or still rising until then.
    released_at: Option<Ticks>,
    recording: Option<Recording>,
    /// Damage on the way to the chip.
    pub faults_to_chip: SerialFaults,
    sent: u64,
    stopped_at: Option<UnknownAccess>,
}

/// Lets boards that stand on one desk hear each other's radio; to be called again and again, when all of them have come to the
/// same time.
pub fn share_air(boards: &mut [Board]) {
    let places = boards.iter_mut().map(|board| {
        let (stations, now) = (board.chip.stations(), board.chip.now());
        Place { stations, now, air: board.chip.air() }
    });
    exchange(&mut places.collect::<Vec<_>>());
}

impl Board {
    /// A board without power.
    #[must_use]
    pub fn new(config: &Config, wiring: Wiring) -> Self {
        Self {
            chip: Esp32c3::new(config),
            wiring,
            dtr: false,
            rts: false,
            jumper: false,
            button: false,
            powered: false,
            released_at: None,
            recording: None,
            faults_to_chip: SerialFaults::default(),
            sent: 0,
            stopped_at: None,
        }
    }

    /// The same board behind an adapter with another wiring.
    #[must_use]
    pub fn wired(self, wiring: Wiring) -> Self {
        Self { wiring, ..self }
    }

    /// The chip.
    #[must_use]
    pub fn chip(&self) -> &Esp32c3 {
        &self.chip
    }

    /// The chip, for faults, pins, USB and flash contents.
    pub fn chip_mut(&mut self) -> &mut Esp32c3 {
        &mut self.chip
    }

    /// Simulated time since the board was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        duration(self.chip.now())
    }

    /// The same, in ticks.
    #[must_use]
    pub fn now_ticks(&self) -> Ticks {
        self.chip.now()
    }

    /// Whether the board has power; an injected power cut takes it away.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.powered
    }

    /// The access to an unknown register at which strict mode stopped the chip.
    #[must_use]
    pub fn stopped_at(&self) -> Option<&UnknownAccess> {
        self.stopped_at.as_ref()
    }

    /// Records every input from now on; begin before power is switched on to be able to replay.
    pub fn record(&mut self) {
        self.recording.get_or_insert_default();
    }

    /// Every input since [`Board::record`].
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        self.recording.as_ref()
    }

    /// Lets the outside do something now.
    pub fn apply(&mut self, input: Input) {
        self.input(input);
    }

    /// Line time of the bytes that are on their way to the chip.
    #[must_use]
    pub fn backlog(&self) -> Duration {
        duration(self.chip.uart_free_at().saturating_sub(self.chip.now()))
    }

    /// Switches the power on; the chip starts if nothing holds it in reset.
    pub fn power_on(&mut self) {
        self.input(Input::Power(true));
    }

    /// Switches the power off.
    pub fn power_off(&mut self) {
        self.input(Input::Power(false));
    }

    /// Sets or removes the jumper from GPIO9 to GND, which selects download at the next reset.
    pub fn set_jumper(&mut self, set: bool) {
        self.input(Input::Jumper(set));
    }

    /// Presses the reset button for 10 ms.
    pub fn press_reset(&mut self) {
        self.input(Input::ResetButton(true));
        self.sleep(Duration::from_millis(10));
        self.input(Input::ResetButton(false));
    }

    /// Drives a pin, or leaves it open.
    pub fn set_pin(&mut self, pin: u8, level: Option<bool>) {
        self.input(Input::Pin(pin, level));
    }

    /// Sets the adapter's control lines; true is asserted.
    pub fn set_lines(&mut self, dtr: bool, rts: bool) {
        self.input(Input::Lines { dtr, rts });
    }

    /// The adapter's control lines: DTR and RTS.
    #[must_use]
    pub fn lines(&self) -> (bool, bool) {
        (self.dtr, self.rts)
    }

    /// Sets the adapter's rate.
    pub fn set_baud(&mut self, baud: u32) {
        self.input(Input::Baud(baud));
    }

    /// Sends bytes over USB-Serial-JTAG.
    pub fn write_usb(&mut self, bytes: &[u8]) {
        self.input(Input::Usb(bytes.to_vec()));
    }

    /// Takes what arrived over USB-Serial-JTAG.
    pub fn read_usb(&mut self) -> Vec<u8> {
        self.chip.receive_usb()
    }

    /// Damage on the way from the chip.
    pub fn faults_from_chip(&mut self) -> &mut SerialFaults {
        &mut self.chip.adapter().faults
    }

    /// Bytes that came from the chip since the board was made, damaged and lost ones included.
    pub fn heard(&mut self) -> u64 {
        self.chip.adapter().count()
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
    ///
    /// # Errors
    /// Never now; the signature is a serial port's.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for chunk in bytes.chunks(DRAWN_AHEAD) {
            let end =
                self.chip.now() + self.chip.adapter().bit() * 10 * chunk.len() as u64 / crate::wire::FRACTION;
            self.input(Input::Bytes(chunk.to_vec()));
            self.advance(end);
        }
        Ok(())
    }

    /// Queues bytes on the line without waiting; for servers that pace themselves.
    pub fn queue(&mut self, bytes: &[u8]) {
        self.input(Input::Bytes(bytes.to_vec()));
    }

    /// Takes everything that arrived so far without letting time pass.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.chip.adapter().heard.drain(..).collect()
    }

    /// Lets time pass until `until`; returns early if the adapter was asked to wake the caller and heard something.
    pub fn advance(&mut self, until: Ticks) {
        while self.chip.now() < until {
            if self.stopped_at.is_some() || !self.powered || self.held() {
                let release = self.released_at.unwrap_or(NEVER);
                let step = if self.powered && self.stopped_at.is_none() { release.min(until) } else { until };
                self.chip.pass_time(step);
                self.chip.listen();
                self.release();
                continue;
            }
            match self.chip.run(until) {
                Stop::Limit => {}
                Stop::Output => return,
                Stop::Unknown(access) => self.stopped_at = Some(access),
                Stop::PowerFailed => {
                    tracing::info!("injected power cut");
                    self.chip.power_off();
                    self.powered = false;
                }
            }
        }
    }

    /// Replays the inputs of `recording` that are not in the past and runs until `until`.
    pub fn replay(&mut self, recording: &Recording, until: Ticks) {
        for (at, input) in &recording.0 {
            self.advance(*at);
            self.input(input.clone());
        }
        self.advance(until);
    }

    fn en_low(&self) -> bool {
        self.button || self.wiring == Wiring::AutoReset && self.rts && !self.dtr
    }

    fn held(&self) -> bool {
        self.en_low() || self.released_at.is_some()
    }

    /// EN has risen: the chip starts.
    fn release(&mut self) {
        if self.powered && !self.en_low() && self.released_at.is_some_and(|at| at <= self.chip.now()) {
            self.released_at = None;
            self.chip.reset(ResetCause::PowerOn);
        }
    }

    fn input(&mut self, input: Input) {
        if let Some(recording) = &mut self.recording {
            recording.0.push((self.chip.now(), input.clone()));
        }
        let was_low = self.en_low();
        match input {
            Input::Bytes(bytes) => self.draw(&bytes),
            Input::Baud(baud) => self.chip.adapter().set_baud(baud),
            Input::Lines { dtr, rts } => (self.dtr, self.rts) = (dtr, rts),
            Input::Jumper(set) => self.jumper = set,
            Input::ResetButton(pressed) => self.button = pressed,
            Input::Power(on) => self.switch(on),
            Input::Pin(pin, level) => self.chip.set_pin(pin, level),
            Input::Usb(bytes) => self.chip.send_usb(&bytes),
        }
        let pulled = self.jumper || self.wiring == Wiring::AutoReset && self.dtr && !self.rts;
        self.chip.set_pin(9, pulled.then_some(false));
        if self.en_low() {
            self.released_at = None;
        } else if was_low {
            self.released_at = Some(self.chip.now() + ticks(EN_RISE));
        }
    }

    fn draw(&mut self, bytes: &[u8]) {
        let bit = self.chip.adapter().bit();
        for &byte in bytes {
            if let Some(byte) = self.faults_to_chip.apply(self.sent, byte) {
                self.chip.send_uart(byte, bit);
            }
            self.sent += 1;
        }
    }

    fn switch(&mut self, on: bool) {
        if on && !self.powered {
            self.powered = true;
            self.stopped_at = None;
            self.chip.power_on();
        } else if !on && self.powered {
            self.powered = false;
            self.chip.power_off();
        }
    }

    /// SHA-256 of the flash contents, in hexadecimal.
    #[must_use]
    pub fn flash_digest(&self) -> String {
        Sha256::digest(self.chip.flash_contents()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Writes the flash contents to `path`; the file is whole at every moment.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_flash(&self, path: &Path) -> io::Result<()> {
        timed::save(path, self.chip.flash_contents())
    }

    /// Loads the flash contents from `path`; what the file does not cover is blank.
    ///
    /// # Errors
    /// If the file cannot be read or is larger than the flash.
    pub fn load_flash(&mut self, path: &Path) -> io::Result<()> {
        let mut contents = std::fs::read(path)?;
        let size = self.chip.flash_contents().len();
        if contents.len() > size {
            let text = format!(
                "{} holds {} bytes, more than the {size} bytes of the flash",
                path.display(),
                contents.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        contents.resize(size, 0xFF);
        self.chip.load_flash(0, &contents);
        Ok(())
    }
}

impl Timed for Board {
    fn ticks(duration: Duration) -> Ticks {
        ticks(duration)
    }

    fn now_ticks(&self) -> Ticks {
        self.chip.now()
    }

    fn advance(&mut self, until: Ticks) {
        Board::advance(self, until);
    }

    fn adapter(&mut self) -> &mut Adapter {
        self.chip.adapter()
    }

    fn stopped(&self) -> Option<String> {
        self.stopped_at.as_ref().map(ToString::to_string)
    }
}
