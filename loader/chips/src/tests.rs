use super::*;

#[test]
fn chips_are_found_by_any_spelling() {
    for spelling in ["esp32c3", "ESP32-C3", "esp32-c3", "ESP32_C3"] {
        assert_eq!(Chip::by_name(spelling).map(|chip| chip.slug), Some("esp32c3"), "{spelling}");
    }
    assert!(Chip::by_name("esp32c").is_none());
}

#[test]
fn identities_are_unique() {
    for (index, chip) in CHIPS.iter().enumerate() {
        for other in &CHIPS[index + 1..] {
            assert_ne!(chip.identity.chip_id, other.identity.chip_id);
            assert_ne!(chip.uf2_family, other.uf2_family);
            assert!(chip.identity.magic.iter().all(|magic| !other.identity.magic.contains(magic)));
        }
        assert_eq!(chip.slug.len() + usize::from(chip.name.contains('-')), chip.name.len());
    }
}

#[test]
fn flash_windows_are_where_images_are_linked() {
    let c3 = Chip::by_name("esp32c3").unwrap();
    assert!(c3.is_flash(0x3C00_0020) && c3.is_flash(0x4200_0020));
    assert!(!c3.is_flash(0x4038_0000) && !c3.is_flash(0x3FC8_0000));
    let esp32 = Chip::by_name("esp32").unwrap();
    assert!(esp32.is_flash(0x3F40_0020) && esp32.is_flash(0x400D_0020));
    assert_eq!(esp32.region(0x4008_0400).map(|region| region.kind), Some(Kind::Iram));
}

#[test]
fn fields_are_put_together_lowest_part_first() {
    const FIELD: Field = Field(&[Bits::new(0x10, 18, 3), Bits::new(0x20, 23, 1)]);
    let read = |register| Ok::<u32, ()>(if register == 0x10 { 3 << 18 } else { 1 << 23 });
    assert_eq!(FIELD.read(read), Ok(0b1011));
    assert_eq!(FIELD.width(), 4);
    assert_eq!(Field::NONE.read(|_| Err(())), Ok(0));
}

#[test]
fn jedec_capacities() {
    assert_eq!(FlashSize::from_jedec_capacity(0x16).map(FlashSize::name), Some("4MB"));
    assert_eq!(FlashSize::from_jedec_capacity(0x18).map(FlashSize::bytes), Some(16 << 20));
    assert_eq!(FlashSize::from_jedec_capacity(0x3A).map(FlashSize::name), Some("64MB"));
    assert_eq!(FlashSize::from_jedec_capacity(0xFF), None);
}

#[test]
fn flash_modes_and_sizes_round_trip() {
    for (mode, byte, name) in FlashMode::ALL {
        assert_eq!((FlashMode::from_byte(byte), FlashMode::by_name(name)), (Some(mode), Some(mode)));
        assert_eq!((mode.byte(), mode.name()), (byte, name));
    }
    assert_eq!(FlashSize::by_name("4mb").map(FlashSize::nibble), Some(2));
    assert_eq!(FlashSize::from_bytes(4 << 20), FlashSize::by_name("4MB"));
}
