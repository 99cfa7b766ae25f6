//! Loads a mask ROM from the ELF file that Espressif publishes.
//!
//! The ELF is linked for debugging: code and constants are at their run-time addresses, but the initial values of the ROM's
//! variables are in sections at the variables' addresses in SRAM. In silicon those values are in ROM, where the start code
//! copies them from according to a table (destination, end, source). The table is found by reading the start code, so that
//! every revision works, and the values are put where it says.

use super::map;
use crate::riscv::jump_target;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, elf};

/// Why a ROM file is not usable.
#[derive(Debug, thiserror::Error)]
pub enum RomError {
    /// Not an ELF file.
    #[error(
        "the ROM file is not a 32-bit ELF file ({0}); use esp32c3_rev*_rom.elf from the espflash package"
    )]
    Elf(#[from] object::read::Error),
    /// Not this chip's ROM.
    #[error("the ROM file is not an ESP32-C3 ROM: {0}; use esp32c3_rev*_rom.elf from the espflash package")]
    Unsuitable(String),
}

/// The contents of the mask ROM.
#[derive(Clone, Debug)]
pub struct Rom {
    bytes: Vec<u8>,
}

impl Rom {
    /// Parses `file`, the contents of a ROM ELF.
    ///
    /// # Errors
    /// If it is not an ELF file with ESP32-C3 ROM contents.
    pub fn parse(file: &[u8]) -> Result<Self, RomError> {
        let mut rom = Self { bytes: vec![0; map::ROM_RANGE.len()] };
        let header = elf::FileHeader32::<Endianness>::parse(file)?;
        let endian = header.endian()?;
        for segment in header.program_headers(endian, file)? {
            let data = segment.data(endian, file).unwrap_or(&[]);
            rom.place(segment.p_vaddr(endian), data);
        }
        let mut variables = Vec::new();
        for section in header.sections(endian, file)?.iter() {
            let address = section.sh_addr(endian);
            let data = section.data(endian, file)?;
            let is_rom = (map::ROM_DBUS..map::ROM).contains(&address);
            if section.sh_type(endian) == elf::SHT_PROGBITS && is_rom {
                // The constants that ROM and programs share by address are in no segment.
                rom.place(address, data);
            }
            if section.sh_type(endian) == elf::SHT_PROGBITS
                && (map::SRAM_DBUS..map::SRAM_DBUS + 0x6_0000).contains(&address)
                && !data.is_empty()
            {
                variables.push((address, data));
            }
        }
        if rom.bytes[..4] == [0; 4] {
            return Err(RomError::Unsuitable("nothing at the reset vector".into()));
        }
        rom.place_variables(&variables)?;
        Ok(rom)
    }

    /// The bytes from [`map::ROM`] on.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn place(&mut self, address: u32, data: &[u8]) {
        let offset = if address >= map::ROM {
            (address - map::ROM) as usize
        } else if address >= map::ROM_DBUS {
            (address - map::ROM_DBUS) as usize + map::ROM_DBUS_OFFSET
        } else {
            return;
        };
        if let Some(target) = self.bytes.get_mut(offset..offset + data.len()) {
            target.copy_from_slice(data);
        }
    }

    fn word(&self, address: u32) -> Option<u32> {
        let at = address.checked_sub(map::ROM)? as usize;
        Some(u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    fn place_variables(&mut self, variables: &[(u32, &[u8])]) -> Result<(), RomError> {
        let missing = || RomError::Unsuitable("its start code has no table of initial values".into());
        let (first, end) = self.unpack_table().ok_or_else(missing)?;
        for entry in (first..end).step_by(16) {
            let [to, to_end, from] = [0, 4, 8].map(|i| self.word(entry + i).unwrap_or(0));
            for address in to..to_end.min(to.saturating_add(0x1_0000)) {
                let value = variables
                    .iter()
                    .find_map(|(start, data)| data.get(address.checked_sub(*start)? as usize));
                let target = (from + (address - to))
                    .checked_sub(map::ROM)
                    .and_then(|at| self.bytes.get_mut(at as usize));
                if let (Some(&value), Some(target)) = (value, target) {
                    *target = value;
                }
            }
        }
        Ok(())
    }

    /// Bounds of the table: the start code loads them into a1 and a2 with `auipc` and `addi`, right before it compares
    /// them and enters the copying loop.
    fn unpack_table(&self) -> Option<(u32, u32)> {
        let start = match self.word(map::ROM)? {
            jump if jump & 0xFFF == 0x6F => jump_target(jump, map::ROM),
            _ => return None,
        };
        (start..start + 0x200).step_by(2).find_map(|at| {
            let first = self.address_pair(at, 11)?;
            let end = self.address_pair(at + 8, 12)?;
            (first < end && end - first < 0x400).then_some((first, end))
        })
    }

    /// The address that `auipc rd` and `addi rd, rd` at `at` load.
    fn address_pair(&self, at: u32, rd: u32) -> Option<u32> {
        let (upper, lower) = (self.word(at)?, self.word(at + 4)?);
        let is_pair = upper & 0xFFF == rd << 7 | 0x17 && lower & 0xF_FFFF == rd << 15 | rd << 7 | 0x13;
        is_pair.then(|| at.wrapping_add(upper & 0xFFFF_F000).wrapping_add(((lower as i32) >> 20) as u32))
    }
}
