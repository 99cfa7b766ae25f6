//! What the image header's bytes mean on a chip.
//!
//! Source: ESP-IDF `components/bootloader_support/include/esp_app_format.h`, esptool's "Firmware Image Format".

use crate::Named;

/// Rules for images of one chip.
#[derive(Debug)]
pub struct ImageRules {
    /// Second-stage bootloaders want at least 0x24 bytes in the last page of a flash segment.
    pub fills_last_page: bool,
    /// Flash clock names and their values in the low half of header byte 3.
    pub frequencies: FlashFrequency,
    /// Page sizes of the flash cache's MMU that the chip can be set to, default first.
    pub mmu_page_sizes: &'static [u32],
    /// Encrypted writes start and end at multiples of this.
    pub flash_encryption_align: u32,
}

/// Flash clock names and header values.
pub type FlashFrequency = Named;

/// How the flash is read; header byte 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlashMode {
    /// Four lines for address and data.
    Qio,
    /// Four lines for data.
    Qout,
    /// Two lines for address and data.
    Dio,
    /// Two lines for data.
    Dout,
}

impl FlashMode {
    /// All modes, by header value.
    pub const ALL: [(Self, u8, &'static str); 4] =
        [(Self::Qio, 0, "qio"), (Self::Qout, 1, "qout"), (Self::Dio, 2, "dio"), (Self::Dout, 3, "dout")];

    /// The mode with this header byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == byte).map(|entry| entry.0)
    }

    /// The mode with this name, in any case.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.2.eq_ignore_ascii_case(name)).map(|entry| entry.0)
    }

    /// The header byte.
    pub fn byte(self) -> u8 {
        Self::ALL[self as usize].1
    }

    /// The name, in lower case.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}

/// The size of the flash; the high half of header byte 3. The same on all chips after the ESP8266.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlashSize(u8);

impl FlashSize {
    /// Names by header value.
    const NAMES: [&'static str; 8] = ["1MB", "2MB", "4MB", "8MB", "16MB", "32MB", "64MB", "128MB"];

    /// The size with this header value (the high half, shifted down).
    pub fn from_nibble(nibble: u8) -> Option<Self> {
        (usize::from(nibble) < Self::NAMES.len()).then_some(Self(nibble))
    }

    /// The size that is exactly this many bytes.
    pub fn from_bytes(bytes: u64) -> Option<Self> {
        (0..8).map(Self).find(|size| size.bytes() == bytes)
    }

    /// The size with this name: `4MB`, `4mb`.
    pub fn by_name(name: &str) -> Option<Self> {
        let index = Self::NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        u8::try_from(index).ok().map(Self)
    }

    /// The size that the third byte of a JEDEC id tells: 2 to the power of it bytes, with the offsets that some makers
    /// use for large and for 1.8 V parts.
    pub fn from_jedec_capacity(capacity: u8) -> Option<Self> {
        match capacity {
            0x14..=0x1B => Self::from_nibble(capacity - 0x14),
            0x20..=0x21 => Self::from_nibble(capacity - 0x1A),
            0x34..=0x3A => Self::from_nibble(capacity - 0x34),
            _ => None,
        }
    }

    /// Bytes.
    pub const fn bytes(self) -> u64 {
        0x10_0000 << self.0
    }

    /// As esptool names it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self.0 as usize]
    }

    /// Header value, to be shifted up by 4.
    pub const fn nibble(self) -> u8 {
        self.0
    }
}
