//! ESP32-P4 (RISC-V, RV32IMAFC, two cores).
//!
//! Sources: ESP32-P4 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32p4/register/soc/` and
//! `components/efuse/esp32p4/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Field, Identity, ImageRules, Kind, Package, Region,
    RomLoader, SpiRegisters, UsbPorts, Watchdogs,
};

const EFUSE: u32 = 0x5012_D000;
/// First word of BLOCK1 (MAC_SPI_SYS); word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
/// LP_WDT.
const WATCHDOG: u32 = 0x5011_6000;

/// ESP32-P4.
pub static CHIP: Chip = Chip {
    name: "ESP32-P4",
    slug: "esp32p4",
    target: "riscv32imafc-unknown-none-elf",
    core: Core::RiscV,
    identity: Identity { chip_id: 18, magic: &[] },
    bootloader_offset: 0x2000,
    memory: &[
        Region::new(0x4000_0000, 0x4800_0000, Kind::Irom),
        Region::new(0x4800_0000, 0x4C00_0000, Kind::Psram),
        Region::new(0x4FC0_0000, 0x4FC2_0000, Kind::MaskIrom),
        Region::new(0x4FF0_0000, 0x4FFC_0000, Kind::Dram),
        Region::new(0x5010_8000, 0x5011_0000, Kind::Rtc),
    ],
    spi: SpiRegisters {
        base: 0x5008_D000,
        user: 0x18,
        user1: 0x1C,
        user2: 0x20,
        mosi_dlen: 0x24,
        miso_dlen: 0x28,
        w0: 0x58,
        address_from_msb: false,
    },
    uart_clkdiv: 0x500C_A014,
    crystal: Crystal::FixedMhz(40),
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK1,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK1 + 8, 4, 2), Bits::new(BLOCK1 + 8, 23, 1)]),
        major_map: &[],
        // WAFER_VERSION_MINOR
        minor: Field(&[Bits::new(BLOCK1 + 8, 0, 4)]),
        zero_revision: &[],
        // PKG_VERSION
        package: Field(&[Bits::new(BLOCK1 + 8, 20, 3)]),
        packages: &[Package { version: 0, when: &[], name: "ESP32-P4" }],
        name_parts: &[],
        features: &["Dual Core + LP Core", "400MHz"],
        optional_features: &[],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x34, 18, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x38, 20, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 20, 1)]),
    },
    watchdogs: Some(Watchdogs {
        config0: WATCHDOG,
        config1: WATCHDOG + 0x04,
        protect: WATCHDOG + 0x18,
        key: 0x50D8_3AA1,
        super_config: WATCHDOG + 0x1C,
        super_auto_feed: 1 << 18,
        super_protect: WATCHDOG + 0x20,
        super_key: 0x50D8_3AA1,
        can_reset_chip: true,
    }),
    usb: UsbPorts { buffer_number: &[], otg: Some(5), serial_jtag: Some(6) },
    boot_strap: BootStrap { pin: "GPIO35" },
    rom: RomLoader {
        begin_has_encrypt: true,
        security_info: true,
        security_info_has_chip_id: true,
        crystal_estimate: None,
        flash_regulator: None,
        custom_spi_pins: false,
    },
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x1, "26m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000],
        flash_encryption_align: 16,
    },
    uf2_family: 0x3D30_8E94,
    stub: None,
};
