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

/// Address and length before each segment's data.
pub(crate) const SEGMENT_HEADER_LEN: usize = 8;
const DIGEST_LEN: usize = 32;
const CHECKSUM_SEED: u8 = 0xEF;

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

/// A segment to be put into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it is loaded or mapped.
    pub address: u32,
    /// Its data.
    pub data: Vec<u8>,
}

/// How an image is put together.
#[derive(Debug, Clone)]
pub struct Builder {
    header: Header,
    page_size: u32,
    bytes: Vec<u8>,
    sum: u8,
}

impl Builder {
    /// Starts an image whose flash segments lie as the MMU needs them for this page size.
    pub fn new(header: Header, page_size: u32) -> Self {
        let header = Header { segment_count: 0, ..header };
        Self { header, page_size, bytes: header.bytes().to_vec(), sum: CHECKSUM_SEED }
    }

    /// Appends a segment, padded with zeros to a multiple of four bytes.
    pub fn segment(&mut self, address: u32, data: &[u8]) {
        let padded = data.len().next_multiple_of(4);
        self.bytes.extend(address.to_le_bytes());
        self.bytes.extend(u32::try_from(padded).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes.extend(data);
        self.bytes.resize(self.bytes.len() + padded - data.len(), 0);
        self.sum = data.iter().fold(self.sum, |sum, byte| sum ^ byte);
        self.header.segment_count = self.header.segment_count.saturating_add(1);
    }

    /// Bytes of data that a filler segment must have so that the next segment's data, mapped at `address`, lie at the
    /// same place within a page as their address. `None`: no filler is needed.
    pub fn filler_for(&self, address: u32) -> Option<usize> {
        let page = self.page_size as usize;
        let head = SEGMENT_HEADER_LEN;
        let gap = |data_at: usize| (address as usize % page + page - data_at % page) % page;
        match gap(self.bytes.len() + head) {
            0 => None,
            // The filler has a header of its own.
            gap if gap >= head => Some(gap - head),
            gap => Some(gap + page - head),
        }
    }

    /// The image so far plus checksum and, if the header asks for it, digest.
    ///
    /// # Errors
    /// If it has more segments than the ROM takes.
    pub fn finish(mut self) -> Result<Vec<u8>, ImageError> {
        if self.header.segment_count > 16 {
            return Err(ImageError::TooManySegments(self.header.segment_count));
        }
        self.bytes[..Header::LEN].copy_from_slice(&self.header.bytes());
        let checksum_at = self.bytes.len() + 15 - self.bytes.len() % 16;
        self.bytes.resize(checksum_at, 0);
        self.bytes.push(self.sum);
        if self.header.has_digest {
            let digest: [u8; DIGEST_LEN] = Sha256::digest(&self.bytes).into();
            self.bytes.extend(digest);
        }
        Ok(self.bytes)
    }
}

/// Builds an image: flash segments at page offsets, the gaps before them filled with parts of the RAM segments.
///
/// # Errors
/// If two flash segments share a page, or there are too many segments.
pub fn build(chip: &Chip, header: Header, page_size: u32, parts: Vec<Part>) -> Result<Vec<u8>, ImageError> {
    let (flash, ram): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| chip.is_flash(part.address));
    check_pages(&flash, page_size)?;
    let mut ram: std::collections::VecDeque<Part> = ram.into();
    let mut builder = Builder::new(header, page_size);
    for part in &flash {
        while let Some(len) = builder.filler_for(part.address) {
            match ram.front_mut() {
                Some(front) if len > SEGMENT_HEADER_LEN => {
                    let rest = front.data.split_off(len.min(front.data.len()));
                    builder.segment(front.address, &front.data);
                    front.address += u32::try_from(front.data.len()).unwrap_or(0);
                    front.data = rest;
                    if front.data.is_empty() {
                        ram.pop_front();
                    }
                }
                _ => builder.segment(0, &vec![0; len]),
            }
        }
        let end = builder.bytes.len() + SEGMENT_HEADER_LEN + part.data.len();
        builder.segment(part.address, &pad_past_page_start(&part.data, end, page_size));
    }
    for part in ram {
        builder.segment(part.address, &part.data);
    }
    builder.finish()
}

/// Older second-stage bootloaders do not map a segment's last page if less than 0x24 bytes of it are used.
fn pad_past_page_start(data: &[u8], end: usize, page_size: u32) -> Vec<u8> {
    const LEAST: usize = 0x24;
    let used = end % page_size as usize;
    let mut data = data.to_vec();
    if used < LEAST {
        data.resize(data.len() + LEAST - used, 0);
    }
    data
}

fn check_pages(flash: &[Part], page_size: u32) -> Result<(), ImageError> {
    let page = |part: &Part| part.address / page_size;
    match flash.windows(2).find(|pair| page(&pair[0]) == page(&pair[1])) {
        Some(pair) => Err(ImageError::Link(format!(
            "0x{:08x} and 0x{:08x} are mapped through the same {} KB page",
            pair[0].address,
            pair[1].address,
            page_size / 1024
        ))),
        None => Ok(()),
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
