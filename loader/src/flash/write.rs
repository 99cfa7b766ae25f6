//! Writing files to flash.
//!
//! A file goes through: checks, flash settings in its header, deflate, blocks, the chip's MD5. Where the line fails the
//! rest is sent again; a file whose digest does not match is written again; after that it is an error.

use super::digest::Digest;
use super::plan::{self, Target};
use super::stream::{Part, Stream};
use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use crate::recover::Round;
use larch_chips::{Chip, MAGIC_ADDRESS};
use larch_image::header::MAGIC;
use larch_image::image::patch_flash_settings;
use larch_image::merge::Blob;

/// How often a file is written before it is given up.
const FILE_TRIES: u32 = 3;

/// A setting of the bootloader's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep<T> {
    /// As the file has it.
    #[default]
    Keep,
    /// As the board has it.
    Detect,
    /// This.
    Set(T),
}

/// Settings written into the header of the bootloader's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlashSettings {
    /// Header byte 2.
    pub mode: Keep<u8>,
    /// Low half of header byte 3.
    pub frequency: Keep<u8>,
    /// High half of header byte 3, as its value (2 for 4 MB).
    pub size: Keep<u8>,
}

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Deflate (`Some(true)`), do not, or whichever sends less.
    pub compress: Option<bool>,
    /// Erase the whole flash first.
    pub erase_all: bool,
    /// Write images that checks refuse.
    pub force: bool,
    /// Write everything, even what flash holds already.
    pub rewrite: bool,
    /// Settings for the bootloader's header.
    pub settings: FlashSettings,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteReport {
    /// The file.
    pub name: String,
    /// Flash offset.
    pub offset: u32,
    /// Bytes.
    pub size: u64,
    /// Bytes that flash did not hold yet.
    pub written: u64,
    /// The chip's digest.
    pub md5: Digest,
}

impl Loader<'_> {
    /// Writes files to flash and has the chip confirm each with its digest. Parts that flash holds already, by the same
    /// digest, are left alone.
    ///
    /// # Errors
    /// Before anything is erased if a check fails; afterwards if the chip refuses, stops answering, or its digest of
    /// what was written is not that of the file.
    pub fn write_flash(&mut self, blobs: &[Blob], options: &WriteOptions) -> Result<Vec<WriteReport>, Error> {
        let mut erased = !options.erase_all;
        self.with_recovery(|loader, round| {
            if round == Round::First {
                loader.check_before_writing(blobs, options.force)?;
            }
            let blobs = loader.with_settings(blobs, &options.settings)?;
            let options = match round {
                Round::First => *options,
                // What the chip took before it was lost need not be sent again.
                Round::Again => WriteOptions { erase_all: false, rewrite: false, ..*options },
            };
            if !erased {
                loader.erase_flash()?;
                erased = true;
            }
            blobs.iter().map(|blob| loader.write_blob(blob, &options)).collect()
        })
    }

    fn check_before_writing(&mut self, blobs: &[Blob], force: bool) -> Result<(), Error> {
        self.with_recovery(|loader, _| {
            let flash_bytes = loader.flash()?.bytes();
            let revision = loader.info().map(|info| info.revision);
            let target = Target { chip: loader.chip, revision, flash_bytes };
            for note in plan::check(blobs, &target, force)? {
                loader.note(&note);
            }
            loader.check_plain(blobs, force)
        })
    }

    /// The files as they go to flash: settings in the bootloader's header, lengths a multiple of four.
    ///
    /// # Errors
    /// If what looks like the bootloader's image is none, or the flash's size is wanted and no flash answers.
    pub fn with_settings(&mut self, blobs: &[Blob], settings: &FlashSettings) -> Result<Vec<Blob>, Error> {
        blobs.iter().map(|blob| self.prepared(blob, settings)).collect()
    }

    /// The blob as it goes to flash: settings in the bootloader's header, length a multiple of four.
    fn prepared(&mut self, blob: &Blob, settings: &FlashSettings) -> Result<Blob, Error> {
        let mut blob = blob.clone();
        let detected = match settings.size {
            Keep::Detect => self.flash()?.size.map(|size| size.nibble()),
            _ => None,
        };
        apply_settings(&mut blob, self.chip, settings, detected)?;
        blob.data.resize(blob.data.len().next_multiple_of(4), 0xFF);
        Ok(blob)
    }

    fn write_blob(&mut self, blob: &Blob, options: &WriteOptions) -> Result<WriteReport, Error> {
        let Blob { name, offset, data } = blob;
        let all = options.erase_all || options.rewrite || self.secure_download();
        let changed = if all { std::iter::once(0..data.len()).collect() } else { self.changed(blob)? };
        let written = changed.iter().map(|part| part.len() as u64).sum();
        let md5 = Digest::of(data);
        let report =
            WriteReport { name: name.clone(), offset: *offset, size: data.len() as u64, written, md5 };
        if changed.is_empty() {
            self.observer.event(&Event::Unchanged { name, offset: *offset });
            return Ok(report);
        }
        let jobs: Vec<(Part<'_>, Stream)> = changed
            .into_iter()
            .scan(0, |before, range| {
                let start = u32::try_from(range.start).unwrap_or(u32::MAX);
                let data = &data[range];
                let part = Part { name, offset: offset + start, data, before: *before, total: written };
                *before += data.len() as u64;
                Some((part, Stream::of(data, self.dialect.block_size, options.compress)))
            })
            .collect();
        let compressed = jobs.iter().map(|(_, stream)| stream.compressed_len()).sum();
        let first = jobs.first().map_or(*offset, |(part, _)| part.offset);
        self.observer.event(&Event::Writing {
            name,
            offset: first,
            size: written,
            of: report.size,
            compressed,
        });
        let start = self.link.now();
        for (part, stream) in &jobs {
            self.write_part(part, stream)?;
        }
        let seconds = (self.link.now() - start).as_secs_f64();
        self.observer.event(&Event::Written { size: written, compressed, offset: first, seconds });
        self.observer.event(&Event::Verified { name });
        Ok(report)
    }

    fn write_part(&mut self, part: &Part<'_>, stream: &Stream) -> Result<(), Error> {
        let mut tries = 1;
        while let Err(error) = self.send_and_confirm(part, stream) {
            if tries >= FILE_TRIES || !matches!(error, Error::DigestMismatch { .. }) {
                return Err(error);
            }
            self.observer.event(&Event::Retry { what: &error.to_string() });
            tries += 1;
        }
        Ok(())
    }

    fn send_and_confirm(&mut self, part: &Part<'_>, stream: &Stream) -> Result<(), Error> {
        self.send(part, stream)?;
        if self.dialect.answers_early && !self.dialect.is_ours {
            // Answered only when everything is in flash.
            self.read_register(MAGIC_ADDRESS)?;
        }
        let (md5, offset) = (Digest::of(part.data), part.offset);
        let size = u32::try_from(part.data.len()).unwrap_or(u32::MAX);
        let mut found = self.with_retries(|loader| loader.flash_md5(offset, size))?;
        if found != md5 {
            // The answer itself may have been damaged.
            found = self.with_retries(|loader| loader.flash_md5(offset, size))?;
        }
        if found == md5 {
            return Ok(());
        }
        let (expected, found) = (md5.to_string(), found.to_string());
        Err(Error::DigestMismatch { name: part.name.to_owned(), offset, expected, found })
    }
}

/// Writes settings into the header of the bootloader's image; other files stay as they are.
///
/// # Errors
/// If what begins like an image is none.
pub fn apply_settings(
    blob: &mut Blob,
    chip: &Chip,
    settings: &FlashSettings,
    detected_size: Option<u8>,
) -> Result<(), Error> {
    let is_boot_image = blob.offset == chip.bootloader_offset && blob.data.first() == Some(&MAGIC);
    let &[_, _, mode, size_frequency, ..] = &blob.data[..] else { return Ok(()) };
    if !is_boot_image || *settings == FlashSettings::default() {
        return Ok(());
    }
    let pick = |keep: Keep<u8>, file: u8, board: Option<u8>| match keep {
        Keep::Keep => file,
        Keep::Detect => board.unwrap_or(file),
        Keep::Set(value) => value,
    };
    let size = pick(settings.size, size_frequency >> 4, detected_size);
    let frequency = pick(settings.frequency, size_frequency & 0xF, None);
    patch_flash_settings(&mut blob.data, pick(settings.mode, mode, None), size << 4 | frequency)
        .map_err(|source| Error::Image { name: blob.name.clone(), source })
}
