//! Which exceptions are pending, enabled and active, and with which priority. Source: ARM B1.5, B3.4.

use super::exception::Exception;

/// Exceptions: 16 of the processor, and as many interrupts as a chip of this size has.
pub(super) const EXCEPTIONS: usize = 16 + 96;
/// Bits of a priority that chips of this size implement.
const PRIORITY_MASK: u8 = 0xf0;
/// The interrupts.
pub(super) const INTERRUPTS: u128 = ((1 << EXCEPTIONS) - 1) & !0xffff;

/// Exceptions, one bit each by their number.
#[derive(Clone)]
pub(super) struct Nvic {
    pub pending: u128,
    /// The processor's own ones that cannot be disabled are always here.
    pub enabled: u128,
    pub active: u128,
    priorities: [u8; EXCEPTIONS],
    /// PRIGROUP of AIRCR.
    pub group: u8,
    lines: u128,
}

impl Default for Nvic {
    fn default() -> Self {
        let always = [
            Exception::Nmi,
            Exception::HardFault,
            Exception::SupervisorCall,
            Exception::DebugMonitor,
            Exception::PendSv,
            Exception::SysTick,
        ];
        let enabled = always.iter().fold(0, |bits, exception| bits | exception.bit());
        Self { pending: 0, enabled, active: 0, priorities: [0; EXCEPTIONS], group: 0, lines: 0 }
    }
}

impl Nvic {
    pub(super) fn priority_mask(&self) -> u8 {
        PRIORITY_MASK
    }

    pub(super) fn pend(&mut self, exception: Exception) {
        self.pending |= exception.bit();
    }

    /// Looks at the lines: one that is asserted makes its interrupt pending unless that is being handled.
    pub(super) fn observe(&mut self, lines: u128) {
        self.lines = lines << 16 & INTERRUPTS;
        self.pending |= self.lines & !self.active;
    }

    pub(super) fn priority(&self, number: usize) -> u8 {
        self.priorities[number]
    }

    pub(super) fn set_priority(&mut self, number: usize, priority: u8) {
        self.priorities[number] = priority & PRIORITY_MASK;
    }

    /// The part of a priority that decides about preemption.
    fn group_of(&self, priority: u8) -> i16 {
        i16::from(priority) >> (self.group + 1) << (self.group + 1)
    }

    /// The priority at which an exception preempts; the lower the more urgent.
    pub(super) fn urgency(&self, number: usize) -> i16 {
        match number {
            2 => -2,
            3 => -1,
            _ => self.group_of(self.priorities[number]),
        }
    }

    /// The priority at which the processor runs, masks aside.
    pub(super) fn running(&self) -> i16 {
        numbers(self.active).map(|number| self.urgency(number)).min().unwrap_or(256)
    }

    /// The limit that BASEPRI sets.
    pub(super) fn base(&self, basepri: u8) -> i16 {
        if basepri == 0 { 256 } else { self.group_of(basepri) }
    }

    /// The most urgent exception that is pending and enabled; with equal priorities the lowest number.
    pub(super) fn first(&self) -> Option<usize> {
        numbers(self.pending & self.enabled)
            .min_by_key(|&number| (self.urgency(number), self.priorities[number], number))
    }

    pub(super) fn begin(&mut self, number: usize) {
        self.pending &= !(1 << number);
        self.active |= 1 << number;
    }

    pub(super) fn end(&mut self, number: usize) {
        self.active &= !(1 << number);
    }
}

/// The numbers of the bits that are set.
fn numbers(mut bits: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let number = bits.trailing_zeros() as usize;
        (bits != 0).then(|| {
            bits &= bits - 1;
            number
        })
    })
}
