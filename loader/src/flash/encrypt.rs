//! Writing files that the chip encrypts on the way to flash.
//!
//! What is in flash afterwards only the chip can read, so there is no digest to compare: the session says so.
//! Source: esptool's documentation, "Flashing Encrypted Binaries"; the fifth word of FLASH_BEGIN (ROMs from ESP32-S2 on),
//! FLASH_ENCRYPT_DATA (stubs).

use super::erase::ERASE_SECONDS_PER_MEGABYTE;
use super::per_megabyte;
use super::plan::{self, Target};
use super::write::WriteOptions;
use crate::connect::Loader;
use crate::error::Error;
use crate::event::Event;
use larch_image::merge::Blob;
use larch_protocol::{Command, FlashBegin};
use std::time::Duration;

/// How long the chip may take to encrypt and write a block.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(10);

impl Loader<'_> {
    /// Everything that can be checked before plain and encrypted files are written in one go.
    ///
    /// # Errors
    /// The first thing that stands against it.
    pub fn check_encrypted(
        &mut self,
        plain: &[Blob],
        encrypted: &[Blob],
        options: &WriteOptions,
        ignore_efuse: bool,
    ) -> Result<(), Error> {
        let flash_bytes = self.flash()?.bytes();
        let target = Target { chip: self.chip, revision: self.info().map(|info| info.revision), flash_bytes };
        let all: Vec<Blob> = plain.iter().chain(encrypted).cloned().collect();
        for note in plan::check(&all, &target, options.force)? {
            self.note(&note);
        }
        let align = self.chip.image.flash_encryption_align;
        if let Some(blob) = encrypted.iter().find(|blob| !blob.offset.is_multiple_of(align)) {
            let (name, offset) = (&blob.name, blob.offset);
            let problem =
                format!("{name}: offset 0x{offset:x} is no multiple of {align}, as encryption needs it");
            return Err(Error::Argument(problem));
        }
        self.check_encryption(options.force, ignore_efuse, encrypted)
    }

    /// Writes files through the chip's flash encryption, after [`Loader::check_encrypted`].
    ///
    /// # Errors
    /// If the chip refuses or stops answering.
    pub fn write_encrypted(&mut self, blobs: &[Blob], options: &WriteOptions) -> Result<(), Error> {
        if self.dialect.is_ours {
            let why = "with Larch's stub; use --no-stub".to_owned();
            return Err(Error::Unsupported { what: "writing encrypted".to_owned(), why });
        }
        let blobs = self.with_settings(blobs, &options.settings)?;
        if options.erase_all {
            self.erase_flash()?;
        }
        for blob in &blobs {
            self.write_one_encrypted(blob)?;
        }
        self.note("what the chip has encrypted cannot be compared by digest; the first start will show it");
        Ok(())
    }

    fn write_one_encrypted(&mut self, blob: &Blob) -> Result<(), Error> {
        let Blob { name, offset, data } = blob;
        let (size, block_size) = (data.len() as u64, self.dialect.block_size);
        let mut bytes = data.clone();
        bytes.resize(data.len().next_multiple_of(block_size), 0xFF);
        self.observer.event(&Event::Writing { name, offset: *offset, size, of: size, compressed: None });
        let start = self.link.now();
        let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let begin = FlashBegin {
            erase_size: word(data.len()),
            blocks: word(bytes.len() / block_size),
            block_size: word(block_size),
            offset: *offset,
            encrypt: self.dialect.begin_has_encrypt.then_some(true),
        };
        self.command(&Command::FlashBegin(begin), per_megabyte(ERASE_SECONDS_PER_MEGABYTE, size))?;
        for (number, block) in (0..).zip(bytes.chunks(block_size)) {
            let command = if self.is_rom() {
                Command::FlashData(number, block)
            } else {
                Command::FlashEncryptData(number, block)
            };
            self.command(&command, BLOCK_TIMEOUT)?;
            let done = size.min(u64::from(number + 1) * block_size as u64);
            self.observer.event(&Event::Progress { done, total: size });
        }
        let seconds = (self.link.now() - start).as_secs_f64();
        self.observer.event(&Event::Written { size, compressed: None, offset: *offset, seconds });
        Ok(())
    }
}
