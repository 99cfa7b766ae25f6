//! What must be known of a frame before the stack sees it: who wants a connection to which port.
//!
//! Source: RFC 894 (Ethernet), RFC 791 (IPv4), RFC 9293 (TCP).

use larch_hal::Ipv4;

const ETHERNET: usize = 14;
const TYPE_IPV4: [u8; 2] = [8, 0];
const PROTOCOL_TCP: u8 = 6;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// The first segment of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who wants it.
    pub source: (Ipv4, u16),
    /// To whom.
    pub target: (Ipv4, u16),
}

impl Request {
    /// Reads a frame; `None` if it is anything else.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        if frame.get(12..14)? != TYPE_IPV4 {
            return None;
        }
        let packet = frame.get(ETHERNET..)?;
        let header = usize::from(packet.first()? & 15) * 4;
        let is_fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x1fff != 0;
        if packet[0] >> 4 != 4 || header < 20 || is_fragment || *packet.get(9)? != PROTOCOL_TCP {
            return None;
        }
        let address = |at: usize| packet.get(at..at + 4)?.try_into().ok();
        let segment = packet.get(header..)?;
        let port = |at: usize| Some(u16::from_be_bytes(segment.get(at..at + 2)?.try_into().ok()?));
        let flags = *segment.get(13)?;
        (flags & (SYN | ACK) == SYN)
            .then_some(Self { source: (address(12)?, port(0)?), target: (address(16)?, port(2)?) })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn syn() -> Vec<u8> {
        let mut frame = std::vec![0; 54];
        frame[12..14].copy_from_slice(&TYPE_IPV4);
        frame[14] = 0x45;
        frame[23] = PROTOCOL_TCP;
        frame[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        frame[34..38].copy_from_slice(&[0xc0, 0, 0, 80]);
        frame[47] = SYN;
        frame
    }

    #[test]
    fn a_request_is_a_syn_without_ack() {
        let request = Request { source: ([10, 0, 0, 1], 0xc000), target: ([10, 0, 0, 2], 80) };
        assert_eq!(Request::parse(&syn()), Some(request));
        for (at, byte) in [(47, SYN | ACK), (47, ACK), (23, 17), (14, 0x65), (14, 0x44), (21, 1), (12, 9)] {
            let mut frame = syn();
            frame[at] = byte;
            assert_eq!(Request::parse(&frame), None, "byte {at} as {byte}");
        }
    }

    #[test]
    fn no_length_is_too_short() {
        let frame = syn();
        for len in 0..frame.len() - 6 {
            assert_eq!(Request::parse(&frame[..len]), None, "{len} bytes");
        }
    }
}
