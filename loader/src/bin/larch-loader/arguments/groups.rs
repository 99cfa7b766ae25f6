//! Groups of options that several verbs share.

use crate::numbers::{number, size};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Files and where they go.
#[derive(Debug, Args)]
pub struct Files {
    /// Offset and file, as often as needed: 0x10000 app.bin.
    #[arg(value_names = ["OFFSET", "FILE"], num_args = 2..)]
    pub files: Vec<String>,
}

/// Settings for the header of the bootloader's image.
#[derive(Debug, Args)]
pub struct FlashSettings {
    /// How the bootloader's header says that flash is read.
    #[arg(long, default_value = "keep", ignore_case = true,
        value_parser = ["keep", "detect", "qio", "qout", "dio", "dout"])]
    pub flash_mode: String,
    /// 80m, 40m, 26m, 20m, ... or keep.
    #[arg(long, default_value = "keep")]
    pub flash_freq: String,
    /// The flash's size in the bootloader's header.
    #[arg(long, default_value = "keep", ignore_case = true,
        value_parser = ["keep", "detect", "1MB", "2MB", "4MB", "8MB", "16MB", "32MB", "64MB", "128MB"])]
    pub flash_size: String,
}

/// How the flash hangs on the chip.
#[derive(Debug, Args)]
pub struct FlashPins {
    /// Pins of the flash instead of the usual ones: SPI, HSPI, or CLK,Q,D,HD,CS as GPIO numbers.
    #[arg(long, value_name = "PINS")]
    pub spi_connection: Option<String>,
}

/// Writing through the chip's flash encryption.
#[derive(Debug, Args)]
pub struct Encryption {
    /// The chip encrypts everything that is written.
    #[arg(long)]
    pub encrypt: bool,
    /// Offset and file, as often as needed: the chip encrypts these.
    #[arg(long, num_args = 2.., value_names = ["OFFSET", "FILE"])]
    pub encrypt_files: Vec<String>,
    /// Write encrypted although the eFuses hold no key (it is made at the first boot).
    #[arg(long)]
    pub ignore_flash_enc_efuse: bool,
}

/// How an image is put together.
#[derive(Debug, Args)]
pub struct ImageLayout {
    /// Page size of the flash cache's MMU.
    #[arg(long, value_parser = size)]
    pub flash_mmu_page_size: Option<u32>,
    /// Leave the SHA-256 digest out.
    #[arg(long)]
    pub dont_append_digest: bool,
    /// Fill the image up so that it ends at a page when it is signed (Secure Boot V1, ESP32).
    #[arg(long)]
    pub secure_pad: bool,
    /// Fill the image up so that its signature begins a page (Secure Boot V2).
    #[arg(long, conflicts_with = "secure_pad")]
    pub secure_pad_v2: bool,
    /// Put the ELF file's SHA-256 at this offset of the image.
    #[arg(long, value_parser = number)]
    pub elf_sha256_offset: Option<u32>,
    /// Make the image of the ELF file's segments, not of its sections.
    #[arg(long)]
    pub use_segments: bool,
    /// Fill the image up with 0xFF to a multiple of this size.
    #[arg(long, value_parser = size)]
    pub pad_to_size: Option<u32>,
    /// RAM segments first, and only they are counted in the header: the ROM does not see the others.
    #[arg(long)]
    pub ram_only_header: bool,
}

/// Form of a merged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MergeFormat {
    /// Bytes, gaps filled with 0xFF.
    Raw,
    /// Intel HEX.
    Hex,
    /// UF2.
    Uf2,
}

/// Where the partition table is.
#[derive(Debug, Args)]
pub struct TableSource {
    /// Partition table file (CSV or binary) instead of the one in flash.
    #[arg(long, short = 'T')]
    pub partition_table: Option<PathBuf>,
    /// Where the table is in flash.
    #[arg(long, value_parser = number)]
    pub partition_table_offset: Option<u32>,
}

/// A program and what it needs to boot.
#[derive(Debug, Args)]
pub struct ProgramSource {
    /// ELF file.
    pub elf: PathBuf,
    /// Second-stage bootloader; default: the published one for the chip.
    #[arg(long)]
    pub bootloader: Option<PathBuf>,
    /// Partition table file (CSV or binary); default: MicroPython's for 4 MB.
    #[arg(long, short = 'T')]
    pub partition_table: Option<PathBuf>,
    #[command(flatten)]
    pub settings: FlashSettings,
    /// Least chip revision that may run it, major * 100 + minor.
    #[arg(long, default_value_t = 0)]
    pub min_chip_rev: u16,
    /// Page size of the flash cache's MMU.
    #[arg(long, value_parser = size)]
    pub mmu_page_size: Option<u32>,
}
