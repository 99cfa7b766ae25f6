//! Facts about ESP chips, as tables.
//!
//! Everything that differs between chips and that a loader needs is data here: identity, memory map, registers, eFuse
//! fields, reset straps, image rules. Code asks the table; it never asks "is this an ESP32?".
//!
//! Sources, named per field where they differ: each chip's Technical Reference Manual (TRM), ESP-IDF's
//! `components/soc/<chip>/register/soc/*.h` and `include/soc/soc.h`, and esptool's documentation.
#![no_std]
#![forbid(unsafe_code)]

pub mod efuses;
mod esp32;
mod esp32c2;
mod esp32c3;
mod esp32c5;
mod esp32c6;
mod esp32c61;
mod esp32h2;
mod esp32p4;
mod esp32s2;
mod esp32s3;
mod family;
mod field;
mod image;
mod memory;
mod registers;
pub mod stub;

pub use field::{Bits, Condition, Field, Named};
pub use image::{FlashFrequency, FlashMode, FlashSize, ImageRules};
pub use memory::{Kind, Region};
pub use registers::{Crystal, CrystalEstimate, SpiRegisters, UsbPorts, Watchdogs};

/// One kind of chip.
#[derive(Debug)]
pub struct Chip {
    /// Espressif's name: `ESP32-C3`.
    pub name: &'static str,
    /// The name on command lines and in file names: `esp32c3`.
    pub slug: &'static str,
    /// Target triple that firmware is built for.
    pub target: &'static str,
    /// Instruction set.
    pub core: Core,
    /// How the loader recognises it.
    pub identity: Identity,
    /// Flash offset at which the mask ROM looks for the second-stage bootloader.
    pub bootloader_offset: u32,
    /// The address space.
    pub memory: &'static [Region],
    /// The SPI controller that the flash hangs on (SPI1), for commands of our own.
    pub spi: SpiRegisters,
    /// UART0's clock divider register, from which the crystal's frequency can be told.
    pub uart_clkdiv: u32,
    /// The crystal's frequency.
    pub crystal: Crystal,
    /// eFuse fields.
    pub efuse: Efuse,
    /// Watchdogs that keep running in download mode when it was entered over USB.
    pub watchdogs: Option<Watchdogs>,
    /// Built-in USB ports.
    pub usb: UsbPorts,
    /// The pin that selects download mode.
    pub boot_strap: BootStrap,
    /// How the mask ROM's loader differs from the first one.
    pub rom: RomLoader,
    /// What images for this chip look like.
    pub image: ImageRules,
    /// Family id of UF2 files (github.com/microsoft/uf2, `utils/uf2families.json`).
    pub uf2_family: u32,
    /// What our own flasher stub must know; `None` where it does not run.
    pub stub: Option<&'static stub::StubFacts>,
}

/// The instruction set of the main processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Core {
    /// Tensilica Xtensa LX6 or LX7.
    Xtensa,
    /// RISC-V.
    RiscV,
}

/// How a chip is recognised.
#[derive(Debug)]
pub struct Identity {
    /// The chip id in image headers and in the answer to GET_SECURITY_INFO (ESP-IDF `esp_app_format.h`, `esp_chip_id_t`).
    pub chip_id: u16,
    /// Words that the mask ROM's revisions have at [`MAGIC_ADDRESS`].
    pub magic: &'static [u32],
}

/// An address inside the mask ROM at which every chip and ROM revision has another word.
pub const MAGIC_ADDRESS: u32 = 0x4000_1000;

/// Where to find what in the eFuses.
#[derive(Debug)]
pub struct Efuse {
    /// Start of the eFuse controller's registers.
    pub base: u32,
    /// Register with the low 32 bits of the factory MAC; the next one holds the high 16.
    pub mac: u32,
    /// Major part of the wafer revision.
    pub major: Field,
    /// What the major field's values mean where it is not the number itself.
    pub major_map: &'static [(u32, u32)],
    /// Minor part of the wafer revision.
    pub minor: Field,
    /// If all of these hold, the revision is 0.0 whatever the fields say.
    pub zero_revision: &'static [Condition],
    /// Package version; [`Efuse::packages`] names it.
    pub package: Field,
    /// Names by package version; the first whose conditions hold counts.
    pub packages: &'static [Package],
    /// What is put behind the name, by further eFuses.
    pub name_parts: &'static [(Field, Named)],
    /// Features that every chip of this kind has.
    pub features: &'static [&'static str],
    /// Features that depend on eFuses.
    pub optional_features: &'static [Feature],
    /// Flash encryption counter: an odd number of ones means enabled.
    pub flash_encryption: Field,
    /// Secure boot: enabled if any of these is not zero. The ESP32's second is valid from revision 3.
    pub secure_boot: &'static [Field],
    /// Download mode cannot encrypt what it writes.
    pub no_download_encrypt: Field,
}

/// The name of a package.
#[derive(Debug)]
pub struct Package {
    /// Value of the package field.
    pub version: u32,
    /// Further eFuses that must have these values.
    pub when: &'static [Condition],
    /// As Espressif prints it.
    pub name: &'static str,
}

/// A feature that eFuses tell.
#[derive(Debug)]
pub struct Feature {
    /// The eFuses.
    pub field: Field,
    /// What values mean; a value that is not listed means `otherwise`.
    pub names: Named,
    /// For values that are not listed; `None`: no such feature.
    pub otherwise: Option<&'static str>,
    /// Put in brackets behind the name, if known.
    pub vendor: Option<(Field, Named)>,
}

/// The pin that selects download mode at reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootStrap {
    /// Its name on boards: `GPIO0`, `GPIO9`.
    pub pin: &'static str,
}

/// How the mask ROM's loader differs from the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RomLoader {
    /// FLASH_BEGIN and FLASH_DEFL_BEGIN take a fifth word: whether to encrypt (from ESP32-S2 on).
    pub begin_has_encrypt: bool,
    /// Answers GET_SECURITY_INFO (from ESP32-S2 on).
    pub security_info: bool,
    /// The answer to GET_SECURITY_INFO has chip id and API version (after ESP32-S2).
    pub security_info_has_chip_id: bool,
    /// The speed set by CHANGE_BAUDRATE is off by the error of the ROM's crystal estimate (ESP32 only).
    pub crystal_estimate: Option<CrystalEstimate>,
    /// RTC_CNTL_SDIO_CONF_REG: the regulator that feeds the flash (ESP32 only).
    pub flash_regulator: Option<u32>,
    /// SPI flash pins can be chosen.
    pub custom_spi_pins: bool,
}

impl Chip {
    /// The chip with this slug or name, whatever its case and punctuation: `esp32c3`, `ESP32-C3`, `esp32-c3`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        CHIPS.iter().copied().find(|chip| same_name(chip.slug, name))
    }

    /// The chip whose mask ROM has this word at [`MAGIC_ADDRESS`].
    pub fn by_magic(magic: u32) -> Option<&'static Self> {
        CHIPS.iter().copied().find(|chip| chip.identity.magic.contains(&magic))
    }

    /// The chip with this id in image headers.
    pub fn by_chip_id(id: u16) -> Option<&'static Self> {
        CHIPS.iter().copied().find(|chip| chip.identity.chip_id == id)
    }

    /// The first region of the address space that has this address.
    pub fn region(&self, address: u32) -> Option<&'static Region> {
        self.memory.iter().find(|region| region.contains(address))
    }

    /// Every eFuse field.
    ///
    /// # Panics
    /// Never for the chips of [`CHIPS`]; a test looks at each.
    pub fn efuses(&self) -> &'static efuses::EfuseTable {
        let table = efuses::TABLES.iter().find(|(slug, _)| *slug == self.slug);
        table.expect("every chip has a table").1
    }

    /// Whether the address is mapped from flash through the cache (IROM or DROM).
    pub fn is_flash(&self, address: u32) -> bool {
        self.memory.iter().any(|region| region.kind.is_flash() && region.contains(address))
    }
}

fn same_name(slug: &str, name: &str) -> bool {
    let given = name.bytes().filter(|byte| !matches!(byte, b'-' | b'_'));
    slug.bytes().eq(given.map(|byte| byte.to_ascii_lowercase()))
}

/// Every chip that is known, oldest first.
pub static CHIPS: &[&Chip] = &[
    &esp32::CHIP,
    &esp32s2::CHIP,
    &esp32c3::CHIP,
    &esp32s3::CHIP,
    &esp32c2::CHIP,
    &esp32c6::CHIP,
    &esp32h2::CHIP,
    &esp32p4::CHIP,
    &esp32c5::CHIP,
    &esp32c61::CHIP,
];

#[cfg(test)]
mod tests;
