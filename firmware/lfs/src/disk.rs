//! What is on the disk: tags, checksums, and the structures behind them.
//!
//! A metadata block is a revision count followed by a log of tags with data. A tag is stored XORed with the one before it,
//! big-endian; everything else is little-endian. Commits end in a tag with a checksum.
//!
//! Source: littlefs `SPEC.md`.

/// A pair of blocks that takes turns in holding one log.
pub(crate) type Pair = [u32; 2];

/// The pair where everything starts.
pub(crate) const ROOT: Pair = [0, 1];
/// The id of tags that belong to no entry.
pub(crate) const NO_ID: u16 = 0x3ff;
/// The size that says "deleted".
const DELETED: u16 = 0x3ff;
/// The version written: 2.1.
pub(crate) const VERSION: u32 = 0x0002_0001;
/// The name of entry 0 of the root.
pub(crate) const MAGIC: &[u8] = b"littlefs";

/// Types of tags, eleven bits.
pub(crate) mod kind {
    /// Group: names (the type of the entry is in the low bits).
    pub(crate) const NAME: u16 = 0x000;
    pub(crate) const FILE: u16 = 0x001;
    pub(crate) const DIRECTORY: u16 = 0x002;
    pub(crate) const SUPERBLOCK: u16 = 0x0ff;
    /// Group: what an entry holds.
    pub(crate) const STRUCT: u16 = 0x200;
    pub(crate) const DIR_STRUCT: u16 = 0x200;
    pub(crate) const INLINE_STRUCT: u16 = 0x201;
    pub(crate) const CTZ_STRUCT: u16 = 0x202;
    /// Group: attributes (the attribute's number is in the low byte).
    pub(crate) const ATTRIBUTE: u16 = 0x300;
    /// Group: entries appear and disappear.
    pub(crate) const SPLICE: u16 = 0x400;
    pub(crate) const CREATE: u16 = 0x401;
    pub(crate) const DELETE: u16 = 0x4ff;
    /// Group: checksums.
    pub(crate) const CHECKSUM: u16 = 0x500;
    pub(crate) const FORWARD_CHECKSUM: u16 = 0x5ff;
    /// Group: the next pair; the low bit says that it continues this directory.
    pub(crate) const TAIL: u16 = 0x600;
    /// Group: this pair's share of the global state.
    pub(crate) const GLOBAL: u16 = 0x7ff;
}

/// A tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag(pub(crate) u32);

impl Tag {
    /// What the first tag of a block is XORed with.
    pub(crate) const START: Self = Self(0xffff_ffff);

    pub(crate) const fn new(kind: u16, id: u16, size: usize) -> Self {
        Self((kind as u32) << 20 | (id as u32) << 10 | size as u32)
    }

    pub(crate) fn is_valid(self) -> bool {
        self.0 & 0x8000_0000 == 0
    }

    pub(crate) fn kind(self) -> u16 {
        (self.0 >> 20 & 0x7ff) as u16
    }

    /// The kind without the bits that each group uses for its own.
    pub(crate) fn group(self) -> u16 {
        self.kind() & 0x700
    }

    pub(crate) fn is_checksum(self) -> bool {
        self.kind() & 0x780 == kind::CHECKSUM
    }

    pub(crate) fn low(self) -> u8 {
        self.kind() as u8
    }

    pub(crate) fn id(self) -> u16 {
        (self.0 >> 10 & 0x3ff) as u16
    }

    pub(crate) fn is_deleted(self) -> bool {
        self.0 as u16 & 0x3ff == DELETED
    }

    /// Bytes of data behind the tag.
    pub(crate) fn len(self) -> usize {
        if self.is_deleted() { 0 } else { (self.0 & 0x3ff) as usize }
    }

    /// Bytes of tag and data.
    pub(crate) fn size(self) -> u32 {
        4 + self.len() as u32
    }
}

/// A checksum over `bytes`, continued from `crc`: CRC-32 without final inversion.
pub(crate) fn checksum(crc: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = table();
    bytes.iter().fold(crc, |crc, &byte| {
        let crc = (crc >> 4) ^ TABLE[((crc ^ u32::from(byte)) & 15) as usize];
        (crc >> 4) ^ TABLE[((crc ^ u32::from(byte >> 4)) & 15) as usize]
    })
}

const fn table() -> [u32; 16] {
    let mut table = [0; 16];
    let mut index = 0;
    while index < 16 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

pub(crate) fn word(bytes: &[u8], index: usize) -> u32 {
    bytes[4 * index..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word))
}

/// Little-endian words, as structures are stored.
pub(crate) fn words<const N: usize, const BYTES: usize>(values: [u32; N]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (to, value) in bytes.chunks_exact_mut(4).zip(values) {
        to.copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

pub(crate) fn pair(bytes: &[u8]) -> Pair {
    [word(bytes, 0), word(bytes, 1)]
}

/// Whether two pairs have a block in common, and so are the same.
pub(crate) fn is_same(a: Pair, b: Pair) -> bool {
    a.iter().any(|block| b.contains(block))
}

/// What the whole disk knows: the XOR of all pairs' shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Global {
    tag: u32,
    pair: Pair,
}

impl Global {
    pub(crate) const SIZE: usize = 12;
    const ORPHANS: u32 = 0x8000_0000;
    const MOVE: u32 = (kind::DELETE as u32) << 20;
    const MOVE_MASK: u32 = 0x7fff_fc00;

    pub(crate) const NONE: Self = Self { tag: 0, pair: [0, 0] };

    pub(crate) fn decode(bytes: &[u8; Self::SIZE]) -> Self {
        Self { tag: word(bytes, 0), pair: [word(bytes, 1), word(bytes, 2)] }
    }

    pub(crate) fn encode(self) -> [u8; Self::SIZE] {
        words([self.tag, self.pair[0], self.pair[1]])
    }

    pub(crate) fn xor(self, other: Self) -> Self {
        Self { tag: self.tag ^ other.tag, pair: [self.pair[0] ^ other.pair[0], self.pair[1] ^ other.pair[1]] }
    }

    /// A pair may be in the list of pairs that no directory names, or the other way round.
    pub(crate) fn has_orphans(self) -> bool {
        self.tag & Self::ORPHANS != 0
    }

    pub(crate) fn with_orphans(self, orphans: bool) -> Self {
        let tag = if orphans { self.tag | Self::ORPHANS } else { self.tag & !Self::ORPHANS };
        Self { tag, ..self }
    }

    /// An entry that has been copied elsewhere and is to be deleted.
    pub(crate) fn moved(self) -> Option<(Pair, u16)> {
        (self.tag & 0x7000_0000 != 0).then_some((self.pair, Tag(self.tag).id()))
    }

    pub(crate) fn with_move(self, moved: Option<(Pair, u16)>) -> Self {
        let rest = self.tag & !Self::MOVE_MASK;
        match moved {
            Some((pair, id)) => Self { tag: rest | Self::MOVE | u32::from(id) << 10, pair },
            None => Self { tag: rest, pair: [0, 0] },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_crc32() {
        assert_eq!(!checksum(!0, b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn tags_say_how_long_their_data_is() {
        let tag = Tag::new(kind::CTZ_STRUCT, 5, 8);
        assert_eq!(
            (tag.kind(), tag.group(), tag.id(), tag.len(), tag.size()),
            (0x202, kind::STRUCT, 5, 8, 12)
        );
        assert_eq!(Tag::new(kind::ATTRIBUTE + 1, 5, 0x3ff).size(), 4);
    }

    #[test]
    fn global_state_round_trips() {
        let state = Global::NONE.with_orphans(true).with_move(Some(([3, 9], 7)));
        let read = Global::decode(&state.encode());
        assert_eq!((read.has_orphans(), read.moved()), (true, Some(([3, 9], 7))));
        assert_eq!(read.with_move(None).with_orphans(false), Global::NONE);
        assert_eq!(state.xor(state), Global::NONE);
    }
}
