//! What can be wrong with a file.

use thiserror::Error;

/// Why bytes are not the image, table or program they should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// The first byte is not 0xE9.
    #[error(
        "this is not an ESP image: it begins with 0x{0:02x}, not 0xe9; give the .bin file that the build made"
    )]
    NotAnImage(u8),
    /// The file ends inside the image.
    #[error(
        "the image is truncated: {needed} bytes are needed, {have} are there; copy or build the file again"
    )]
    Truncated {
        /// Bytes that the header promises.
        needed: usize,
        /// Bytes of the file.
        have: usize,
    },
    /// More segments than the ROM takes.
    #[error(
        "the image has {0} segments, the ROM takes at most 16; the header is damaged, build the file again"
    )]
    TooManySegments(u8),
    /// The checksum byte is wrong.
    #[error(
        "the image is damaged: its checksum is 0x{stored:02x} and should be 0x{calculated:02x}; build it again"
    )]
    Checksum {
        /// In the file.
        stored: u8,
        /// Of its segments.
        calculated: u8,
    },
    /// The SHA-256 digest is wrong.
    #[error("the image is damaged: its SHA-256 digest does not match its contents; build it again")]
    Digest,
    /// Not an ELF file of a chip.
    #[error("this is not an ELF program for an ESP chip: {0}")]
    Elf(String),
    /// A program that cannot become an image.
    #[error("the program does not fit the chip: {0}; check its linker script")]
    Link(String),
    /// A line of an Intel HEX file.
    #[error("line {line}: {problem}; make the file again")]
    HexLine {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A block of a UF2 file.
    #[error("UF2 block {0} is damaged; make the file again")]
    Uf2Block(usize),
    /// A line of a partition table's CSV.
    #[error("partition table line {line}: {problem}")]
    PartitionCsv {
        /// Line number, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The binary partition table.
    #[error("the partition table is damaged: {0}")]
    PartitionTable(String),
    /// Parts that lie on each other.
    #[error("{first} and {second} overlap at 0x{at:x}; give them other offsets")]
    Overlap {
        /// The one at the lower offset.
        first: String,
        /// The other.
        second: String,
        /// Where the second begins.
        at: u64,
    },
}
