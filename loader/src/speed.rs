//! Changing the speed of the line.

use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use crate::link::DEFAULT_TIMEOUT;
use larch_protocol::Command;
use std::time::Duration;

/// How long the line is garbage after a change.
const SETTLE: Duration = Duration::from_millis(50);

impl Loader<'_> {
    /// Has both sides go on at another speed.
    ///
    /// # Errors
    /// If the chip refuses, or the port cannot run at this speed.
    pub fn change_baud(&mut self, baud: u32) -> Result<(), Error> {
        if baud == self.baud {
            return Ok(());
        }
        let rom = self.dialect.is_rom();
        let new = if rom { self.as_the_rom_counts(baud)? } else { baud };
        let old = if rom { 0 } else { self.baud };
        self.command(&Command::ChangeBaudrate { new, old }, DEFAULT_TIMEOUT)?;
        self.link.transport().set_baud(baud)?;
        self.baud = baud;
        self.link.transport().sleep(SETTLE);
        self.link.discard()?;
        self.observer.event(&Event::Baud(baud));
        Ok(())
    }

    /// The ESP32's ROM sets its divider by its own estimate of the crystal, which is off by some percent.
    fn as_the_rom_counts(&mut self, baud: u32) -> Result<u32, Error> {
        let Some(estimate) = self.chip.rom.crystal_estimate else { return Ok(baud) };
        let crystal = self.info().map_or(40, |info| u64::from(info.crystal_mhz)) * 1_000_000;
        let cycles = u64::from(estimate.calibration.of(self.read_register(estimate.calibration.register)?));
        let clock = u64::from(estimate.slow_clock.of(self.read_register(estimate.slow_clock.register)?));
        // Cycles of the crystal in a known number of periods of the 8 MHz clock, which the eFuse gives in 1/32 MHz.
        let estimated = cycles * 15_625 * clock / 40;
        if estimated == 0 {
            return Ok(baud);
        }
        Ok(u32::try_from(u64::from(baud) * estimated / crystal).unwrap_or(baud))
    }
}
