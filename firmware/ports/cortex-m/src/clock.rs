//! Time: SysTick counts the processor's cycles down, a millisecond a turn; its interrupt counts the turns.
//!
//! Invariant: the interrupt handler alone writes `TURNS`, the main program alone writes `OFFSET`.
//!
//! Source: ARM B3.3, "The system timer, SysTick".

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::asm;
use cortex_m::interrupt;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use larch_board::receive;
use larch_vm::vm::INTERRUPTED;

/// MicroPython's time starts there if nothing tells the time of day: 2000-01-01.
const EPOCH_2000_US: u64 = 946_684_800_000_000;

/// Milliseconds since boot, low half first.
static TURNS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
/// What is added to the time since boot, in microseconds, low half first.
static OFFSET: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
static CYCLES_A_TURN: AtomicU32 = AtomicU32::new(1);

fn load(halves: &[AtomicU32; 2]) -> u64 {
    let [low, high] = [0, 1].map(|half| u64::from(halves[half].load(Ordering::Relaxed)));
    high << 32 | low
}

fn store(halves: &[AtomicU32; 2], value: u64) {
    halves[0].store(value as u32, Ordering::Relaxed);
    halves[1].store((value >> 32) as u32, Ordering::Relaxed);
}

/// Starts counting at the processor's speed. Called once, with interrupts off.
pub fn set_up(frequency_hz: u32) {
    let cycles = frequency_hz / 1000;
    CYCLES_A_TURN.store(cycles, Ordering::Relaxed);
    store(&OFFSET, EPOCH_2000_US);
    // SAFETY: nobody else uses the timer.
    let mut timer = unsafe { cortex_m::Peripherals::steal() }.SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(cycles - 1);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// A turn is over.
pub fn on_turn() {
    store(&TURNS, load(&TURNS).wrapping_add(1));
}

/// Turns since boot and cycles of the present one.
fn now() -> (u64, u32) {
    interrupt::free(|_| {
        let before = SYST::get_current();
        let is_over = SCB::is_pendst_pending();
        // If the turn ended between the two, the second look is the one that fits.
        let left = if is_over { SYST::get_current() } else { before };
        let cycles = CYCLES_A_TURN.load(Ordering::Relaxed);
        (load(&TURNS) + u64::from(is_over), cycles - 1 - left.min(cycles - 1))
    })
}

/// Microseconds since boot.
pub fn now_us() -> u64 {
    let (turns, cycles) = now();
    turns * 1000 + u64::from(cycles * 1000 / CYCLES_A_TURN.load(Ordering::Relaxed))
}

/// Processor cycles.
pub fn cycles() -> u32 {
    let (turns, cycles) = now();
    (turns as u32).wrapping_mul(CYCLES_A_TURN.load(Ordering::Relaxed)).wrapping_add(cycles)
}

/// Sets the time of day.
pub fn set_epoch_us(epoch_us: u64) {
    store(&OFFSET, epoch_us.wrapping_sub(now_us()));
}

/// Microseconds since 1970.
pub fn epoch_us() -> u64 {
    now_us().wrapping_add(load(&OFFSET))
}

/// Stops the processor until an interrupt; the end of a turn is one.
pub fn idle(deadline_us: Option<u64>) {
    if deadline_us.is_some_and(|deadline| deadline <= now_us()) {
        return;
    }
    // With interrupts held back, a byte that arrives after the check still ends the wait.
    interrupt::free(|_| {
        if !receive::is_readable() && !INTERRUPTED.load(Ordering::Relaxed) {
            asm::wfi();
        }
    });
}
