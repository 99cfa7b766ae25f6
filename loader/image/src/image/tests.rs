use super::*;
use crate::build::{Layout, Part, build};
use larch_chips::Chip;
use proptest::prelude::*;

fn c3() -> &'static Chip {
    Chip::by_name("esp32c3").unwrap()
}

fn part(address: u32, data: &[u8]) -> Part {
    Part { address, data: data.to_vec() }
}

fn sample() -> Vec<u8> {
    let parts = vec![
        part(0x3C01_0020, &[1; 100]),
        part(0x4200_0020, &[2; 5000]),
        part(0x4038_0000, &[3; 1000]),
        part(0x3FC8_0000, &[4; 70_000]),
    ];
    build(c3(), Header::new(5, 0x4038_0000), Layout::of_pages(0x1_0000), parts).unwrap()
}

#[test]
fn what_is_built_can_be_parsed_and_is_sound() {
    let bytes = sample();
    let image = Image::parse(&bytes).unwrap();
    image.check().unwrap();
    assert_eq!(image.len, bytes.len());
    assert_eq!(image.chip().map(|chip| chip.slug), Some("esp32c3"));
    assert_eq!(image.header.entry, 0x4038_0000);
}

#[test]
fn flash_segments_lie_where_the_mmu_can_map_them() {
    let image = Image::parse(&sample()).unwrap();
    let flash: Vec<_> = image.segments.iter().filter(|segment| c3().is_flash(segment.address)).collect();
    assert_eq!(flash.len(), 2);
    for segment in flash {
        assert_eq!(segment.range.start % 0x1_0000, segment.address as usize % 0x1_0000);
    }
}

#[test]
fn ram_segments_that_fill_gaps_are_whole_again() {
    let bytes = sample();
    let image = Image::parse(&bytes).unwrap();
    let mut ram = vec![0_u8; 70_000];
    for segment in
        image.segments.iter().filter(|segment| (0x3FC8_0000..0x3FCA_0000).contains(&segment.address))
    {
        let at = (segment.address - 0x3FC8_0000) as usize;
        ram[at..at + segment.range.len()].copy_from_slice(&bytes[segment.range.clone()]);
    }
    assert!(ram.iter().all(|&byte| byte == 4));
}

#[test]
fn two_flash_segments_in_one_page_are_refused() {
    let parts = vec![part(0x4200_0020, &[1; 8]), part(0x4200_1000, &[2; 8])];
    assert!(matches!(
        build(c3(), Header::new(5, 0), Layout::of_pages(0x1_0000), parts),
        Err(ImageError::Link(_))
    ));
}

#[test]
fn every_truncation_is_noticed() {
    let bytes = sample();
    for len in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        assert!(matches!(Image::parse(&bytes[..len]), Err(ImageError::Truncated { .. })), "{len}");
    }
}

#[test]
fn a_flipped_bit_is_noticed() {
    let mut bytes = sample();
    bytes[200] ^= 1;
    assert!(matches!(Image::parse(&bytes).unwrap().check(), Err(ImageError::Checksum { .. })));
    let mut bytes = sample();
    bytes[3] ^= 1;
    assert_eq!(Image::parse(&bytes).unwrap().check(), Err(ImageError::Digest));
}

#[test]
fn flash_settings_are_patched_with_the_digest() {
    let mut bytes = sample();
    patch_flash_settings(&mut bytes, 0, 0x3F).unwrap();
    let image = Image::parse(&bytes).unwrap();
    image.check().unwrap();
    assert_eq!((image.header.flash_mode, image.header.flash_size_frequency), (0, 0x3F));
}

#[test]
fn the_header_round_trips() {
    let header =
        Header { min_revision: 3, reserved: [1, 2, 3, 4], drive: [1, 2, 3], ..Header::new(5, 0x4038_0000) };
    assert_eq!(Header::parse(&header.bytes()), Ok(header));
    assert!(header.allows_revision(3) && !header.allows_revision(2));
    assert!(!Header { max_revision: 199, ..header }.allows_revision(200));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Image::parse(&bytes);
        if let Some(first) = bytes.first_mut() {
            *first = 0xE9;
        }
        let _ = Image::parse(&bytes).map(|image| image.check());
        let _ = crate::elf::Program::parse(&bytes);
    }
}
