//! A whole image: header, segments, checksum, digest.
//!
//! Layout: header (24), segments (address, length, data), zeros up to a checksum byte that ends a 16-byte line, then
//! the SHA-256 of everything before it. Source: esptool's "Firmware Image Format" page and `esp_app_format.h`.

use crate::ImageError;
use crate::descriptor::{AppDescriptor, BootloaderDescriptor};
use crate::header::Header;
use crate::reader::Reader;
use larch_chips::Chip;
use sha2::{Digest, Sha256};
use std::ops::Range;

pub(crate) const DIGEST_LEN: usize = 32;
pub(crate) const CHECKSUM_SEED: u8 = 0xEF;

/// A segment of a parsed image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where it is loaded or mapped.
    pub address: u32,
    /// Where its data are in the file.
    pub range: Range<usize>,
}

/// Something stored in the file and what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<T> {
    /// In the file.
    pub stored: T,
    /// From the contents.
    pub calculated: T,
}

impl<T: PartialEq> Stored<T> {
    /// Whether the two are the same.
    pub fn is_valid(&self) -> bool {
        self.stored == self.calculated
    }
}

/// A parsed image. Its checksum and digest may still be wrong: see [`Image::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The header.
    pub header: Header,
    /// The segments, as they follow each other in the file.
    pub segments: Vec<Segment>,
    /// The checksum byte.
    pub checksum: Stored<u8>,
    /// The SHA-256 digest, if there is one.
    pub digest: Option<Stored<[u8; DIGEST_LEN]>>,
    /// Bytes of the image in the file.
    pub len: usize,
    /// What the program says of itself.
    pub app: Option<AppDescriptor>,
    /// What a second-stage bootloader says of itself.
    pub bootloader: Option<BootloaderDescriptor>,
}

impl Image {
    /// Parses the image at the start of `bytes`; what follows it is ignored.
    ///
    /// # Errors
    /// If this is no image, or not all of one.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let header = Header::parse(bytes)?;
        let mut reader = Reader::new(bytes);
        reader.take(Header::LEN)?;
        let (mut segments, mut sum) = (Vec::new(), CHECKSUM_SEED);
        for _ in 0..header.segment_count {
            let (address, len) = (reader.u32()?, reader.u32()?);
            let start = reader.position();
            let data = reader.take(len as usize)?;
            sum = data.iter().fold(sum, |sum, byte| sum ^ byte);
            segments.push(Segment { address, range: start..reader.position() });
        }
        reader.take(15 - reader.position() % 16)?;
        let checksum = Stored { stored: reader.u8()?, calculated: sum };
        let digest = if header.has_digest {
            let calculated = Sha256::digest(&bytes[..reader.position()]).into();
            Some(Stored { stored: reader.array()?, calculated })
        } else {
            None
        };
        let data = segments.iter().map(|segment| &bytes[segment.range.clone()]);
        let app = data.clone().find_map(AppDescriptor::parse);
        let bootloader = data.clone().next().and_then(BootloaderDescriptor::parse).filter(|_| app.is_none());
        Ok(Self { header, segments, checksum, digest, len: reader.position(), app, bootloader })
    }

    /// Whether the contents are what checksum and digest say.
    ///
    /// # Errors
    /// The one that is wrong.
    pub fn check(&self) -> Result<(), ImageError> {
        let Stored { stored, calculated } = self.checksum;
        if stored != calculated {
            return Err(ImageError::Checksum { stored, calculated });
        }
        match self.digest {
            Some(digest) if !digest.is_valid() => Err(ImageError::Digest),
            _ => Ok(()),
        }
    }

    /// The chip that the header names.
    pub fn chip(&self) -> Option<&'static Chip> {
        Chip::by_chip_id(self.header.chip_id)
    }
}

/// Changes flash mode, clock or size of an image in place, and its digest with them (the checksum covers segments only).
///
/// # Errors
/// If `bytes` do not begin with an image.
pub fn patch_flash_settings(bytes: &mut [u8], mode: u8, size_frequency: u8) -> Result<(), ImageError> {
    let image = Image::parse(bytes)?;
    bytes[2] = mode;
    bytes[3] = size_frequency;
    if image.digest.is_some_and(|digest| digest.is_valid()) {
        let at = image.len - DIGEST_LEN;
        let digest: [u8; DIGEST_LEN] = Sha256::digest(&bytes[..at]).into();
        bytes[at..image.len].copy_from_slice(&digest);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
