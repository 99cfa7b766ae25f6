//! The chip's own MD5 of its flash.

use super::per_megabyte;
use crate::connect::Loader;
use crate::error::Error;
use larch_protocol::{ChipError, Command, MD5_HEX_LEN, Opcode};

/// Seconds that the chip may take for a megabyte.
const MD5_SECONDS_PER_MEGABYTE: u64 = 8;

/// An MD5 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Of bytes on this side.
    pub fn of(data: &[u8]) -> Self {
        use md5::Digest as _;
        Self(md5::Md5::digest(data).into())
    }

    fn from_hex(text: &[u8]) -> Option<Self> {
        let mut digest = [0; 16];
        for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(digest))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Loader<'_> {
    /// The chip's MD5 of a part of flash.
    ///
    /// # Errors
    /// If the chip refuses or does not answer.
    pub fn flash_md5(&mut self, offset: u32, size: u32) -> Result<Digest, Error> {
        self.flash()?;
        let timeout = per_megabyte(MD5_SECONDS_PER_MEGABYTE, size.into());
        let len = if self.dialect.md5_is_hex { MD5_HEX_LEN } else { 16 };
        let (_, data) = self.link.command(&Command::SpiFlashMd5 { offset, size }, len, timeout)?;
        let digest =
            if self.dialect.md5_is_hex { Digest::from_hex(&data) } else { data.try_into().ok().map(Digest) };
        digest.ok_or(Error::refused(Opcode::SpiFlashMd5, ChipError::SHORT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_read_and_print_as_hexadecimal() {
        let text = "d41d8cd98f00b204e9800998ecf8427e";
        assert_eq!(Digest::from_hex(text.as_bytes()), Some(Digest::of(b"")));
        assert_eq!(Digest::of(b"").to_string(), text);
        assert_eq!(Digest::from_hex(&[b'x'; 32]), None);
    }
}
