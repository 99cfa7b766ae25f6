//! An emulated board inside this process, on the `free` clock: time passes only while somebody waits.

use std::io;
use std::path::Path;
use std::time::Duration;

use larch_emulator::{Board, Config, Rom, Wiring};
use larch_loader::transport::{Lines, Transport};

use super::air;
use crate::scenario::{AirChange, Fault};
use crate::session::Console;

/// Pins that an ESP32-C3 brings out.
const PINS: u8 = 22;
/// How long the ROM needs from power-on until it has read its strapping pins.
const STRAPS_READ: Duration = Duration::from_millis(20);

/// An emulated ESP32-C3 on a development board.
pub struct Emulated {
    board: Board,
}

impl Emulated {
    /// A board without power and with blank flash; `rom` is the file of its mask ROM.
    ///
    /// # Errors
    /// The ROM file cannot be read or is none.
    pub fn new(rom: &Path, strict: bool) -> io::Result<Self> {
        let file = std::fs::read(rom)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", rom.display())))?;
        let rom = Rom::parse(&file).map_err(io::Error::other)?;
        let config = Config { strict, ..Config::new(rom) };
        Ok(Self { board: Board::new(&config, Wiring::AutoReset) })
    }

    /// The same board behind an adapter with another wiring.
    #[must_use]
    pub fn wired(self, wiring: Wiring) -> Self {
        Self { board: self.board.wired(wiring) }
    }

    /// The board, for power, straps, pins and faults.
    pub fn board(&mut self) -> &mut Board {
        &mut self.board
    }

    /// Switches it on with the strapping pin low, so that its ROM waits for a download.
    pub fn power_on_for_download(&mut self) {
        self.board.set_jumper(true);
        self.board.power_on();
        self.board.sleep(STRAPS_READ);
        self.board.set_jumper(false);
    }

    /// The board itself.
    #[must_use]
    pub fn into_board(self) -> Board {
        self.board
    }

    /// Its serial port, borrowed.
    pub fn line(&mut self) -> Line<'_> {
        Line(self)
    }
}

impl Transport for Emulated {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.board.read(buf, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.board.write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.board.set_baud(baud);
        Ok(())
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.board.set_lines(lines.dtr, lines.rts);
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.board.take_output();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.board.sleep(duration);
    }

    fn now(&self) -> Duration {
        self.board.now()
    }
}

impl Console for Emulated {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        press_reset(&mut self.board);
        Ok(())
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        switch(&mut self.board, on);
        Ok(())
    }

    fn pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        drive(&mut self.board, pin, level)
    }

    fn air(&mut self, change: &AirChange) -> io::Result<()> {
        air::change(&mut self.board, change)
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        inject(&mut self.board, fault);
        Ok(())
    }
}

/// The reset button, or the power switch of a board that is off.
pub(super) fn press_reset(board: &mut Board) {
    if board.is_powered() {
        board.press_reset();
        board.take_output();
    } else {
        board.power_on();
    }
}

/// The power switch. What was on the line is lost.
pub(super) fn switch(board: &mut Board, on: bool) {
    board.take_output();
    if on {
        board.power_on();
    } else {
        board.power_off();
    }
}

/// A pin is driven from outside.
pub(super) fn drive(board: &mut Board, pin: u8, level: Option<bool>) -> io::Result<()> {
    if pin >= PINS {
        let why = format!("the chip has pins 0 to {}", PINS - 1);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    board.set_pin(pin, level);
    Ok(())
}

/// Something is going to go wrong.
pub(super) fn inject(board: &mut Board, fault: &Fault) {
    let heard = board.heard();
    match *fault {
        Fault::PowerCut(operation) => {
            board.chip_mut().flash_faults().power_cut_at_operation = Some(operation);
        }
        Fault::LoseByte(count) => {
            board.faults_from_chip().drop.insert(heard + count - 1);
        }
        Fault::DamageByte(count) => {
            board.faults_from_chip().corrupt.insert(heard + count - 1, 0x01);
        }
    }
}

/// The serial port of an emulated board, for a loader that wants to own its port.
pub struct Line<'a>(&'a mut Emulated);

impl Transport for Line<'_> {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.0.read(buf, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.0.set_baud(baud)
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.0.set_lines(lines)
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.0.discard_input()
    }

    fn sleep(&mut self, duration: Duration) {
        self.0.sleep(duration);
    }

    fn now(&self) -> Duration {
        self.0.now()
    }
}
