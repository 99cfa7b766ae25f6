//! The ESP serial protocol, without I/O.
//!
//! A host sends a command in a SLIP frame; the chip's mask ROM, or a stub program in its RAM, answers with a response
//! frame. This crate turns commands into bytes and bytes into responses, and allocates nothing, so that host and stub
//! share it. Source: Espressif's "Serial Protocol" page of the esptool documentation.
#![no_std]
#![forbid(unsafe_code)]

mod command;
mod response;
pub mod slip;

pub use command::{Command, FlashBegin, MD5_HEX_LEN, Opcode, SYNC_PAYLOAD, SpiParameters};
pub use response::{ChipError, MalformedResponse, Response, SecurityFlags, SecurityInfo};

/// Start value of the checksum of data blocks.
pub const CHECKSUM_SEED: u8 = 0xEF;

/// The checksum of a data block: all bytes and the seed, exclusive-or.
pub fn checksum(data: &[u8]) -> u8 {
    data.iter().fold(CHECKSUM_SEED, |sum, byte| sum ^ byte)
}
