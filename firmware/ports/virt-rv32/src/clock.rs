//! Time: the CLINT's `mtime` counts tenths of microseconds since boot; the Goldfish RTC gives the time of day at boot.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use larch_board::receive;
use larch_vm::vm::INTERRUPTED;

use crate::mmio;
use crate::start::TIMER_ENABLE;

const MTIMECMP: usize = 0x0200_4000;
const MTIME: usize = 0x0200_bff8;
const TICKS_PER_US: u64 = 10;
/// Goldfish RTC: nanoseconds since 1970. Reading the low half keeps the high one.
const RTC: usize = 0x0010_1000;

/// What is added to the time since boot, in microseconds, low half first. Only the main program touches it.
static OFFSET: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

/// Takes the time of day from the machine.
pub fn set_up() {
    let low = mmio::read(RTC);
    let nanoseconds = u64::from(mmio::read(RTC + 4)) << 32 | u64::from(low);
    set_epoch_us(nanoseconds / 1000);
}

/// Sets the time of day.
pub fn set_epoch_us(epoch_us: u64) {
    let offset = epoch_us.wrapping_sub(now_us());
    OFFSET[0].store(offset as u32, Ordering::Relaxed);
    OFFSET[1].store((offset >> 32) as u32, Ordering::Relaxed);
}

/// Microseconds since 1970.
pub fn epoch_us() -> u64 {
    let [low, high] = [0, 1].map(|half| u64::from(OFFSET[half].load(Ordering::Relaxed)));
    now_us().wrapping_add(high << 32 | low)
}

fn ticks() -> u64 {
    loop {
        let high = mmio::read(MTIME + 4);
        let low = mmio::read(MTIME);
        if mmio::read(MTIME + 4) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Microseconds since boot.
pub fn now_us() -> u64 {
    ticks() / TICKS_PER_US
}

/// Processor cycles; with `-icount shift=0` executed instructions.
pub fn cycles() -> u32 {
    let cycles: u32;
    // SAFETY: reads a counter.
    unsafe { asm!("csrr {}, mcycle", out(reg) cycles) };
    cycles
}

/// Stops the processor until an interrupt, but not beyond the deadline.
pub fn idle(deadline_us: Option<u64>) {
    let enable = match deadline_us {
        Some(deadline) if deadline <= now_us() => return,
        Some(deadline) => {
            let deadline = deadline.saturating_mul(TICKS_PER_US);
            mmio::write(MTIMECMP + 4, u32::MAX);
            mmio::write(MTIMECMP, deadline as u32);
            mmio::write(MTIMECMP + 4, (deadline >> 32) as u32);
            TIMER_ENABLE
        }
        None => 0,
    };
    // SAFETY: with interrupts held back, a byte that arrives after the check still ends the wait; they are let in again.
    unsafe {
        asm!("csrs mie, {}", "csrci mstatus, 8", in(reg) enable);
        if !receive::is_readable() && !INTERRUPTED.load(Ordering::Relaxed) {
            asm!("wfi");
        }
        asm!("csrc mie, {}", "csrsi mstatus, 8", in(reg) TIMER_ENABLE);
    }
}

/// Silences the alarm; whoever waits looks at the time.
pub fn on_alarm() {
    // SAFETY: disables one interrupt.
    unsafe { asm!("csrc mie, {}", in(reg) TIMER_ENABLE) };
}
