//! The desktop as a board.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use larch_hal::{
    BlockDevice, Board, Clock, Console, FileSystem, PinError, PinMode, Pins, Port, Pull, ResetCause,
};
use larch_vm::vm::INTERRUPTED;

use crate::console::{Terminal, is_raw};
use crate::files::Files;

/// The desktop.
pub struct Desktop {
    /// Its terminal.
    pub terminal: Terminal,
    start: Instant,
    /// Added to the system's clock by `machine.RTC`.
    clock_offset_us: i64,
    random: u32,
    files: Files,
    #[cfg(unix)]
    sockets: crate::net::HostSockets,
}

impl Desktop {
    /// A desktop that was just switched on.
    pub fn new() -> Desktop {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.subsec_nanos() | 1);
        Desktop {
            terminal: Terminal::new(),
            start: Instant::now(),
            clock_offset_us: 0,
            random: seed,
            files: Files::default(),
            #[cfg(unix)]
            sockets: crate::net::HostSockets::default(),
        }
    }
}

/// How long nothing is looked at while a program waits, and while it has sockets.
const NAP: Duration = Duration::from_millis(50);
#[cfg(unix)]
const NAP_WITH_SOCKETS: Duration = Duration::from_millis(1);

impl Desktop {
    #[cfg(unix)]
    fn longest_nap(&self) -> Duration {
        if self.sockets.any_open() { NAP_WITH_SOCKETS } else { NAP }
    }

    #[cfg(not(unix))]
    fn longest_nap(&self) -> Duration {
        NAP
    }
}

impl Console for Desktop {
    fn read(&mut self) -> Option<u8> {
        self.terminal.read()
    }

    fn readable(&self) -> bool {
        false
    }

    fn write(&mut self, bytes: &[u8]) {
        self.terminal.write(bytes);
    }

    fn write_text(&mut self, bytes: &[u8]) {
        if !is_raw() {
            return self.terminal.write(bytes);
        }
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.terminal.write(b"\r\n");
            }
            self.terminal.write(line);
        }
    }

    fn flush(&mut self) {}

    fn set_interrupt_byte(&mut self, byte: Option<u8>) {
        crate::console::interrupt_on_ctrl_c(byte.is_some());
    }

    fn interrupt_flag(&self) -> &'static AtomicBool {
        &INTERRUPTED
    }
}

impl Clock for Desktop {
    fn ticks_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    fn ticks_cpu(&self) -> u32 {
        self.start.elapsed().as_nanos() as u32
    }

    fn epoch_us(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_micros() as i64);
        (now + self.clock_offset_us).max(0) as u64
    }

    fn set_epoch_us(&mut self, epoch_us: u64) {
        self.clock_offset_us += epoch_us as i64 - self.epoch_us() as i64;
    }

    fn idle(&mut self, deadline_us: Option<u64>) {
        let limit = self.longest_nap();
        let wait = match deadline_us {
            Some(deadline) => Duration::from_micros(deadline.saturating_sub(self.ticks_us())).min(limit),
            None => limit,
        };
        match deadline_us {
            // A program that sleeps does not take what is typed.
            Some(_) => std::thread::sleep(wait),
            None => {
                self.terminal.wait(wait);
                if self.terminal.has_ended() {
                    if wait == NAP {
                        // Nobody will ever type again.
                        std::process::exit(0);
                    }
                    std::thread::sleep(wait);
                }
            }
        }
    }
}

impl Pins for Desktop {
    fn configure_pin(&mut self, _pin: u8, _mode: PinMode, _pull: Pull) -> Result<(), PinError> {
        Err(PinError::NoSuchPin)
    }

    fn set_pin_level(&mut self, _pin: u8, _high: bool) -> Result<(), PinError> {
        Err(PinError::NoSuchPin)
    }

    fn pin_level(&self, _pin: u8) -> Result<bool, PinError> {
        Err(PinError::NoSuchPin)
    }
}

impl Board for Desktop {
    fn reset(&mut self) -> ! {
        std::process::exit(0)
    }

    fn enter_bootloader(&mut self) -> ! {
        std::process::exit(0)
    }

    fn reset_cause(&self) -> ResetCause {
        ResetCause::PowerOn
    }

    fn unique_id(&self) -> &[u8] {
        b"upy-non-unique"
    }

    fn frequency_hz(&self) -> u32 {
        0
    }

    /// A xorshift generator seeded from the clock: good enough to seed `random`, not for secrets.
    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}

impl Port for Desktop {
    fn storage(&mut self) -> Option<&mut dyn BlockDevice> {
        None
    }

    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        Some(&mut self.files)
    }

    #[cfg(unix)]
    fn sockets(&mut self) -> Option<&mut dyn larch_hal::Sockets> {
        Some(&mut self.sockets)
    }
}
