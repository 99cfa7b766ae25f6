//! ESP32-C61 (RISC-V, RV32IMAC).
//!
//! Sources: ESP32-C61 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32c61/register/soc/` and
//! `components/efuse/esp32c61/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind, Package, Region,
    UsbPorts, family,
};

const EFUSE: u32 = 0x600B_4800;
/// First word of BLOCK1 (MAC_SPI_SYS); word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
/// LP_WDT.
const WATCHDOG: u32 = 0x600B_1C00;

/// ESP32-C61.
pub static CHIP: Chip = Chip {
    name: "ESP32-C61",
    slug: "esp32c61",
    target: "riscv32imac-unknown-none-elf",
    core: Core::RiscV,
    identity: Identity { chip_id: 20, magic: &[0x7211_606F] },
    bootloader_offset: 0,
    memory: &[
        Region::new(0x4000_0000, 0x4004_AC00, Kind::MaskIrom),
        Region::new(0x4004_AC00, 0x4005_0000, Kind::MaskDrom),
        Region::new(0x4080_0000, 0x4086_0000, Kind::Dram),
        Region::new(0x4200_0000, 0x4400_0000, Kind::Irom),
        Region::new(0x5000_0000, 0x5000_4000, Kind::Rtc),
    ],
    spi: family::spi_mem(0x6000_3000),
    uart_clkdiv: 0x6000_0014,
    crystal: Crystal::FixedMhz(40),
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK1,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK1 + 8, 4, 2)]),
        major_map: &[],
        // WAFER_VERSION_MINOR
        minor: Field(&[Bits::new(BLOCK1 + 8, 0, 4)]),
        zero_revision: &[],
        // PKG_VERSION
        package: Field::NONE,
        packages: &[Package { version: 0, when: &[], name: "ESP32-C61" }],
        name_parts: &[
            (Field(&[Bits::new(BLOCK1 + 8, 24, 2)]), &[(0, "N"), (1, "H")]),
            (Field(&[Bits::new(BLOCK1 + 8, 13, 3)]), &[(0, ""), (1, "F4"), (2, "F8")]),
            (Field(&[Bits::new(BLOCK1 + 8, 19, 3)]), &[(0, ""), (1, "R2"), (2, "R8")]),
            (Field(&[Bits::new(BLOCK1 + 8, 26, 3)]), &[(0, ""), (1, ""), (2, ""), (3, "LA")]),
        ],
        features: &["Wi-Fi 6", "BT 5 (LE)", "Single Core", "160MHz"],
        optional_features: &[
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 8, 13, 3)]),
                names: &[(0, "No Embedded Flash"), (1, "Embedded Flash 4MB"), (2, "Embedded Flash 8MB")],
                otherwise: Some("Unknown Embedded Flash"),
                vendor: None,
            },
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 8, 19, 3)]),
                names: &[(0, "No Embedded PSRAM"), (1, "Embedded PSRAM 2MB"), (2, "Embedded PSRAM 8MB")],
                otherwise: Some("Unknown Embedded PSRAM"),
                vendor: None,
            },
        ],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x30, 23, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x34, 26, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 14, 1)]),
    },
    watchdogs: Some(family::lp_watchdogs(WATCHDOG, 0x18, true)),
    usb: UsbPorts { buffer_number: &[(0, 0x4084_F5CC + 24)], otg: None, serial_jtag: Some(3) },
    boot_strap: BootStrap { pin: "GPIO9" },
    rom: family::ROM_LOADER,
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000, 0x8000, 0x4000, 0x2000],
        flash_encryption_align: 16,
    },
    uf2_family: 0x77D8_50C4,
    stub: None,
};
