//! An emulated STM32F405 inside this process, on the `free` clock: time passes only while somebody waits.

use std::io;
use std::time::Duration;

use larch_emulator::stm32f405::Stm32Board;
use larch_loader::transport::{Lines, Transport};

use crate::scenario::Fault;
use crate::session::Console;

/// Pins of ports A to D, numbered through.
const PINS: u8 = 64;

/// An emulated board with an STM32F405.
pub struct Stm32 {
    board: Stm32Board,
}

impl Stm32 {
    /// A board without power and with blank flash.
    #[must_use]
    pub fn new() -> Self {
        Self { board: Stm32Board::new(false) }
    }

    /// The console of a board.
    #[must_use]
    pub fn of(board: Stm32Board) -> Self {
        Self { board }
    }

    /// The board itself.
    #[must_use]
    pub fn into_board(self) -> Stm32Board {
        self.board
    }

    /// The board, for power, probe and faults.
    pub fn board(&mut self) -> &mut Stm32Board {
        &mut self.board
    }
}

impl Default for Stm32 {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Stm32 {
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
        self.board.sleep(duration);
    }

    fn now(&self) -> Duration {
        self.board.now()
    }
}

impl Console for Stm32 {
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
        if pin >= PINS {
            let why = format!("the chip has pins 0 (PA0) to {} (PD15)", PINS - 1);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.board.chip_mut().set_pin(pin, level);
        Ok(())
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        let heard = self.board.heard();
        match *fault {
            Fault::PowerCut(operation) => {
                self.board.chip_mut().flash_faults().power_cut_at_operation = Some(operation);
            }
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
