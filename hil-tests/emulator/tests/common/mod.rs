//! What the tests that boot a chip share: ROMs, waiting for text, hand-made flash images.
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of this")]

use larch_emulator::{Board, Config, Rom};
use larch_image::packages;
use sha2::{Digest, Sha256};
use std::time::Duration;

pub const SECOND: Duration = Duration::from_secs(1);

/// A strict chip with the published ROM of `revision`; a test that needs it fails without it.
pub fn config(revision: u32) -> Config {
    let path = packages::rom_elf("esp32c3", revision).expect("the published ROM is needed for this test");
    let mut config = Config::new(Rom::parse(&std::fs::read(path).unwrap()).unwrap());
    config.strict = true;
    config
}

/// Reads until `marker` came; panics with what came instead.
pub fn expect(board: &mut Board, marker: &[u8], limit: Duration) -> Vec<u8> {
    let until = board.now() + limit;
    let mut text = Vec::new();
    while !text.windows(marker.len()).any(|window| window == marker) {
        let mut buffer = [0; 256];
        let count = board.read(&mut buffer, until.saturating_sub(board.now())).unwrap();
        text.extend(&buffer[..count]);
        assert!(
            board.now() < until,
            "no {:?} in {:?}, pc {:#x}",
            String::from_utf8_lossy(marker),
            String::from_utf8_lossy(&text),
            board.chip().cpu().pc()
        );
    }
    text
}

/// A command of the ROM's serial protocol.
pub fn frame(opcode: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = vec![0xC0, 0, opcode];
    packet.extend((data.len() as u16).to_le_bytes());
    packet.extend([0; 4]);
    packet.extend(data);
    packet.push(0xC0);
    packet
}

/// The ROM's SYNC command.
pub fn sync() -> Vec<u8> {
    let mut data = vec![7, 7, 0x12, 0x20];
    data.extend([0x55; 32]);
    frame(8, &data)
}

/// A flash image: published bootloader, a partition table with one application, and an application made of `code`,
/// which is loaded to 0x40380000 and entered there.
pub fn flash_image(code: &[u32]) -> Vec<u8> {
    let mut flash = vec![0xFF; 4 << 20];
    let bootloader =
        std::fs::read(packages::bootloader("esp32c3").expect("the published bootloader is needed")).unwrap();
    flash[..bootloader.len()].copy_from_slice(&bootloader);
    let table = partition_table();
    flash[0x8000..0x8000 + table.len()].copy_from_slice(&table);
    let application = application(code);
    flash[0x10000..0x10000 + application.len()].copy_from_slice(&application);
    flash
}

fn partition_table() -> Vec<u8> {
    let mut row = vec![0xAA, 0x50, 0, 0];
    row.extend(0x1_0000u32.to_le_bytes());
    row.extend(0x10_0000u32.to_le_bytes());
    row.extend(b"factory\0\0\0\0\0\0\0\0\0");
    row.extend([0; 4]);
    row.extend([0xFF; 32]);
    row
}

fn application(code: &[u32]) -> Vec<u8> {
    let mut descriptor = vec![0u8; 256];
    descriptor[..4].copy_from_slice(&0xABCD_5432u32.to_le_bytes());
    let code: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    // Magic, segments, DIO, 80 MHz and 4 MB, entry; no WP pin, drive settings, chip ESP32-C3, any revision; hash appended.
    let mut image = vec![0xE9, 3, 2, 0x2F];
    image.extend(0x4038_0000u32.to_le_bytes());
    image.extend([0xEE, 0, 0, 0, 5, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 1]);
    let mut checksum = 0xEF;
    // The bootloader insists on a segment for each bus of the cache; both are in the first page of the application.
    let unused = vec![0u8; 8];
    for (address, data) in [(0x3C00_0020u32, &descriptor), (0x4200_0128, &unused), (0x4038_0000, &code)] {
        image.extend(address.to_le_bytes());
        image.extend((data.len() as u32).to_le_bytes());
        image.extend(data);
        checksum = data.iter().fold(checksum, |sum, byte| sum ^ byte);
    }
    image.resize(image.len() / 16 * 16 + 15, 0);
    image.push(checksum);
    let digest = Sha256::digest(&image);
    image.extend(digest);
    image
}

/// Hand-assembled instructions.
pub mod asm {
    pub fn i_type(imm: i32, rs1: u32, funct3: u32, rd: u32, opcode: u32) -> u32 {
        (imm as u32 & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
    }

    pub fn lui(rd: u32, upper: u32) -> u32 {
        upper << 12 | rd << 7 | 0x37
    }

    pub fn addi(rd: u32, rs1: u32, imm: i32) -> u32 {
        i_type(imm, rs1, 0, rd, 0x13)
    }

    pub fn lw(rd: u32, imm: i32, rs1: u32) -> u32 {
        i_type(imm, rs1, 2, rd, 0x03)
    }

    pub fn sw(rs2: u32, imm: i32, rs1: u32) -> u32 {
        let imm = imm as u32;
        (imm >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (imm & 31) << 7 | 0x23
    }

    /// `j .`
    pub const SPIN: u32 = 0x0000_006F;
    pub const WFI: u32 = 0x1050_0073;

    /// Writes each byte of `text` to UART0; clobbers x10 and x11.
    pub fn print(text: &str) -> Vec<u32> {
        let mut code = vec![lui(10, 0x60000)];
        for byte in text.bytes() {
            code.extend([addi(11, 0, i32::from(byte)), sw(11, 0, 10)]);
        }
        code
    }

    /// Writes `value` to `address`; clobbers x10 and x11.
    pub fn poke(address: u32, value: u32) -> Vec<u32> {
        let [address, value] =
            [address, value].map(|n| (n.wrapping_add(0x800) >> 12 & 0xF_FFFF, (n as i32) << 20 >> 20));
        vec![lui(11, value.0), addi(11, 11, value.1), lui(10, address.0), sw(11, address.1, 10)]
    }
}
