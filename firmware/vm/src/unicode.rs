//! Characters of UTF-8 text, as MicroPython sees them: its class and case functions know ASCII only, and its UTF-8 is
//! lenient (surrogates pass), so that text is worked on as bytes.

/// Whether a byte continues a character.
#[inline(always)]
pub fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Bytes of the character that starts with `first`.
#[inline(always)]
pub fn char_len(first: u8) -> u32 {
    match first {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// How many characters there are.
pub fn count(text: &[u8]) -> u32 {
    text.iter().filter(|byte| !is_continuation(**byte)).count() as u32
}

/// The byte position behind the character at `at`.
pub fn next(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < text.len() && is_continuation(text[end]) {
        end += 1;
    }
    end
}

/// The code point of the character that `text` starts with (0 if there is none).
pub fn decode(text: &[u8]) -> u32 {
    let Some(&first) = text.first() else { return 0 };
    let mut code = match first {
        0..0x80 => return u32::from(first),
        0x80..0xe0 => u32::from(first & 0x1f),
        0xe0..0xf0 => u32::from(first & 0x0f),
        _ => u32::from(first & 0x07),
    };
    for byte in text[1..].iter().take_while(|byte| is_continuation(**byte)) {
        code = code << 6 | u32::from(byte & 0x3f);
    }
    code
}

/// The UTF-8 of a code point below 0x110000 and its length.
pub fn encode(code: u32) -> ([u8; 4], usize) {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    match code {
        0..0x80 => ([code as u8, 0, 0, 0], 1),
        0x80..0x800 => ([0xc0 | (code >> 6) as u8, tail(0), 0, 0], 2),
        0x800..0x1_0000 => ([0xe0 | (code >> 12) as u8, tail(6), tail(0), 0], 3),
        _ => ([0xf0 | (code >> 18 & 7) as u8, tail(12), tail(6), tail(0)], 4),
    }
}

/// The byte position of character `index`, counted from the end if negative. `Err`: it is before the start (`false`) or
/// behind the last character (`true`).
pub fn position(text: &[u8], index: i32) -> Result<usize, bool> {
    if index >= 0 {
        let mut left = index;
        for (at, byte) in text.iter().enumerate() {
            if !is_continuation(*byte) {
                if left == 0 {
                    return Ok(at);
                }
                left -= 1;
            }
        }
        return Err(true);
    }
    let mut left = index;
    for (at, byte) in text.iter().enumerate().rev() {
        if !is_continuation(*byte) {
            left += 1;
            if left == 0 {
                return Ok(at);
            }
        }
    }
    Err(false)
}

/// Whether bytes are well-formed by MicroPython's rules: every character has the continuation bytes it announces.
pub fn is_valid(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        let first = text[at];
        if first < 0x80 {
            at += 1;
            continue;
        }
        if !(0xc0..0xf8).contains(&first) {
            return false;
        }
        let end = at + char_len(first) as usize;
        if end > text.len() || !text[at + 1..end].iter().all(|byte| is_continuation(*byte)) {
            return false;
        }
        at = end;
    }
    true
}

/// Whether a byte is white space.
#[inline(always)]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_and_decoding_agree() {
        for code in
            [0, 0x41, 0x7f, 0x80, 0xe9, 0x7ff, 0x800, 0x20ac, 0xd800, 0xffff, 0x1_0000, 0x1_f600, 0x10_ffff]
        {
            let (bytes, len) = encode(code);
            assert_eq!(decode(&bytes[..len]), code);
            assert_eq!(char_len(bytes[0]), len as u32);
            assert!(is_valid(&bytes[..len]));
            assert!(len == 1 || !is_valid(&bytes[..len - 1]) && !is_valid(&bytes[1..len]));
            if let Some(character) = char::from_u32(code) {
                assert_eq!(character.encode_utf8(&mut [0; 4]).as_bytes(), &bytes[..len]);
            }
        }
    }

    #[test]
    fn positions_count_characters_from_both_ends() {
        let text = "aé€😀z".as_bytes();
        assert_eq!(count(text), 5);
        for (index, at) in [0, 1, 3, 6, 10].into_iter().enumerate() {
            assert_eq!(position(text, index as i32), Ok(at));
            assert_eq!(position(text, index as i32 - 5), Ok(at));
        }
        assert_eq!(position(text, 5), Err(true));
        assert_eq!(position(text, -6), Err(false));
        assert_eq!(position(b"", 0), Err(true));
    }
}
