//! ELF files around bytes, for tests and measurements of flashing. Source: System V ABI, chapter 4.

/// The simplest ELF file that puts bytes at an address: one segment, and its section, without which probe-rs passes it over.
///
/// # Panics
/// If that is more than 4 GB.
#[must_use]
pub fn elf(address: u32, bytes: &[u8]) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.text\0.names\0";
    const HEADER: u32 = 52;
    const SEGMENT: u32 = 32;
    const SECTION: u32 = 40;
    let size = u32::try_from(bytes.len()).expect("a program for a small chip");
    let names = u32::try_from(NAMES.len()).expect("a few");
    let (start, end) = (HEADER + SEGMENT, HEADER + SEGMENT + size);
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // An executable for Arm; entry, segments, sections, EABI 5; sizes and counts.
    [2_u16, 40].iter().for_each(|half| file.extend(half.to_le_bytes()));
    [1, address + 9, HEADER, end + names, 0x0500_0000]
        .iter()
        .for_each(|word| file.extend(word.to_le_bytes()));
    [HEADER, SEGMENT, 1, SECTION, 3, 2].iter().for_each(|&half| file.extend((half as u16).to_le_bytes()));
    let segment = [1, start, address, address, size, size, 5, 4];
    segment.iter().for_each(|word| file.extend(word.to_le_bytes()));
    file.extend(bytes);
    file.extend(NAMES);
    let text = [1, 1, 6, address, start, size, 0, 0, 4, 0];
    let names = [7, 3, 0, 0, end, names, 0, 0, 1, 0];
    [[0; 10], text, names].as_flattened().iter().for_each(|word: &u32| file.extend(word.to_le_bytes()));
    file
}
