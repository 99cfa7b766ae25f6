//! The board behind the port's trait.

use embassy_rp::clocks::RoscRng;
use embassy_rp::config::Config;
use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::pac;
use embassy_rp::peripherals::FLASH;
use larch_board::Name;
use larch_cortex_m::blocks::Blocks;
use larch_cortex_m::{Hardware, rtt};
use larch_hal::ResetCause;

use crate::console;
use crate::pins::Ports;

/// The processor's clock: the HAL's usual one, from a crystal of 12 MHz.
const CORE_HZ: u32 = 125_000_000;
const FLASH_BYTES: usize = 2 * 1024 * 1024;

type Whole = Flash<'static, FLASH, Blocking, FLASH_BYTES>;

/// The chip.
pub struct Rp2040 {
    cause: ResetCause,
    disk: Option<Whole>,
    unique_id: [u8; 8],
}

fn cause() -> ResetCause {
    let reason = pac::WATCHDOG.reason().read();
    let reset = pac::VREG_AND_CHIP_RESET.chip_reset().read();
    if reason.timer() || reason.force() {
        ResetCause::Watchdog
    } else if reset.had_por() && !reset.had_run() {
        ResetCause::PowerOn
    } else {
        // The RUN pin, the program, or a debugger.
        ResetCause::Hard
    }
}

impl Hardware for Rp2040 {
    const NAME: Name = Name { machine: "Raspberry Pi Pico with RP2040", platform: "rp2", build: "RPI_PICO" };
    const FREQUENCY_HZ: u32 = CORE_HZ;
    type Line = rtt::Beside<console::Uart0, CORE_HZ>;
    type Pins = Ports;
    /// The second megabyte. Interrupts wait while a sector is written or erased (45 ms): what does not fit into the UART's FIFO of 32
    /// bytes is lost meanwhile.
    type Disk = Blocks<Whole, 0x10_0000, 256>;

    fn set_up() -> Self {
        let cause = cause();
        let chip = embassy_rp::init(Config::default());
        let mut flash = Flash::new_blocking(chip.FLASH);
        // The number is the flash's; where it has none, zeros stay.
        let mut unique_id = [0; 8];
        let _ = flash.blocking_unique_id(&mut unique_id);
        console::set_up();
        rtt::set_up();
        Self { cause, disk: Some(flash), unique_id }
    }

    fn disk(&mut self) -> Option<Self::Disk> {
        self.disk.take().map(Blocks)
    }

    fn reset_cause(&self) -> ResetCause {
        self.cause
    }

    fn unique_id(&self) -> &[u8] {
        &self.unique_id
    }

    /// Good enough to seed `random`, not for secrets.
    fn random(&mut self) -> u32 {
        RoscRng.next_u32()
    }
}
