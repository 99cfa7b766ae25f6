//! What our own flasher stub (`loader/stub`) must know of a chip.
//!
//! Only chips on which it has run have an entry. Sources: ESP-IDF `components/esp_rom/<chip>/ld/<chip>.rom.ld` (ROM
//! functions, the same for all revisions of a chip's mask ROM), the TRM's chapters on UART, SPI and clocks.

/// Addresses from `start` to `end`, without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First address.
    pub start: u32,
    /// First address behind it.
    pub end: u32,
}

/// A field of a register and what to set it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The register.
    pub register: u32,
    /// Bits that change.
    pub mask: u32,
    /// Their new value.
    pub value: u32,
}

/// Functions of the mask ROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RomFunctions {
    /// `ets_delay_us`
    pub delay_us: u32,
    /// `ets_update_cpu_frequency`
    pub update_cpu_frequency: u32,
    /// `uart_tx_wait_idle`
    pub uart_tx_wait_idle: u32,
    /// `uart_div_modify`
    pub uart_div_modify: u32,
    /// `software_reset`
    pub software_reset: u32,
    /// `esp_rom_spiflash_attach`
    pub flash_attach: u32,
    /// `esp_rom_spiflash_config_param`
    pub flash_config_param: u32,
    /// `esp_rom_spiflash_unlock`
    pub flash_unlock: u32,
    /// `memset`
    pub memset: u32,
    /// `memcpy`
    pub memcpy: u32,
    /// `MD5Init`
    pub md5_init: u32,
    /// `MD5Update`
    pub md5_update: u32,
    /// `MD5Final`
    pub md5_final: u32,
}

/// A chip as the stub sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StubFacts {
    /// RAM for code, by the addresses at which it is executed.
    pub code: Span,
    /// RAM for data and buffers; not the same RAM, and not what the mask ROM uses.
    pub data: Span,
    /// UART0.
    pub uart: u32,
    /// Its clock, as the mask ROM leaves it.
    pub uart_clock_hz: u32,
    /// The processor's clock, raised by `faster`.
    pub cpu_mhz: u32,
    /// Raises the processor's clock.
    pub faster: &'static [Setting],
    /// The flash's controller.
    pub spi: crate::SpiRegisters,
    /// SPI_MEM_CTRL: offset, and the bits that have the flash answer on two lines.
    pub spi_control: (u32, u32),
    /// SPI_MEM_CLOCK: offset, and the value for at most 40 MHz once the clock is raised.
    pub spi_clock: (u32, u32),
    /// Functions of the mask ROM.
    pub rom: RomFunctions,
}

/// ESP32-C3. Clock: TRM table 6.2-2; the PLL runs from reset on, for USB (Espressif's esp-stub-lib relies on it too).
pub const ESP32C3: StubFacts = StubFacts {
    // SRAM1 from its start; the mask ROM's own data begin at 0x3FCD_0000 (ESP-IDF `bootloader.ld.in`).
    code: Span { start: 0x4038_0000, end: 0x4038_4000 },
    data: Span { start: 0x3FC8_4000, end: 0x3FCC_0000 },
    uart: 0x6000_0000,
    uart_clock_hz: 40_000_000,
    cpu_mhz: 160,
    faster: &[
        // SYSTEM_CPU_PER_CONF: PLL of 480 MHz, CPU at 160 MHz.
        Setting { register: 0x600C_0008, mask: 0b111, value: 0b101 },
        // SYSTEM_SYSCLK_CONF: clock from the PLL.
        Setting { register: 0x600C_0058, mask: 0b11 << 10, value: 0b01 << 10 },
    ],
    spi: crate::esp32c3::SPI,
    // FREAD_DUAL and FASTRD_MODE.
    spi_control: (0x08, 1 << 14 | 1 << 13),
    // APB is 80 MHz then: divided by 2.
    spi_clock: (0x14, 0x0001_0001),
    rom: RomFunctions {
        delay_us: 0x4000_0050,
        update_cpu_frequency: 0x4000_0588,
        uart_tx_wait_idle: 0x4000_0084,
        uart_div_modify: 0x4000_0088,
        software_reset: 0x4000_0090,
        flash_attach: 0x4000_0164,
        flash_config_param: 0x4000_0134,
        flash_unlock: 0x4000_0140,
        memset: 0x4000_0354,
        memcpy: 0x4000_0358,
        md5_init: 0x4000_0614,
        md5_update: 0x4000_0618,
        md5_final: 0x4000_061C,
    },
};
