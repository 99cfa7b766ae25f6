//! ESP32-S2 (Xtensa LX7).
//!
//! Sources: ESP32-S2 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32s2/register/soc/` and
//! `components/efuse/esp32s2/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind, Package, Region,
    RomLoader, UsbPorts, family,
};

const EFUSE: u32 = 0x3F41_A000;
/// First word of BLOCK1 (MAC_SPI_SYS); word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
/// First word of BLOCK2; word n is at + 4n.
const BLOCK2: u32 = EFUSE + 0x5C;

/// ESP32-S2.
pub static CHIP: Chip = Chip {
    name: "ESP32-S2",
    slug: "esp32s2",
    target: "xtensa-esp32s2-none-elf",
    core: Core::Xtensa,
    identity: Identity { chip_id: 2, magic: &[0x0000_07C6] },
    bootloader_offset: 0x1000,
    memory: &[
        Region::new(0x3F00_0000, 0x3F40_0000, Kind::Drom),
        Region::new(0x3F50_0000, 0x3FF8_0000, Kind::Psram),
        Region::new(0x3FF9_E000, 0x3FFA_0000, Kind::Rtc),
        Region::new(0x3FFB_0000, 0x4000_0000, Kind::Dram),
        Region::new(0x4000_0000, 0x4001_A100, Kind::MaskIrom),
        Region::new(0x4002_0000, 0x4007_0000, Kind::Iram),
        Region::new(0x4007_0000, 0x4007_2000, Kind::Rtc),
        Region::new(0x4008_0000, 0x4080_0000, Kind::Irom),
        Region::new(0x5000_0000, 0x5000_2000, Kind::Rtc),
    ],
    spi: family::spi_mem(0x3F40_2000),
    uart_clkdiv: 0x3F40_0014,
    crystal: Crystal::FixedMhz(40),
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK1,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK1 + 12, 18, 2)]),
        major_map: &[],
        // WAFER_VERSION_MINOR
        minor: Field(&[Bits::new(BLOCK1 + 16, 4, 3), Bits::new(BLOCK1 + 12, 20, 1)]),
        zero_revision: &[],
        // PKG_VERSION
        package: Field(&[Bits::new(BLOCK1 + 12, 21, 4), Bits::new(BLOCK1 + 12, 28, 4)]),
        packages: &[
            Package { version: 0x00, when: &[], name: "ESP32-S2" },
            Package { version: 0x01, when: &[], name: "ESP32-S2FH2" },
            Package { version: 0x02, when: &[], name: "ESP32-S2FH4" },
            Package { version: 0x12, when: &[], name: "ESP32-S2FNR2" },
            Package { version: 0x10, when: &[], name: "ESP32-S2R2" },
        ],
        name_parts: &[],
        features: &["Wi-Fi", "Single Core", "240MHz"],
        optional_features: &[
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 12, 21, 4)]),
                names: &[(0, "No Embedded Flash"), (1, "Embedded Flash 2MB"), (2, "Embedded Flash 4MB")],
                otherwise: Some("Unknown Embedded Flash"),
                vendor: None,
            },
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 12, 28, 4)]),
                names: &[(0, "No Embedded PSRAM"), (1, "Embedded PSRAM 2MB"), (2, "Embedded PSRAM 4MB")],
                otherwise: Some("Unknown Embedded PSRAM"),
                vendor: None,
            },
            Feature {
                field: Field(&[Bits::new(BLOCK2 + 16, 4, 3)]),
                names: &[
                    (0, "No calibration in BLK2 of efuse"),
                    (1, "ADC and temperature sensor calibration in BLK2 of eFuse V1"),
                    (2, "ADC and temperature sensor calibration in BLK2 of eFuse V2"),
                ],
                otherwise: Some("Unknown calibration in BLK2"),
                vendor: None,
            },
        ],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x34, 18, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x38, 20, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 19, 1)]),
    },
    watchdogs: None,
    usb: UsbPorts { buffer_number: &[(0, 0x3FFF_FCFC + 24)], otg: Some(2), serial_jtag: None },
    boot_strap: BootStrap { pin: "GPIO0" },
    rom: RomLoader {
        begin_has_encrypt: true,
        security_info: true,
        security_info_has_chip_id: false,
        crystal_estimate: None,
        flash_regulator: None,
        custom_spi_pins: true,
    },
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x1, "26m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000],
        flash_encryption_align: 16,
    },
    uf2_family: 0xBFDD_4EEE,
    stub: None,
};
