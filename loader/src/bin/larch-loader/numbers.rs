//! Numbers as people type them.

/// Decimal or 0x-hexadecimal.
///
/// # Errors
/// If it is no number.
pub fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(&hex.replace('_', ""), 16).ok(),
        None => text.replace('_', "").parse().ok(),
    };
    parsed.ok_or_else(|| format!("'{text}' is no number (as 4096 or 0x1000)"))
}

/// A number of bytes, with k or M behind it if wanted.
///
/// # Errors
/// If it is none.
pub fn size(text: &str) -> Result<u32, String> {
    let units = [("k", 1 << 10), ("K", 1 << 10), ("m", 1 << 20), ("M", 1 << 20)];
    let stripped = text.trim_end_matches('B');
    for (unit, factor) in units {
        if let Some(digits) = stripped.strip_suffix(unit) {
            return number(digits)?.checked_mul(factor).ok_or_else(|| format!("'{text}' is too large"));
        }
    }
    number(text)
}

/// A size, or `ALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeOrAll {
    /// So many bytes.
    Bytes(u32),
    /// To the end of flash.
    All,
}

/// A size, or `ALL`.
///
/// # Errors
/// If it is neither.
pub fn size_or_all(text: &str) -> Result<SizeOrAll, String> {
    if text.eq_ignore_ascii_case("all") { Ok(SizeOrAll::All) } else { size(text).map(SizeOrAll::Bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes() {
        assert_eq!((number("0x1000"), number("4096")), (Ok(4096), Ok(4096)));
        assert_eq!((size("64k"), size("4MB"), size("0x10")), (Ok(65536), Ok(4 << 20), Ok(16)));
        assert!(number("0xg").is_err() && size("9999M").is_err() && number("").is_err());
        assert_eq!(size_or_all("ALL"), Ok(SizeOrAll::All));
    }
}
