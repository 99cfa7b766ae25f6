//! UF2 files: 512-byte blocks, each with its address.
//!
//! Source: github.com/microsoft/uf2, README.

use crate::ImageError;
use crate::merge::Blob;
use crate::reader::Reader;
use md5::{Digest, Md5};

const BLOCK: usize = 512;
/// Room between a block's head and its end.
const DATA_LEN: usize = 476;
/// Address, length and MD5 of a block's data.
const MD5_PART: usize = 24;
const DATA_AT: usize = 32;
const MAGIC_START: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const MAGIC_END: u32 = 0x0AB1_6F30;
/// How many addresses there are.
const ADDRESSES: u64 = 1 << 32;
/// Flag: the family id field is used.
const HAS_FAMILY: u32 = 0x2000;
/// Flag: the MD5 of the data stands behind them.
const HAS_MD5: u32 = 0x4000;
/// Flag: the block is not for flash.
const NOT_MAIN_FLASH: u32 = 1;

/// Whether this is a UF2 file.
pub fn is_uf2(bytes: &[u8]) -> bool {
    bytes.starts_with(b"UF2\n")
}

/// How a UF2 file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uf2Options {
    /// Bytes of data in a block; `None`: as many as fit.
    pub chunk: Option<usize>,
    /// Whether each block carries the MD5 of its data (esptool's extension, flag 0x4000).
    pub md5: bool,
}

impl Uf2Options {
    fn chunk(self) -> usize {
        let most = DATA_LEN - if self.md5 { MD5_PART } else { 0 };
        self.chunk.unwrap_or(most).clamp(1, most)
    }
}

/// The UF2 file of the blobs, for the chip with this family id. Blocks are counted per blob.
pub fn encode(blobs: &[Blob], family: u32, options: Uf2Options) -> Vec<u8> {
    let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    for blob in blobs {
        let count = word(blob.data.len().div_ceil(options.chunk()));
        let mut address = blob.offset;
        for (number, chunk) in (0_u32..).zip(blob.data.chunks(options.chunk())) {
            let start = bytes.len();
            let [first, second] = MAGIC_START;
            let flags = HAS_FAMILY | if options.md5 { HAS_MD5 } else { 0 };
            for value in [first, second, flags, address, word(chunk.len()), number, count, family] {
                bytes.extend(value.to_le_bytes());
            }
            bytes.extend(chunk);
            if options.md5 {
                bytes.extend(address.to_le_bytes());
                bytes.extend(word(chunk.len()).to_le_bytes());
                bytes.extend(Md5::digest(chunk));
            }
            bytes.resize(start + BLOCK - 4, 0);
            bytes.extend(MAGIC_END.to_le_bytes());
            address = address.wrapping_add(word(chunk.len()));
        }
    }
    bytes
}

/// The contents of a UF2 file, neighbouring blocks joined.
///
/// # Errors
/// If a block is damaged.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Vec<Blob>, ImageError> {
    let mut blobs: Vec<Blob> = Vec::new();
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        if block.len() < BLOCK {
            return Err(ImageError::Uf2Block(index));
        }
        let mut reader = Reader::new(block);
        let magic = [reader.u32()?, reader.u32()?];
        let (flags, address, size) = (reader.u32()?, reader.u32()?, reader.u32()? as usize);
        let end = block.get(BLOCK - 4..).is_some_and(|end| end == MAGIC_END.to_le_bytes());
        let payload = block.get(DATA_AT..DATA_AT + size.min(BLOCK)).filter(|_| size <= BLOCK - 4 - DATA_AT);
        let fits = u64::from(address) + size as u64 <= ADDRESSES;
        let Some(payload) = payload.filter(|_| magic == MAGIC_START && end && fits) else {
            return Err(ImageError::Uf2Block(index));
        };
        if flags & NOT_MAIN_FLASH == 0 {
            crate::merge::append(&mut blobs, name, address, payload);
        }
    }
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_carry_address_number_and_family() {
        let blob = Blob { name: "a".to_owned(), offset: 0x1000, data: vec![7; 300] };
        let options = Uf2Options { chunk: Some(256), md5: false };
        let bytes = encode(&[blob], 0xD42B_A06C, options);
        assert_eq!(bytes.len(), 1024);
        assert_eq!(bytes[..12], *b"UF2\nWQ]\x9e\x00\x20\x00\x00");
        assert_eq!(
            bytes[512 + 12..512 + 32],
            [0, 0x11, 0, 0, 44, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0x6C, 0xA0, 0x2B, 0xD4]
        );
        let decoded = decode("a", &bytes).unwrap();
        assert_eq!((decoded.len(), decoded[0].offset, decoded[0].data.len()), (1, 0x1000, 300));
    }

    #[test]
    fn a_block_ends_at_the_last_address_at_most() {
        let one = |offset| Blob { name: "a".to_owned(), offset, data: vec![7; 16] };
        let options = Uf2Options { chunk: None, md5: true };
        assert_eq!(decode("a", &encode(&[one(0xFFFF_FFF0)], 0, options)).unwrap(), [one(0xFFFF_FFF0)]);
        let behind = decode("a", &encode(&[one(0xFFFF_FFF1)], 0, options));
        assert!(matches!(behind, Err(ImageError::Uf2Block(0))), "{behind:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 0..1100)) {
            let _ = decode("x", &bytes);
            let good = encode(&[Blob { name: String::new(), offset: 0, data: vec![1; 600] }], 1, Uf2Options { chunk: None, md5: true });
            bytes.splice(0..0, good);
            let _ = decode("x", &bytes);
        }
    }
}
