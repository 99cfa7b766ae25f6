//! How the loader that runs on the chip differs from other loaders, as data.

use crate::error::Error;
use larch_chips::Chip;
use larch_protocol::ChipError;

/// What runs on the chip and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// The mask ROM.
    Rom,
    /// Espressif's flasher stub.
    EspressifStub,
    /// Our own.
    LarchStub,
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
    /// Blocks that may be on their way unanswered.
    pub window: u32,
    /// Has SECTOR_DIGESTS, ECHO and TRY_BAUD, and numbers its answers to blocks.
    pub is_ours: bool,
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
            window: 1,
            is_ours: false,
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
            window: 1,
            is_ours: false,
        }
    }

    /// Our own flasher stub, `loader/stub`.
    pub const fn larch_stub() -> Self {
        Self { flavour: Flavour::LarchStub, window: 2, is_ours: true, ..Self::espressif_stub() }
    }

    /// Whether a block that ended so may be sent again within its stream.
    pub fn takes_again(&self, error: &Error) -> bool {
        match error {
            Error::Refused { error: ChipError::BAD_DATA_CHECKSUM, .. } => !self.is_rom(),
            // Our own knows which block it wants next.
            Error::Silent { .. } => self.is_ours,
            Error::Refused { error, .. } => self.is_ours && error.is_line_error(),
            _ => false,
        }
    }

    /// Whether the mask ROM answers.
    pub fn is_rom(&self) -> bool {
        self.flavour == Flavour::Rom
    }
}
