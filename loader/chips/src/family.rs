//! What the chips after the ESP32 have in common: each is the base that a chip's own table says its differences from.
//!
//! Sources: ESP-IDF `components/soc/<chip>/register/soc/` `spi_mem_reg.h`, `lp_wdt_reg.h` and `rtc_cntl_reg.h`; ESP-IDF
//! `components/esp_rom` for what the mask ROMs' loaders answer.

use crate::{RomLoader, SpiRegisters, Watchdogs};

/// Unlocks the watchdog of every chip (TIMG_WDT_WKEY), and the super watchdog of those with an LP domain.
pub(crate) const WATCHDOG_KEY: u32 = 0x50D8_3AA1;

/// SPI_MEM controllers, whose registers lie alike from the ESP32-S2 on.
pub(crate) const fn spi_mem(base: u32) -> SpiRegisters {
    SpiRegisters {
        base,
        user: 0x18,
        user1: 0x1C,
        user2: 0x20,
        mosi_dlen: 0x24,
        miso_dlen: 0x28,
        w0: 0x58,
        address_from_msb: false,
    }
}

/// The mask ROM's loader of the chips after the ESP32-S2.
pub(crate) const ROM_LOADER: RomLoader = RomLoader {
    begin_has_encrypt: true,
    security_info: true,
    security_info_has_chip_id: true,
    crystal_estimate: None,
    flash_regulator: None,
    custom_spi_pins: false,
};

/// LP_WDT at `base`; its locks and the super watchdog follow each other from `protect` on.
pub(crate) const fn lp_watchdogs(base: u32, protect: u32, can_reset_chip: bool) -> Watchdogs {
    Watchdogs {
        config0: base,
        config1: base + 0x04,
        protect: base + protect,
        key: WATCHDOG_KEY,
        super_config: base + protect + 0x04,
        super_auto_feed: 1 << 18,
        super_protect: base + protect + 0x08,
        super_key: WATCHDOG_KEY,
        can_reset_chip,
    }
}
