//! SysTick. Source: ARM B3.3.
//!
//! The counter is not counted: its value follows from the cycle at which it last was zero.

const ENABLE: u32 = 1;
const TICKINT: u32 = 2;
const CLKSOURCE: u32 = 4;
const COUNTFLAG: u32 = 1 << 16;
const MASK: u32 = 0x00ff_ffff;

/// The timer.
#[derive(Clone, Default)]
pub(super) struct SysTick {
    control: u32,
    reload: u32,
    /// The cycle at which the counter last was zero while it runs.
    zero_at: u64,
    /// The counter while it stands.
    stopped_at: u32,
    count_flag: bool,
    pending: bool,
}

impl SysTick {
    fn runs(&self) -> bool {
        self.control & ENABLE != 0
    }

    fn period(&self) -> u64 {
        u64::from(self.reload) + 1
    }

    /// Notes what happened until `cycle`; gives the cycle of the next event.
    pub(super) fn service(&mut self, cycle: u64) -> Option<u64> {
        if !self.runs() || self.reload == 0 {
            return None;
        }
        let wraps = cycle.saturating_sub(self.zero_at) / self.period();
        if wraps > 0 {
            self.zero_at += wraps * self.period();
            self.count_flag = true;
            self.pending |= self.control & TICKINT != 0;
        }
        (self.control & TICKINT != 0).then(|| self.zero_at + self.period())
    }

    /// Whether the exception became pending since the last call.
    pub(super) fn take_pending(&mut self) -> bool {
        std::mem::take(&mut self.pending)
    }

    fn value(&self, cycle: u64) -> u32 {
        if !self.runs() {
            return self.stopped_at;
        }
        match cycle.saturating_sub(self.zero_at) % self.period() {
            0 => 0,
            passed => self.reload - (passed as u32 - 1),
        }
    }

    pub(super) fn load(&mut self, offset: u32, cycle: u64) -> u32 {
        self.service(cycle);
        match offset {
            0x0 => {
                let flag = if std::mem::take(&mut self.count_flag) { COUNTFLAG } else { 0 };
                self.control | flag
            }
            0x4 => self.reload,
            0x8 => self.value(cycle),
            _ => 0,
        }
    }

    pub(super) fn store(&mut self, offset: u32, value: u32, cycle: u64) {
        self.service(cycle);
        let counter = self.value(cycle);
        match offset {
            0x0 => self.control = value & (ENABLE | TICKINT | CLKSOURCE),
            0x4 => self.reload = value & MASK,
            0x8 => {
                self.count_flag = false;
                self.stopped_at = 0;
                self.zero_at = cycle;
                return;
            }
            _ => return,
        }
        self.set_value(counter, cycle);
    }

    /// Goes on from a counter value with the present reload value.
    fn set_value(&mut self, counter: u32, cycle: u64) {
        self.stopped_at = counter;
        let passed = if counter == 0 { 0 } else { u64::from(self.reload.saturating_sub(counter)) + 1 };
        self.zero_at = cycle.saturating_sub(passed);
    }
}
