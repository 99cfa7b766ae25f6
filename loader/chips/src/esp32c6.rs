//! ESP32-C6 (RISC-V, RV32IMAC).
//!
//! Sources: ESP32-C6 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32c6/register/soc/` and
//! `components/efuse/esp32c6/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Condition, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind,
    Package, Region, UsbPorts, family,
};

const EFUSE: u32 = 0x600B_0800;
/// First word of BLOCK1 (MAC_SPI_SYS); word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
/// LP_WDT.
const WATCHDOG: u32 = 0x600B_1C00;

/// ESP32-C6.
pub static CHIP: Chip = Chip {
    name: "ESP32-C6",
    slug: "esp32c6",
    target: "riscv32imac-unknown-none-elf",
    core: Core::RiscV,
    identity: Identity { chip_id: 13, magic: &[0x2CE0_806F] },
    bootloader_offset: 0,
    memory: &[
        Region::new(0x4000_0000, 0x4004_AC00, Kind::MaskIrom),
        Region::new(0x4004_AC00, 0x4005_0000, Kind::MaskDrom),
        Region::new(0x4080_0000, 0x4088_0000, Kind::Dram),
        Region::new(0x4200_0000, 0x4300_0000, Kind::Irom),
        Region::new(0x5000_0000, 0x5000_4000, Kind::Rtc),
    ],
    spi: family::spi_mem(0x6000_3000),
    uart_clkdiv: 0x6000_0014,
    crystal: Crystal::FixedMhz(40),
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK1,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK1 + 12, 22, 2)]),
        major_map: &[],
        // WAFER_VERSION_MINOR
        minor: Field(&[Bits::new(BLOCK1 + 12, 18, 4)]),
        zero_revision: &[],
        // PKG_VERSION
        package: Field(&[Bits::new(BLOCK1 + 12, 24, 3)]),
        packages: &[
            Package { version: 0, when: &[], name: "ESP32-C6 (QFN40)" },
            Package {
                version: 1,
                when: &[Condition { field: Field(&[Bits::new(BLOCK1 + 16, 0, 3)]), is: 1 }],
                name: "ESP32-C6FH4 (QFN32)",
            },
            Package {
                version: 1,
                when: &[Condition { field: Field(&[Bits::new(BLOCK1 + 16, 0, 3)]), is: 2 }],
                name: "ESP32-C6FH8 (QFN32)",
            },
        ],
        name_parts: &[],
        features: &["Wi-Fi 6", "BT 5 (LE)", "IEEE802.15.4", "Single Core + LP Core", "160MHz"],
        optional_features: &[Feature {
            field: Field(&[Bits::new(BLOCK1 + 16, 0, 3)]),
            names: &[(0, ""), (1, "Embedded Flash 4MB"), (2, "Embedded Flash 8MB")],
            otherwise: Some("Unknown Embedded Flash"),
            vendor: None,
        }],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x34, 18, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x38, 20, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 20, 1)]),
    },
    watchdogs: Some(family::lp_watchdogs(WATCHDOG, 0x18, false)),
    usb: UsbPorts { buffer_number: &[(0, 0x4087_F568 + 24)], otg: None, serial_jtag: Some(3) },
    boot_strap: BootStrap { pin: "GPIO9" },
    rom: family::ROM_LOADER,
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0x0, "80m"), (0x0, "40m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000, 0x8000, 0x4000, 0x2000],
        flash_encryption_align: 16,
    },
    uf2_family: 0x540D_DF62,
    stub: None,
};
