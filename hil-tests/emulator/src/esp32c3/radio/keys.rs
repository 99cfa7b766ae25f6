//! The key slots: which key belongs to a frame.

use super::{TX_BASE, address};
use crate::air::Mac;
use crate::air::crypto;
use crate::air::frame::Frame;
use crate::registers::Registers;

/// First slot in the transmit block, and bytes of a slot: address, flags, key.
const SLOTS: u32 = TX_BASE + 0x400;
const SLOT_SIZE: u32 = 40;
const SLOT_COUNT: u32 = 25;
/// Which slots hold a key.
const VALID: u32 = super::BASE + 0x814;

const CCMP: u32 = 3;
/// Whose key it is: the chip's as a station, or as an access point.
pub const STATION: u32 = 0;
/// See [`STATION`].
pub const ACCESS_POINT: u32 = 1;
const PAIRWISE: u32 = 3;
const GROUP: u32 = 6;

struct Slot {
    mac: Mac,
    flags: u32,
    key: [u8; 16],
}

impl Slot {
    fn kind(&self) -> u32 {
        self.flags >> 5 & 7
    }

    fn interface(&self) -> u32 {
        self.flags >> 8 & 1
    }
}

fn slots(registers: &Registers) -> impl Iterator<Item = Slot> {
    let valid = registers.get(VALID);
    (0..SLOT_COUNT).filter(move |slot| valid >> slot & 1 != 0).filter_map(|slot| {
        let at = SLOTS + SLOT_SIZE * slot;
        let flags = registers.get(at + 4) >> 16;
        let mut key = [0; 16];
        for (i, chunk) in key.chunks_exact_mut(4).enumerate() {
            chunk.copy_from_slice(&registers.get(at + 8 + 4 * i as u32).to_le_bytes());
        }
        (flags >> 2 & 7 == CCMP).then(|| Slot { mac: address(registers, at), flags, key })
    })
}

/// The key for an encrypted frame between this chip and `peer`. A group key is the access point's own if this chip is the one that
/// sends, else that of the access point it is a station of.
pub fn find(registers: &Registers, frame: Frame<'_>, peer: Mac, interface: u32) -> Option<[u8; 16]> {
    let id = u32::from(crypto::ccmp_key_id(frame.body())?);
    slots(registers)
        .find(|slot| {
            if frame.is_group() {
                slot.kind() == GROUP && slot.interface() == interface && slot.flags >> 14 & 3 == id
            } else {
                slot.kind() == PAIRWISE && slot.mac == peer
            }
        })
        .map(|slot| slot.key)
}
