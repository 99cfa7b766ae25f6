//! Time.

/// Time since boot, time of day, and waiting.
pub trait Clock {
    /// Microseconds since boot. Never goes back.
    fn ticks_us(&self) -> u64;

    /// A counter of the finest resolution there is, usually processor cycles. Wraps around.
    fn ticks_cpu(&self) -> u32;

    /// Microseconds since 1970-01-01, in the time zone the clock was set to.
    fn epoch_us(&self) -> u64;

    /// Sets the time of day. It survives a soft reset.
    fn set_epoch_us(&mut self, epoch_us: u64);

    /// Waits until `ticks_us` reaches the deadline, or a byte arrives, or the interrupt flag is set, or earlier.
    /// The caller checks what it waits for, and calls again.
    fn idle(&mut self, deadline_us: Option<u64>);
}
