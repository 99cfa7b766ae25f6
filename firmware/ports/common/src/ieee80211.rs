//! What must be whole in a frame of IEEE 802.11 before a driver that does not look at lengths may have it.
//!
//! Invariant: whatever the standard allows is whole; elements may end behind any field but within none, and may be longer than what
//! is known of them.
//!
//! Source: IEEE Std 802.11-2020, clauses 9.2.4.1.10 (what +HTC means), 9.3.2.2 (A-MSDU), 9.3.3.1 (management frames), 9.4.2.24 (RSN);
//! Wi-Fi Alliance, WPA3 Specification 3.4, section 13 (RSN overriding), and WPA 3.1, section 2.1.

/// Addresses, and what is around them.
const HEADER: usize = 24;
/// Behind the header of a management frame that says so.
const HT_CONTROL: usize = 4;
const TYPE: u8 = 0x0C;
const MANAGEMENT: u8 = 0;
const ORDER: u8 = 0x80;

/// Addresses and length of a packet among others in one frame.
const PACKET_HEADER: usize = 14;
/// No packet is shorter: a header, and what tells the protocol.
const SHORTEST_PACKET: usize = PACKET_HEADER + 8;
/// The next packet begins at a multiple of so many bytes.
const PACKET_ALIGNMENT: usize = 4;

/// A vendor's element that is read as an RSN element from here on.
const RSN_OVERRIDE: [u8; 4] = [0x50, 0x6F, 0x9A, 0x29];
/// What a WPA element begins with.
const WPA: [u8; 4] = [0, 0x50, 0xF2, 1];

/// A field of an element.
#[derive(Clone, Copy)]
enum Field {
    /// So many bytes.
    Bytes(usize),
    /// A number of two bytes, and as many items of so many bytes.
    Items(usize),
}

/// Version; suites of the group, of pairs, of keys; capabilities; key identifiers; the suite of group management frames.
const FIELDS: [Field; 7] = [
    Field::Bytes(2),
    Field::Bytes(4),
    Field::Items(4),
    Field::Items(4),
    Field::Bytes(2),
    Field::Items(16),
    Field::Bytes(4),
];
/// What a WPA element has of them.
const WPA_FIELDS: usize = 5;

/// Whether `frame`, without its check sequence, is not a management frame that ends within its header.
#[must_use]
pub fn has_header(frame: &[u8]) -> bool {
    match *frame {
        [kind, flags, ..] if kind & TYPE == MANAGEMENT => {
            frame.len() >= HEADER + if flags & ORDER == 0 { 0 } else { HT_CONTROL }
        }
        [_, _, ..] => true,
        _ => false,
    }
}

/// Whether no packet leaves a frame's body that carries several (an A-MSDU). What is too short for another packet is no packet.
#[must_use]
pub fn are_packets_whole(body: &[u8]) -> bool {
    let mut rest = body;
    loop {
        let Some(&[.., high, low]) = rest.first_chunk::<PACKET_HEADER>() else { return false };
        let size = PACKET_HEADER + usize::from(u16::from_be_bytes([high, low]));
        let Some(behind) = rest.get(size..) else { return false };
        if behind.len() < SHORTEST_PACKET {
            return true;
        }
        rest = &behind[size.next_multiple_of(PACKET_ALIGNMENT) - size..];
    }
}

/// Whether no field leaves an RSN element, or an element that overrides one; `value` is what follows its length.
#[must_use]
pub fn is_rsn_whole(value: &[u8]) -> bool {
    is_whole(value.strip_prefix(&RSN_OVERRIDE).unwrap_or(value), &FIELDS)
}

/// Whether no field leaves a WPA element; `value` is what follows its length.
#[must_use]
pub fn is_wpa_whole(value: &[u8]) -> bool {
    value.strip_prefix(&WPA).is_some_and(|value| is_whole(value, &FIELDS[..WPA_FIELDS]))
}

/// Whether `value` has the first field, and ends within none.
fn is_whole(value: &[u8], fields: &[Field]) -> bool {
    let mut rest = value;
    for field in fields {
        let size = match *field {
            Field::Bytes(size) => size,
            Field::Items(size) => {
                let Some((count, _)) = rest.split_first_chunk() else { return false };
                2 + size * usize::from(u16::from_le_bytes(*count))
            }
        };
        let Some(behind) = rest.get(size..) else { return false };
        if behind.is_empty() {
            return true;
        }
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests;
