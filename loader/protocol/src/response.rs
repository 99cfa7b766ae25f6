//! Responses: what the chip answers.

use core::fmt;

/// Direction, code, length, value.
const HEAD: usize = 8;
const DIRECTION_RESPONSE: u8 = 1;

/// A response, its body not yet split into data and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The code of the command it answers.
    pub opcode: u8,
    /// What READ_REG read; otherwise of no meaning.
    pub value: u32,
    /// Data, then status bytes (2 from stubs, 4 from ROMs; only the first two mean something).
    pub body: &'a [u8],
}

/// A frame that is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedResponse;

impl fmt::Display for MalformedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the frame is no response")
    }
}

impl core::error::Error for MalformedResponse {}

impl<'a> Response<'a> {
    /// Parses the payload of a SLIP frame.
    ///
    /// # Errors
    /// If it is no response, or its length does not fit.
    pub fn parse(frame: &'a [u8]) -> Result<Self, MalformedResponse> {
        let (head, body) = frame.split_first_chunk::<HEAD>().ok_or(MalformedResponse)?;
        let [direction, opcode, low, high, value @ ..] = *head;
        if direction != DIRECTION_RESPONSE || usize::from(u16::from_le_bytes([low, high])) != body.len() {
            return Err(MalformedResponse);
        }
        Ok(Self { opcode, value: u32::from_le_bytes(value), body })
    }

    /// The data of the answer, `data_len` bytes of it, if the status says success.
    ///
    /// # Errors
    /// The chip's error; a body too short for data and status counts as [`ChipError::SHORT`].
    pub fn data(&self, data_len: usize) -> Result<&'a [u8], ChipError> {
        // A refusal carries no data, only its status.
        let at = if self.body.len() < data_len + 2 { 0 } else { data_len };
        match self.body.get(at..at + 2) {
            Some(&[0, _]) if at == data_len => Ok(&self.body[..data_len]),
            Some(&[status, code]) if status != 0 => Err(ChipError(code)),
            _ => Err(ChipError::SHORT),
        }
    }
}

/// Why the chip refused: the second status byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChipError(pub u8);

impl ChipError {
    /// Not from the chip: its answer was too short.
    pub const SHORT: Self = Self(0xFE);
    /// ROM: received message is invalid. What ROMs say to commands that they do not know.
    pub const INVALID_MESSAGE: Self = Self(0x05);
    /// ROM: the checksum of a block is wrong.
    pub const INVALID_CRC: Self = Self(0x07);
    /// Stub: the checksum of a block is wrong.
    pub const BAD_DATA_CHECKSUM: Self = Self(0xC1);

    /// Names as in Espressif's "Serial Protocol" page.
    const NAMES: [(u8, &'static str); 20] = [
        (0x05, "Received message is invalid"),
        (0x06, "Failed to act on received message"),
        (0x07, "Invalid CRC in message"),
        (0x08, "Flash write error"),
        (0x09, "Flash read error"),
        (0x0A, "Flash read length error"),
        (0x0B, "Deflate error"),
        (0xC0, "Bad data length"),
        (0xC1, "Bad data checksum"),
        (0xC2, "Bad block size"),
        (0xC3, "Invalid command"),
        (0xC4, "Failed SPI operation"),
        (0xC5, "Failed SPI unlock"),
        (0xC6, "Not in flash mode"),
        (0xC7, "Inflate error"),
        (0xC8, "Not enough data"),
        (0xC9, "Too much data"),
        (0xFE, "The answer is too short"),
        (0xFF, "Command not implemented"),
        (0x00, "Undefined error"),
    ];

    /// Its name, if it is known.
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name)
    }

    /// Whether the line damaged the command or the answer, so that sending the command again helps.
    /// (No chip refuses with 0: then the status itself was damaged.)
    pub fn is_line_error(self) -> bool {
        matches!(self.0, 0x00 | 0x07 | 0xC0 | 0xC1 | 0xFE)
    }

    /// Whether the chip does not know the command.
    pub fn is_unknown_command(self) -> bool {
        matches!(self.0, 0x05 | 0xC3 | 0xFF)
    }
}

impl fmt::Display for ChipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:02x})", self.name().unwrap_or("Unknown error"), self.0)
    }
}

impl core::error::Error for ChipError {}

/// Flags of [`SecurityInfo`]; bit numbers as in ESP-IDF's `esp_rom_efuse.h`, `ets_efuse_security_info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecurityFlags(pub u32);

impl SecurityFlags {
    /// Names by bit number.
    pub const NAMES: [(u8, &'static str); 11] = [
        (0, "Secure boot"),
        (1, "Secure boot aggressive key revocation"),
        (2, "Secure download mode"),
        (3, "Secure boot key 0 revoked"),
        (4, "Secure boot key 1 revoked"),
        (5, "Secure boot key 2 revoked"),
        (6, "JTAG disabled in software"),
        (7, "JTAG disabled for good"),
        (8, "USB disabled"),
        (9, "Data cache disabled in download mode"),
        (10, "Instruction cache disabled in download mode"),
    ];

    /// Images must be signed.
    pub fn secure_boot(self) -> bool {
        self.0 & 1 != 0
    }

    /// Registers and flash cannot be read over the loader.
    pub fn secure_download(self) -> bool {
        self.0 & 4 != 0
    }
}

/// The answer to GET_SECURITY_INFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecurityInfo {
    /// States.
    pub flags: SecurityFlags,
    /// An odd number of ones: flash is encrypted.
    pub flash_crypt_count: u8,
    /// What the key blocks are for.
    pub key_purposes: [u8; 7],
    /// Chip id as in image headers, and version of the ROM's interface; ESP32-S2 does not tell.
    pub chip: Option<(u32, u32)>,
}

impl SecurityInfo {
    /// Bytes of the answer with chip id.
    pub const LEN: usize = 20;
    /// Bytes of the answer of ESP32-S2.
    pub const LEN_WITHOUT_CHIP: usize = 12;

    /// Parses the answer's data, either length.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let (flags, rest) = data.split_first_chunk::<4>()?;
        let (&flash_crypt_count, rest) = rest.split_first()?;
        let (key_purposes, rest) = rest.split_first_chunk::<7>()?;
        let chip = rest.split_first_chunk::<4>().and_then(|(id, rest)| {
            Some((u32::from_le_bytes(*id), u32::from_le_bytes(*rest.first_chunk::<4>()?)))
        });
        let flags = SecurityFlags(u32::from_le_bytes(*flags));
        Some(Self { flags, flash_crypt_count, key_purposes: *key_purposes, chip })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_register_value_comes_in_the_head() {
        let frame = [1, 0x0A, 4, 0, 0x6F, 0x50, 0x31, 0x1B, 0, 0, 0, 0];
        let response = Response::parse(&frame).unwrap();
        assert_eq!((response.opcode, response.value, response.data(0)), (0x0A, 0x1B31_506F, Ok(&[][..])));
    }

    #[test]
    fn data_comes_before_the_status() {
        let frame = [1, 0x13, 5, 0, 0, 0, 0, 0, b'a', b'b', b'c', 0, 0];
        assert_eq!(Response::parse(&frame).unwrap().data(3), Ok(&b"abc"[..]));
    }

    #[test]
    fn a_refusal_without_data_is_the_chips_error() {
        let frame = [1, 0x13, 4, 0, 0, 0, 0, 0, 1, 5, 0, 0];
        let error = Response::parse(&frame).unwrap().data(32).unwrap_err();
        assert_eq!(error, ChipError::INVALID_MESSAGE);
        assert!(error.is_unknown_command() && !error.is_line_error());
    }

    #[test]
    fn a_success_that_is_too_short_is_no_success() {
        let frame = [1, 0x13, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(Response::parse(&frame).unwrap().data(32), Err(ChipError::SHORT));
    }

    #[test]
    fn echoes_of_our_own_commands_are_not_responses() {
        assert_eq!(Response::parse(&[0, 0x0A, 0, 0, 0, 0, 0, 0]), Err(MalformedResponse));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(frame in prop::collection::vec(any::<u8>(), 0..64), len in 0_usize..64) {
            if let Ok(response) = Response::parse(&frame) {
                let _ = response.data(len);
            }
            let _ = SecurityInfo::parse(&frame);
        }
    }
}
