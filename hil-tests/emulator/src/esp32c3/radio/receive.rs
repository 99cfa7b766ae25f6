//! The receive ring: a list of descriptors of 12 bytes (sizes and flags, buffer, next) in memory.

use super::damage::Damage;
use super::{BASE, EVENT_RECEIVED, EVENTS, RX_LAST, RX_NEXT, address, channel, keys};
use crate::air::crypto::{self, CCMP_MIC};
use crate::air::frame::{Frame, flag};
use crate::air::{Heard, Mac, Rate};
use crate::memory::Memory;
use crate::registers::Registers;
use crate::time::TICKS_PER_US;

/// Bytes that the hardware puts before a frame.
const HEADER: usize = 48;
const CHECK_SEQUENCE: usize = 4;
/// The lowest 20 bits of a descriptor's address are in registers.
const ADDRESS: u32 = 0xF_FFFF;
const END_OF_FRAME: u32 = 1 << 30;
const NOISE_FLOOR: i8 = -97;

/// This chip's own addresses as station and as access point.
pub const STATION: u32 = BASE + 0x40;
/// See [`STATION`].
pub const ACCESS_POINT: u32 = BASE + 0x48;
/// The access point that the station belongs to.
const BSSID: u32 = BASE;
const MATCHES_STATION: u32 = 1 << 28;
const MATCHES_ACCESS_POINT: u32 = 1 << 29;

/// The ring.
#[derive(Clone, Default)]
pub struct Ring {
    next: u32,
    last: u32,
}

impl Ring {
    /// The driver gives a new list.
    pub fn start(&mut self, registers: &mut Registers, first: u32) {
        registers.set(BASE + super::RX_BASE, first);
        *self = Self { next: first, last: 0 };
    }

    /// The driver lengthened the list: goes on after the last descriptor used.
    pub fn reload(&mut self, registers: &mut Registers, memory: &Memory) {
        if self.next == 0 && self.last != 0 {
            self.next = memory.load32(self.last + 8).unwrap_or(0);
            registers.set(BASE + RX_NEXT, self.next & ADDRESS);
        }
    }

    /// A frame ended on the air.
    pub fn receive(
        &mut self,
        registers: &mut Registers,
        memory: &mut Memory,
        heard: &Heard,
        damage: Option<&mut Damage>,
    ) {
        let Some(flags) = wanted(registers, heard) else { return };
        let Some(frame) = decrypt(registers, &heard.frame) else {
            return tracing::debug!("no key, or the wrong one, for an encrypted frame");
        };
        let frames = match damage {
            Some(damage) => damage.among_copies(frame),
            None => vec![frame],
        };
        for frame in frames {
            if self.deliver(memory, &header(heard, flags, frame.len()), &frame).is_none() {
                tracing::debug!("the receive ring has no room for {} bytes", frame.len());
            }
        }
        registers.set(BASE + RX_LAST, self.last & ADDRESS);
        registers.set(BASE + RX_NEXT, self.next & ADDRESS);
        registers.modify(BASE + EVENTS, |events| events | EVENT_RECEIVED);
    }

    fn deliver(&mut self, memory: &mut Memory, header: &[u8; HEADER], frame: &[u8]) -> Option<()> {
        let descriptor = self.next;
        let state = memory.load32(descriptor).filter(|_| descriptor != 0)?;
        let (buffer, next) = (memory.load32(descriptor + 4)?, memory.load32(descriptor + 8)?);
        let length = HEADER + frame.len() + CHECK_SEQUENCE;
        if length > (state & 0xFFF) as usize {
            return None;
        }
        memory.store_slow(buffer, header)?;
        memory.store_slow(buffer + HEADER as u32, frame)?;
        memory.store_slow(buffer + (HEADER + frame.len()) as u32, &[0; CHECK_SEQUENCE])?;
        let state = state & !0xFF_F000 | (length as u32) << 12 | END_OF_FRAME;
        memory.store_slow(descriptor, &state.to_le_bytes())?;
        (self.last, self.next) = (descriptor, next);
        Some(())
    }
}

/// Which of the chip's addresses a frame is for; `None` if the receiver does not take it.
fn wanted(registers: &Registers, heard: &Heard) -> Option<u32> {
    let frame = Frame::parse(&heard.frame).filter(|_| heard.channel == channel(registers))?;
    let receiver: Mac = frame.receiver();
    if frame.is_group() {
        let foreign = frame.is_data()
            && frame.flags() & flag::FROM_DS != 0
            && frame.transmitter() != address(registers, BSSID);
        return (!foreign).then_some(MATCHES_STATION);
    }
    let own = |at, flag| if receiver == address(registers, at) { flag } else { 0 };
    let flags = own(STATION, MATCHES_STATION) | own(ACCESS_POINT, MATCHES_ACCESS_POINT);
    (flags != 0).then_some(flags)
}

/// Decrypts; the driver expects the CCMP header, and room for the integrity code, to stay.
fn decrypt(registers: &Registers, bytes: &[u8]) -> Option<Vec<u8>> {
    let frame = Frame::parse(bytes)?;
    if !frame.is_protected() {
        return Some(bytes.to_vec());
    }
    let key = keys::find(registers, frame, frame.transmitter(), keys::STATION)?;
    let mut plain = crypto::ccmp_decrypt(&key, bytes)?;
    plain.extend([0; CCMP_MIC]);
    Some(plain)
}

/// What the hardware tells of a frame.
fn header(heard: &Heard, flags: u32, length: usize) -> [u8; HEADER] {
    let Rate(rate) = heard.rate;
    let mut words = [0; HEADER / 4];
    words[0] = u32::from(heard.rssi as u8) | u32::from(rate & 0x1F) << 8 | flags;
    words[2] = u32::from(heard.channel) << 16;
    words[3] = (heard.at / TICKS_PER_US) as u32;
    words[5] = u32::from(NOISE_FLOOR as u8);
    words[11] = (length + CHECK_SEQUENCE) as u32;
    let mut header = [0; HEADER];
    for (bytes, word) in header.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&u32::to_le_bytes(word));
    }
    header
}
