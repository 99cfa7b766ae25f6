//! The transmit queues: writing a descriptor's address with both top bits set sends the frame.

use super::super::io::Io;
use super::{BASE, EVENT_SENT, EVENTS, TX_BASE, TX_COMPLETE, TX_DESCRIPTOR, keys};
use crate::air::crypto::{self, CCMP_MIC};
use crate::air::frame::Frame;
use crate::air::{Air, Rate};
use crate::memory::Memory;
use crate::registers::Registers;
use crate::time::{NEVER, Ticks};

const START: u32 = 3 << 30;
const OWNERS: u32 = 0x3FFF_FFFF;
/// Descriptors are in SRAM; the register holds the rest of the address.
const SRAM: u32 = 0x3FC0_0000;
const CHECK_SEQUENCE: usize = 4;
const END_OF_FRAME: u32 = 1 << 30;
/// A frame is in fewer pieces.
const MAX_PIECES: usize = 16;
const MAX_FRAME: usize = 4096;
/// Queue 0's parameters; the others are below, 76 bytes apart.
const PARAMETERS: u32 = TX_BASE + 0x2F8;
const STATUS: u32 = TX_BASE + 0x320;
const QUEUE_SIZE: u32 = 76;
const ACK_TIMEOUT: u32 = 5;
const QUEUES: usize = 6;

#[derive(Clone, Copy)]
struct Pending {
    done_at: Ticks,
    success: bool,
}

/// The queues.
#[derive(Clone, Default)]
pub struct Queues([Option<Pending>; QUEUES]);

impl Queues {
    /// When the next transmission is over.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.0.iter().flatten().map(|pending| pending.done_at).min().unwrap_or(NEVER)
    }

    /// The driver wrote the descriptor register of `queue`.
    pub fn start(&mut self, io: &mut Io<'_>, memory: &Memory, air: &mut Air, queue: u32, channel: u8) {
        let value = io.registers.get(BASE + TX_DESCRIPTOR - 8 * queue);
        let Some(pending) = self.0.get_mut(queue as usize).filter(|_| value & START == START) else { return };
        let Some(frame) = gather(memory, SRAM | value & 0xF_FFFF) else {
            return tracing::warn!("transmit queue {queue} has a broken descriptor: {value:#010x}");
        };
        let frame = encrypt(io.registers, frame);
        let rate = Rate((io.registers.get(PARAMETERS - QUEUE_SIZE * queue) >> 12 & 0x1F) as u8);
        tracing::trace!("queue {queue} sends {} bytes on channel {channel} at {rate:?}", frame.len());
        // Access points work up to now before they hear something new.
        air.advance(io.now);
        let sent = air.transmit(frame, channel, rate, io.now);
        *pending = Some(Pending { done_at: sent.done_at, success: sent.success });
    }

    /// Tells the driver of transmissions that are over.
    pub fn finish(&mut self, io: &mut Io<'_>) {
        for (queue, slot) in (0..).zip(&mut self.0) {
            let Some(pending) = slot.take_if(|pending| pending.done_at <= io.now) else { continue };
            let status = if pending.success { 0 } else { ACK_TIMEOUT };
            io.registers.modify(STATUS - QUEUE_SIZE * queue, |word| word & !(15 << 12) | status << 12);
            io.registers.modify(BASE + TX_DESCRIPTOR - 8 * queue, |word| word & OWNERS);
            io.registers.modify(BASE + TX_COMPLETE, |done| done | 1 << queue);
            io.registers.modify(BASE + EVENTS, |events| events | EVENT_SENT);
        }
    }
}

/// The frame that a list of descriptors holds, without its check sequence.
fn gather(memory: &Memory, mut descriptor: u32) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    for _ in 0..MAX_PIECES {
        let state = memory.load32(descriptor)?;
        let buffer = memory.load32(descriptor + 4)?;
        for i in 0..state >> 12 & 0xFFF {
            frame.push(memory.load8(buffer.wrapping_add(i))?);
        }
        descriptor = memory.load32(descriptor + 8)?;
        if state & END_OF_FRAME != 0 || descriptor == 0 || frame.len() > MAX_FRAME {
            break;
        }
    }
    frame.truncate(frame.len().checked_sub(CHECK_SEQUENCE)?);
    Some(frame)
}

/// Encrypts a frame that asks for it; it has its CCMP header, and room for the integrity code.
fn encrypt(registers: &Registers, mut bytes: Vec<u8>) -> Vec<u8> {
    let Some(frame) = Frame::parse(&bytes).filter(|frame| frame.is_protected()) else { return bytes };
    let Some(key) = keys::find(registers, frame, frame.receiver(), keys::ACCESS_POINT) else { return bytes };
    bytes.truncate(bytes.len().saturating_sub(CCMP_MIC));
    crypto::ccmp_encrypt(&key, &bytes).unwrap_or(bytes)
}
