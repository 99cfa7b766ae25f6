//! ESP32-C5 (RISC-V, RV32IMAC).
//!
//! Sources: ESP32-C5 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32c5/register/soc/` and
//! `components/efuse/esp32c5/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind, Package, Region,
    UsbPorts, family,
};

const EFUSE: u32 = 0x600B_4800;
/// First word of BLOCK1 (MAC_SPI_SYS); word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
/// LP_WDT.
const WATCHDOG: u32 = 0x600B_1C00;

/// ESP32-C5.
pub static CHIP: Chip = Chip {
    name: "ESP32-C5",
    slug: "esp32c5",
    target: "riscv32imac-unknown-none-elf",
    core: Core::RiscV,
    identity: Identity { chip_id: 23, magic: &[0x1101_406F, 0x63E1_406F, 0x5FD1_406F] },
    bootloader_offset: 0x2000,
    memory: &[
        Region::new(0x4000_0000, 0x4003_A000, Kind::MaskIrom),
        Region::new(0x4003_A000, 0x4004_0000, Kind::MaskDrom),
        Region::new(0x4080_0000, 0x4086_0000, Kind::Dram),
        Region::new(0x4200_0000, 0x4400_0000, Kind::Irom),
        Region::new(0x5000_0000, 0x5000_4000, Kind::Rtc),
    ],
    spi: family::spi_mem(0x6000_3000),
    uart_clkdiv: 0x6000_0014,
    crystal: Crystal::FromUart { allowed_mhz: &[40, 48], clock_divider: 1 },
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
        packages: &[Package { version: 0, when: &[], name: "ESP32-C5" }],
        name_parts: &[
            (Field(&[Bits::new(BLOCK1 + 8, 24, 2)]), &[(0, "N"), (1, "H")]),
            (Field(&[Bits::new(BLOCK1 + 8, 13, 3)]), &[(0, ""), (1, "F4")]),
            (Field(&[Bits::new(BLOCK1 + 8, 19, 3)]), &[(0, ""), (1, "R4"), (2, "R8")]),
        ],
        features: &["Wi-Fi 6 (dual-band)", "BT 5 (LE)", "IEEE802.15.4", "Single Core + LP Core", "240MHz"],
        optional_features: &[
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 8, 13, 3)]),
                names: &[(0, "No Embedded Flash"), (1, "Embedded Flash 4MB")],
                otherwise: Some("Unknown Embedded Flash"),
                vendor: Some((Field(&[Bits::new(BLOCK1 + 8, 16, 3)]), &[(1, "XMC")])),
            },
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 8, 19, 3)]),
                names: &[(0, "No Embedded PSRAM"), (1, "Embedded PSRAM 4MB"), (2, "Embedded PSRAM 8MB")],
                otherwise: Some("Unknown Embedded PSRAM"),
                vendor: Some((Field(&[Bits::new(BLOCK1 + 8, 22, 2)]), &[(1, "AP_3v3")])),
            },
        ],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x34, 16, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x38, 25, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 20, 1)]),
    },
    watchdogs: Some(family::lp_watchdogs(WATCHDOG, 0x18, true)),
    usb: UsbPorts { buffer_number: &[(0, 0x4085_F4FC + 24)], otg: None, serial_jtag: Some(3) },
    boot_strap: BootStrap { pin: "GPIO28" },
    rom: family::ROM_LOADER,
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000],
        flash_encryption_align: 16,
    },
    uf2_family: 0xF71C_0343,
    stub: None,
};
