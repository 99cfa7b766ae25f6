//! The chip tables against what is published: mask ROMs, bootloaders, stubs.

use larch_chips::{CHIPS, Chip, Core, MAGIC_ADDRESS};
use larch_image::{Image, packages};
use object::{Object, ObjectSection, ObjectSymbol};

fn roms() -> Vec<(&'static Chip, u32, Vec<u8>)> {
    let mut roms = Vec::new();
    for chip in CHIPS {
        for revision in packages::rom_revisions(chip.slug).unwrap() {
            let path = packages::rom_elf(chip.slug, revision).unwrap();
            roms.push((*chip, revision, std::fs::read(path).unwrap()));
        }
    }
    roms
}

#[test]
fn every_chip_has_a_published_rom() {
    let roms = roms();
    for chip in CHIPS {
        assert!(roms.iter().any(|(of, _, _)| of.slug == chip.slug), "{}", chip.name);
    }
}

#[test]
fn magic_words_are_those_of_the_roms() {
    for (chip, revision, rom) in roms() {
        if chip.slug == "esp32p4" {
            assert!(chip.identity.magic.is_empty(), "the address is mapped flash there");
            continue;
        }
        let file = object::File::parse(&*rom).unwrap();
        let word = file.sections().find_map(|section| {
            let at = u64::from(MAGIC_ADDRESS);
            section
                .data_range(at, 4)
                .ok()
                .flatten()
                .and_then(|bytes| bytes.try_into().ok())
                .map(u32::from_le_bytes)
        });
        let word = word.expect("the ROM has code there");
        assert!(chip.identity.magic.contains(&word), "{} revision {revision}: {word:#x}", chip.name);
    }
}

#[test]
fn the_byte_that_tells_the_port_is_where_the_roms_have_it() {
    for (chip, revision, rom) in roms() {
        if chip.usb.buffer_number.is_empty() {
            continue;
        }
        let file = object::File::parse(&*rom).unwrap();
        let device = file.symbols().find(|symbol| symbol.name() == Ok("UartDev")).unwrap().address();
        let known = chip.usb.buffer_number.iter().any(|(_, address)| u64::from(*address) == device + 24);
        assert!(known, "{} revision {revision}: UartDev is at {device:#x}", chip.name);
    }
}

#[test]
fn roms_are_of_the_instruction_set() {
    for (chip, _, rom) in roms() {
        let expected = match chip.core {
            Core::RiscV => object::Architecture::Riscv32,
            Core::Xtensa => object::Architecture::Xtensa,
        };
        assert_eq!(object::File::parse(&*rom).unwrap().architecture(), expected, "{}", chip.name);
    }
}

#[test]
fn published_bootloaders_are_images_for_their_chip() {
    for chip in CHIPS.iter().filter(|chip| chip.slug != "esp32p4") {
        let bytes = std::fs::read(packages::bootloader(chip.slug).unwrap()).unwrap();
        let image = Image::parse(&bytes).unwrap();
        image.check().unwrap();
        assert_eq!(image.header.chip_id, chip.identity.chip_id, "{}", chip.name);
        for segment in &image.segments {
            let region = chip.region(segment.address);
            assert!(
                region.is_some_and(|region| !region.kind.is_flash()),
                "{} 0x{:08x}",
                chip.name,
                segment.address
            );
        }
        assert!(chip.region(image.header.entry).is_some(), "{}", chip.name);
    }
}
