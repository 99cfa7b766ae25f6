//! An emulated board with a debug port inside this process, on the `free` clock: time passes only while somebody waits.

use std::io;
use std::time::Duration;

use larch_boards::Chip;
use larch_emulator::mcu::AnyBoard;
use larch_emulator::nrf52840::NrfBoard;
use larch_emulator::stm32f405::Stm32Board;
use larch_loader::transport::{Lines, Transport};

use crate::scenario::Fault;
use crate::session::Console;

/// A board without power and with blank flash. On a strict one the chip stops at the first unknown register.
///
/// # Errors
/// The chip is not emulated with a debug port.
pub fn blank(chip: Chip, strict: bool) -> io::Result<Box<dyn AnyBoard>> {
    match chip {
        Chip::Stm32f405 => Ok(Box::new(Stm32Board::new(strict))),
        Chip::Nrf52840 => Ok(Box::new(NrfBoard::new(strict))),
        other => Err(io::Error::other(format!("{other} is not emulated with a debug probe"))),
    }
}

/// The console of such a board.
pub struct Mcu {
    board: Box<dyn AnyBoard>,
}

impl Mcu {
    /// The console of a board.
    #[must_use]
    pub fn of(board: Box<dyn AnyBoard>) -> Self {
        Self { board }
    }

    /// The board itself.
    #[must_use]
    pub fn into_board(self) -> Box<dyn AnyBoard> {
        self.board
    }
}

impl Transport for Mcu {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.board.read(buf, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.board.write_all(bytes);
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.board.set_baud(baud);
        Ok(())
    }

    /// The adapter's control lines go nowhere.
    fn set_lines(&mut self, _: Lines) -> io::Result<()> {
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.board.discard_output();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.board.pass(duration);
    }

    fn now(&self) -> Duration {
        self.board.time()
    }
}

impl Console for Mcu {
    fn port(&mut self) -> &mut dyn Transport {
        self
    }

    fn hard_reset(&mut self) -> io::Result<()> {
        self.board.press_reset();
        self.board.discard_output();
        Ok(())
    }

    fn power(&mut self, on: bool) -> io::Result<()> {
        self.board.discard_output();
        if on {
            self.board.power_on();
        } else {
            self.board.power_off();
        }
        Ok(())
    }

    fn pin(&mut self, pin: u8, level: Option<bool>) -> io::Result<()> {
        self.board.set_pin(pin, level)
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        let heard = self.board.heard();
        match *fault {
            Fault::PowerCut(operation) => self.board.cut_power_at(operation),
            Fault::LoseByte(count) => {
                self.board.faults_from_chip().drop.insert(heard + count - 1);
            }
            Fault::DamageByte(count) => {
                self.board.faults_from_chip().corrupt.insert(heard + count - 1, 0x01);
            }
        }
        Ok(())
    }
}
