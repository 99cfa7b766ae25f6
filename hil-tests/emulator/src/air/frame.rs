//! Frames of IEEE 802.11 as they are on the air, without the frame check sequence.
//!
//! Source: IEEE Std 802.11-2020, clause 9 (frame formats). Parsing never panics: what is too short is no frame.

/// A MAC address.
pub type Mac = [u8; 6];

/// Every station.
pub const BROADCAST: Mac = [0xFF; 6];
/// Address 1 to address 3, sequence control.
const HEADER: usize = 24;
const LLC_SNAP: [u8; 6] = [0xAA, 0xAA, 3, 0, 0, 0];

/// Type and subtype, the first byte of a frame with protocol version 0.
pub mod kind {
    /// Association request.
    pub const ASSOCIATION_REQUEST: u8 = 0x00;
    /// Association response.
    pub const ASSOCIATION_RESPONSE: u8 = 0x10;
    /// Reassociation request.
    pub const REASSOCIATION_REQUEST: u8 = 0x20;
    /// Reassociation response.
    pub const REASSOCIATION_RESPONSE: u8 = 0x30;
    /// Probe request.
    pub const PROBE_REQUEST: u8 = 0x40;
    /// Probe response.
    pub const PROBE_RESPONSE: u8 = 0x50;
    /// Beacon.
    pub const BEACON: u8 = 0x80;
    /// Disassociation.
    pub const DISASSOCIATION: u8 = 0xA0;
    /// Authentication.
    pub const AUTHENTICATION: u8 = 0xB0;
    /// Deauthentication.
    pub const DEAUTHENTICATION: u8 = 0xC0;
    /// Action.
    pub const ACTION: u8 = 0xD0;
    /// Data.
    pub const DATA: u8 = 0x08;
    /// Null function: no data, only power management.
    pub const NULL: u8 = 0x48;
    /// Data with quality of service.
    pub const QOS_DATA: u8 = 0x88;
    /// Null function with quality of service.
    pub const QOS_NULL: u8 = 0xC8;
}

/// Bits of the second byte of a frame.
pub mod flag {
    /// On its way to the distribution system.
    pub const TO_DS: u8 = 1;
    /// On its way from the distribution system.
    pub const FROM_DS: u8 = 2;
    /// More fragments follow.
    pub const MORE_FRAGMENTS: u8 = 4;
    /// Sent again.
    pub const RETRY: u8 = 8;
    /// The body is encrypted.
    pub const PROTECTED: u8 = 0x40;
}

/// A view of a frame with at least a full header.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a>(&'a [u8]);

impl<'a> Frame<'a> {
    /// The frame in `bytes`, if it has protocol version 0 and a header with three addresses.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let frame = Self(bytes);
        // Control frames are shorter and are the hardware's own affair.
        (bytes.len() >= HEADER
            && bytes[0] & 3 == 0
            && bytes[0] & 0x0C != 0x04
            && bytes.len() >= frame.header_len())
        .then_some(frame)
    }

    fn address(self, at: usize) -> Mac {
        let mut mac = [0; 6];
        mac.copy_from_slice(&self.0[at..at + 6]);
        mac
    }

    /// Type and subtype, one of [`kind`].
    #[must_use]
    pub fn kind(self) -> u8 {
        self.0[0]
    }

    /// The bits of [`flag`].
    #[must_use]
    pub fn flags(self) -> u8 {
        self.0[1]
    }

    /// Whether the body is encrypted.
    #[must_use]
    pub fn is_protected(self) -> bool {
        self.flags() & flag::PROTECTED != 0
    }

    /// Whether it is a data frame.
    #[must_use]
    pub fn is_data(self) -> bool {
        self.kind() & 0x0C == 0x08
    }

    /// Whether it carries a quality of service field.
    #[must_use]
    pub fn has_qos(self) -> bool {
        self.kind() & 0x8C == 0x88
    }

    /// Who shall receive it.
    #[must_use]
    pub fn receiver(self) -> Mac {
        self.address(4)
    }

    /// Who sent it over the air.
    #[must_use]
    pub fn transmitter(self) -> Mac {
        self.address(10)
    }

    /// The third address: what it means depends on the direction.
    #[must_use]
    pub fn address3(self) -> Mac {
        self.address(16)
    }

    /// Whether more than one station shall receive it.
    #[must_use]
    pub fn is_group(self) -> bool {
        self.0[4] & 1 != 0
    }

    /// Fragment and sequence number.
    #[must_use]
    pub fn sequence_control(self) -> u16 {
        u16::from_le_bytes([self.0[22], self.0[23]])
    }

    /// Traffic identifier, 0 without quality of service.
    #[must_use]
    pub fn traffic_id(self) -> u8 {
        if self.has_qos() { self.0[self.header_len() - 2] & 15 } else { 0 }
    }

    /// Bytes of the header.
    #[must_use]
    pub fn header_len(self) -> usize {
        let four = self.is_data() && self.flags() & 3 == 3;
        HEADER + if four { 6 } else { 0 } + if self.has_qos() { 2 } else { 0 }
    }

    /// What follows the header.
    #[must_use]
    pub fn body(self) -> &'a [u8] {
        &self.0[self.header_len()..]
    }
}

/// A frame's header, ready for its body.
#[must_use]
pub fn header(kind: u8, flags: u8, receiver: Mac, transmitter: Mac, address3: Mac, sequence: u16) -> Vec<u8> {
    let mut frame = Vec::with_capacity(64);
    frame.extend([kind, flags, 0, 0]);
    frame.extend(receiver);
    frame.extend(transmitter);
    frame.extend(address3);
    frame.extend((sequence << 4).to_le_bytes());
    frame
}

/// An Ethernet frame's addresses and type, and its payload, from the body of a data frame.
#[must_use]
pub fn to_ethernet(destination: Mac, source: Mac, body: &[u8]) -> Option<Vec<u8>> {
    let payload = body.strip_prefix(&LLC_SNAP)?;
    if payload.len() < 2 {
        return None;
    }
    let mut ethernet = Vec::with_capacity(12 + payload.len());
    ethernet.extend(destination);
    ethernet.extend(source);
    ethernet.extend(payload);
    Some(ethernet)
}

/// The body of a data frame from an Ethernet frame.
#[must_use]
pub fn from_ethernet(ethernet: &[u8]) -> Option<Vec<u8>> {
    let payload = ethernet.get(12..)?;
    let mut body = LLC_SNAP.to_vec();
    body.extend(payload);
    Some(body)
}

/// The value of the first element `id` in a list of elements.
#[must_use]
pub fn element(mut list: &[u8], id: u8) -> Option<&[u8]> {
    while let [this, length, rest @ ..] = list {
        let value = rest.get(..usize::from(*length))?;
        if *this == id {
            return Some(value);
        }
        list = &rest[value.len()..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_builds() {
        let mut bytes = header(kind::QOS_DATA, flag::TO_DS | flag::PROTECTED, [1; 6], [2; 6], [3; 6], 0x123);
        bytes.extend([5, 0, 9]);
        let frame = Frame::parse(&bytes).unwrap();
        assert_eq!((frame.receiver(), frame.transmitter(), frame.address3()), ([1; 6], [2; 6], [3; 6]));
        assert!(frame.is_group() && frame.is_protected() && frame.is_data());
        assert_eq!((frame.traffic_id(), frame.body()), (5, &[9][..]));
        assert_eq!(frame.sequence_control(), 0x1230);
    }

    #[test]
    fn short_and_strange_frames_are_none() {
        for length in 0..26 {
            assert!(Frame::parse(&vec![0x88; length]).is_none(), "{length}");
        }
        assert!(Frame::parse(&[0xD4; 40]).is_none(), "an acknowledgement has no addresses to read");
        assert!(Frame::parse(&[0x89; 40]).is_none(), "protocol version 1 does not exist");
    }

    #[test]
    fn elements_that_end_early_are_none() {
        assert_eq!(element(&[0, 2, b'a', b'b', 3, 1, 6], 3), Some(&[6][..]));
        assert_eq!(element(&[0, 9, b'a'], 0), None);
        assert_eq!(element(&[0, 0, 7], 7), None);
    }

    #[test]
    fn ethernet_goes_both_ways() {
        let ethernet = [&[1; 6][..], &[2; 6], &[8, 0], b"payload"].concat();
        let body = from_ethernet(&ethernet).unwrap();
        assert_eq!(to_ethernet([1; 6], [2; 6], &body), Some(ethernet));
        assert_eq!(to_ethernet([1; 6], [2; 6], b"\xaa\xaa\x03\0\0\0\x08"), None);
    }
}
