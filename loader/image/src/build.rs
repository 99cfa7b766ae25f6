//! Putting an image together: segments at the places the MMU needs, checksum, digest, padding.
//!
//! Source: esptool's "Firmware Image Format" page; the results are compared with esptool's own to the byte.

use crate::ImageError;
use crate::header::Header;
use crate::image::{CHECKSUM_SEED, DIGEST_LEN};
use larch_chips::Chip;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// Address and length before each segment's data.
const SEGMENT_HEADER_LEN: usize = 8;

/// A segment to be put into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it is loaded or mapped.
    pub address: u32,
    /// Its data.
    pub data: Vec<u8>,
}

/// Padding for a signature that will be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurePad {
    /// Secure Boot V1: the signed image ends at a page.
    V1,
    /// Secure Boot V2: the signature begins a page.
    V2,
}

impl SecurePad {
    /// Bytes from the checksum's line to the page's end: digest, and for V1 version, signature and alignment.
    const fn behind_checksum(self) -> usize {
        match self {
            Self::V1 => DIGEST_LEN + 4 + 64 + 12,
            Self::V2 => DIGEST_LEN,
        }
    }
}

/// How an image is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Page size of the flash MMU.
    pub page_size: u32,
    /// Padding for a signature.
    pub secure_pad: Option<SecurePad>,
    /// RAM segments first, and only they are counted: the ROM does not see the others.
    pub ram_only_header: bool,
    /// Bytes to be put at this offset of the file, where it is zero.
    pub digest_at: Option<(usize, [u8; DIGEST_LEN])>,
    /// The file is filled up with 0xFF to a multiple of this.
    pub pad_to: Option<usize>,
}

impl Layout {
    /// Pages of this size, nothing else.
    pub fn of_pages(page_size: u32) -> Self {
        Self { page_size, ..Self::default() }
    }
}

/// An image that grows.
#[derive(Debug, Clone)]
pub struct Builder {
    header: Header,
    layout: Layout,
    bytes: Vec<u8>,
    sum: u8,
    problem: Option<ImageError>,
}

impl Builder {
    /// Starts an image.
    pub fn new(header: Header, layout: Layout) -> Self {
        let header = Header { segment_count: 0, ..header };
        Self { header, layout, bytes: header.bytes().to_vec(), sum: CHECKSUM_SEED, problem: None }
    }

    /// Appends a segment, padded with zeros to a multiple of four bytes.
    pub fn segment(&mut self, address: u32, data: &[u8]) {
        let start = self.hidden_segment(address, data);
        self.sum = self.bytes[start..].iter().fold(self.sum, |sum, byte| sum ^ byte);
        self.header.segment_count = self.header.segment_count.saturating_add(1);
    }

    /// Appends a segment that neither checksum nor count cover. Returns where its data begin.
    fn hidden_segment(&mut self, address: u32, data: &[u8]) -> usize {
        let padded = data.len().next_multiple_of(4);
        self.bytes.extend(address.to_le_bytes());
        self.bytes.extend(u32::try_from(padded).unwrap_or(u32::MAX).to_le_bytes());
        let start = self.bytes.len();
        self.bytes.extend(data);
        self.bytes.resize(start + padded, 0);
        self.put_digest(start);
        start
    }

    /// Puts the digest in, if its place is in the segment whose data begin at `start`.
    fn put_digest(&mut self, start: usize) {
        let Some((at, digest)) = self.layout.digest_at else { return };
        if at + SEGMENT_HEADER_LEN < start || at >= self.bytes.len() {
            return;
        }
        match self.bytes.get_mut(at..at + DIGEST_LEN).filter(|_| at >= start) {
            Some(room) if room.iter().all(|&byte| byte == 0) => room.copy_from_slice(&digest),
            Some(_) => self.fail(format!("there is something else at 0x{at:x} than room for a digest")),
            None => self.fail(format!("the digest's place 0x{at:x} is not within one segment")),
        }
    }

    fn fail(&mut self, problem: String) {
        self.problem.get_or_insert(ImageError::Link(problem));
    }

    fn page(&self) -> usize {
        self.layout.page_size.max(1) as usize
    }

    /// Bytes of data that a filler segment must have so that the next segment's data, mapped at `address`, lie at the
    /// same place within a page as their address. `None`: no filler is needed.
    fn filler_for(&self, address: u32) -> Option<usize> {
        let (page, head) = (self.page(), SEGMENT_HEADER_LEN);
        let gap = |data_at: usize| (address as usize % page + page - data_at % page) % page;
        match gap(self.bytes.len() + head) {
            0 => None,
            // The filler has a header of its own.
            gap if gap >= head => Some(gap - head),
            gap => Some(gap + page - head),
        }
    }

    /// The checksum at the end of a line of 16 bytes.
    fn checksum(&mut self) {
        let at = self.bytes.len() + 15 - self.bytes.len() % 16;
        self.bytes.resize(at, 0);
        self.bytes.push(self.sum);
    }

    /// The filler that makes the signed image end at a page.
    fn pad_for_signature(&mut self, pad: SecurePad) {
        const CHECKSUM_LINE: usize = 16;
        let page = self.page();
        let used = (self.bytes.len() + SEGMENT_HEADER_LEN) % page + CHECKSUM_LINE + pad.behind_checksum();
        let len = (page * 2 - used % page) % page;
        self.segment(0, &vec![0; len]);
    }

    /// The image: segments so far, checksum, and, if the header asks for it, digest.
    ///
    /// # Errors
    /// If it has more segments than the ROM takes.
    pub fn finish(mut self) -> Result<Vec<u8>, ImageError> {
        if let Some(pad) = self.layout.secure_pad {
            if !self.header.has_digest {
                self.fail("padding for a signature needs the digest".to_owned());
            }
            self.pad_for_signature(pad);
        }
        self.checksum();
        self.conclude()
    }

    /// Header, digest, padding.
    fn conclude(mut self) -> Result<Vec<u8>, ImageError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if self.header.segment_count > 16 {
            return Err(ImageError::TooManySegments(self.header.segment_count));
        }
        self.bytes[..Header::LEN].copy_from_slice(&self.header.bytes());
        if self.header.has_digest {
            let digest: [u8; DIGEST_LEN] = Sha256::digest(&self.bytes).into();
            self.bytes.extend(digest);
        }
        if let Some(multiple) = self.layout.pad_to.filter(|&multiple| multiple > 0) {
            self.bytes.resize(self.bytes.len().next_multiple_of(multiple), 0xFF);
        }
        Ok(self.bytes)
    }
}

/// Builds an image: flash segments at page offsets, the gaps before them filled with parts of the RAM segments.
///
/// # Errors
/// If a flash segment begins within a word, two share a page, or there are too many segments.
pub fn build(chip: &Chip, header: Header, layout: Layout, parts: Vec<Part>) -> Result<Vec<u8>, ImageError> {
    let (mut flash, ram): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| chip.is_flash(part.address));
    check_words(&flash)?;
    check_pages(&flash, layout.page_size)?;
    let mut builder = Builder::new(header, layout);
    if layout.ram_only_header {
        flash.reverse();
        return ram_first(chip, builder, &flash, &ram);
    }
    let mut ram: VecDeque<Part> = ram.into();
    for part in &flash {
        fill_before(&mut builder, part.address, &mut ram);
        let data = mapped(chip, &builder, part);
        builder.segment(part.address, &data);
    }
    for part in ram {
        builder.segment(part.address, &part.data);
    }
    builder.finish()
}

/// Fills up to the place of a flash segment with RAM segments, or parts of them, or zeros.
fn fill_before(builder: &mut Builder, address: u32, ram: &mut VecDeque<Part>) {
    while let Some(len) = builder.filler_for(address) {
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
}

/// RAM segments and their checksum, then what only a bootloader in RAM will look for.
fn ram_first(chip: &Chip, mut builder: Builder, flash: &[Part], ram: &[Part]) -> Result<Vec<u8>, ImageError> {
    builder.header.has_digest = false;
    for part in ram {
        builder.segment(part.address, &part.data);
    }
    builder.checksum();
    let (page, before) = (builder.page(), chip.bootloader_offset as usize);
    for part in flash {
        let used = (builder.bytes.len() + 2 * SEGMENT_HEADER_LEN) % page;
        let mut len = (part.address as usize % page + page - used) % page;
        if len < before {
            len += page;
        }
        builder.hidden_segment(0, &vec![0; len - before]);
        let data = mapped(chip, &builder, part);
        builder.hidden_segment(part.address, &data);
    }
    builder.conclude()
}

/// Data of a flash segment. Second-stage bootloaders of the ESP32 do not map a segment's last page if less than 0x24 bytes of
/// it are used.
fn mapped(chip: &Chip, builder: &Builder, part: &Part) -> Vec<u8> {
    const LEAST: usize = 0x24;
    let mut data = part.data.clone();
    let used = (builder.bytes.len() + SEGMENT_HEADER_LEN + data.len()) % builder.page();
    if chip.image.fills_last_page && used < LEAST {
        data.resize(data.len() + LEAST - used, 0);
    }
    data
}

/// Segments consist of words: what is mapped can only lie as its address does if that is a word's.
fn check_words(flash: &[Part]) -> Result<(), ImageError> {
    match flash.iter().find(|part| part.address % 4 != 0) {
        Some(part) => Err(ImageError::Link(format!("0x{:08x} is not a multiple of 4", part.address))),
        None => Ok(()),
    }
}

fn check_pages(flash: &[Part], page_size: u32) -> Result<(), ImageError> {
    let page = |part: &Part| part.address / page_size.max(1);
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
