//! The SHA accelerator: SHA-1, SHA-224, SHA-256 in typical mode. Source: TRM chapter 19.
//!
//! A block is hashed when START or CONTINUE is written; the result is there at once but BUSY shows the documented time.

use super::io::Io;
use crate::time::Ticks;

/// Base address.
pub const BASE: u32 = 0x6003_B000;
const MODE: u32 = 0x00;
const DMA_BLOCK_NUM: u32 = 0x0C;
const START: u32 = 0x10;
const CONTINUE: u32 = 0x14;
const BUSY: u32 = 0x18;
const DMA_START: u32 = 0x1C;
const DMA_CONTINUE: u32 = 0x20;
const CLEAR_IRQ: u32 = 0x24;
const IRQ_ENA: u32 = 0x28;
const H_MEM: u32 = 0x40;
const M_MEM: u32 = 0x80;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    MODE,
    DMA_BLOCK_NUM,
    START,
    CONTINUE,
    BUSY,
    DMA_START,
    DMA_CONTINUE,
    CLEAR_IRQ,
    IRQ_ENA,
    0x40,
    0x44,
    0x48,
    0x4C,
    0x50,
    0x54,
    0x58,
    0x5C,
    0x80,
    0x84,
    0x88,
    0x8C,
    0x90,
    0x94,
    0x98,
    0x9C,
    0xA0,
    0xA4,
    0xA8,
    0xAC,
    0xB0,
    0xB4,
    0xB8,
    0xBC,
];

/// Offsets of modelled registers that are plain storage when accessed.
pub const PLAIN: &[u32] = &[
    MODE, 0x40, 0x44, 0x48, 0x4C, 0x50, 0x54, 0x58, 0x5C, 0x80, 0x84, 0x88, 0x8C, 0x90, 0x94, 0x98, 0x9C,
    0xA0, 0xA4, 0xA8, 0xAC, 0xB0, 0xB4, 0xB8, 0xBC,
];

const SHA1: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
const SHA224: [u32; 8] =
    [0xC105_9ED8, 0x367C_D507, 0x3070_DD17, 0xF70E_5939, 0xFFC0_0B31, 0x6858_1511, 0x64F9_8FA7, 0xBEFA_4FA4];
const SHA256: [u32; 8] =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

/// The accelerator.
#[derive(Clone, Default)]
pub struct Sha {
    busy_until: Ticks,
    irq: bool,
}

impl Sha {
    /// Whether an operation is in progress.
    #[must_use]
    pub fn is_busy(&self, now: Ticks) -> bool {
        now < self.busy_until
    }

    /// Whether a DMA operation ended and its interrupt is enabled.
    #[must_use]
    pub fn interrupt(&self, io: &Io<'_>) -> bool {
        self.irq && io.registers.get(BASE + IRQ_ENA) & 1 != 0
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        match offset {
            BUSY if io.now < self.busy_until => {
                *io.stable_until = (*io.stable_until).min(self.busy_until);
                1
            }
            BUSY => 0,
            START | CONTINUE | DMA_START | DMA_CONTINUE | CLEAR_IRQ => 0,
            _ => io.registers.get(BASE + offset),
        }
    }

    /// Writes a register; gives the number of blocks to fetch by DMA and whether they start a hash.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) -> Option<(u32, bool)> {
        match offset {
            START | CONTINUE => {
                let words: [u32; 16] =
                    *io.registers.words(BASE + M_MEM, 16).first_chunk().expect("they are 16");
                self.hash(io, words.map(u32::to_le_bytes).as_flattened(), offset == START);
            }
            DMA_START | DMA_CONTINUE => {
                return Some((io.registers.get(BASE + DMA_BLOCK_NUM) & 0x3F, offset == DMA_START));
            }
            CLEAR_IRQ => self.irq = false,
            BUSY => {}
            _ => io.registers.set(BASE + offset, value),
        }
        None
    }

    /// Hashes whole blocks that DMA brought.
    pub fn hash_dma(&mut self, io: &mut Io<'_>, data: &[u8], first: bool) {
        self.hash(io, data, first);
        self.irq = true;
    }

    /// Hashes `data`, whole blocks, into the state in H_MEM.
    fn hash(&mut self, io: &mut Io<'_>, data: &[u8], mut first: bool) {
        let mode = io.registers.get(BASE + MODE) & 7;
        for block in data.as_chunks().0 {
            let words = io.registers.words(BASE + H_MEM, 8).first_chunk_mut().expect("they are 8");
            let mut state: [u32; 8] = words.map(u32::swap_bytes);
            if std::mem::take(&mut first) {
                state = match mode {
                    0 => [SHA1[0], SHA1[1], SHA1[2], SHA1[3], SHA1[4], 0, 0, 0],
                    1 => SHA224,
                    _ => SHA256,
                };
            }
            let block = std::slice::from_ref(block);
            if mode == 0 {
                let mut five = [state[0], state[1], state[2], state[3], state[4]];
                sha1::block_api::compress(&mut five, block);
                state[..5].copy_from_slice(&five);
            } else {
                sha2::block_api::compress256(&mut state, block);
            }
            *words = state.map(u32::swap_bytes);
            // 80 or 64 rounds and the transfer of the block.
            self.busy_until = io.now + if mode == 0 { 100 } else { 80 } * io.apb;
        }
    }
}
