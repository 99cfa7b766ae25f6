//! Time: the system timer counts microseconds since boot; the time of day is that plus an offset, which the RTC keeps
//! through resets.
//!
//! Invariant: only the main program touches `OFFSET`, so its halves belong together.

use core::sync::atomic::{AtomicU32, Ordering};

use esp_hal::interrupt::Priority;
use esp_hal::peripherals::{RTC_TIMER, SYSTIMER};
use esp_hal::rtc_cntl::Rtc;
use esp_hal::time::{Duration, Instant};
use esp_hal::timer::systimer::SystemTimer;
use esp_hal::timer::{OneShotTimer, PeriodicTimer};
use esp_hal::{Blocking, handler};
use esp_sync::RawMutex;
use larch_board::receive;
use larch_vm::vm::{INTERRUPTED, PENDING};

use crate::radio;

/// 2000-01-01: what the clock shows after the power came up, as MicroPython has it.
const EPOCH_2000_US: u64 = 946_684_800_000_000;
/// How often a program that computes looks after the network.
const BEAT: Duration = Duration::from_millis(10);
/// The longest sleep at a time; whoever waits looks around that often.
const IDLE_MAX_US: u64 = 20_000;

/// The clocks.
pub struct Clocks {
    rtc: Rtc<'static>,
    alarm: OneShotTimer<'static, Blocking>,
}

/// Has a program that computes look around now and then: [`PENDING`] is set again and again.
pub struct Beat(PeriodicTimer<'static, Blocking>);

impl Beat {
    /// From now on, or not any more.
    pub fn set(&mut self, on: bool) {
        if on {
            self.0.listen();
            // The period is a possible one.
            let _ = self.0.start(BEAT);
        } else if self.0.cancel().is_ok() {
            self.0.unlisten();
        }
    }
}

impl Clocks {
    /// Starts the alarm, and the calendar if the power was off; the beat waits for who needs it.
    pub fn new(systimer: SYSTIMER<'static>, rtc_timer: RTC_TIMER<'static>) -> (Self, Beat) {
        count_cycles();
        let rtc = Rtc::new(rtc_timer);
        if rtc.current_time_us() < EPOCH_2000_US {
            rtc.set_current_time_us(EPOCH_2000_US);
        }
        set_offset(rtc.current_time_us().wrapping_sub(now_us()));
        let SystemTimer { alarm0, alarm1, .. } = SystemTimer::new(systimer);
        let mut beat = PeriodicTimer::new(alarm1);
        beat.set_interrupt_handler(on_beat);
        let mut alarm = OneShotTimer::new(alarm0);
        alarm.set_interrupt_handler(on_alarm);
        alarm.listen();
        (Self { rtc, alarm }, Beat(beat))
    }

    /// Sets the time of day.
    pub fn set_epoch_us(&mut self, epoch_us: u64) {
        self.rtc.set_current_time_us(epoch_us);
        set_offset(epoch_us.wrapping_sub(now_us()));
    }

    /// Stops the processor until an interrupt, but not beyond the deadline.
    pub fn idle(&mut self, deadline_us: Option<u64>) {
        let now = now_us();
        let wait = deadline_us.map_or(IDLE_MAX_US, |deadline| deadline.saturating_sub(now).min(IDLE_MAX_US));
        if wait == 0 || self.alarm.schedule(Duration::from_micros(wait)).is_err() {
            return;
        }
        // With interrupts held back, a byte that arrives after the check still ends the wait.
        LOCK.lock(|| {
            if !receive::is_readable() && !INTERRUPTED.load(Ordering::Relaxed) && !radio::has_work() {
                // SAFETY: the instruction waits for an interrupt, held back or not, and changes nothing.
                unsafe { core::arch::asm!("wfi") };
            }
        });
    }
}

static LOCK: RawMutex = RawMutex::new();

/// The alarm's interrupt is cleared by its next use; the handler only has to silence it.
#[handler(priority = Priority::Priority1)]
fn on_alarm() {
    SYSTIMER::regs().int_clr().write(|w| w.target(0).clear_bit_by_one());
}

#[handler(priority = Priority::Priority1)]
fn on_beat() {
    SYSTIMER::regs().int_clr().write(|w| w.target(1).clear_bit_by_one());
    PENDING.store(true, Ordering::Relaxed);
}

/// What is added to the time since boot, low half first.
static OFFSET: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

fn set_offset(offset: u64) {
    OFFSET[0].store(offset as u32, Ordering::Relaxed);
    OFFSET[1].store((offset >> 32) as u32, Ordering::Relaxed);
}

/// Microseconds since 1970.
pub fn epoch_us() -> u64 {
    let [low, high] = [0, 1].map(|half| u64::from(OFFSET[half].load(Ordering::Relaxed)));
    now_us().wrapping_add(high << 32 | low)
}

/// Microseconds since boot.
pub fn now_us() -> u64 {
    Instant::now().duration_since_epoch().as_micros()
}

/// Lets the processor's own counter count cycles.
fn count_cycles() {
    // SAFETY: 0x7e0 (mpcer) chooses cycles, 0x7e1 (mpcmr) starts counting (ESP32-C3 TRM, "Performance counter").
    unsafe { core::arch::asm!("csrwi 0x7e0, 1", "csrwi 0x7e1, 1") };
}

/// Processor cycles.
pub fn cycles() -> u32 {
    let cycles: u32;
    // SAFETY: reads 0x7e2 (mpccr).
    unsafe { core::arch::asm!("csrr {}, 0x7e2", out(reg) cycles) };
    cycles
}
