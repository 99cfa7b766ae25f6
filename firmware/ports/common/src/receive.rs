//! Bytes on their way from the terminal's receive interrupt to the program.
//!
//! The interrupt handler pushes, so that a program that computes loses nothing that is typed ahead; it looks for the
//! interrupt byte on the way.
//!
//! Invariant: [`push`] is called by the interrupt handler alone and writes `HEAD`; the main program alone writes `TAIL`.

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicUsize, Ordering};

use larch_vm::vm::interrupt;

/// Twice what the raw-paste mode lets the other side send unasked, and room for what people type ahead.
const RING_SIZE: usize = 1024;
const NO_INTERRUPT_BYTE: u16 = 0x100;

static RING: [AtomicU8; RING_SIZE] = [const { AtomicU8::new(0) }; RING_SIZE];
static HEAD: AtomicUsize = AtomicUsize::new(0);
static TAIL: AtomicUsize = AtomicUsize::new(0);
static INTERRUPT_BYTE: AtomicU16 = AtomicU16::new(NO_INTERRUPT_BYTE);

/// Takes a byte in; it is lost if nobody has read the last thousand.
pub fn push(byte: u8) {
    if u16::from(byte) == INTERRUPT_BYTE.load(Ordering::Relaxed) {
        interrupt();
        return;
    }
    let head = HEAD.load(Ordering::Relaxed);
    let next = (head + 1) % RING_SIZE;
    if next != TAIL.load(Ordering::Acquire) {
        RING[head].store(byte, Ordering::Relaxed);
        HEAD.store(next, Ordering::Release);
    }
}

/// Whether [`push`] would lose a byte.
pub fn is_full() -> bool {
    room() == 0
}

/// How many bytes [`push`] would not lose.
pub fn room() -> usize {
    let held = HEAD.load(Ordering::Relaxed).wrapping_sub(TAIL.load(Ordering::Acquire)) % RING_SIZE;
    RING_SIZE - 1 - held
}

/// The next byte, if one has arrived.
pub fn read() -> Option<u8> {
    let tail = TAIL.load(Ordering::Relaxed);
    if tail == HEAD.load(Ordering::Acquire) {
        return None;
    }
    let byte = RING[tail].load(Ordering::Relaxed);
    TAIL.store((tail + 1) % RING_SIZE, Ordering::Release);
    Some(byte)
}

/// Whether a byte waits to be read.
pub fn is_readable() -> bool {
    TAIL.load(Ordering::Relaxed) != HEAD.load(Ordering::Acquire)
}

/// Chooses the byte that interrupts the program instead of being read.
pub fn set_interrupt_byte(byte: Option<u8>) {
    INTERRUPT_BYTE.store(byte.map_or(NO_INTERRUPT_BYTE, u16::from), Ordering::Relaxed);
}

/// Whether a byte interrupts the program: a program is running.
pub fn has_interrupt_byte() -> bool {
    INTERRUPT_BYTE.load(Ordering::Relaxed) != NO_INTERRUPT_BYTE
}
