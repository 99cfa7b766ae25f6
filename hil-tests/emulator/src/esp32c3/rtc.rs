//! RTC_CNTL: software resets, reset cause, RTC timer, RTC watchdog, super watchdog, sleep. Source: TRM chapter 9, 12.

use super::io::{Io, RC_SLOW};
use super::reset::{Extent, Request};
use crate::time::{NEVER, Ticks};

/// Base address.
pub const BASE: u32 = 0x6000_8000;

const OPTIONS0: u32 = 0x00;
const SLP_TIMER0: u32 = 0x04;
const SLP_TIMER1: u32 = 0x08;
const TIME_UPDATE: u32 = 0x0C;
const TIME_LOW0: u32 = 0x10;
const TIME_HIGH0: u32 = 0x14;
const STATE0: u32 = 0x18;
const RESET_STATE: u32 = 0x38;
const WAKEUP_STATE: u32 = 0x3C;
const INT_ENA: u32 = 0x40;
const INT_RAW: u32 = 0x44;
const INT_ST: u32 = 0x48;
const INT_CLR: u32 = 0x4C;
const DIG_PWC: u32 = 0x88;
const WDTCONFIG0: u32 = 0x90;
const WDTFEED: u32 = 0xA4;
const WDTWPROTECT: u32 = 0xA8;
const SWD_CONF: u32 = 0xAC;
const SWD_WPROTECT: u32 = 0xB0;
const SLP_WAKEUP_CAUSE: u32 = 0xF8;
const INT_ENA_W1TS: u32 = 0x100;
const INT_ENA_W1TC: u32 = 0x104;

/// Offsets of the registers that have behaviour.
pub const MODELLED: &[u32] = &[
    OPTIONS0,
    SLP_TIMER0,
    SLP_TIMER1,
    TIME_UPDATE,
    TIME_LOW0,
    TIME_HIGH0,
    STATE0,
    RESET_STATE,
    WAKEUP_STATE,
    INT_ENA,
    INT_RAW,
    INT_ST,
    INT_CLR,
    0x50,
    0x54,
    0x58,
    0x5C,
    DIG_PWC,
    WDTCONFIG0,
    0x94,
    0x98,
    0x9C,
    0xA0,
    WDTFEED,
    WDTWPROTECT,
    SWD_CONF,
    SWD_WPROTECT,
    0xB8,
    0xBC,
    0xC0,
    0xC4,
    SLP_WAKEUP_CAUSE,
    INT_ENA_W1TS,
    INT_ENA_W1TC,
];

const WDT_KEY: u32 = 0x50D8_3AA1;
const SWD_KEY: u32 = 0x8F1D_312A;
const WAKEUP: u32 = 1 << 0;
const WATCHDOG: u32 = 1 << 3;
const MAIN_TIMER: u32 = 1 << 10;
const SUPER_WATCHDOG: u32 = 1 << 15;
const SUPER_WATCHDOG_PERIOD: Ticks = crate::time::TICKS_PER_SECOND;

/// Wake-up source: RTC timer.
const WAKE_TIMER: u32 = 1 << 3;
/// Wake-up source: a GPIO in deep or light sleep.
const WAKE_GPIO: u32 = 1 << 2;
/// Wake-up source: UART0 activity in light sleep.
const WAKE_UART0: u32 = 1 << 6;

/// The sleep a chip is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// The processor stands still and goes on where it was.
    Light,
    /// Wake-up resets the digital system.
    Deep,
}

/// The RTC controller.
#[derive(Clone)]
pub struct Rtc {
    /// Moment at which the RTC timer read zero.
    zero: Ticks,
    latched: u64,
    raw: u32,
    stage: usize,
    stage_since: Ticks,
    /// When the super watchdog was fed last. It sleeps until a program configures it: the ROM never feeds it, and silicon
    /// stays in download mode for as long as one likes.
    super_fed: Option<Ticks>,
    flash_boot: bool,
    alarm: Option<Ticks>,
    sleep: Option<Sleep>,
    next: Ticks,
}

impl Rtc {
    /// The controller after power-on at `now`; `flash_boot` arms the flash boot protection.
    #[must_use]
    pub fn new(now: Ticks, flash_boot: bool) -> Self {
        Self {
            zero: now,
            latched: 0,
            raw: 0,
            stage: 0,
            stage_since: now,
            super_fed: None,
            flash_boot,
            alarm: None,
            sleep: None,
            next: now,
        }
    }

    /// Records a reset and puts back what it covers.
    pub fn reset(&mut self, io: &mut Io<'_>, request: Request, flash_boot: bool) {
        let wake_cause = io.registers.get(BASE + SLP_WAKEUP_CAUSE);
        if request.extent() == Extent::Chip {
            io.registers.reset(BASE, 0x200);
            *self = Self::new(io.now, flash_boot);
        } else if request.extent() == Extent::Core {
            // The RTC domain keeps its registers; the watchdog starts over.
            for offset in (WDTCONFIG0..=WDTWPROTECT).step_by(4) {
                io.registers.reset(BASE + offset, 4);
            }
            *self = Self { zero: self.zero, latched: self.latched, ..Self::new(io.now, flash_boot) };
        }
        let cause = request.cause();
        io.registers.modify(BASE + RESET_STATE, |state| state & !0xFFF | cause << 6 | cause);
        io.registers.modify(BASE + OPTIONS0, |options| options & !(1 << 31 | 1 << 5 | 1 << 4));
        io.registers.modify(BASE + STATE0, |state| state & !(1 << 31));
        io.registers.set(BASE + SLP_WAKEUP_CAUSE, if request == Request::DeepSleep { wake_cause } else { 0 });
        self.schedule(io);
    }

    /// Whether the controller asks for its interrupt.
    #[must_use]
    pub fn interrupt(&self, io: &Io<'_>) -> bool {
        self.raw & io.registers.get(BASE + INT_ENA) != 0
    }

    /// When something happens next.
    #[must_use]
    pub fn next_event(&self) -> Ticks {
        self.next
    }

    /// The sleep the chip is in.
    #[must_use]
    pub fn sleeping(&self) -> Option<Sleep> {
        self.sleep
    }

    fn counter(&self, now: Ticks) -> u64 {
        ((now - self.zero) / RC_SLOW) & 0xFFFF_FFFF_FFFF
    }

    fn watchdog_runs(&self, io: &Io<'_>) -> bool {
        let config = io.registers.get(BASE + WDTCONFIG0);
        self.sleep.is_none() && (config >> 31 != 0 || self.flash_boot && config & 1 << 12 != 0)
    }

    fn stage_ends(&self, io: &Io<'_>) -> Ticks {
        if !self.watchdog_runs(io) || self.stage > 3 {
            return NEVER;
        }
        let mut hold = u64::from(io.registers.get(BASE + WDTCONFIG0 + 4 + 4 * self.stage as u32));
        if self.stage == 0 {
            // The eFuse WDT_DELAY_SEL, 0 here, doubles the first stage.
            hold *= 2;
        }
        self.stage_since + hold * RC_SLOW
    }

    fn super_watchdog_ends(&self, io: &Io<'_>) -> Ticks {
        let config = io.registers.get(BASE + SWD_CONF);
        // Disabled, or fed by hardware each time it is about to bite.
        match self.super_fed {
            Some(fed) if config & (1 << 30 | 1 << 31) == 0 && self.sleep.is_none() => {
                fed + SUPER_WATCHDOG_PERIOD
            }
            _ => NEVER,
        }
    }

    fn schedule(&mut self, io: &Io<'_>) {
        self.next = self.stage_ends(io).min(self.super_watchdog_ends(io)).min(self.alarm.unwrap_or(NEVER));
    }

    /// Handles what is due; gives the reset that it demands.
    pub fn advance(&mut self, io: &mut Io<'_>) -> Option<Request> {
        if io.now < self.next {
            return None;
        }
        let mut request = None;
        if self.alarm.is_some_and(|at| at <= io.now) {
            self.alarm = None;
            self.raw |= MAIN_TIMER;
            request = self.wake(io, WAKE_TIMER);
        }
        if self.super_watchdog_ends(io) <= io.now {
            self.raw |= SUPER_WATCHDOG;
            self.super_fed = Some(io.now);
            io.registers.modify(BASE + SWD_CONF, |config| config | 1);
            request = Some(Request::SuperWatchdog);
        }
        if self.stage_ends(io) <= io.now {
            request = request.or(self.next_stage(io));
        }
        self.schedule(io);
        request
    }

    fn next_stage(&mut self, io: &Io<'_>) -> Option<Request> {
        let config = io.registers.get(BASE + WDTCONFIG0);
        let action = config >> (28 - 3 * self.stage) & 7;
        self.stage += 1;
        self.stage_since = io.now;
        match action {
            _ if self.stage == 1 && config >> 31 == 0 => Some(Request::RtcWatchdogSystem),
            1 => {
                self.raw |= WATCHDOG;
                None
            }
            2 if config & 1 << 11 != 0 => Some(Request::RtcWatchdogCpu),
            3 => Some(Request::RtcWatchdogSystem),
            4 => Some(Request::RtcWatchdogRtc),
            _ => None,
        }
    }

    /// Something that may end sleep happened; gives the reset that ends deep sleep.
    pub fn wake(&mut self, io: &mut Io<'_>, source: u32) -> Option<Request> {
        let enabled = io.registers.get(BASE + WAKEUP_STATE) >> 15;
        let sleep = self.sleep?;
        if enabled & source == 0 {
            return None;
        }
        self.sleep = None;
        io.registers.set(BASE + SLP_WAKEUP_CAUSE, source);
        self.raw |= WAKEUP;
        io.registers.modify(BASE + STATE0, |state| state & !(1 << 31) | 1 << 29);
        (sleep == Sleep::Deep).then_some(Request::DeepSleep)
    }

    /// A pin reached its wake-up level.
    pub fn wake_by_gpio(&mut self, io: &mut Io<'_>) -> Option<Request> {
        self.wake(io, WAKE_GPIO)
    }

    /// A start bit arrived at UART0.
    pub fn wake_by_uart(&mut self, io: &mut Io<'_>) -> Option<Request> {
        if self.sleep == Some(Sleep::Light) { self.wake(io, WAKE_UART0) } else { None }
    }

    /// Reads a register.
    pub fn read(&mut self, io: &mut Io<'_>, offset: u32) -> u32 {
        match offset {
            TIME_LOW0 => self.latched as u32,
            TIME_HIGH0 => (self.latched >> 32) as u32,
            TIME_UPDATE => io.registers.get(BASE + offset) & !(1 << 31),
            INT_RAW => self.raw,
            INT_ST => self.raw & io.registers.get(BASE + INT_ENA),
            INT_CLR | WDTFEED | INT_ENA_W1TS | INT_ENA_W1TC => 0,
            _ => io.registers.get(BASE + offset),
        }
    }

    /// Writes a register; gives the reset that it demands.
    pub fn write(&mut self, io: &mut Io<'_>, offset: u32, value: u32) -> Option<Request> {
        let mut request = None;
        match offset {
            OPTIONS0 => {
                io.registers.set(BASE + offset, value & !(1 << 31 | 1 << 5));
                request = match (value >> 31 & 1, value >> 5 & 1) {
                    (1, _) => Some(Request::SoftwareSystem),
                    (0, 1) => Some(Request::SoftwareCpu),
                    _ => None,
                };
            }
            TIME_UPDATE => {
                if value >> 31 != 0 {
                    self.latched = self.counter(io.now);
                }
                io.registers.set(BASE + offset, value & !(1 << 31));
            }
            SLP_TIMER1 => {
                io.registers.set(BASE + offset, value);
                self.set_alarm(io, value);
            }
            STATE0 => {
                io.registers.set(BASE + offset, value);
                if value >> 31 != 0 {
                    request = self.fall_asleep(io);
                }
            }
            INT_CLR => self.raw &= !value,
            INT_ENA_W1TS => io.registers.modify(BASE + INT_ENA, |enabled| enabled | value),
            INT_ENA_W1TC => io.registers.modify(BASE + INT_ENA, |enabled| enabled & !value),
            WDTCONFIG0..WDTWPROTECT => self.write_watchdog(io, offset, value),
            SWD_CONF => {
                if io.registers.get(BASE + SWD_WPROTECT) == SWD_KEY {
                    let flag = if value & 1 << 28 != 0 { 0 } else { io.registers.get(BASE + offset) & 1 };
                    io.registers.set(BASE + offset, value & !(1 << 29 | 1 << 28 | 1) | flag);
                    self.super_fed = Some(io.now);
                }
            }
            INT_RAW | INT_ST | TIME_LOW0 | TIME_HIGH0 | SLP_WAKEUP_CAUSE => {}
            // The cause itself is read-only.
            RESET_STATE => io.registers.modify(BASE + offset, |old| value & !0xFFF | old & 0xFFF),
            _ => io.registers.set(BASE + offset, value),
        }
        self.schedule(io);
        request
    }

    fn write_watchdog(&mut self, io: &mut Io<'_>, offset: u32, value: u32) {
        if io.registers.get(BASE + WDTWPROTECT) != WDT_KEY {
            return;
        }
        let ran = self.watchdog_runs(io);
        io.registers.set(BASE + offset, value);
        if offset == WDTFEED || !ran {
            self.stage = 0;
            self.stage_since = io.now;
        }
    }

    fn set_alarm(&mut self, io: &Io<'_>, high: u32) {
        let target = u64::from(high & 0xFFFF) << 32 | u64::from(io.registers.get(BASE + SLP_TIMER0));
        let enabled = high >> 16 & 1 != 0;
        self.alarm = enabled.then(|| (self.zero + target * RC_SLOW).max(io.now));
    }

    fn fall_asleep(&mut self, io: &mut Io<'_>) -> Option<Request> {
        // Powering the digital domain down in sleep is what makes it deep.
        let deep = io.registers.get(BASE + DIG_PWC) >> 31 != 0;
        self.sleep = Some(if deep { Sleep::Deep } else { Sleep::Light });
        if self.alarm.is_some_and(|at| at <= io.now) {
            self.alarm = None;
            return self.wake(io, WAKE_TIMER);
        }
        None
    }
}
