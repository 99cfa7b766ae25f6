//! The memory map of the ESP32-C3. Source: TRM chapter 3.
//!
//! The arena holds ROM, SRAM, RTC memory and flash one after the other; [`install`] maps them where the buses see them.

use crate::memory::Memory;
use std::ops::Range;

/// The flash window of the data bus.
pub const DBUS_FLASH: u32 = 0x3C00_0000;
/// The flash window of the instruction bus.
pub const IBUS_FLASH: u32 = 0x4200_0000;
/// Device registers.
pub const DEVICES: u32 = 0x6000_0000;
/// Bytes of device space.
pub const DEVICES_SIZE: u32 = 0xD_1000;
/// First address of ROM, the reset vector.
pub const ROM: u32 = 0x4000_0000;
/// The same ROM's upper part on the data bus.
pub const ROM_DBUS: u32 = 0x3FF0_0000;
/// Offset in ROM of the part that the data bus sees.
pub const ROM_DBUS_OFFSET: usize = 0x4_0000;
/// SRAM 1 on the data bus.
pub const SRAM_DBUS: u32 = 0x3FC8_0000;
/// SRAM 0, which the instruction bus alone sees, directly below SRAM 1.
pub const SRAM_IBUS: u32 = 0x4037_C000;
/// RTC fast memory.
pub const RTC_FAST: u32 = 0x5000_0000;

/// Arena range of the ROM.
pub const ROM_RANGE: Range<usize> = 0..0x6_0000;
/// Arena range of SRAM 0 (16 KB) and SRAM 1 (384 KB).
pub const SRAM_RANGE: Range<usize> = 0x6_0000..0xC_4000;
const SRAM0_SIZE: usize = 0x4000;
/// Arena range of RTC fast memory (8 KB).
pub const RTC_RANGE: Range<usize> = 0xC_4000..0xC_6000;
/// Arena offset of the flash.
pub const FLASH_START: usize = 0xD_0000;

/// A memory with everything mapped but the flash.
#[must_use]
pub fn install(flash_size: usize) -> Memory {
    let mut memory = Memory::new(FLASH_START + flash_size);
    memory.map(ROM, ROM_RANGE, false);
    memory.map(ROM_DBUS, ROM_DBUS_OFFSET..ROM_RANGE.end, false);
    memory.map(SRAM_IBUS, SRAM_RANGE, true);
    memory.map(SRAM_DBUS, SRAM_RANGE.start + SRAM0_SIZE..SRAM_RANGE.end, true);
    memory.map(RTC_FAST, RTC_RANGE, true);
    memory
}
