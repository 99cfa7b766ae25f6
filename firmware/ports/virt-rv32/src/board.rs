//! The machine as the interpreter sees it.

use core::sync::atomic::AtomicBool;

use larch_board::files::Storage;
use larch_board::{Machine, Name, receive};
use larch_hal::{
    BlockDevice, Board, Clock, Console, FileSystem, PinError, PinMode, Pins, Port, Pull, ResetCause,
};
use larch_heap::Region;
use larch_vm::vm::INTERRUPTED;

use crate::flash::Flash;
use crate::{clock, console, memory, mmio};

/// SiFive's test device: what is written to it ends or restarts the machine.
const TEST_DEVICE: usize = 0x0010_0000;
/// The address that QEMU gives to the first network card.
const UNIQUE_ID: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

/// How a run ends.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Exit {
    /// Exit code 0.
    Success = 0x5555,
    /// Exit code 1.
    Failure = 0x1_3333,
    /// The machine starts again.
    Reset = 0x7777,
}

/// Leaves the machine.
pub fn exit(how: Exit) -> ! {
    console::flush();
    loop {
        mmio::write(TEST_DEVICE, how as u32);
    }
}

/// The machine.
pub struct Virt {
    storage: Storage<Flash>,
    random: u32,
    soft_reset: bool,
}

impl Virt {
    /// Sets the machine up. Called once.
    pub fn new() -> Self {
        clock::set_up();
        Self {
            storage: if cfg!(feature = "files") {
                Storage::find(Some(Flash::new()), clock::epoch_us)
            } else {
                Storage::None
            },
            random: clock::epoch_us() as u32 | 1,
            soft_reset: false,
        }
    }

    /// Where files are kept, in a firmware that keeps any.
    fn kept(&mut self) -> Option<&mut Storage<Flash>> {
        cfg!(feature = "files").then_some(&mut self.storage)
    }
}

impl Machine for Virt {
    const NAME: Name =
        Name { machine: "VIRT_RV32 with QEMU riscv32 virt", platform: "qemu", build: "VIRT_RV32" };

    fn stack_room() -> usize {
        memory::stack_room()
    }

    fn heap() -> Region {
        memory::heap()
    }

    fn notice(&self) -> Option<&'static str> {
        if cfg!(feature = "files") { self.storage.notice() } else { None }
    }

    fn soft_reset(&mut self) {
        if let Some(storage) = self.kept() {
            storage.soft_reset();
        }
        self.set_interrupt_byte(None);
        self.soft_reset = true;
    }
}

impl Port for Virt {
    fn storage(&mut self) -> Option<&mut dyn BlockDevice> {
        self.kept()?.device()
    }

    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        self.kept()?.files()
    }
}

impl Console for Virt {
    fn read(&mut self) -> Option<u8> {
        console::read()
    }

    fn readable(&self) -> bool {
        receive::is_readable()
    }

    fn write(&mut self, bytes: &[u8]) {
        console::write(bytes);
    }

    fn flush(&mut self) {
        console::flush();
    }

    fn set_interrupt_byte(&mut self, byte: Option<u8>) {
        console::set_interrupt_byte(byte);
    }

    fn interrupt_flag(&self) -> &'static AtomicBool {
        &INTERRUPTED
    }
}

impl Clock for Virt {
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
        clock::set_epoch_us(epoch_us);
    }

    fn idle(&mut self, deadline_us: Option<u64>) {
        clock::idle(deadline_us);
    }
}

/// The machine has no pins.
impl Pins for Virt {
    fn configure_pin(&mut self, _pin: u8, _mode: PinMode, _pull: Pull) -> Result<(), PinError> {
        Err(PinError::NoSuchPin)
    }

    fn pin_level(&self, _pin: u8) -> Result<bool, PinError> {
        Err(PinError::NoSuchPin)
    }

    fn set_pin_level(&mut self, _pin: u8, _high: bool) -> Result<(), PinError> {
        Err(PinError::NoSuchPin)
    }
}

impl Board for Virt {
    fn reset(&mut self) -> ! {
        exit(Exit::Reset)
    }

    /// There is no loader to enter: QEMU ends.
    fn enter_bootloader(&mut self) -> ! {
        exit(Exit::Success)
    }

    fn reset_cause(&self) -> ResetCause {
        if self.soft_reset { ResetCause::Soft } else { ResetCause::PowerOn }
    }

    fn unique_id(&self) -> &[u8] {
        &UNIQUE_ID
    }

    /// One instruction a nanosecond, with `-icount shift=0`.
    fn frequency_hz(&self) -> u32 {
        1_000_000_000
    }

    /// A xorshift generator seeded from the clock: good enough to seed `random`, not for secrets.
    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}
