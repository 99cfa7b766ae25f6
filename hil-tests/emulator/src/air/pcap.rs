//! A capture file of what is on the air, for Wireshark.
//!
//! Source: libpcap's file format, LINKTYPE_IEEE802_11_RADIOTAP (127), <https://www.radiotap.org>.

use crate::time::{TICKS_PER_SECOND, TICKS_PER_US, Ticks};

const RADIOTAP: u32 = 127;
const SNAP_LENGTH: u32 = 4096;
/// Rate, channel, signal in dBm.
const FIELDS: u32 = 1 << 3 | 1 << 5;
const RADIOTAP_LENGTH: u16 = 13;
/// 2.4 GHz.
const BAND: u16 = 0x0080;

/// A capture in memory.
#[derive(Clone, Debug)]
pub struct Capture(Vec<u8>);

impl Default for Capture {
    fn default() -> Self {
        let mut bytes = Vec::new();
        bytes.extend(0xA1B2_C3D4u32.to_le_bytes());
        bytes.extend([2, 0, 4, 0]);
        bytes.extend([0; 8]);
        bytes.extend(SNAP_LENGTH.to_le_bytes());
        bytes.extend(RADIOTAP.to_le_bytes());
        Self(bytes)
    }
}

impl Capture {
    /// Adds a frame that began at `at`.
    pub fn add(&mut self, at: Ticks, channel: u8, rssi: i8, frame: &[u8]) {
        let length = u32::from(RADIOTAP_LENGTH) + frame.len() as u32;
        for word in
            [(at / TICKS_PER_SECOND) as u32, (at % TICKS_PER_SECOND / TICKS_PER_US) as u32, length, length]
        {
            self.0.extend(word.to_le_bytes());
        }
        self.0.extend([0, 0]);
        self.0.extend(RADIOTAP_LENGTH.to_le_bytes());
        self.0.extend(FIELDS.to_le_bytes());
        self.0.extend((2407 + 5 * u16::from(channel)).to_le_bytes());
        self.0.extend(BAND.to_le_bytes());
        self.0.push(rssi as u8);
        self.0.extend(frame);
    }

    /// The file's contents.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
