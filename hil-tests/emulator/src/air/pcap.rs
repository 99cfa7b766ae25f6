//! Capture files for Wireshark: what is on the air, and what is behind an access point.
//!
//! Source: libpcap's file format; LINKTYPE_ETHERNET (1), LINKTYPE_IEEE802_11_RADIOTAP (127), <https://www.radiotap.org>.

use crate::time::{TICKS_PER_SECOND, TICKS_PER_US, Ticks};

const ETHERNET: u32 = 1;
const RADIOTAP: u32 = 127;
const SNAP_LENGTH: u32 = 4096;
/// Rate, channel, signal in dBm.
const FIELDS: u32 = 1 << 3 | 1 << 5;
const RADIOTAP_LENGTH: u16 = 13;
/// 2.4 GHz.
const BAND: u16 = 0x0080;
/// Bytes that are kept at most; what comes later is left out.
const LIMIT: usize = 256 << 20;

/// A capture in memory.
#[derive(Clone, Debug)]
pub struct Capture(Vec<u8>);

impl Capture {
    /// For frames on the air.
    #[must_use]
    pub fn of_air() -> Self {
        Self::new(RADIOTAP)
    }

    /// For Ethernet frames.
    #[must_use]
    pub fn of_ethernet() -> Self {
        Self::new(ETHERNET)
    }

    fn new(link_type: u32) -> Self {
        let mut bytes = Vec::new();
        bytes.extend(0xA1B2_C3D4u32.to_le_bytes());
        bytes.extend([2, 0, 4, 0]);
        bytes.extend([0; 8]);
        bytes.extend(SNAP_LENGTH.to_le_bytes());
        bytes.extend(link_type.to_le_bytes());
        Self(bytes)
    }

    /// Adds a frame on the air that began at `at`.
    pub fn add_radio(&mut self, at: Ticks, channel: u8, rssi: i8, frame: &[u8]) {
        let mut header = vec![0, 0];
        header.extend(RADIOTAP_LENGTH.to_le_bytes());
        header.extend(FIELDS.to_le_bytes());
        header.extend((2407 + 5 * u16::from(channel)).to_le_bytes());
        header.extend(BAND.to_le_bytes());
        header.push(rssi as u8);
        self.add(at, &header, frame);
    }

    /// Adds an Ethernet frame.
    pub fn add_ethernet(&mut self, at: Ticks, frame: &[u8]) {
        self.add(at, &[], frame);
    }

    fn add(&mut self, at: Ticks, header: &[u8], frame: &[u8]) {
        let length = header.len() + frame.len();
        if self.0.len() + 16 + length > LIMIT {
            return;
        }
        let (seconds, microseconds) = (at / TICKS_PER_SECOND, at % TICKS_PER_SECOND / TICKS_PER_US);
        for word in [seconds as u32, microseconds as u32, length as u32, length as u32] {
            self.0.extend(word.to_le_bytes());
        }
        self.0.extend(header);
        self.0.extend(frame);
    }

    /// The file's contents.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_time_and_length() {
        let mut capture = Capture::of_ethernet();
        capture.add_ethernet(3 * TICKS_PER_SECOND + 5 * TICKS_PER_US, b"frame");
        let bytes = capture.bytes();
        assert_eq!(bytes[20..24], [1, 0, 0, 0]);
        assert_eq!(bytes[24..40], [3, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(&bytes[40..], b"frame");
    }
}
