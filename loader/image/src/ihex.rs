//! Intel HEX files: lines of address, bytes and checksum.
//!
//! Source: Intel, "Hexadecimal Object File Format Specification", 1988.

use crate::ImageError;
use crate::merge::{Blob, append};

const BYTES_PER_LINE: usize = 16;
const DATA: u8 = 0;
const END: u8 = 1;
const SEGMENT_ADDRESS: u8 = 2;
const LINEAR_ADDRESS: u8 = 4;

/// Whether this looks like an Intel HEX file.
pub fn is_ihex(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    line.len() >= 11 && line[0] == b':' && line[1..].iter().all(u8::is_ascii_hexdigit)
}

/// The HEX file of the blobs.
pub fn encode(blobs: &[Blob]) -> String {
    let mut text = String::new();
    let mut high = None;
    for blob in blobs {
        let mut at = blob.offset;
        let mut rest = blob.data.as_slice();
        while !rest.is_empty() {
            if high != Some(at >> 16) {
                high = Some(at >> 16);
                record(&mut text, LINEAR_ADDRESS, 0, &(at >> 16).to_be_bytes()[2..]);
            }
            let to_boundary = 0x1_0000 - (at & 0xFFFF) as usize;
            let (line, tail) = rest.split_at(rest.len().min(BYTES_PER_LINE).min(to_boundary));
            record(
                &mut text,
                DATA,
                at.to_be_bytes()[2..].iter().fold(0, |value, &byte| value << 8 | u16::from(byte)),
                line,
            );
            at = at.wrapping_add(u32::try_from(line.len()).unwrap_or(0));
            rest = tail;
        }
    }
    record(&mut text, END, 0, &[]);
    text
}

fn record(text: &mut String, kind: u8, address: u16, data: &[u8]) {
    let [high, low] = address.to_be_bytes();
    let mut bytes = vec![u8::try_from(data.len()).unwrap_or(0), high, low, kind];
    bytes.extend(data);
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes.push(sum.wrapping_neg());
    text.push(':');
    for byte in bytes {
        text.push_str(&format!("{byte:02X}"));
    }
    text.push('\n');
}

/// The contents of a HEX file, neighbouring lines joined.
///
/// # Errors
/// The first line that is wrong.
pub fn decode(name: &str, text: &str) -> Result<Vec<Blob>, ImageError> {
    let mut blobs = Vec::new();
    let mut base = 0_u32;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |problem: &str| ImageError::HexLine { line: index + 1, problem: problem.to_owned() };
        let bytes = parse_line(line.trim()).ok_or_else(|| wrong("it is no Intel HEX record"))?;
        if bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) != 0 {
            return Err(wrong("its checksum is wrong"));
        }
        let (Some((head, rest)), true) = (bytes.split_first_chunk::<4>(), bytes.len() >= 5) else {
            return Err(wrong("it is too short"));
        };
        let data = &rest[..rest.len() - 1];
        let [len, high, low, kind] = *head;
        if usize::from(len) != data.len() {
            return Err(wrong("its length is wrong"));
        }
        let word = || data.first_chunk::<2>().map(|word| u32::from(u16::from_be_bytes(*word)));
        match kind {
            DATA => {
                let address = base.wrapping_add(u32::from(u16::from_be_bytes([high, low])));
                append(&mut blobs, name, address, data);
            }
            END => return Ok(blobs),
            LINEAR_ADDRESS => base = word().ok_or_else(|| wrong("it has no address"))? << 16,
            SEGMENT_ADDRESS => base = word().ok_or_else(|| wrong("it has no address"))? << 4,
            // Start addresses say nothing about contents.
            _ => {}
        }
    }
    Err(ImageError::HexLine { line: text.lines().count(), problem: "the end record is missing".to_owned() })
}

fn parse_line(line: &str) -> Option<Vec<u8>> {
    let digits = line.strip_prefix(':')?.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_are_as_specified() {
        let blob = Blob { name: String::new(), offset: 0x1_FFFE, data: vec![1, 2, 3] };
        let text = encode(&[blob]);
        assert_eq!(text, ":020000040001F9\n:02FFFE000102FE\n:020000040002F8\n:0100000003FC\n:00000001FF\n");
        assert!(is_ihex(text.as_bytes()) && !is_ihex(b"\xE9\x03\x02"));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = decode("x", ":020000040001F9\n:02FFFE000102FF\n").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(decode("x", ":02FFFE000102FE\n").is_err(), "no end");
    }

    proptest! {
        #[test]
        fn contents_round_trip(offset in 0_u32..0x4_0000, data in prop::collection::vec(any::<u8>(), 1..300)) {
            let blob = Blob { name: "a".to_owned(), offset, data };
            prop_assert_eq!(decode("a", &encode(std::slice::from_ref(&blob))).unwrap(), [blob]);
        }

        #[test]
        fn any_text_is_survived(text in "[:0-9A-F\n]{0,200}") {
            let _ = decode("x", &text);
        }
    }
}
