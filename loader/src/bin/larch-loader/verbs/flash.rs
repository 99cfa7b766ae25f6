//! Flash: write, verify, read, erase.

use super::{files, read, write};
use crate::arguments::{FlashPins, FlashSettings, Verb};
use crate::numbers::{SizeOrAll, number};
use crate::report::Reporter;
use larch_chips::{FlashMode, FlashSize};
use larch_image::{ihex, uf2};
use larch_loader::flash::{self, Keep, WriteOptions};
use larch_loader::{Blob, Error, Loader};
use serde_json::json;
use std::path::Path;

/// Differences of a file that are shown.
const MOST_DIFFERENCES: usize = 100;

pub fn run(loader: &mut Loader<'_>, verb: &Verb, reporter: &Reporter) -> Result<(), Error> {
    if let Some(text) = pins(verb).and_then(|pins| pins.spi_connection.as_deref()) {
        loader.set_flash_pins(text)?;
    }
    match verb {
        Verb::FlashId { .. } => super::chip::run(loader, verb, reporter),
        Verb::WriteFlash { .. } => write_flash(loader, verb, reporter),
        Verb::VerifyFlash { files, settings, diff, .. } => {
            // What write-flash wrote with these settings is compared with what it wrote.
            let settings = parse_settings(settings, loader.chip())?;
            let mut blobs = blobs(&files.files)?;
            if settings != flash::FlashSettings::default() {
                blobs = loader.with_settings(&blobs, &settings)?;
            }
            verify(loader, &blobs, *diff, reporter)
        }
        Verb::ReadFlash { offset, size, file, .. } => {
            let size = bytes(loader, *offset, *size)?;
            let data = loader.read_flash(*offset, size)?;
            write(file, &data)?;
            let text = format!(
                "Read {size} bytes at 0x{offset:08x} to '{}'; MD5 matches the chip's.",
                file.display()
            );
            reporter.result(&text, "bytes", json!(size));
            Ok(())
        }
        Verb::EraseFlash { force, .. } => {
            loader.check_erase(*force)?;
            loader.erase_flash()
        }
        Verb::EraseRegion { offset, size, force, .. } => {
            loader.check_erase(*force)?;
            let size = bytes(loader, *offset, *size)?;
            loader.erase_region(*offset, size)
        }
        Verb::ChecksumMd5 { offset, size } => {
            loader.check_in_flash("the part", *offset, *size)?;
            let digest = loader.flash_md5(*offset, *size)?.to_string();
            reporter.result(&digest, "md5", json!(digest));
            Ok(())
        }
        Verb::ReadFlashStatus { bytes, .. } => {
            let bytes = usize::from(*bytes);
            let status = loader.flash_status(bytes)?;
            reporter.result(
                &format!("Status value: 0x{status:0width$x}", width = bytes * 2),
                "status",
                json!(status),
            );
            Ok(())
        }
        Verb::WriteFlashStatus { bytes, non_volatile, value, .. } => {
            write_status(loader, usize::from(*bytes), *non_volatile, *value, reporter)
        }
        Verb::ReadFlashSfdp { address, bytes, .. } => {
            let value = loader.read_sfdp(*address, *bytes)?;
            let shown: Vec<_> =
                value.to_le_bytes().iter().take(*bytes as usize).map(|byte| format!("{byte:02x}")).collect();
            reporter.result(&format!("SFDP[0x{address:x}] = {}", shown.join(" ")), "sfdp", json!(value));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn write_status(
    loader: &mut Loader<'_>,
    bytes: usize,
    non_volatile: bool,
    value: u32,
    reporter: &Reporter,
) -> Result<(), Error> {
    let before = loader.flash_status(bytes)?;
    loader.write_flash_status(value, bytes, non_volatile)?;
    let after = loader.flash_status(bytes)?;
    reporter.result(&format!("Status was 0x{before:x}, is 0x{after:x}."), "status", json!(after));
    Ok(())
}

/// How the flash hangs on the chip, for verbs that have the option.
fn pins(verb: &Verb) -> Option<&FlashPins> {
    match verb {
        Verb::WriteFlash { pins, .. }
        | Verb::VerifyFlash { pins, .. }
        | Verb::ReadFlash { pins, .. }
        | Verb::EraseFlash { pins, .. }
        | Verb::EraseRegion { pins, .. }
        | Verb::FlashId { pins }
        | Verb::ReadFlashStatus { pins, .. }
        | Verb::WriteFlashStatus { pins, .. }
        | Verb::ReadFlashSfdp { pins, .. } => Some(pins),
        _ => None,
    }
}

/// Whether the chip will have to encrypt.
pub fn encrypts(verb: &Verb) -> bool {
    match verb {
        Verb::WriteFlash { encryption, .. } => encryption.encrypt || !encryption.encrypt_files.is_empty(),
        _ => false,
    }
}

fn write_flash(loader: &mut Loader<'_>, verb: &Verb, reporter: &Reporter) -> Result<(), Error> {
    let Verb::WriteFlash {
        files,
        settings,
        erase_all,
        compress,
        no_compress,
        rewrite,
        force,
        encryption,
        ..
    } = verb
    else {
        return Ok(());
    };
    let options = WriteOptions {
        compress: if *no_compress { Some(false) } else { compress.then_some(true) },
        erase_all: *erase_all,
        force: *force,
        rewrite: *rewrite,
        settings: parse_settings(settings, loader.chip())?,
    };
    let (mut plain, mut encrypted) = (blobs(&files.files)?, blobs(&encryption.encrypt_files)?);
    if encryption.encrypt {
        encrypted.append(&mut plain);
    }
    if plain.is_empty() && encrypted.is_empty() {
        return Err(Error::Argument("name at least one file: write-flash OFFSET FILE".to_owned()));
    }
    let mut reports = Vec::new();
    if encrypted.is_empty() {
        reports.extend(loader.write_flash(&plain, &options)?);
    } else {
        // Everything is checked before the first is written.
        loader.check_encrypted(&plain, &encrypted, &options, encryption.ignore_flash_enc_efuse)?;
        if !plain.is_empty() {
            reports.extend(loader.write_flash(&plain, &options)?);
        }
        let erase_all = options.erase_all && plain.is_empty();
        loader.write_encrypted(&encrypted, &WriteOptions { erase_all, ..options })?;
    }
    for report in &reports {
        let value = json!({ "file": report.name, "md5": report.md5.to_string(), "written": report.written });
        reporter.json_only("written", value);
    }
    Ok(())
}

fn bytes(loader: &mut Loader<'_>, offset: u32, size: SizeOrAll) -> Result<u32, Error> {
    let flash = u32::try_from(loader.flash()?.bytes()).unwrap_or(u32::MAX);
    Ok(match size {
        SizeOrAll::Bytes(bytes) => bytes,
        SizeOrAll::All => flash.saturating_sub(offset),
    })
}

fn verify(loader: &mut Loader<'_>, blobs: &[Blob], diff: bool, reporter: &Reporter) -> Result<(), Error> {
    if !diff {
        return loader.verify_flash(blobs);
    }
    for blob in blobs {
        let differences = loader.diff_flash(blob)?;
        for flash::Difference { offset, expected, found } in differences.iter().take(MOST_DIFFERENCES) {
            let text = format!(
                "0x{offset:08x}: {} bytes, file {}, flash {}",
                expected.len(),
                hex(expected),
                hex(found)
            );
            reporter.result(&text, "difference", json!({ "offset": offset, "size": expected.len() }));
        }
        if let Some(more) = differences.len().checked_sub(MOST_DIFFERENCES).filter(|&more| more > 0) {
            reporter.result(&format!("... and {more} more"), "more_differences", json!(more));
        }
        if let Some(first) = differences.first() {
            return Err(Error::VerifyFailed { name: blob.name.clone(), first: Some(first.offset) });
        }
        reporter.result(&format!("{}: no difference.", blob.name), "verified", json!(blob.name));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    let text: Vec<_> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    text.join(" ") + if bytes.len() > SHOWN { " ..." } else { "" }
}

/// Pairs of offset and file.
pub fn blobs(words: &[String]) -> Result<Vec<Blob>, Error> {
    if !words.len().is_multiple_of(2) {
        return Err(Error::Argument("files are given as OFFSET FILE, OFFSET FILE, ...".to_owned()));
    }
    let mut blobs = Vec::new();
    for pair in words.chunks_exact(2) {
        let offset = number(&pair[0]).map_err(Error::Argument)?;
        let path = Path::new(&pair[1]);
        let (name, data) = (files::short_name(path), read(path)?);
        // Files that say themselves where they belong; the offset is added to it.
        let own = if uf2::is_uf2(&data) {
            uf2::decode(&name, &data).map_err(files::in_file(path))?
        } else if ihex::is_ihex(&data) {
            ihex::decode(&name, &String::from_utf8_lossy(&data)).map_err(files::in_file(path))?
        } else {
            vec![Blob { name, offset: 0, data }]
        };
        for blob in own {
            let offset = blob.offset.checked_add(offset);
            let behind = || Error::Argument(format!("{}: its offset is behind 4 GB", blob.name));
            blobs.push(Blob { offset: offset.ok_or_else(behind)?, ..blob });
        }
    }
    Ok(blobs)
}

/// Names of settings to header values.
pub fn parse_settings(
    settings: &FlashSettings,
    chip: &larch_chips::Chip,
) -> Result<flash::FlashSettings, Error> {
    let keep = |text: &str, known: &dyn Fn(&str) -> Option<u8>| match text {
        _ if text.eq_ignore_ascii_case("keep") => Ok(Keep::Keep),
        _ if text.eq_ignore_ascii_case("detect") => Ok(Keep::Detect),
        // Names of modes and sizes were looked at when the command line was read.
        other => known(other).map(Keep::Set).ok_or_else(|| {
            let names: Vec<&str> = chip.image.frequencies.iter().map(|known| known.1).collect();
            let (name, names) = (chip.name, names.join(", "));
            Error::Argument(format!("unknown --flash-freq '{other}' for the {name} (one of: keep, {names})"))
        }),
    };
    let frequency = |text: &str| {
        let named = chip.image.frequencies.iter().find(|known| known.1.eq_ignore_ascii_case(text));
        named.and_then(|known| u8::try_from(known.0).ok())
    };
    Ok(flash::FlashSettings {
        mode: keep(&settings.flash_mode, &|text| FlashMode::by_name(text).map(FlashMode::byte))?,
        frequency: keep(&settings.flash_freq, &frequency)?,
        size: keep(&settings.flash_size, &|text| FlashSize::by_name(text).map(FlashSize::nibble))?,
    })
}
