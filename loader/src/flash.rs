//! The flash behind the chip.
//!
//! Invariants: nothing is reported as written before the chip's own MD5 of it matched; every check that can be made
//! without touching flash is made before the first erase.

mod changed;
pub mod digest;
mod encrypt;
mod erase;
mod own;
mod partitions;
mod pins;
pub mod plan;
mod read;
mod security;
mod spi;
mod stream;
mod verify;
mod write;

pub use verify::Difference;
pub use write::{FlashSettings, Keep, WriteOptions, WriteReport, apply_settings};

use crate::connect::Loader;
use crate::error::Error;
use crate::link::DEFAULT_TIMEOUT;
use larch_chips::FlashSize;
use larch_protocol::{Command, SpiParameters};
use std::time::Duration;

/// Bytes of an erase sector.
pub const SECTOR: u32 = 0x1000;

/// What flash is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlashChip {
    /// JEDEC id: manufacturer in the low byte, then type and capacity.
    pub id: u32,
    /// Its size, if the id tells.
    pub size: Option<FlashSize>,
}

impl FlashChip {
    /// Manufacturer byte of the JEDEC id.
    pub fn manufacturer(&self) -> u8 {
        self.id.to_le_bytes()[0]
    }

    /// Device bytes of the JEDEC id: type and capacity.
    pub fn device(&self) -> u16 {
        let [_, kind, capacity, _] = self.id.to_le_bytes();
        u16::from_be_bytes([kind, capacity])
    }

    /// Bytes, or a safe guess.
    pub fn bytes(&self) -> u64 {
        self.size.map_or(4 << 20, FlashSize::bytes)
    }
}

/// `seconds` for each megabyte of `size`, at least the default time-out.
pub(crate) fn per_megabyte(seconds: u64, size: u64) -> Duration {
    DEFAULT_TIMEOUT.max(Duration::from_millis(seconds * 1000 * size / 1_000_000))
}

fn size_command(flash: FlashChip) -> Command<'static> {
    Command::SpiSetParams(SpiParameters::of_size(u32::try_from(flash.bytes()).unwrap_or(u32::MAX)))
}

impl Loader<'_> {
    /// Connects the flash, reads its id, and tells the loader its size. Does so once.
    ///
    /// # Errors
    /// If no flash answers.
    pub fn flash(&mut self) -> Result<FlashChip, Error> {
        match self.flash {
            Some(flash) => Ok(flash),
            None => self.with_recovery(|loader, _| loader.attach_flash()),
        }
    }

    /// Whether there is such a part of flash.
    ///
    /// # Errors
    /// If it ends behind the flash, or no flash answers.
    pub fn check_in_flash(&mut self, name: &'static str, offset: u32, size: u32) -> Result<(), Error> {
        let (flash, end) = (self.flash()?.bytes(), u64::from(offset) + u64::from(size));
        if end > flash { Err(Error::BehindFlash { name, end, flash }) } else { Ok(()) }
    }

    fn attach_flash(&mut self) -> Result<FlashChip, Error> {
        let attach = self.attach_command();
        self.with_retries(|loader| loader.command(&attach, DEFAULT_TIMEOUT))?;
        let flash = if self.secure_download() {
            FlashChip { id: 0, size: None }
        } else {
            let id = self.certain_flash_id()?;
            if matches!(id, 0 | 0xFF_FFFF) {
                return Err(Error::NoFlash(id));
            }
            FlashChip { id, size: FlashSize::from_jedec_capacity(id.to_le_bytes()[2]) }
        };
        let size = size_command(flash);
        self.with_retries(|loader| loader.command(&size, DEFAULT_TIMEOUT))?;
        self.flash = Some(flash);
        Ok(flash)
    }

    /// Tells the chip once more which flash it has, if it was told: these commands carry no checksum, so that the mask ROM may
    /// have taken one that the line damaged, and refuses everything behind the end of a flash that is too small.
    ///
    /// # Errors
    /// If the chip does not take them.
    pub(crate) fn remind_of_flash(&mut self) -> Result<(), Error> {
        let Some(flash) = self.flash else { return Ok(()) };
        self.command(&self.attach_command(), DEFAULT_TIMEOUT)?;
        self.command(&size_command(flash), DEFAULT_TIMEOUT)
    }

    fn attach_command(&self) -> Command<'static> {
        Command::SpiAttach { pins: self.flash_pins, rom: self.dialect.is_rom() }
    }

    /// The id, read until it comes twice the same: answers carry no checksum, and the flash's size hangs on it.
    fn certain_flash_id(&mut self) -> Result<u32, Error> {
        const READINGS: u32 = 5;
        let mut id = self.flash_id()?;
        for _ in 1..READINGS {
            let again = self.flash_id()?;
            if again == id {
                break;
            }
            id = again;
        }
        Ok(id)
    }
}
