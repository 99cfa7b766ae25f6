//! eFuse contents of a chip as it leaves the factory. Source: TRM chapter 4, ESP-IDF's eFuse table.

use crate::registers::Registers;

/// Base address.
pub const BASE: u32 = 0x6000_8800;
const RD_MAC_SPI_SYS_0: u32 = 0x44;
const RD_MAC_SPI_SYS_1: u32 = 0x48;
const RD_MAC_SPI_SYS_3: u32 = 0x50;
const RD_MAC_SPI_SYS_5: u32 = 0x58;
/// Block 2 words 0 to 3: the optional unique id.
const RD_SYS_DATA_PART1: u32 = 0x5C;
const CMD: u32 = 0x1D4;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[RD_MAC_SPI_SYS_0, RD_MAC_SPI_SYS_1, RD_MAC_SPI_SYS_3, RD_MAC_SPI_SYS_5, CMD];

/// Burns MAC address, chip revision and package (0: QFN32).
pub fn burn(registers: &mut Registers, mac: [u8; 6], major: u8, minor: u8) {
    let word = |bytes: [u8; 4]| u32::from_be_bytes(bytes);
    registers.set(BASE + RD_MAC_SPI_SYS_0, word([mac[2], mac[3], mac[4], mac[5]]));
    registers.set(BASE + RD_MAC_SPI_SYS_1, word([0, 0, mac[0], mac[1]]));
    let (major, minor) = (u32::from(major & 3), u32::from(minor & 15));
    registers.set(BASE + RD_MAC_SPI_SYS_3, (minor & 7) << 18);
    registers.set(BASE + RD_MAC_SPI_SYS_5, minor >> 3 << 23 | major << 24);
    let mut seed =
        mac.iter().fold(0x9E37_79B9u32, |seed, &byte| (seed ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    for i in 0..4 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        registers.set(BASE + RD_SYS_DATA_PART1 + 4 * i, seed);
    }
}

/// Writes a register; the read command ends at once, programming is refused.
pub fn write(registers: &mut Registers, offset: u32, value: u32) {
    match offset {
        CMD => {
            if value & 2 != 0 {
                tracing::warn!("programming eFuses is not modelled, ignored");
            }
            registers.set(BASE + CMD, 0);
        }
        0x2C..0x17C => {}
        _ => registers.set(BASE + offset, value),
    }
}
