//! The first 24 bytes of an image.
//!
//! Source: ESP-IDF `components/bootloader_support/include/esp_app_format.h`, `esp_image_header_t`.

use crate::ImageError;
use crate::reader::Reader;

/// First byte of every image.
pub const MAGIC: u8 = 0xE9;
/// The WP pin that means: leave it alone.
pub const WP_PIN_DISABLED: u8 = 0xEE;

/// The header, extended part included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Number of segments.
    pub segment_count: u8,
    /// [`larch_chips::FlashMode`] as a byte.
    pub flash_mode: u8,
    /// Flash size in the high half, clock in the low half.
    pub flash_size_frequency: u8,
    /// Where the program starts.
    pub entry: u32,
    /// Write-protect pin, or [`WP_PIN_DISABLED`].
    pub wp_pin: u8,
    /// Drive strengths of the flash pins: clk, q, d, cs0, hd, wp, four bits each.
    pub drive: [u8; 3],
    /// The chip it is for.
    pub chip_id: u16,
    /// Least revision as older bootloaders read it: the major number only.
    pub min_revision_legacy: u8,
    /// Least revision: major * 100 + minor.
    pub min_revision: u16,
    /// Greatest revision; 0 and 65535 mean any.
    pub max_revision: u16,
    /// Unused bytes, kept as they are.
    pub reserved: [u8; 4],
    /// A SHA-256 digest follows the checksum.
    pub has_digest: bool,
}

impl Header {
    /// Bytes of the header.
    pub const LEN: usize = 24;

    /// A header as build tools make it, to be filled in.
    pub const fn new(chip_id: u16, entry: u32) -> Self {
        Self {
            segment_count: 0,
            flash_mode: 2,
            flash_size_frequency: 0x20,
            entry,
            wp_pin: WP_PIN_DISABLED,
            drive: [0; 3],
            chip_id,
            min_revision_legacy: 0,
            min_revision: 0,
            max_revision: u16::MAX,
            reserved: [0; 4],
            has_digest: true,
        }
    }

    /// Reads the header at the start of `bytes`.
    ///
    /// # Errors
    /// If it is not there.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut reader = Reader::new(bytes);
        let magic = reader.u8()?;
        if magic != MAGIC {
            return Err(ImageError::NotAnImage(magic));
        }
        let segment_count = reader.u8()?;
        if segment_count > 16 {
            return Err(ImageError::TooManySegments(segment_count));
        }
        Ok(Self {
            segment_count,
            flash_mode: reader.u8()?,
            flash_size_frequency: reader.u8()?,
            entry: reader.u32()?,
            wp_pin: reader.u8()?,
            drive: reader.array()?,
            chip_id: reader.u16()?,
            min_revision_legacy: reader.u8()?,
            min_revision: reader.u16()?,
            max_revision: reader.u16()?,
            reserved: reader.array()?,
            has_digest: reader.u8()? == 1,
        })
    }

    /// The header's bytes.
    pub fn bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&[MAGIC, self.segment_count, self.flash_mode, self.flash_size_frequency]);
        bytes[4..8].copy_from_slice(&self.entry.to_le_bytes());
        bytes[8] = self.wp_pin;
        bytes[9..12].copy_from_slice(&self.drive);
        bytes[12..14].copy_from_slice(&self.chip_id.to_le_bytes());
        bytes[14] = self.min_revision_legacy;
        bytes[15..17].copy_from_slice(&self.min_revision.to_le_bytes());
        bytes[17..19].copy_from_slice(&self.max_revision.to_le_bytes());
        bytes[19..23].copy_from_slice(&self.reserved);
        bytes[23] = self.has_digest.into();
        bytes
    }

    /// Whether a chip of this revision (major * 100 + minor) may run the image.
    pub fn allows_revision(&self, revision: u16) -> bool {
        let any = matches!(self.max_revision, 0 | u16::MAX);
        revision >= self.min_revision && (any || revision <= self.max_revision)
    }
}
