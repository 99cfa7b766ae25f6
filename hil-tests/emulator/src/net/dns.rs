//! The DNS server: answers for IPv4 addresses from a list, "no such name" for everything else. Source: RFC 1035.

use std::net::Ipv4Addr;

const HEADER: usize = 12;
const TYPE_A: u16 = 1;
const CLASS_IN: u16 = 1;
const NO_SUCH_NAME: u8 = 3;
const TIME_TO_LIVE_S: u32 = 60;

/// The name that a query asks for, its type, and where the question ends.
fn question(query: &[u8]) -> Option<(String, u16, usize)> {
    let mut name = String::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*query.get(at)?);
        if length == 0 {
            break;
        }
        // A compressed name makes no sense in a question.
        let label = query.get(at + 1..at + 1 + length).filter(|_| length < 64)?;
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(std::str::from_utf8(label).ok()?);
        at += 1 + length;
    }
    let [type_high, type_low, class_high, class_low] = *query.get(at + 1..at + 5)? else { return None };
    let class = u16::from_be_bytes([class_high, class_low]);
    (class == CLASS_IN)
        .then(|| (name.to_ascii_lowercase(), u16::from_be_bytes([type_high, type_low]), at + 5))
}

/// The answer to a query, with what `lookup` says; `None` if it is no query.
#[must_use]
pub fn answer(query: &[u8], lookup: impl FnOnce(&str) -> Option<Ipv4Addr>) -> Option<Vec<u8>> {
    if query.len() < HEADER || query[2] & 0xF8 != 0 || query[4..6] != [0, 1] {
        return None;
    }
    let (name, kind, end) = question(query)?;
    let known = lookup(&name);
    let address = known.filter(|_| kind == TYPE_A);
    let mut reply = query[..end].to_vec();
    // A response, authoritative, recursion available.
    reply[2] = 0x84 | query[2] & 1;
    reply[3] = 0x80 | if known.is_some() { 0 } else { NO_SUCH_NAME };
    reply[6..HEADER].copy_from_slice(&[0, u8::from(address.is_some()), 0, 0, 0, 0]);
    if let Some(address) = address {
        reply.extend([0xC0, HEADER as u8, 0, TYPE_A as u8, 0, CLASS_IN as u8]);
        reply.extend(TIME_TO_LIVE_S.to_be_bytes());
        reply.extend([0, 4]);
        reply.extend(address.octets());
    }
    Some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(kind: u8) -> Vec<u8> {
        let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(b"\x04Echo\x04test\0\0");
        query.extend([kind, 0, 1]);
        query
    }

    #[test]
    fn answers_what_it_knows() {
        let lookup = |name: &str| (name == "echo.test").then_some(Ipv4Addr::new(10, 0, 0, 1));
        let reply = answer(&query(1), lookup).unwrap();
        assert_eq!(reply[..12], [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert!(reply.ends_with(&[0, 4, 10, 0, 0, 1]));
        let other_type = answer(&query(28), lookup).unwrap();
        assert_eq!((other_type[3], other_type[7]), (0x80, 0), "the name exists, without such a record");
        assert_eq!(answer(&query(1), |_| None).unwrap()[3], 0x83);
    }

    #[test]
    fn rubbish_gets_no_answer() {
        let whole = query(1);
        for length in 0..whole.len() {
            assert!(answer(&whole[..length], |_| None).is_none());
        }
        assert!(answer(&[0xFF; 40], |_| None).is_none());
    }
}
