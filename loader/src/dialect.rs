//! How the loader that runs on the chip differs from other loaders, as data.

use larch_chips::Chip;

/// What runs on the chip and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// The mask ROM.
    Rom,
    /// Espressif's flasher stub.
    EspressifStub,
}

/// The differences between loaders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Which it is.
    pub flavour: Flavour,
    /// Bytes per block of flash data.
    pub block_size: usize,
    /// FLASH_BEGIN and FLASH_DEFL_BEGIN have a fifth word.
    pub begin_has_encrypt: bool,
    /// SPI_FLASH_MD5 answers 32 hexadecimal digits instead of 16 bytes.
    pub md5_is_hex: bool,
    /// Answers a block before it is in flash; a further command waits until it is.
    pub answers_early: bool,
    /// Has ERASE_FLASH, ERASE_REGION and READ_FLASH.
    pub has_stub_commands: bool,
}

impl Dialect {
    /// The chip's mask ROM.
    pub const fn rom(chip: &Chip) -> Self {
        Self {
            flavour: Flavour::Rom,
            block_size: 0x400,
            begin_has_encrypt: chip.rom.begin_has_encrypt,
            md5_is_hex: true,
            answers_early: false,
            has_stub_commands: false,
        }
    }

    /// Espressif's flasher stub, as the `espflash` package has it.
    pub const fn espressif_stub() -> Self {
        Self {
            flavour: Flavour::EspressifStub,
            block_size: 0x4000,
            begin_has_encrypt: false,
            md5_is_hex: false,
            answers_early: true,
            has_stub_commands: true,
        }
    }

    /// Whether the mask ROM answers.
    pub fn is_rom(&self) -> bool {
        self.flavour == Flavour::Rom
    }
}
