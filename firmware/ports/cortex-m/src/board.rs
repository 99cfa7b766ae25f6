//! A board as the interpreter sees it.

use core::sync::atomic::AtomicBool;

use cortex_m::peripheral::SCB;
use larch_board::files::Storage;
use larch_board::{Machine, Name, receive};
use larch_hal::{
    BlockDevice, Board, Clock, Console, FileSystem, Lan, PinError, PinMode, Pins, Port, Pull, ResetCause,
    Sockets,
};
use larch_heap::Region;
use larch_vm::native::{ModuleDef, TypeDef};
use larch_vm::vm::INTERRUPTED;
use static_cell::StaticCell;

use crate::{build, clock, memory};

/// The console's line: handlers and the last words of a program reach it without the board.
pub trait Line {
    /// Sends all bytes; waits while the line is busy, but never for the other side to listen.
    fn write(bytes: &[u8]);

    /// Waits until everything written has left the chip.
    fn flush();

    /// The chip is going to be reset: nobody must lose what was written.
    fn before_reset() {
        Self::flush();
    }

    /// There is room for received bytes again; [`Line::on_interrupt`] may have stopped receiving.
    fn receive() {}

    /// An interrupt that is not the processor's own, by its number.
    fn on_interrupt(number: i16);

    /// A millisecond is over; called by an interrupt handler.
    fn on_turn() {}
}

/// What differs from board to board.
pub trait Hardware: Sized + 'static {
    /// How the board is called.
    const NAME: Name;
    /// How fast the processor runs, once [`Hardware::set_up`] has returned.
    const FREQUENCY_HZ: u32;
    /// Types and modules that only this board has.
    const TYPES: &'static [&'static TypeDef] = &[];
    /// As [`Hardware::TYPES`].
    const MODULES: &'static [&'static ModuleDef] = &[];
    /// The console.
    type Line: Line;
    /// Digital pins.
    type Pins: Pins + Default;
    /// Where files are.
    type Disk: BlockDevice + 'static;

    /// Sets clocks, console and pins up. Called once, with interrupts off.
    fn set_up() -> Self;

    /// The place for files. Called once.
    fn disk(&mut self) -> Option<Self::Disk>;

    /// A millisecond is over; called by an interrupt handler.
    fn on_turn() {}

    /// The board's network card, if it has one.
    fn lan(&mut self) -> Option<&mut dyn Lan> {
        None
    }

    /// Sockets, if there is a network.
    fn sockets(&mut self) -> Option<&mut dyn Sockets> {
        None
    }

    /// Why the chip started.
    fn reset_cause(&self) -> ResetCause;

    /// What no other board has.
    fn unique_id(&self) -> &[u8];

    /// 32 bits, random if the chip can.
    fn random(&mut self) -> u32;
}

/// A board.
pub struct CortexM<H: Hardware> {
    hardware: H,
    pins: H::Pins,
    storage: Storage<H::Disk>,
    build: &'static str,
    soft_reset: bool,
}

/// From the first instructions to the prompt. Called once; the `StaticCell` is the caller's because statics have no type
/// parameters.
pub fn run<H: Hardware>(place: &'static StaticCell<CortexM<H>>) -> ! {
    larch_board::run(start(place))
}

/// Sets the board up. On its own, so that what it needs of the stack is free again while programs run.
#[inline(never)]
#[expect(clippy::mut_from_ref, reason = "the cell gives its content away once")]
fn start<H: Hardware>(place: &'static StaticCell<CortexM<H>>) -> &'static mut CortexM<H> {
    let mut hardware = H::set_up();
    clock::set_up(H::FREQUENCY_HZ);
    memory::set_up_allocator();
    // SAFETY: what handlers share with the program is atomic.
    unsafe { cortex_m::interrupt::enable() };
    let disk = hardware.disk();
    place.init_with(|| CortexM {
        hardware,
        pins: H::Pins::default(),
        storage: Storage::find(disk, clock::epoch_us),
        build: build::name(H::NAME.build),
        soft_reset: false,
    })
}

impl<H: Hardware> Machine for CortexM<H> {
    const NAME: Name = H::NAME;
    const TYPES: &'static [&'static TypeDef] = H::TYPES;
    const MODULES: &'static [&'static ModuleDef] = H::MODULES;

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
        if let Some(sockets) = self.hardware.sockets() {
            sockets.close_unheld(&[]);
        }
        self.set_interrupt_byte(None);
        self.soft_reset = true;
    }
}

impl<H: Hardware> Port for CortexM<H> {
    fn storage(&mut self) -> Option<&mut dyn BlockDevice> {
        self.storage.device()
    }

    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        self.storage.files()
    }

    fn lan(&mut self) -> Option<&mut dyn Lan> {
        self.hardware.lan()
    }

    fn sockets(&mut self) -> Option<&mut dyn Sockets> {
        self.hardware.sockets()
    }
}

impl<H: Hardware> Console for CortexM<H> {
    fn read(&mut self) -> Option<u8> {
        let byte = receive::read();
        if byte.is_some() {
            H::Line::receive();
        }
        byte
    }

    fn readable(&self) -> bool {
        receive::is_readable()
    }

    fn write(&mut self, bytes: &[u8]) {
        H::Line::write(bytes);
    }

    fn flush(&mut self) {
        H::Line::flush();
    }

    fn set_interrupt_byte(&mut self, byte: Option<u8>) {
        receive::set_interrupt_byte(byte);
        H::Line::receive();
    }

    fn interrupt_flag(&self) -> &'static AtomicBool {
        &INTERRUPTED
    }
}

impl<H: Hardware> Clock for CortexM<H> {
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
        // Not later than after a millisecond, the caller comes again.
        if let Some(sockets) = self.hardware.sockets() {
            sockets.poll();
        }
        clock::idle(deadline_us);
    }
}

impl<H: Hardware> Pins for CortexM<H> {
    fn configure_pin(&mut self, pin: u8, mode: PinMode, pull: Pull) -> Result<(), PinError> {
        self.pins.configure_pin(pin, mode, pull)
    }

    fn pin_level(&self, pin: u8) -> Result<bool, PinError> {
        self.pins.pin_level(pin)
    }

    fn set_pin_level(&mut self, pin: u8, high: bool) -> Result<(), PinError> {
        self.pins.set_pin_level(pin, high)
    }
}

impl<H: Hardware> Board for CortexM<H> {
    fn reset(&mut self) -> ! {
        H::Line::before_reset();
        SCB::sys_reset()
    }

    /// These boards are programmed through their debug port: there is no loader to enter.
    fn enter_bootloader(&mut self) -> ! {
        self.reset()
    }

    fn reset_cause(&self) -> ResetCause {
        if self.soft_reset { ResetCause::Soft } else { self.hardware.reset_cause() }
    }

    fn unique_id(&self) -> &[u8] {
        self.hardware.unique_id()
    }

    fn frequency_hz(&self) -> u32 {
        H::FREQUENCY_HZ
    }

    fn random(&mut self) -> u32 {
        self.hardware.random()
    }
}
