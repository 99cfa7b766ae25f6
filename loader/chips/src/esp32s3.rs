//! ESP32-S3 (Xtensa LX7, two cores).
//!
//! Sources: ESP32-S3 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32s3/register/soc/` and
//! `components/efuse/esp32s3/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Condition, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind,
    Package, Region, RomLoader, UsbPorts, Watchdogs, family,
};

const EFUSE: u32 = 0x6000_7000;
/// First word of BLOCK1 (MAC_SPI_SYS); word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
/// First word of BLOCK2; word n is at + 4n.
const BLOCK2: u32 = EFUSE + 0x5C;
/// RTC_CNTL.
const WATCHDOG: u32 = 0x6000_8000;

/// ESP32-S3.
pub static CHIP: Chip = Chip {
    name: "ESP32-S3",
    slug: "esp32s3",
    target: "xtensa-esp32s3-none-elf",
    core: Core::Xtensa,
    identity: Identity { chip_id: 9, magic: &[0x0000_0009] },
    bootloader_offset: 0,
    memory: &[
        Region::new(0x3C00_0000, 0x3D00_0000, Kind::Drom),
        Region::new(0x3D00_0000, 0x3E00_0000, Kind::Psram),
        Region::new(0x3FC8_8000, 0x3FD0_0000, Kind::Dram),
        Region::new(0x4000_0000, 0x4001_A100, Kind::MaskIrom),
        Region::new(0x4037_0000, 0x403E_0000, Kind::Iram),
        Region::new(0x4200_0000, 0x4280_0000, Kind::Irom),
        Region::new(0x5000_0000, 0x5000_2000, Kind::Rtc),
        Region::new(0x600F_E000, 0x6010_0000, Kind::Rtc),
    ],
    spi: family::spi_mem(0x6000_2000),
    uart_clkdiv: 0x6000_0014,
    crystal: Crystal::FixedMhz(40),
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK1,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK1 + 20, 24, 2)]),
        major_map: &[],
        // WAFER_VERSION_MINOR
        minor: Field(&[Bits::new(BLOCK1 + 12, 18, 3), Bits::new(BLOCK1 + 20, 23, 1)]),
        zero_revision: &[
            Condition { field: Field(&[Bits::new(BLOCK1 + 12, 18, 3)]), is: 0 },
            Condition { field: Field(&[Bits::new(BLOCK2 + 16, 0, 2)]), is: 1 },
            Condition { field: Field(&[Bits::new(BLOCK1 + 12, 24, 3)]), is: 1 },
        ],
        // PKG_VERSION
        package: Field(&[Bits::new(BLOCK1 + 12, 21, 3)]),
        packages: &[
            Package { version: 0, when: &[], name: "ESP32-S3 (QFN56)" },
            Package { version: 1, when: &[], name: "ESP32-S3-PICO-1 (LGA56)" },
        ],
        name_parts: &[],
        features: &["Wi-Fi", "BT 5 (LE)", "Dual Core + LP Core", "240MHz"],
        optional_features: &[
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 12, 27, 3)]),
                names: &[(0, ""), (1, "Embedded Flash 8MB"), (2, "Embedded Flash 4MB")],
                otherwise: Some("Unknown Embedded Flash"),
                vendor: Some((
                    Field(&[Bits::new(BLOCK1 + 16, 0, 3)]),
                    &[(1, "XMC"), (2, "GD"), (3, "FM"), (4, "TT"), (5, "BY")],
                )),
            },
            Feature {
                field: Field(&[Bits::new(BLOCK1 + 16, 3, 2), Bits::new(BLOCK1 + 20, 19, 1)]),
                names: &[
                    (0, ""),
                    (1, "Embedded PSRAM 8MB"),
                    (2, "Embedded PSRAM 2MB"),
                    (3, "Embedded PSRAM 16MB"),
                    (4, "Embedded PSRAM 4MB"),
                ],
                otherwise: Some("Unknown Embedded PSRAM"),
                vendor: Some((Field(&[Bits::new(BLOCK1 + 16, 7, 2)]), &[(1, "AP_3v3"), (2, "AP_1v8")])),
            },
        ],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x34, 18, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x38, 20, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 20, 1)]),
    },
    watchdogs: Some(Watchdogs {
        config0: WATCHDOG + 0x98,
        config1: WATCHDOG + 0x9C,
        protect: WATCHDOG + 0xB0,
        key: family::WATCHDOG_KEY,
        super_config: WATCHDOG + 0xB4,
        super_auto_feed: 1 << 31,
        super_protect: WATCHDOG + 0xB8,
        super_key: 0x8F1D_312A,
        can_reset_chip: true,
    }),
    usb: UsbPorts { buffer_number: &[(0, 0x3FCE_F134 + 24)], otg: Some(3), serial_jtag: Some(4) },
    boot_strap: BootStrap { pin: "GPIO0" },
    rom: RomLoader { custom_spi_pins: true, ..family::ROM_LOADER },
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x1, "26m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000],
        flash_encryption_align: 16,
    },
    uf2_family: 0xC47E_5767,
    stub: None,
};
