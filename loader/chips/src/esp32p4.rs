//! ESP32-P4 (RISC-V, RV32IMAFC, two cores).
//!
//! Sources: ESP32-P4 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32p4/register/soc/` and
//! `components/efuse/esp32p4/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Field, Identity, ImageRules, Kind, Package, Region,
    UsbPorts, family,
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
    spi: family::spi_mem(0x5008_D000),
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
    watchdogs: Some(family::lp_watchdogs(WATCHDOG, 0x18, true)),
    usb: UsbPorts { buffer_number: &[], otg: Some(5), serial_jtag: Some(6) },
    boot_strap: BootStrap { pin: "GPIO35" },
    rom: family::ROM_LOADER,
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x1, "26m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000],
        flash_encryption_align: 16,
    },
    uf2_family: 0x3D30_8E94,
    stub: None,
};
