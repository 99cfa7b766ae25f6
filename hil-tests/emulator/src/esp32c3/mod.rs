//! The ESP32-C3: processor, memories, peripherals, resets.
//!
//! It starts in the mask ROM at 0x40000000 and knows nothing of what it executes. One module per peripheral; what only stores
//! its registers has none. Not modelled: cache timing and misses, PMP enforcement (its registers are stored), user mode, flash
//! encryption, Bluetooth.

mod analog;
mod cache;
mod dma;
mod efuse;
mod gpio;
mod interrupt;
mod io;
mod map;
mod radio;
mod reset;
mod rom;
mod rtc;
mod sha;
mod soc;
mod spi;
mod system;
mod systimer;
#[cfg(test)]
mod tests;
mod timg;
mod uart;
mod usb;

pub use crate::adapter::SerialFaults;
pub use radio::Damage;
pub use reset::Request as ResetCause;
pub use rom::{Rom, RomError};
pub use soc::UnknownAccess;

use crate::air::{Air, Mac};
use crate::flash::{Flash, FlashFaults};
use crate::registers::Register;
use crate::riscv::Cpu;
use crate::time::Ticks;
use reset::Extent;
use rtc::Sleep;
use soc::{Reads, Soc};

/// What a chip is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its mask ROM.
    pub rom: Rom,
    /// Bytes of the flash chip beside it, a power of two of at least 1 MB.
    pub flash_size: usize,
    /// The MAC address in its eFuses.
    pub mac: [u8; 6],
    /// Chip revision, major and minor.
    pub revision: (u8, u8),
    /// Seed of what is random on silicon: memory at power-on and the random number generator.
    pub seed: u64,
    /// Stop at the first access to an unknown register.
    pub strict: bool,
}

impl Config {
    /// A chip of revision 0.4 with 4 MB of flash and a locally known MAC address.
    #[must_use]
    pub fn new(rom: Rom) -> Self {
        Self {
            rom,
            flash_size: 4 << 20,
            mac: [0x60, 0x55, 0xF9, 0, 0, 1],
            revision: (0, 4),
            seed: 1,
            strict: false,
        }
    }
}

/// Why [`Esp32c3::run`] returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The limit was reached.
    Limit,
    /// The serial adapter heard something and the caller asked to be woken.
    Output,
    /// Strict mode: an unknown register was accessed.
    Unknown(UnknownAccess),
    /// The injected power cut struck.
    PowerFailed,
}

/// The chip.
#[derive(Clone)]
pub struct Esp32c3 {
    cpu: Cpu,
    soc: Soc,
    mac: [u8; 6],
    revision: (u8, u8),
    resets: Vec<(Ticks, ResetCause)>,
}

impl Esp32c3 {
    /// A chip without power: call [`Esp32c3::power_on`].
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let [a, b, c, d, e, f] = config.mac;
        let unique_id = [0x1A, 0x5C, a, b, c, d, e, f];
        let soc = Soc::new(config.rom.bytes(), config.flash_size, unique_id, config.seed, config.strict);
        Self { cpu: Cpu::new(map::ROM), soc, mac: config.mac, revision: config.revision, resets: Vec::new() }
    }

    /// The MAC address in the eFuses.
    #[must_use]
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// Gives it another MAC address, which programs read after the next reset of the chip.
    pub fn set_mac(&mut self, mac: Mac) {
        self.mac = mac;
    }

    /// Power comes up: memory holds rubbish, the straps are latched, the processor starts.
    pub fn power_on(&mut self) {
        self.soc.scramble(&[map::SRAM_RANGE, map::RTC_RANGE]);
        self.reset(ResetCause::PowerOn);
    }

    /// Power goes away; a flash operation in progress stays half done.
    pub fn power_off(&mut self) {
        let now = self.now();
        self.soc.flash.power_off(&mut self.soc.memory, now);
        self.soc.stopped = false;
    }

    /// Resets the chip for `cause` now.
    pub fn reset(&mut self, cause: ResetCause) {
        tracing::debug!(?cause, "reset");
        self.resets.push((self.now(), cause));
        self.soc.request = None;
        if cause == ResetCause::DeepSleep {
            self.soc.scramble(&[map::SRAM_RANGE]);
        }
        self.soc.reset(cause);
        if cause.extent() == Extent::Chip {
            efuse::burn(&mut self.soc.registers, self.mac, self.revision.0, self.revision.1);
        }
        self.cpu.reset();
    }

    /// Runs until `limit`, or until something the caller must know of happens.
    pub fn run(&mut self, limit: Ticks) -> Stop {
        loop {
            self.cpu.run(&mut self.soc, limit);
            if let Some(cause) = self.soc.request.take() {
                self.reset(cause);
            } else if self.soc.stopped {
                self.soc.stopped = false;
                if self.soc.flash.power_fails_at() <= self.now() {
                    return Stop::PowerFailed;
                }
                if let Some(access) = self.soc.culprit.take() {
                    return Stop::Unknown(access);
                }
            } else if self.soc.adapter.wakes() {
                return Stop::Output;
            } else if self.now() >= limit {
                return Stop::Limit;
            } else if self.soc.rtc.sleeping() == Some(Sleep::Deep) {
                self.sleep_until(limit);
            }
        }
    }

    /// Deep sleep: only the RTC goes on.
    fn sleep_until(&mut self, limit: Ticks) {
        let next = self.soc.rtc.next_event().min(limit);
        self.soc.clock.base = self.soc.clock.base.max(next);
        let mut reads = Reads::default();
        let mut io = Soc::io(&mut self.soc.registers, &self.soc.clock, &mut reads);
        if let Some(cause) = self.soc.rtc.advance(&mut io) {
            self.reset(cause);
        }
    }

    /// Lets time pass while the chip is held in reset or has no power.
    pub fn pass_time(&mut self, until: Ticks) {
        self.soc.clock.base = self.soc.clock.base.max(until);
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Ticks {
        self.soc.clock.base
    }

    /// The processor.
    #[must_use]
    pub fn cpu(&self) -> &Cpu {
        &self.cpu
    }

    /// CPU cycles since the simulation began.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.soc.clock.cycles()
    }

    /// Every reset so far: when and why.
    #[must_use]
    pub fn resets(&self) -> &[(Ticks, ResetCause)] {
        &self.resets
    }

    /// The first access to each unknown register.
    pub fn unknown_accesses(&self) -> impl Iterator<Item = &UnknownAccess> {
        self.soc.unknown.values()
    }

    /// The flash chip.
    #[must_use]
    pub fn flash(&self) -> &Flash {
        &self.soc.flash
    }

    /// Faults to inject into the flash chip.
    pub fn flash_faults(&mut self) -> &mut FlashFaults {
        &mut self.soc.flash.faults
    }

    /// What the flash holds.
    #[must_use]
    pub fn flash_contents(&self) -> &[u8] {
        &self.soc.memory.bytes()[self.soc.flash.range()]
    }

    /// Replaces flash contents from `offset` on, as a programmer that is clipped onto the chip does.
    ///
    /// # Panics
    /// If `data` does not fit.
    pub fn load_flash(&mut self, offset: usize, data: &[u8]) {
        let range = self.soc.flash.range();
        assert!(
            offset + data.len() <= range.len(),
            "{} bytes at {offset:#x} do not fit the flash",
            data.len()
        );
        self.soc.memory.write_bytes(range.start + offset, data);
    }

    /// Whether flash contents changed since the last call.
    pub fn take_flash_changed(&mut self) -> bool {
        self.soc.flash.take_changed()
    }

    /// Commands to the flash so far that did not only read its status.
    #[must_use]
    pub fn flash_commands(&self) -> u64 {
        self.soc.flash_commands()
    }

    /// Whether the flash is erasing or programming.
    #[must_use]
    pub fn flash_is_busy(&self) -> bool {
        self.soc.flash.next_event(self.now()) != crate::time::NEVER
    }

    /// The outside drives `pin`, or leaves it open.
    ///
    /// # Panics
    /// If the chip has no such pin.
    pub fn set_pin(&mut self, pin: u8, level: Option<bool>) {
        let mut reads = Reads::default();
        let mut io = Soc::io(&mut self.soc.registers, &self.soc.clock, &mut reads);
        self.soc.gpio.drive(&mut io, pin, level);
        if self.soc.gpio.wakes(&io)
            && let Some(cause) = self.soc.rtc.wake_by_gpio(&mut io)
        {
            self.soc.request = Some(cause);
        }
    }

    /// Level at which the chip itself drives `pin`; `None` if it does not.
    #[must_use]
    pub fn drives(&self, pin: u8) -> Option<bool> {
        gpio::driven(&self.soc.registers, pin)
    }

    /// Level of `pin` as the outside measures it; `None` if nothing drives or pulls it.
    #[must_use]
    pub fn pin(&mut self, pin: u8) -> Option<bool> {
        let mut reads = Reads::default();
        let io = Soc::io(&mut self.soc.registers, &self.soc.clock, &mut reads);
        self.soc.gpio.level(&io, pin)
    }

    /// Plugs a host into the USB connector, or unplugs it.
    pub fn plug_usb(&mut self, plugged: bool) {
        self.soc.usb.plugged = plugged;
    }

    /// The host sends bytes over USB.
    pub fn send_usb(&mut self, bytes: &[u8]) {
        let mut reads = Reads::default();
        let io = Soc::io(&mut self.soc.registers, &self.soc.clock, &mut reads);
        self.soc.usb.send(&io, bytes);
    }

    /// Takes what the host received over USB.
    pub fn receive_usb(&mut self) -> Vec<u8> {
        self.soc.usb.to_host.drain(..).collect()
    }

    /// The air around the board: access points, faults, captures.
    pub fn air(&mut self) -> &mut Air {
        &mut self.soc.radio.air
    }

    /// Damages what the driver hears from now on, or no more; gives what did so until now.
    pub fn damage_frames(&mut self, damage: Option<Damage>) -> Option<Damage> {
        std::mem::replace(&mut self.soc.radio.damage, damage)
    }

    /// The addresses at which the radio acknowledges frames, and the channel it is on.
    #[must_use]
    pub fn stations(&self) -> Vec<(Mac, u8)> {
        radio::stations(&self.soc.registers)
    }

    /// Reads memory as a debugger does; `None` where nothing is mapped or a device is.
    #[must_use]
    pub fn peek(&self, address: u32) -> Option<u32> {
        self.soc.memory.load32(address)
    }

    /// Draws a byte on UART0's receive line, with bits of `bit` (1/256 tick); gives when its stop bit ends.
    pub(crate) fn send_uart(&mut self, byte: u8, bit: u64) -> Ticks {
        let now = self.now();
        let end = self.soc.uarts[0].rx.send(byte, now, bit);
        let mut reads = Reads::default();
        let mut io = Soc::io(&mut self.soc.registers, &self.soc.clock, &mut reads);
        self.soc.uarts[0].schedule(&io);
        if let Some(cause) = self.soc.rtc.wake_by_uart(&mut io) {
            self.soc.request = Some(cause);
        }
        end
    }

    /// When the last byte drawn on UART0's receive line ends.
    pub(crate) fn uart_free_at(&self) -> Ticks {
        self.soc.uarts[0].rx.free_at()
    }

    /// The adapter at UART0.
    pub(crate) fn adapter(&mut self) -> &mut crate::adapter::Adapter {
        &mut self.soc.adapter
    }

    /// Lets the adapter receive what is complete now, while the chip itself stands still.
    pub(crate) fn listen(&mut self) {
        let now = self.now();
        self.soc.adapter.listen(&mut self.soc.uarts[0].tx, now);
    }
}

/// Every register that is modelled or stored, in address order. What is not listed is unknown.
#[must_use]
pub fn catalogue() -> Vec<Register> {
    soc::registers().catalogue().cloned().collect()
}
