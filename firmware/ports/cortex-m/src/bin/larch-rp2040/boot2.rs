//! The second stage of the boot: the mask ROM copies it to RAM and calls it; it makes the flash readable as memory, fast. It is for
//! Winbond's W25Q chips, which boards by the makers of the chip have, and for those that understand the same commands.
//!
//! Source: data sheet chapter 2.8.1; package `rp2040-boot2`.

/// In the first 256 bytes of the flash, with the checksum that the mask ROM wants.
#[unsafe(link_section = ".boot2")]
#[used]
pub static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;
