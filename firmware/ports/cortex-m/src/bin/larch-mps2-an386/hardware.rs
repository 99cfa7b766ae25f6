//! The board behind the port's trait.

use core::sync::atomic::{AtomicU32, Ordering};

use larch_board::Name;
use larch_board::net::Wired;
use larch_cortex_m::{Hardware, clock};
use larch_hal::{Lan, PinError, PinMode, Pins, Pull, ResetCause, Sockets};
use larch_vm::native::{ModuleDef, TypeDef};
use larch_vm::vm::PENDING;

use crate::console;
use crate::disk::Disk;
use crate::lan9118::{self, Lan9118};

/// How often a program that computes looks after the network.
const LOOK_MS: u32 = 10;

/// The board.
pub struct Mps2 {
    random: u32,
    lan: Wired<Lan9118>,
}

impl Hardware for Mps2 {
    const NAME: Name = Name { machine: "MPS2_AN386 with Cortex-M4", platform: "qemu", build: "MPS2_AN386" };
    const FREQUENCY_HZ: u32 = 25_000_000;
    const TYPES: &'static [&'static TypeDef] = larch_stdlib::net::WIRED_TYPES;
    const MODULES: &'static [&'static ModuleDef] = larch_stdlib::net::WIRED_MODULES;
    type Line = console::Uart;
    type Pins = NoPins;
    type Disk = Disk;

    fn set_up() -> Self {
        console::set_up();
        let lan = Wired::new(Lan9118::new, lan9118::mac(), "mpy-mps2", clock::now_us, clock::cycles);
        Self { random: 0, lan }
    }

    fn lan(&mut self) -> Option<&mut dyn Lan> {
        Some(&mut self.lan)
    }

    fn sockets(&mut self) -> Option<&mut dyn Sockets> {
        Some(&mut self.lan.network)
    }

    fn disk(&mut self) -> Option<Disk> {
        Some(Disk::new())
    }

    /// While a program computes, it looks after the network now and then.
    fn on_turn() {
        static TURNS: AtomicU32 = AtomicU32::new(0);
        if lan9118::is_on() && TURNS.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK_MS) {
            PENDING.store(true, Ordering::Relaxed);
        }
    }

    fn reset_cause(&self) -> ResetCause {
        ResetCause::PowerOn
    }

    /// The address that QEMU gives to the first network card.
    fn unique_id(&self) -> &[u8] {
        &[0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
    }

    /// A xorshift generator seeded from the clock: good enough to seed `random`, not for secrets.
    fn random(&mut self) -> u32 {
        if self.random == 0 {
            self.random = clock::cycles() | 1;
        }
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}

/// The machine has no pins.
#[derive(Default)]
pub struct NoPins;

impl Pins for NoPins {
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
