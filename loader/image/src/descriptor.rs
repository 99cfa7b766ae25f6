//! What programs and bootloaders say of themselves.
//!
//! Source: ESP-IDF `components/esp_app_format/include/esp_app_desc.h` and
//! `components/esp_bootloader_format/include/esp_bootloader_desc.h`.

use crate::reader::Reader;

const APP_MAGIC: u32 = 0xABCD_5432;
const BOOTLOADER_MAGIC: u8 = 80;

/// `esp_app_desc_t`: the first 256 bytes of a program's first flash segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppDescriptor {
    /// Anti-rollback version.
    pub secure_version: u32,
    /// Version of the program.
    pub version: String,
    /// Its name.
    pub project_name: String,
    /// Time of compilation.
    pub time: String,
    /// Date of compilation.
    pub date: String,
    /// Version of ESP-IDF.
    pub idf_version: String,
    /// SHA-256 of the ELF file.
    pub elf_sha256: [u8; 32],
    /// Least eFuse block revision.
    pub min_efuse_block_revision: u16,
    /// Greatest eFuse block revision.
    pub max_efuse_block_revision: u16,
    /// Page size of the flash MMU as a power of two; 0 if not told.
    pub mmu_page_size_log2: u8,
}

impl AppDescriptor {
    /// Bytes of the descriptor.
    pub const LEN: usize = 256;
    /// Where in it the digest of the ELF file is.
    pub const ELF_SHA256_OFFSET: usize = 0x90;

    /// Reads the descriptor at the start of a segment, if there is one.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data.get(..Self::LEN)?);
        if reader.u32().ok()? != APP_MAGIC {
            return None;
        }
        let secure_version = reader.u32().ok()?;
        reader.take(8).ok()?;
        Some(Self {
            secure_version,
            version: reader.text(32).ok()?,
            project_name: reader.text(32).ok()?,
            time: reader.text(16).ok()?,
            date: reader.text(16).ok()?,
            idf_version: reader.text(32).ok()?,
            elf_sha256: reader.array().ok()?,
            min_efuse_block_revision: reader.u16().ok()?,
            max_efuse_block_revision: reader.u16().ok()?,
            mmu_page_size_log2: reader.u8().ok()?,
        })
    }
}

/// `esp_bootloader_desc_t`: the first 80 bytes of a bootloader's first segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootloaderDescriptor {
    /// Anti-rollback version.
    pub secure_version: u8,
    /// Version of the bootloader.
    pub version: u32,
    /// Version of ESP-IDF.
    pub idf_version: String,
    /// Date and time of compilation.
    pub date_time: String,
}

impl BootloaderDescriptor {
    /// Bytes of the descriptor.
    pub const LEN: usize = 80;

    /// Reads the descriptor at the start of a segment, if there is one.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data.get(..Self::LEN)?);
        if reader.u8().ok()? != BOOTLOADER_MAGIC {
            return None;
        }
        reader.take(2).ok()?;
        Some(Self {
            secure_version: reader.u8().ok()?,
            version: reader.u32().ok()?,
            idf_version: reader.text(32).ok()?,
            date_time: reader.text(24).ok()?,
        })
    }
}
