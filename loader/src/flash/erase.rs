//! Erasing.

use super::spi::{CHIP_ERASE, WRITE_ENABLE};
use super::{SECTOR, per_megabyte};
use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use larch_protocol::{Command, FlashBegin};
use std::time::Duration;

/// Seconds that erasing a megabyte may take (W25Q32: 150 ms typical, 2 s worst for 64 KB).
pub(super) const ERASE_SECONDS_PER_MEGABYTE: u64 = 30;
/// Seconds that erasing all may take.
const CHIP_ERASE_SECONDS: u64 = 120;
const POLL: Duration = Duration::from_millis(100);

impl Loader<'_> {
    /// Erases the whole flash.
    ///
    /// # Errors
    /// If the chip refuses, or the flash stays busy.
    pub fn erase_flash(&mut self) -> Result<(), Error> {
        let flash = self.flash()?;
        self.observer.event(&Event::Erasing { offset: 0, size: flash.bytes() });
        if self.dialect.has_stub_commands {
            self.command(&Command::EraseFlash, Duration::from_secs(CHIP_ERASE_SECONDS))?;
        } else if self.secure_download() {
            self.begin_erase(0, u32::try_from(flash.bytes()).unwrap_or(u32::MAX))?;
        } else {
            // The ROM has no command for it: speak to the flash itself.
            self.spi_write(WRITE_ENABLE, &[])?;
            self.spi_write(CHIP_ERASE, &[])?;
            self.wait_until_idle()?;
        }
        self.observer.event(&Event::Erased);
        Ok(())
    }

    /// Erases sectors.
    ///
    /// # Errors
    /// If offset or size are no multiples of [`SECTOR`] or beyond the flash, or the chip refuses.
    pub fn erase_region(&mut self, offset: u32, size: u32) -> Result<(), Error> {
        if !offset.is_multiple_of(SECTOR) || !size.is_multiple_of(SECTOR) || size == 0 {
            let problem = format!(
                "offset and size must be multiples of 0x{SECTOR:x}, the smallest part that can be erased"
            );
            return Err(Error::Argument(problem));
        }
        self.check_in_flash("the region", offset, size)?;
        self.observer.event(&Event::Erasing { offset, size: size.into() });
        if self.dialect.has_stub_commands {
            let timeout = per_megabyte(ERASE_SECONDS_PER_MEGABYTE, size.into());
            self.command(&Command::EraseRegion { offset, size }, timeout)?;
        } else {
            self.begin_erase(offset, size)?;
        }
        self.observer.event(&Event::Erased);
        Ok(())
    }

    /// The ROM erases when writing begins.
    fn begin_erase(&mut self, offset: u32, size: u32) -> Result<(), Error> {
        let encrypt = self.dialect.begin_has_encrypt.then_some(false);
        let begin = FlashBegin { erase_size: size, blocks: 0, block_size: 0x400, offset, encrypt };
        self.command(&Command::FlashBegin(begin), per_megabyte(ERASE_SECONDS_PER_MEGABYTE, size.into()))
    }

    fn wait_until_idle(&mut self) -> Result<(), Error> {
        let deadline = self.link.now() + Duration::from_secs(CHIP_ERASE_SECONDS);
        while self.flash_busy()? {
            if self.link.now() >= deadline {
                return Err(Error::FlashBusy { what: "erasing", seconds: CHIP_ERASE_SECONDS });
            }
            self.link.transport().sleep(POLL);
        }
        Ok(())
    }
}
