//! Files only, no board: images, ELF, merging, partition tables.

use super::{flash, read, write};
use crate::arguments::{MergeFormat, Verb};
use crate::report::Reporter;
use larch_chips::{Chip, Core, FlashMode, FlashSize};
use larch_image::build::{Builder, Layout, SecurePad};
use larch_image::elf::{Program, Settings};
use larch_image::header::Header;
use larch_image::partition::Table;
use larch_image::{Image, ihex, merge, uf2};
use larch_loader::Error;
use larch_loader::chip::Revision;
use larch_loader::flash::Keep;
use serde_json::json;
use std::path::{Path, PathBuf};

/// The file's name without its folder.
pub fn short_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

pub fn in_file(path: &Path) -> impl Fn(larch_image::ImageError) -> Error {
    let name = short_name(path);
    move |source| Error::Image { name: name.clone(), source }
}

pub fn image_info(file: &Path, reporter: &Reporter) -> Result<(), Error> {
    let bytes = read(file)?;
    let image = Image::parse(&bytes).map_err(in_file(file))?;
    let say = |label: &str, text: String| reporter.result(&format!("{label}: {text}"), label, json!(text));
    let header = &image.header;
    let chip = image.chip();
    say("Image size", format!("{} bytes", image.len));
    say(
        "Detected image type",
        chip.map_or_else(|| format!("unknown chip {}", header.chip_id), |chip| chip.name.to_owned()),
    );
    say("Entry point", format!("0x{:08x}", header.entry));
    say("Segments", header.segment_count.to_string());
    say(
        "Flash size",
        FlashSize::from_nibble(header.flash_size_frequency >> 4)
            .map_or("unknown", FlashSize::name)
            .to_owned(),
    );
    let frequency = u32::from(header.flash_size_frequency & 0xF);
    let named = chip.and_then(|chip| chip.image.frequencies.iter().find(|known| known.0 == frequency));
    say("Flash freq", named.map_or("unknown", |known| known.1).to_owned());
    say(
        "Flash mode",
        FlashMode::from_byte(header.flash_mode).map_or("unknown", FlashMode::name).to_uppercase(),
    );
    let revisions = (Revision::from_number(header.min_revision), Revision::from_number(header.max_revision));
    say("Chip revisions", format!("{} to {}", revisions.0, revisions.1));
    say("Chip ID", header.chip_id.to_string());
    say("WP pin", format!("0x{:02x}", header.wp_pin));
    say("Flash pins drive settings", hex(&header.drive));
    segments(&image, reporter);
    let validity = |valid: bool| if valid { "valid" } else { "INVALID" };
    say("Checksum", format!("0x{:02x} ({})", image.checksum.stored, validity(image.checksum.is_valid())));
    match image.digest {
        Some(digest) => {
            say("Validation hash", format!("{} ({})", hex(&digest.stored), validity(digest.is_valid())))
        }
        None => say("Validation hash", "none".to_owned()),
    }
    describe(&image, &say);
    image.check().map_err(in_file(file))
}

fn segments(image: &Image, reporter: &Reporter) {
    for (number, segment) in image.segments.iter().enumerate() {
        let kind = match (segment.address, image.chip().and_then(|chip| chip.region(segment.address))) {
            (0, _) => "PADDING",
            (_, Some(region)) => region.kind.name(),
            (_, None) => "",
        };
        let (length, at) = (segment.range.len(), segment.range.start - 8);
        let text = format!(
            "  {number:>2}: {length:#07x} bytes at 0x{:08x}, file 0x{at:08x} {kind}",
            segment.address
        );
        let value = json!({ "address": segment.address, "size": length, "file_offset": at, "memory": kind });
        reporter.result(&text, "segment", value);
    }
}

fn describe(image: &Image, say: &dyn Fn(&str, String)) {
    if let Some(app) = &image.app {
        say("Project name", app.project_name.clone());
        say("App version", app.version.clone());
        say("Compile time", format!("{} {}", app.date, app.time));
        say("ESP-IDF", app.idf_version.clone());
        say("ELF file SHA256", hex(&app.elf_sha256));
        let revisions = [app.min_efuse_block_revision, app.max_efuse_block_revision];
        let [least, greatest] = revisions.map(|number| Revision::from_number(number).to_string());
        say("eFuse block revisions", format!("{least} to {greatest}"));
        match app.mmu_page_size_log2 {
            log2 @ 1..=31 => say("MMU page size", format!("{} KB", (1_u32 << log2) / 1024)),
            _ => say("MMU page size", "not told".to_owned()),
        }
        say("Secure version", app.secure_version.to_string());
    }
    if let Some(bootloader) = &image.bootloader {
        say("Bootloader version", bootloader.version.to_string());
        say("ESP-IDF", bootloader.idf_version.clone());
        say("Compile time", bootloader.date_time.clone());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn elf2image(verb: &Verb, chip: Option<&'static Chip>, reporter: &Reporter) -> Result<(), Error> {
    let Verb::Elf2image { file, output, settings, min_rev, min_rev_full, max_rev_full, layout, .. } = verb
    else {
        return Ok(());
    };
    let program = Program::parse(&read(file)?).map_err(in_file(file))?;
    let chip = chip.ok_or_else(|| {
        let example = if program.core == Core::RiscV { "esp32c3" } else { "esp32" };
        Error::Argument(format!(
            "an ELF file does not say which chip it is for; add --chip, as --chip {example}"
        ))
    })?;
    if layout.secure_pad && !chip.image.fills_last_page {
        return Err(Error::Argument(format!("the {} has no Secure Boot V1; use --secure-pad-v2", chip.name)));
    }
    let flash = flash::parse_settings(settings, chip)?;
    // esptool's defaults where nothing is said: QIO, 1 MB, the chip's usual clock.
    let set = |keep: Keep<u8>| if let Keep::Set(value) = keep { value } else { 0 };
    let settings = Settings {
        flash_mode: Some(set(flash.mode)),
        flash_size_frequency: Some(set(flash.size) << 4 | set(flash.frequency)),
        min_revision: *min_rev_full,
        min_revision_legacy: *min_rev,
        max_revision: Some(*max_rev_full),
        page_size: layout.flash_mmu_page_size,
        no_digest: layout.dont_append_digest || layout.ram_only_header,
        descriptor_by_name: true,
        use_segments: layout.use_segments,
        secure_pad: match (layout.secure_pad, layout.secure_pad_v2) {
            (true, _) => Some(SecurePad::V1),
            (_, true) => Some(SecurePad::V2),
            _ => None,
        },
        ram_only_header: layout.ram_only_header,
        elf_sha256_offset: layout.elf_sha256_offset.map(|at| at as usize),
        pad_to: layout.pad_to_size.map(|size| size as usize),
    };
    let image = program.image(chip, &settings).map_err(in_file(file))?;
    let output = output.clone().unwrap_or_else(|| file.with_extension("bin"));
    write(&output, &image)?;
    wrote(&image, &output, reporter);
    Ok(())
}

fn wrote(image: &[u8], output: &Path, reporter: &Reporter) {
    let text = format!("Wrote {} bytes to {}.", image.len(), output.display());
    reporter.result(&text, "image", json!(image.len()));
}

pub fn merge_bin(verb: &Verb, chip: Option<&'static Chip>, reporter: &Reporter) -> Result<(), Error> {
    let Verb::MergeBin {
        format,
        files,
        output,
        target_offset,
        pad_to_size,
        settings,
        chunk_size,
        md5_disable,
    } = verb
    else {
        return Ok(());
    };
    let mut blobs = flash::blobs(&files.files)?;
    if blobs.is_empty() {
        return Err(Error::Argument("name at least one file: merge-bin -o OUTPUT OFFSET FILE".to_owned()));
    }
    blobs.sort_by_key(|blob| blob.offset);
    merge::check_overlaps(&blobs).map_err(Error::Overlap)?;
    let named =
        || chip.ok_or_else(|| Error::Argument("name the chip with --chip, as --chip esp32c3".to_owned()));
    if [&settings.flash_mode, &settings.flash_freq, &settings.flash_size].iter().any(|text| *text != "keep") {
        let chip = named()?;
        let settings = flash::parse_settings(settings, chip)?;
        for blob in &mut blobs {
            larch_loader::flash::apply_settings(blob, chip, &settings, None)?;
        }
    }
    let merged = match format {
        MergeFormat::Raw => {
            merge::raw(&blobs, *target_offset, pad_to_size.map(u64::from)).map_err(Error::Overlap)?
        }
        MergeFormat::Hex => ihex::encode(&blobs).into_bytes(),
        MergeFormat::Uf2 => {
            let options = uf2::Uf2Options { chunk: chunk_size.map(usize::from), md5: !md5_disable };
            uf2::encode(&blobs, named()?.uf2_family, options)
        }
    };
    write(output, &merged)?;
    let text = match format {
        MergeFormat::Raw => format!(", ready to flash to offset {target_offset:#x}"),
        _ => String::new(),
    };
    let text = format!("Wrote {:#x} bytes to file '{}'{text}.", merged.len(), output.display());
    reporter.result(&text, "bytes", json!(merged.len()));
    Ok(())
}

pub fn make_image(verb: &Verb, chip: Option<&'static Chip>, reporter: &Reporter) -> Result<(), Error> {
    let Verb::MakeImage { segfile, segaddr, entrypoint, output } = verb else { return Ok(()) };
    if segfile.len() != segaddr.len() {
        return Err(Error::Argument("every --segfile needs its --segaddr".to_owned()));
    }
    let chip = chip.ok_or_else(|| Error::Argument("an image names its chip; add --chip".to_owned()))?;
    let mut builder = Builder::new(
        Header::new(chip.identity.chip_id, *entrypoint),
        Layout::of_pages(chip.image.mmu_page_sizes[0]),
    );
    for (file, address) in segfile.iter().zip(segaddr) {
        builder.segment(*address, &read(file)?);
    }
    let image = builder.finish().map_err(in_file(output))?;
    write(output, &image)?;
    wrote(&image, output, reporter);
    Ok(())
}

pub fn partition_table(
    file: &Path,
    output: Option<&Path>,
    to_csv: bool,
    reporter: &Reporter,
) -> Result<(), Error> {
    let table = read_table(file)?;
    let Some(output) = output.map(PathBuf::from) else {
        print_table(&table, reporter);
        return Ok(());
    };
    let bytes = if to_csv { table.to_csv().into_bytes() } else { table.to_bytes().map_err(in_file(file))? };
    write(&output, &bytes)
}

/// A partition table file, either form.
pub fn read_table(file: &Path) -> Result<Table, Error> {
    let bytes = read(file)?;
    let is_binary = bytes.starts_with(&[0xAA, 0x50]);
    let table =
        if is_binary { Table::from_bytes(&bytes) } else { Table::from_csv(&String::from_utf8_lossy(&bytes)) };
    table.map_err(in_file(file))
}

fn print_table(table: &Table, reporter: &Reporter) {
    for partition in &table.partitions {
        let (kind, subtype) = (partition.kind.name(), partition.subtype.name(partition.kind));
        let (label, offset, size) = (&partition.label, partition.offset, partition.size);
        let text =
            format!("{label:<16} {kind:<6} {subtype:<10} 0x{offset:06x}  0x{size:06x} ({} KB)", size / 1024);
        let value =
            json!({ "label": label, "type": kind, "subtype": subtype, "offset": offset, "size": size });
        reporter.result(&text, "partition", value);
    }
}
