//! Registers that the loader itself reads and writes.

/// The SPI controller of the flash (SPI1, "SPI_MEM1" in newer manuals): a command of our own is a few writes to it.
///
/// Offsets are from `base`; CMD is at 0 and ADDR at 4 on every chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpiRegisters {
    /// First register.
    pub base: u32,
    /// SPI_USER.
    pub user: u32,
    /// SPI_USER1.
    pub user1: u32,
    /// SPI_USER2.
    pub user2: u32,
    /// SPI_MOSI_DLEN.
    pub mosi_dlen: u32,
    /// SPI_MISO_DLEN.
    pub miso_dlen: u32,
    /// First data word, SPI_W0.
    pub w0: u32,
    /// The address is sent from bit 31 of ADDR down (ESP32), not from the top bit of its length.
    pub address_from_msb: bool,
}

/// Where the crystal's frequency comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crystal {
    /// The chip runs with one frequency only.
    FixedMhz(u8),
    /// One of these; told from UART0's divider: baud rate x divider / `clock_divider`.
    FromUart {
        /// The frequencies the chip allows, lowest first.
        allowed_mhz: &'static [u8],
        /// The UART's clock is the crystal's divided by this.
        clock_divider: u32,
    },
    /// An eFuse bit tells.
    FromEfuse {
        /// Read as 0 or 1.
        field: crate::Field,
        /// Frequency if 0.
        if_zero_mhz: u8,
        /// Frequency otherwise.
        otherwise_mhz: u8,
    },
}

/// What the ESP32's ROM estimates the crystal's frequency from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrystalEstimate {
    /// TIMG_RTCCALICFG1, the number of crystal cycles counted.
    pub calibration: crate::Bits,
    /// eFuse CK8M_FREQ.
    pub slow_clock: crate::Bits,
}

/// The watchdogs of the RTC domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watchdogs {
    /// RTC_CNTL_WDTCONFIG0 or LP_WDT_CONFIG0.
    pub config0: u32,
    /// RTC_CNTL_WDTCONFIG1 or LP_WDT_CONFIG1: time of stage 0.
    pub config1: u32,
    /// RTC_CNTL_WDTWPROTECT or LP_WDT_WPROTECT.
    pub protect: u32,
    /// Written to `protect` to unlock.
    pub key: u32,
    /// The super watchdog's configuration.
    pub super_config: u32,
    /// Bit that feeds it for ever (AUTO_FEED_EN).
    pub super_auto_feed: u32,
    /// The super watchdog's lock.
    pub super_protect: u32,
    /// Written to `super_protect` to unlock.
    pub super_key: u32,
    /// The chip can be reset by letting the watchdog bite.
    pub can_reset_chip: bool,
}

/// Built-in USB ports, told from a byte that the ROM keeps in RAM: which port its loader talks over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsbPorts {
    /// Address of the byte by the ROM's word at [`crate::MAGIC_ADDRESS`] (24 bytes into `UartDev` of the ROM's
    /// symbols); empty where the chip has no USB.
    pub buffer_number: &'static [(u32, u32)],
    /// Its value when the loader talks over USB-OTG.
    pub otg: Option<u8>,
    /// Its value when the loader talks over USB-Serial-JTAG.
    pub serial_jtag: Option<u8>,
}
