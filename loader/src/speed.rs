//! Changing the speed of the line.

use crate::connect::Loader;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::event::Event;
use crate::link::DEFAULT_TIMEOUT;
use crate::reach::reach;
use larch_chips::MAGIC_ADDRESS;
use larch_protocol::Command;
use std::time::Duration;

/// Speeds that are tried one after the other, each if the one before it was clean. Common adapters go up to 921600 (CP2102),
/// 2000000 (CH340) or 3000000 (FT232R).
const STEPS: [u32; 5] = [460_800, 921_600, 1_500_000, 2_000_000, 3_000_000];
/// Our own stub goes back to the speed before if it hears no confirmation for so long.
const TRIAL: Duration = Duration::from_millis(1000);
/// How long an echo may take: the pattern both ways at 230400 and a slow host.
const ECHO: Duration = Duration::from_millis(120);
/// How often the pattern is sent.
const ECHOES: u32 = 2;
/// How long the line is garbage after a change.
const SETTLE: Duration = Duration::from_millis(50);

impl Loader<'_> {
    /// Has both sides go on at another speed.
    ///
    /// # Errors
    /// If the chip refuses, or the port cannot run at this speed.
    pub fn change_baud(&mut self, baud: u32) -> Result<(), Error> {
        self.with_recovery(|loader, _| loader.change_baud_once(baud))
    }

    /// The same; a chip that is lost stays lost.
    pub(crate) fn change_baud_once(&mut self, baud: u32) -> Result<(), Error> {
        if baud == self.baud {
            return Ok(());
        }
        let rom = self.dialect.is_rom();
        let new = if rom { self.as_the_rom_counts(baud)? } else { baud };
        let old = if rom { 0 } else { self.baud };
        self.with_retries(|loader| loader.command(&Command::ChangeBaudrate { new, old }, DEFAULT_TIMEOUT))?;
        self.link.transport().set_baud(baud)?;
        self.baud = baud;
        self.link.transport().sleep(SETTLE);
        self.link.discard()?;
        self.observer.event(&Event::Baud(baud));
        Ok(())
    }

    /// Goes to the speed that was clean before, if one is known, or steps up to the highest one at which a pattern comes back
    /// as it was sent. Without our own stub nothing is tried.
    ///
    /// # Errors
    /// If the chip does not come back to the speed before.
    pub fn find_speed(&mut self, known: Option<u32>) -> Result<(), Error> {
        if !self.dialect.is_ours {
            return Ok(());
        }
        let present = self.baud;
        let known_is_clean = match known.filter(|&baud| baud > present) {
            Some(baud) => self.try_speed(baud)?,
            None => false,
        };
        for baud in STEPS.into_iter().filter(|&baud| baud > present && !known_is_clean) {
            if !self.try_speed(baud)? {
                break;
            }
        }
        if self.baud != present {
            self.observer.event(&Event::Baud(self.baud));
        }
        Ok(())
    }

    /// Goes on at this speed if the line is clean at it.
    fn try_speed(&mut self, baud: u32) -> Result<bool, Error> {
        let trial = u32::try_from(TRIAL.as_millis()).unwrap_or(u32::MAX);
        let old = self.baud;
        let command = Command::TryBaud { new: baud, milliseconds: trial, old };
        self.with_retries(|loader| loader.command(&command, DEFAULT_TIMEOUT))?;
        let start = self.link.now();
        // A port that cannot run at this speed is as good as one that garbles.
        let clean = self.link.transport().set_baud(baud).is_ok() && self.echoes(start);
        if clean && self.command(&Command::ChangeBaudrate { new: 0, old: 0 }, ECHO).is_ok() {
            self.baud = baud;
            return Ok(true);
        }
        self.link.transport().set_baud(old)?;
        let left = (start + TRIAL + SETTLE).saturating_sub(self.link.now());
        self.link.transport().sleep(left);
        self.resynchronise()?;
        Ok(false)
    }

    /// Whether a pattern of all bytes, and of all bits alternating, comes back, with time left to say so.
    fn echoes(&mut self, start: Duration) -> bool {
        let pattern: Vec<u8> = (0..=u8::MAX).chain([0x55, 0xAA].repeat(64)).collect();
        (0..ECHOES).all(|_| {
            let answer = self.link.command(&Command::Echo(&pattern), pattern.len(), ECHO);
            answer.is_ok_and(|(_, back)| back == pattern)
        }) && self.link.now() - start + ECHO < TRIAL
    }

    /// Goes on at a lower speed after errors, if there is a lower one.
    pub(crate) fn step_down(&mut self) -> Result<(), Error> {
        let lower = STEPS.into_iter().rev().chain([self.options.baud]).find(|&baud| baud < self.baud);
        let Some(lower) = lower.filter(|_| self.options.may_change_speed) else { return Ok(()) };
        self.note(&format!("errors at {} baud, going on at {lower}", self.baud));
        self.change_baud(lower)
    }

    /// The present speed of the line.
    pub fn baud(&self) -> u32 {
        self.baud
    }

    /// Goes on at the highest of these speeds (highest first) at which everything arrives. Returns whether the chip had to
    /// be reset on the way, which ends a stub. Where only a person can reset the chip, nothing is tried.
    ///
    /// # Errors
    /// If the chip cannot be reached again at the first speed.
    pub fn speed_up(&mut self, speeds: &[u32]) -> Result<bool, Error> {
        if self.by_hand {
            return Ok(false);
        }
        let mut was_reset = false;
        let present = self.baud;
        for &baud in speeds.iter().filter(|&&baud| baud > present) {
            if self.works_at(baud)? {
                break;
            }
            self.note(&format!("{baud} baud does not arrive well, trying less"));
            self.reconnect()?;
            was_reset = true;
        }
        Ok(was_reset)
    }

    /// Whether answers to some questions come, and come right, at this speed.
    fn works_at(&mut self, baud: u32) -> Result<bool, Error> {
        const QUESTIONS: u32 = 16;
        const PATIENCE: Duration = Duration::from_millis(200);
        let expected = self.read_register(MAGIC_ADDRESS)?;
        match self.change_baud_once(baud) {
            Err(Error::PortLost(_) | Error::Silent { .. } | Error::Refused { .. }) => return Ok(false),
            other => other?,
        }
        for _ in 0..QUESTIONS {
            match self.link.command(&Command::ReadReg(MAGIC_ADDRESS), 0, PATIENCE) {
                Ok((word, _)) if word == expected => {}
                Err(Error::PortLost(error)) => return Err(Error::PortLost(error)),
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Resets the chip into its mask ROM's loader, at the first speed.
    fn reconnect(&mut self) -> Result<(), Error> {
        self.link.transport().set_baud(self.options.baud)?;
        self.baud = self.options.baud;
        reach(&mut self.link, &mut *self.observer, &self.options)?;
        self.dialect = Dialect::rom(self.chip);
        self.stub = None;
        self.flash = None;
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
