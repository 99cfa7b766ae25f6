//! The chip as the interpreter sees it.

use core::sync::atomic::AtomicBool;

use esp_hal::clock::CpuClock;
use esp_hal::efuse::{InterfaceMacAddress, interface_mac_address};
use esp_hal::peripherals::{LPWR, Peripherals};
use esp_hal::rng::Rng;
use esp_hal::rtc_cntl::SocResetReason;
use esp_hal::system::{reset_reason, software_reset};
use larch_board::files::Storage;
use larch_board::{Machine, Name, receive};
use larch_hal::{
    BlockDevice, Board, Clock, Console, EspNow, FileSystem, PinError, PinMode, Pins, Port, Pull, ResetCause,
    Sockets, Tls, Wifi,
};
use larch_heap::Region;
use larch_vm::native::{ModuleDef, TypeDef};
use larch_vm::vm::INTERRUPTED;

use crate::build;
use crate::clock::{self, Clocks};
use crate::console::Terminal;
use crate::flash::Partition;
use crate::memory;
use crate::pins::PinBank;
use crate::radio::{self, Radio};
use crate::tls::Engine;

/// MicroPython's default.
const CPU_CLOCK: CpuClock = CpuClock::_160MHz;
const CPU_CLOCK_HZ: u32 = 160_000_000;
/// `RTC_CNTL_FORCE_DOWNLOAD_BOOT` in `RTC_CNTL_OPTION1`: the ROM looks at it after a reset.
const FORCE_DOWNLOAD_BOOT: u32 = 1;

/// The chip.
pub struct Esp32c3 {
    terminal: Terminal,
    clocks: Clocks,
    storage: Storage<Partition>,
    pins: PinBank,
    radio: Radio,
    tls: Engine,
    unique_id: [u8; 6],
    soft_reset: bool,
    build: &'static str,
}

impl Esp32c3 {
    /// Sets the chip up. Called once.
    pub fn new(chip: Peripherals) -> Self {
        let mut unique_id = [0; 6];
        unique_id.copy_from_slice(interface_mac_address(InterfaceMacAddress::Station).as_bytes());
        let (clocks, beat) = Clocks::new(chip.SYSTIMER, chip.RTC_TIMER);
        Self {
            terminal: Terminal::new(chip.UART0, chip.GPIO20, chip.GPIO21),
            clocks,
            storage: Storage::find(Partition::find(chip.FLASH), clock::epoch_us),
            pins: PinBank::new(),
            radio: Radio::new(radio::Parts {
                wifi: chip.WIFI,
                timer: chip.TIMG0,
                switch: chip.FROM_CPU_INTR0,
                beat,
            }),
            tls: Engine::new(),
            unique_id,
            soft_reset: false,
            build: build::name(Self::NAME.build),
        }
    }

    /// What the chip is started with.
    pub fn config() -> esp_hal::Config {
        esp_hal::Config::default().with_cpu_clock(CPU_CLOCK)
    }
}

impl Machine for Esp32c3 {
    const NAME: Name =
        Name { machine: "ESP32C3 module with ESP32C3", platform: "esp32", build: "ESP32_GENERIC_C3" };

    const TYPES: &'static [&'static TypeDef] = larch_stdlib::net::TYPES;
    const MODULES: &'static [&'static ModuleDef] = larch_stdlib::net::MODULES;

    fn stack_room() -> usize {
        memory::stack_room()
    }

    fn heap() -> Region {
        memory::heap()
    }

    fn build(&self) -> &'static str {
        self.build
    }

    fn notice(&self) -> Option<&'static str> {
        self.storage.notice()
    }

    fn soft_reset(&mut self) {
        self.storage.soft_reset();
        self.pins.release();
        self.tls.close_unheld(&[]);
        self.radio.reset_espnow();
        self.radio.network.close_all();
        self.set_interrupt_byte(None);
        self.soft_reset = true;
    }
}

impl Port for Esp32c3 {
    fn storage(&mut self) -> Option<&mut dyn BlockDevice> {
        self.storage.device()
    }

    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        self.storage.files()
    }

    fn wifi(&mut self) -> Option<&mut dyn Wifi> {
        Some(&mut self.radio)
    }

    fn espnow(&mut self) -> Option<&mut dyn EspNow> {
        Some(&mut self.radio)
    }

    fn tls(&mut self) -> Option<&mut dyn Tls> {
        Some(&mut self.tls)
    }

    fn sockets(&mut self) -> Option<&mut dyn Sockets> {
        self.radio.listen();
        Some(&mut self.radio.network)
    }
}

impl Console for Esp32c3 {
    fn read(&mut self) -> Option<u8> {
        receive::read()
    }

    fn readable(&self) -> bool {
        receive::is_readable()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.terminal.write(bytes);
    }

    fn flush(&mut self) {
        self.terminal.flush();
    }

    fn set_interrupt_byte(&mut self, byte: Option<u8>) {
        receive::set_interrupt_byte(byte);
    }

    fn interrupt_flag(&self) -> &'static AtomicBool {
        &INTERRUPTED
    }
}

impl Clock for Esp32c3 {
    fn ticks_us(&self) -> u64 {
        clock::now_us()
    }

    fn ticks_cpu(&self) -> u32 {
        clock::cycles()
    }

    fn epoch_us(&self) -> u64 {
        clock::epoch_us()
    }

    fn set_epoch_us(&mut self, epoch_us: u64) {
        self.clocks.set_epoch_us(epoch_us);
    }

    fn idle(&mut self, deadline_us: Option<u64>) {
        if !self.radio.is_running() {
            return self.clocks.idle(deadline_us);
        }
        self.radio.poll();
        let next_us = self.radio.network.poll_at_us();
        let deadline_us = deadline_us.into_iter().chain(next_us).min();
        self.clocks.idle(deadline_us);
        self.radio.poll();
    }
}

impl Pins for Esp32c3 {
    fn configure_pin(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
        self.pins.configure(pin, mode, pull)
    }

    fn pin_level(&self, pin: u8) -> Result<bool, PinError> {
        self.pins.level(pin)
    }

    fn set_pin_level(&mut self, pin: u8, high: bool) -> Result<(), PinError> {
        self.pins.set_level(pin, high)
    }
}

impl Board for Esp32c3 {
    fn reset(&mut self) -> ! {
        self.flush();
        software_reset()
    }

    fn enter_bootloader(&mut self) -> ! {
        self.flush();
        LPWR::regs().option1().modify(|_, w| w.force_download_boot().bit(FORCE_DOWNLOAD_BOOT != 0));
        software_reset()
    }

    fn reset_cause(&self) -> ResetCause {
        if self.soft_reset {
            return ResetCause::Soft;
        }
        match reset_reason() {
            Some(SocResetReason::CoreDeepSleep) => ResetCause::DeepSleep,
            Some(SocResetReason::CoreSw | SocResetReason::Cpu0Sw) => ResetCause::Hard,
            Some(
                SocResetReason::CoreMwdt0
                | SocResetReason::CoreMwdt1
                | SocResetReason::CoreRtcWdt
                | SocResetReason::Cpu0Mwdt0
                | SocResetReason::Cpu0Mwdt1
                | SocResetReason::Cpu0RtcWdt
                | SocResetReason::SysRtcWdt
                | SocResetReason::SysSuperWdt,
            ) => ResetCause::Watchdog,
            _ => ResetCause::PowerOn,
        }
    }

    fn unique_id(&self) -> &[u8] {
        &self.unique_id
    }

    fn frequency_hz(&self) -> u32 {
        CPU_CLOCK_HZ
    }

    fn load(&mut self, address: u32, size: u32) -> Option<u32> {
        crate::mapped::load(address, size)
    }

    fn store(&mut self, address: u32, size: u32, word: u32) -> bool {
        crate::mapped::store(address, size, word)
    }

    fn random(&mut self) -> u32 {
        Rng::new().random()
    }
}
