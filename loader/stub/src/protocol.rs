//! Commands beyond those of Espressif's stubs, and how the stub judges what it gets.
//!
//! The host's side of the same words is `larch-protocol`; a test there compares them.

/// SECTOR_DIGESTS: offset, count. Answers 16 bytes of MD5 for each 4 KB sector.
pub const SECTOR_DIGESTS: u8 = 0xE0;
/// ECHO: answers the bytes that it is sent.
pub const ECHO: u8 = 0xE1;
/// TRY_BAUD: rate, milliseconds. Goes on at that rate, and back again unless CHANGE_BAUDRATE confirms it in time.
pub const TRY_BAUD: u8 = 0xE2;

/// Bytes of a block of flash data at most.
pub const BLOCK: usize = 0x4000;
/// Blocks that the host may send before the first of them is acknowledged.
pub const WINDOW: usize = 2;

/// Error codes, those of Espressif's stubs.
pub mod error {
    /// The length of the data is wrong.
    pub const BAD_DATA_LEN: u8 = 0xC0;
    /// The checksum is wrong, or a block was lost: the host sends again from the first block that was not taken.
    pub const BAD_DATA_CHECKSUM: u8 = 0xC1;
    /// The block size is wrong.
    pub const BAD_BLOCKSIZE: u8 = 0xC2;
    /// No such command.
    pub const INVALID_COMMAND: u8 = 0xC3;
    /// A block came without a stream being open.
    pub const NOT_IN_FLASH_MODE: u8 = 0xC6;
    /// The deflated stream is damaged.
    pub const INFLATE: u8 = 0xC7;
    /// More data than were announced.
    pub const TOO_MUCH_DATA: u8 = 0xC9;
}
