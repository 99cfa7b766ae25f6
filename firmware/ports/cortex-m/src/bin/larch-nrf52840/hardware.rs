//! The board behind the port's trait.

use embassy_nrf::config::{Config, HfclkSource};
use embassy_nrf::mode::Blocking;
use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::pac;
use embassy_nrf::pac::power::regs::Resetreas;
use embassy_nrf::rng::Rng;
use larch_board::Name;
use larch_cortex_m::blocks::Blocks;
use larch_cortex_m::{Hardware, rtt};
use larch_hal::ResetCause;

use crate::console;
use crate::pins::Ports;

/// The processor's clock, whatever the oscillator.
const CORE_HZ: u32 = 64_000_000;

/// The chip.
pub struct Nrf52840 {
    reset: Resetreas,
    disk: Option<Nvmc<'static>>,
    random: Rng<'static, Blocking>,
    unique_id: [u8; 8],
}

impl Hardware for Nrf52840 {
    const NAME: Name = Name { machine: "nRF52840-DK with NRF52840", platform: "nrf52", build: "PCA10056" };
    const FREQUENCY_HZ: u32 = CORE_HZ;
    type Line = rtt::Beside<console::Uart0, CORE_HZ>;
    type Pins = Ports;
    /// The last 448 KB of the flash. The processor stands still while a page is written or erased (85 ms): what does not fit into the
    /// UART's queue of six bytes is lost meanwhile.
    type Disk = Blocks<Nvmc<'static>, 0x9_0000, 112>;

    fn set_up() -> Self {
        let reset = pac::POWER.resetreas().read();
        // Flags are cleared by writing them.
        pac::POWER.resetreas().write_value(reset);
        let mut config = Config::default();
        // A UART needs the crystal's precision.
        config.hfclk_source = HfclkSource::ExternalXtal;
        let chip = embassy_nrf::init(config);
        pac::NVMC.icachecnf().write(|cache| cache.set_cacheen(true));
        let random = Rng::new_blocking(chip.RNG);
        random.set_bias_correction(true);
        let [low, high] = [0, 1].map(|half| pac::FICR.deviceid(half).read());
        let unique_id = (u64::from(high) << 32 | u64::from(low)).to_le_bytes();
        console::set_up();
        rtt::set_up();
        Self { reset, disk: Some(Nvmc::new(chip.NVMC)), random, unique_id }
    }

    fn disk(&mut self) -> Option<Self::Disk> {
        self.disk.take().map(Blocks)
    }

    fn reset_cause(&self) -> ResetCause {
        let woken = self.reset.off() || self.reset.lpcomp() || self.reset.dif() || self.reset.nfc();
        match self.reset {
            flags if flags.dog() => ResetCause::Watchdog,
            flags if flags.resetpin() || flags.sreq() || flags.lockup() => ResetCause::Hard,
            _ if woken => ResetCause::DeepSleep,
            _ => ResetCause::PowerOn,
        }
    }

    fn unique_id(&self) -> &[u8] {
        &self.unique_id
    }

    fn random(&mut self) -> u32 {
        self.random.blocking_next_u32()
    }
}
