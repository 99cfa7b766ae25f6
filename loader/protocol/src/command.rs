//! Commands: what the host sends.

use crate::{checksum, slip};

/// Command codes. From `EraseFlash` on only stubs have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// Prepare (and erase) flash for uncompressed blocks.
    FlashBegin = 0x02,
    /// One uncompressed block.
    FlashData = 0x03,
    /// End of writing; leave the loader or stay.
    FlashEnd = 0x04,
    /// Prepare RAM for blocks.
    MemBegin = 0x05,
    /// End of writing to RAM; jump or stay.
    MemEnd = 0x06,
    /// One block for RAM.
    MemData = 0x07,
    /// Find the speed and the rhythm.
    Sync = 0x08,
    /// Write a register.
    WriteReg = 0x09,
    /// Read a register.
    ReadReg = 0x0A,
    /// Tell the size of the flash.
    SpiSetParams = 0x0B,
    /// Connect the flash's pins.
    SpiAttach = 0x0D,
    /// Read up to 64 bytes of flash (ROM only).
    ReadFlashSlow = 0x0E,
    /// Change the speed.
    ChangeBaudrate = 0x0F,
    /// Prepare (and erase) flash for deflated blocks.
    FlashDeflBegin = 0x10,
    /// One deflated block.
    FlashDeflData = 0x11,
    /// End of deflated writing.
    FlashDeflEnd = 0x12,
    /// MD5 of a part of flash.
    SpiFlashMd5 = 0x13,
    /// Secure boot and flash encryption state.
    GetSecurityInfo = 0x14,
    /// Erase the whole flash.
    EraseFlash = 0xD0,
    /// Erase sectors.
    EraseRegion = 0xD1,
    /// Stream a part of flash.
    ReadFlash = 0xD2,
    /// Leave the loader and run the program.
    RunUserCode = 0xD3,
    /// One block to be encrypted by the chip.
    FlashEncryptData = 0xD4,
    /// Digests of sectors (our own stub only, as what follows).
    SectorDigests = 0xE0,
    /// Send the same bytes back.
    Echo = 0xE1,
    /// Go on at another speed, and back again unless it is confirmed.
    TryBaud = 0xE2,
}

impl Opcode {
    /// The opcode with this code.
    pub fn from_byte(byte: u8) -> Option<Self> {
        const ALL: [Opcode; 26] = [
            Opcode::FlashBegin,
            Opcode::FlashData,
            Opcode::FlashEnd,
            Opcode::MemBegin,
            Opcode::MemEnd,
            Opcode::MemData,
            Opcode::Sync,
            Opcode::WriteReg,
            Opcode::ReadReg,
            Opcode::SpiSetParams,
            Opcode::SpiAttach,
            Opcode::ReadFlashSlow,
            Opcode::ChangeBaudrate,
            Opcode::FlashDeflBegin,
            Opcode::FlashDeflData,
            Opcode::FlashDeflEnd,
            Opcode::SpiFlashMd5,
            Opcode::GetSecurityInfo,
            Opcode::EraseFlash,
            Opcode::EraseRegion,
            Opcode::ReadFlash,
            Opcode::RunUserCode,
            Opcode::FlashEncryptData,
            Opcode::SectorDigests,
            Opcode::Echo,
            Opcode::TryBaud,
        ];
        ALL.into_iter().find(|opcode| *opcode as u8 == byte)
    }
}

/// What SYNC carries: a fixed head and bits that alternate, so that the ROM can measure the speed.
pub const SYNC_PAYLOAD: [u8; 36] = {
    let mut payload = [0x55; 36];
    payload[0] = 0x07;
    payload[1] = 0x07;
    payload[2] = 0x12;
    payload[3] = 0x20;
    payload
};

/// Length of the ROM's answer to SPI_FLASH_MD5; stubs send the 16 bytes themselves.
pub const MD5_HEX_LEN: usize = 32;

/// The words of FLASH_BEGIN and FLASH_DEFL_BEGIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlashBegin {
    /// Bytes to erase. Deflated: the size of the data inflated (a stub), or that rounded up to blocks (the ROM).
    pub erase_size: u32,
    /// How many blocks follow.
    pub blocks: u32,
    /// Length of every block but the last.
    pub block_size: u32,
    /// Flash offset.
    pub offset: u32,
    /// The fifth word of ROMs that have it: whether the chip encrypts what it writes.
    pub encrypt: Option<bool>,
}

/// The words of SPI_SET_PARAMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpiParameters {
    /// Bytes of flash.
    pub size: u32,
    /// Bytes of an erase block.
    pub block: u32,
    /// Bytes of an erase sector.
    pub sector: u32,
    /// Bytes of a program page.
    pub page: u32,
    /// Mask of the status bits that say busy.
    pub status_mask: u32,
}

impl SpiParameters {
    /// The geometry that all supported flash has.
    pub const fn of_size(size: u32) -> Self {
        Self { size, block: 0x1_0000, sector: 0x1000, page: 0x100, status_mask: 0xFFFF }
    }
}

/// A command with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// [`Opcode::FlashBegin`]
    FlashBegin(FlashBegin),
    /// [`Opcode::FlashData`]: block number, data.
    FlashData(u32, &'a [u8]),
    /// [`Opcode::FlashEnd`]
    FlashEnd {
        /// Stay in the loader instead of running the program.
        stay: bool,
    },
    /// [`Opcode::MemBegin`]
    MemBegin {
        /// Bytes in all.
        size: u32,
        /// How many blocks.
        blocks: u32,
        /// Length of every block but the last.
        block_size: u32,
        /// Address.
        address: u32,
    },
    /// [`Opcode::MemEnd`]
    MemEnd {
        /// Address to jump to; `None`: stay in the loader.
        entry: Option<u32>,
    },
    /// [`Opcode::MemData`]: block number, data.
    MemData(u32, &'a [u8]),
    /// [`Opcode::Sync`]
    Sync,
    /// [`Opcode::WriteReg`]
    WriteReg {
        /// Address.
        address: u32,
        /// Value.
        value: u32,
        /// Bits to change.
        mask: u32,
        /// Microseconds to wait after it.
        delay_us: u32,
    },
    /// [`Opcode::ReadReg`]: address.
    ReadReg(u32),
    /// [`Opcode::SpiSetParams`]
    SpiSetParams(SpiParameters),
    /// [`Opcode::SpiAttach`]
    SpiAttach {
        /// 0: the usual pins; else five pin numbers of 6 bits.
        pins: u32,
        /// The ROM wants a second word, stubs do not.
        rom: bool,
    },
    /// [`Opcode::ReadFlashSlow`]
    ReadFlashSlow {
        /// Flash offset.
        offset: u32,
        /// Bytes, at most 64.
        size: u32,
    },
    /// [`Opcode::ChangeBaudrate`]
    ChangeBaudrate {
        /// New speed.
        new: u32,
        /// Present speed; 0 when talking to the ROM.
        old: u32,
    },
    /// [`Opcode::FlashDeflBegin`]
    FlashDeflBegin(FlashBegin),
    /// [`Opcode::FlashDeflData`]: block number, deflated data.
    FlashDeflData(u32, &'a [u8]),
    /// [`Opcode::FlashDeflEnd`]
    FlashDeflEnd {
        /// Stay in the loader instead of running the program.
        stay: bool,
    },
    /// [`Opcode::SpiFlashMd5`]
    SpiFlashMd5 {
        /// Flash offset.
        offset: u32,
        /// Bytes.
        size: u32,
    },
    /// [`Opcode::GetSecurityInfo`]
    GetSecurityInfo,
    /// [`Opcode::EraseFlash`]
    EraseFlash,
    /// [`Opcode::EraseRegion`]
    EraseRegion {
        /// Flash offset, a multiple of the sector size.
        offset: u32,
        /// Bytes, a multiple of the sector size.
        size: u32,
    },
    /// [`Opcode::ReadFlash`]
    ReadFlash {
        /// Flash offset.
        offset: u32,
        /// Bytes.
        size: u32,
        /// Bytes per packet.
        packet: u32,
        /// Packets that may be under way unacknowledged.
        window: u32,
    },
    /// [`Opcode::RunUserCode`]
    RunUserCode,
    /// [`Opcode::FlashEncryptData`]: block number, data.
    FlashEncryptData(u32, &'a [u8]),
    /// [`Opcode::SectorDigests`]
    SectorDigests {
        /// Flash offset, a multiple of the sector size.
        offset: u32,
        /// Sectors, at most 4095.
        count: u32,
    },
    /// [`Opcode::Echo`]: at least 8 bytes.
    Echo(&'a [u8]),
    /// [`Opcode::TryBaud`]
    TryBaud {
        /// New speed.
        new: u32,
        /// It must be confirmed by [`Opcode::ChangeBaudrate`] within this time.
        milliseconds: u32,
        /// Present speed.
        old: u32,
    },
}

/// The arguments of a command: some words, then bytes.
struct Body<'a> {
    words: [u32; 6],
    count: usize,
    tail: &'a [u8],
    /// Data blocks carry a checksum.
    checksum: u8,
}

impl<'a> Body<'a> {
    fn words(words: &[u32]) -> Self {
        let mut body = Self { words: [0; 6], count: words.len(), tail: &[], checksum: 0 };
        body.words[..words.len()].copy_from_slice(words);
        body
    }

    fn block(number: u32, data: &'a [u8]) -> Self {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        Self { tail: data, checksum: checksum(data), ..Self::words(&[length, number, 0, 0]) }
    }

    fn begin(begin: &FlashBegin) -> Self {
        let FlashBegin { erase_size, blocks, block_size, offset, encrypt } = *begin;
        let words = [erase_size, blocks, block_size, offset, encrypt.unwrap_or(false).into()];
        Self::words(&words[..if encrypt.is_some() { 5 } else { 4 }])
    }
}

impl<'a> Command<'a> {
    /// The command's code.
    pub const fn opcode(&self) -> Opcode {
        match self {
            Self::FlashBegin(_) => Opcode::FlashBegin,
            Self::FlashData(..) => Opcode::FlashData,
            Self::FlashEnd { .. } => Opcode::FlashEnd,
            Self::MemBegin { .. } => Opcode::MemBegin,
            Self::MemEnd { .. } => Opcode::MemEnd,
            Self::MemData(..) => Opcode::MemData,
            Self::Sync => Opcode::Sync,
            Self::WriteReg { .. } => Opcode::WriteReg,
            Self::ReadReg(_) => Opcode::ReadReg,
            Self::SpiSetParams(_) => Opcode::SpiSetParams,
            Self::SpiAttach { .. } => Opcode::SpiAttach,
            Self::ReadFlashSlow { .. } => Opcode::ReadFlashSlow,
            Self::ChangeBaudrate { .. } => Opcode::ChangeBaudrate,
            Self::FlashDeflBegin(_) => Opcode::FlashDeflBegin,
            Self::FlashDeflData(..) => Opcode::FlashDeflData,
            Self::FlashDeflEnd { .. } => Opcode::FlashDeflEnd,
            Self::SpiFlashMd5 { .. } => Opcode::SpiFlashMd5,
            Self::GetSecurityInfo => Opcode::GetSecurityInfo,
            Self::EraseFlash => Opcode::EraseFlash,
            Self::EraseRegion { .. } => Opcode::EraseRegion,
            Self::ReadFlash { .. } => Opcode::ReadFlash,
            Self::RunUserCode => Opcode::RunUserCode,
            Self::FlashEncryptData(..) => Opcode::FlashEncryptData,
            Self::SectorDigests { .. } => Opcode::SectorDigests,
            Self::Echo(_) => Opcode::Echo,
            Self::TryBaud { .. } => Opcode::TryBaud,
        }
    }

    fn body(&self) -> Body<'a> {
        match *self {
            Self::FlashBegin(ref begin) | Self::FlashDeflBegin(ref begin) => Body::begin(begin),
            Self::FlashData(number, data)
            | Self::FlashDeflData(number, data)
            | Self::FlashEncryptData(number, data)
            | Self::MemData(number, data) => Body::block(number, data),
            Self::FlashEnd { stay } | Self::FlashDeflEnd { stay } => Body::words(&[stay.into()]),
            Self::MemBegin { size, blocks, block_size, address } => {
                Body::words(&[size, blocks, block_size, address])
            }
            Self::MemEnd { entry } => Body::words(&[entry.is_none().into(), entry.unwrap_or(0)]),
            Self::Sync => Body { tail: &SYNC_PAYLOAD, ..Body::words(&[]) },
            Self::WriteReg { address, value, mask, delay_us } => {
                Body::words(&[address, value, mask, delay_us])
            }
            Self::ReadReg(address) => Body::words(&[address]),
            Self::SpiSetParams(SpiParameters { size, block, sector, page, status_mask }) => {
                Body::words(&[0, size, block, sector, page, status_mask])
            }
            Self::SpiAttach { pins, rom } => Body::words(&[pins, 0][..if rom { 2 } else { 1 }]),
            Self::ReadFlashSlow { offset, size } | Self::EraseRegion { offset, size } => {
                Body::words(&[offset, size])
            }
            Self::ChangeBaudrate { new, old } => Body::words(&[new, old]),
            Self::SpiFlashMd5 { offset, size } => Body::words(&[offset, size, 0, 0]),
            Self::ReadFlash { offset, size, packet, window } => Body::words(&[offset, size, packet, window]),
            Self::SectorDigests { offset, count } => Body::words(&[offset, count]),
            Self::Echo(bytes) => Body { tail: bytes, ..Body::words(&[]) },
            Self::TryBaud { new, milliseconds, old } => Body::words(&[new, milliseconds, old]),
            Self::GetSecurityInfo | Self::EraseFlash | Self::RunUserCode => Body::words(&[]),
        }
    }

    /// The SLIP frame of the command: direction 0, code, length of the body, checksum, body.
    pub fn frame(&self) -> impl Iterator<Item = u8> + use<'a> {
        let body = self.body();
        let length = u16::try_from(body.count * 4 + body.tail.len()).unwrap_or(u16::MAX);
        let [low, high] = length.to_le_bytes();
        let head = [0, self.opcode() as u8, low, high, body.checksum, 0, 0, 0];
        let words = body.words.into_iter().take(body.count).flat_map(u32::to_le_bytes);
        slip::encode(head.into_iter().chain(words).chain(body.tail.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn bytes(command: Command<'_>) -> Vec<u8> {
        command.frame().collect()
    }

    #[test]
    fn sync_is_the_documented_packet() {
        let mut expected = std::vec![0xC0, 0, 0x08, 36, 0, 0, 0, 0, 0, 0x07, 0x07, 0x12, 0x20];
        expected.extend([0x55; 32]);
        expected.push(0xC0);
        assert_eq!(bytes(Command::Sync), expected);
    }

    #[test]
    fn a_register_read_is_one_word() {
        let expected = [0xC0, 0, 0x0A, 4, 0, 0, 0, 0, 0, 0x00, 0x10, 0x00, 0x40, 0xC0];
        assert_eq!(bytes(Command::ReadReg(0x4000_1000)), expected);
    }

    #[test]
    fn a_block_carries_its_length_number_and_checksum() {
        let expected = [
            0xC0,
            0,
            0x03,
            18,
            0,
            0xEF ^ 1 ^ 0xDB,
            0,
            0,
            0, //
            2,
            0,
            0,
            0,
            7,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0, //
            1,
            0xDB,
            0xDD,
            0xC0,
        ];
        assert_eq!(bytes(Command::FlashData(7, &[1, 0xDB])), expected);
    }

    #[test]
    fn begin_has_a_fifth_word_only_where_the_rom_has_it() {
        let begin = FlashBegin { erase_size: 1, blocks: 2, block_size: 3, offset: 4, encrypt: None };
        assert_eq!(bytes(Command::FlashBegin(begin))[3], 16);
        let encrypting = FlashBegin { encrypt: Some(false), ..begin };
        assert_eq!(bytes(Command::FlashDeflBegin(encrypting))[3], 20);
    }

    #[test]
    fn opcodes_round_trip() {
        for byte in 0..=u8::MAX {
            if let Some(opcode) = Opcode::from_byte(byte) {
                assert_eq!(opcode as u8, byte);
            }
        }
        assert_eq!(Opcode::from_byte(0x0C), None);
    }
}
