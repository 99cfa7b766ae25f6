//! The chip's RAM: load, run, peek and poke.

use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use crate::link::DEFAULT_TIMEOUT;
use larch_image::Image;
use larch_protocol::{Command, Opcode};
use std::time::Duration;

/// Bytes per block for RAM. ROMs take 0x1800, but not at 921600 baud, and 0x800 over USB-OTG.
const RAM_BLOCK: usize = 0x800;
/// The ROM may jump away before its answer has left.
const JUMP_TIMEOUT: Duration = Duration::from_millis(200);

impl Loader<'_> {
    /// Writes bytes to RAM.
    ///
    /// # Errors
    /// If the chip refuses or does not answer.
    pub fn write_memory(&mut self, address: u32, data: &[u8]) -> Result<(), Error> {
        self.with_retries(|loader| loader.send_to_memory(address, data))
    }

    /// Writes bytes to RAM, once: after a damaged block the ROM wants to begin again.
    pub(crate) fn send_to_memory(&mut self, address: u32, data: &[u8]) -> Result<(), Error> {
        let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let blocks = word(data.len().div_ceil(RAM_BLOCK));
        let begin =
            Command::MemBegin { size: word(data.len()), blocks, block_size: word(RAM_BLOCK), address };
        self.command(&begin, DEFAULT_TIMEOUT)?;
        for (number, block) in (0..).zip(data.chunks(RAM_BLOCK)) {
            self.command(&Command::MemData(number, block), DEFAULT_TIMEOUT)?;
        }
        Ok(())
    }

    /// Jumps to a program in RAM. The chip's answer may be lost in the jump.
    ///
    /// # Errors
    /// If the chip refuses.
    pub fn run_memory(&mut self, entry: u32) -> Result<(), Error> {
        let command = Command::MemEnd { entry: Some(entry) };
        self.link.send(&command)?;
        match self.link.response(Opcode::MemEnd as u8, JUMP_TIMEOUT)? {
            Some(answer) if answer.body.first().is_some_and(|&status| status != 0) => {
                let code = answer.body.get(1).copied().unwrap_or(0);
                Err(Error::refused(Opcode::MemEnd, larch_protocol::ChipError(code)))
            }
            _ => Ok(()),
        }
    }

    /// Loads an image's segments into RAM and runs it.
    ///
    /// # Errors
    /// If the image is not for this chip's RAM, or the chip refuses.
    pub fn load_ram(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let bad = |source| Error::Image { name: name.to_owned(), source };
        let image = Image::parse(bytes).map_err(bad)?;
        image.check().map_err(bad)?;
        if image.header.chip_id != self.chip.identity.chip_id {
            return Err(Error::ImageForOtherChip {
                name: name.to_owned(),
                image: image.chip().map_or_else(|| "another chip".to_owned(), |chip| chip.name.to_owned()),
                chip: self.chip.name,
            });
        }
        if let Some(segment) = image.segments.iter().find(|segment| self.chip.is_flash(segment.address)) {
            let what = format!("loading {name} into RAM");
            let why = format!(
                "because its segment at 0x{:08x} belongs into flash; use write-flash",
                segment.address
            );
            return Err(Error::Unsupported { what, why });
        }
        for segment in image.segments.iter().filter(|segment| segment.address != 0) {
            self.write_memory(segment.address, &bytes[segment.range.clone()])?;
        }
        self.run_memory(image.header.entry)
    }

    /// Reads memory word by word; address and size are multiples of 4.
    ///
    /// # Errors
    /// If the chip refuses or does not answer.
    pub fn dump_memory(&mut self, address: u32, size: u32) -> Result<Vec<u8>, Error> {
        if !address.is_multiple_of(4) || !size.is_multiple_of(4) {
            return Err(Error::Argument("address and size must be multiples of 4".to_owned()));
        }
        let mut data = Vec::with_capacity(size as usize);
        for at in (0..size).step_by(4) {
            let address = address.wrapping_add(at);
            let word = self.read_register(address)?;
            data.extend(word.to_le_bytes());
            if at.is_multiple_of(0x400) || at + 4 == size {
                self.observer.event(&Event::Progress { done: u64::from(at) + 4, total: size.into() });
            }
        }
        Ok(data)
    }

    /// Sets the regulator that feeds the flash (ESP32 only): `1.8V`, `1.9V` or `OFF`.
    ///
    /// # Errors
    /// If the chip has no such regulator, or the value is another. 3.3 V cannot be asked for: it would destroy 1.8 V flash.
    pub fn override_vddsdio(&mut self, voltage: &str) -> Result<(), Error> {
        // RTC_CNTL_SDIO_CONF_REG: FORCE, PD_EN, XPD, DREFH, DREFM, DREFL.
        const FORCE: u32 = 1 << 22 | 1 << 21;
        const REGULATOR_ON: u32 = 1 << 31;
        const BOOST: u32 = 3 << 29 | 3 << 27 | 3 << 25;
        let Some(register) = self.chip.rom.flash_regulator else {
            let why = format!("with the {}; only the ESP32 has this regulator", self.chip.name);
            return Err(Error::Unsupported { what: "--override-vddsdio".to_owned(), why });
        };
        let value = match voltage.to_ascii_uppercase().as_str() {
            "1.8V" => FORCE | REGULATOR_ON,
            "1.9V" => FORCE | REGULATOR_ON | BOOST,
            "OFF" => FORCE,
            _ => {
                return Err(Error::Argument(format!(
                    "unknown voltage '{voltage}' (one of: 1.8V, 1.9V, OFF)"
                )));
            }
        };
        self.write_register(register, value)
    }
}
