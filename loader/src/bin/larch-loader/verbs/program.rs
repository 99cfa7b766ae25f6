//! A program straight from its ELF file, and partitions by label.

use super::{files, read, write};
use crate::arguments::{ProgramSource, TableSource};
use crate::report::Reporter;
use larch_chips::Chip;
use larch_image::elf::{Program, Settings};
use larch_image::partition::Table;
use larch_image::{layout, merge, packages};
use larch_loader::flash::{Keep, WriteOptions};
use larch_loader::{Blob, Error, Loader};
use serde_json::json;
use std::path::Path;

/// What can be told of the files before a chip is there.
///
/// # Errors
/// If one is missing or damaged.
pub fn check(source: &ProgramSource) -> Result<(), Error> {
    Program::parse(&read(&source.elf)?).map_err(files::in_file(&source.elf))?;
    source.partition_table.as_deref().map_or(Ok(()), |path| files::read_table(path).map(drop))?;
    source.bootloader.as_deref().map_or(Ok(()), |path| read(path).map(drop))
}

/// Writes bootloader, partition table and program; the bootloader is told the flash's size.
pub fn flash(loader: &mut Loader<'_>, source: &ProgramSource) -> Result<(), Error> {
    let blobs = blobs(source, loader.chip())?;
    let mut settings = super::flash::parse_settings(&source.settings, loader.chip())?;
    if settings.size == Keep::Keep {
        settings.size = Keep::Detect;
    }
    loader.write_flash(&blobs, &WriteOptions { settings, ..WriteOptions::default() }).map(|_| ())
}

/// Writes the image file of the program, or of the whole flash.
pub fn save(
    source: &ProgramSource,
    chip: Option<&'static Chip>,
    output: &Path,
    whole: bool,
    reporter: &Reporter,
) -> Result<(), Error> {
    let chip = chip.ok_or_else(|| {
        Error::Argument(
            "an ELF file does not say which chip it is for; add --chip, as --chip esp32c3".to_owned(),
        )
    })?;
    let bytes = if whole {
        let blobs = blobs(source, chip)?;
        merge::raw(&blobs, chip.bootloader_offset, None).map_err(Error::Overlap)?
    } else {
        image(source, chip)?
    };
    write(output, &bytes)?;
    reporter.result(
        &format!("Wrote {} bytes to {}.", bytes.len(), output.display()),
        "bytes",
        json!(bytes.len()),
    );
    Ok(())
}

fn image(source: &ProgramSource, chip: &Chip) -> Result<Vec<u8>, Error> {
    let program = Program::parse(&read(&source.elf)?).map_err(files::in_file(&source.elf))?;
    let settings = Settings {
        min_revision: source.min_chip_rev,
        page_size: source.mmu_page_size,
        ..Settings::default()
    };
    program.image(chip, &settings).map_err(files::in_file(&source.elf))
}

fn blobs(source: &ProgramSource, chip: &Chip) -> Result<Vec<Blob>, Error> {
    let bootloader = match &source.bootloader {
        Some(path) => path.clone(),
        None => packages::bootloader(chip.slug).map_err(|error| Error::Argument(error.to_string()))?,
    };
    let table = match &source.partition_table {
        Some(path) => files::read_table(path)?,
        None => Table::micropython_4mb(),
    };
    layout::bootable(chip, read(&bootloader)?, &table, image(source, chip)?)
        .map_err(files::in_file(&source.elf))
}

/// The partition table from the file, or from flash.
pub fn table(loader: &mut Loader<'_>, source: &TableSource) -> Result<Table, Error> {
    match &source.partition_table {
        Some(path) => files::read_table(path),
        None => loader.partition_table(source.partition_table_offset),
    }
}
