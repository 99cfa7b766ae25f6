//! The chip tables against what is published: mask ROMs, bootloaders, stubs.

use larch_chips::{CHIPS, Chip, Core, Kind, MAGIC_ADDRESS};
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
        let word = rom_word(&file, MAGIC_ADDRESS);
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

/// What a word of the mask ROM is.
fn rom_word(file: &object::File<'_>, address: u32) -> Option<u32> {
    let bytes = file.sections().find_map(|section| section.data_range(address.into(), 4).ok().flatten())?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

/// Where a JAL without a link register goes.
fn jump_target(at: u32, instruction: u32) -> Option<u32> {
    let bits = |shift: u32, width: u32| instruction >> shift & ((1 << width) - 1);
    let offset = bits(31, 1) << 20 | bits(12, 8) << 12 | bits(20, 1) << 11 | bits(21, 10) << 1;
    // The highest bit is the sign.
    let offset = if offset >> 20 == 0 { offset } else { offset | 0xFFE0_0000 };
    (instruction & 0xFFF == 0x06F).then(|| at.wrapping_add(offset))
}

/// The table of jumps at the ROM's start goes to these functions in every revision.
#[test]
fn the_functions_that_our_stub_calls_are_where_it_calls_them() {
    let mut seen = 0;
    for (chip, revision, rom) in roms() {
        let Some(facts) = chip.stub else { continue };
        let file = object::File::parse(&*rom).unwrap();
        for (name, address) in [
            ("ets_delay_us", facts.rom.delay_us),
            ("ets_update_cpu_frequency", facts.rom.update_cpu_frequency),
            ("uart_tx_wait_idle", facts.rom.uart_tx_wait_idle),
            ("uart_div_modify", facts.rom.uart_div_modify),
            ("software_reset", facts.rom.software_reset),
            ("spi_flash_attach", facts.rom.flash_attach),
            ("esp_rom_spiflash_config_param", facts.rom.flash_config_param),
            ("esp_rom_spiflash_unlock", facts.rom.flash_unlock),
            ("memset", facts.rom.memset),
            ("memcpy", facts.rom.memcpy),
            ("MD5Init", facts.rom.md5_init),
            ("MD5Update", facts.rom.md5_update),
            ("MD5Final", facts.rom.md5_final),
        ] {
            let target = rom_word(&file, address).and_then(|word| jump_target(address, word));
            let symbol =
                file.symbols().find(|symbol| symbol.name() == Ok(name)).map(|symbol| symbol.address());
            assert_eq!(target.map(u64::from), symbol, "{} revision {revision}: {name}", chip.name);
            seen += 1;
        }
    }
    assert!(seen >= 3 * 13, "{seen}");
}

/// Published stubs run in RAM that the tables know as such.
#[test]
fn published_stubs_lie_in_ram() {
    for chip in CHIPS {
        let text = std::fs::read_to_string(packages::stub(chip.slug).unwrap()).unwrap();
        let stub = larch_image::stub::Stub::parse(&text).unwrap();
        for (address, bytes) in [&stub.text, &stub.data] {
            for at in [*address, *address + bytes.len() as u32 - 1] {
                let kind = chip.region(at).map(|region| region.kind);
                assert!(
                    matches!(kind, Some(Kind::Iram | Kind::Dram)),
                    "{}: 0x{at:08x} is {kind:?}",
                    chip.name
                );
            }
        }
    }
}
