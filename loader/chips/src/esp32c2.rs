//! ESP32-C2 (RISC-V, RV32IMC).
//!
//! Sources: ESP32-C2 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32c2/register/soc/` and
//! `components/efuse/esp32c2/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind, Package, Region,
    UsbPorts, Watchdogs, family,
};

const EFUSE: u32 = 0x6000_8800;
/// First word of BLOCK2; word n is at + 4n.
const BLOCK2: u32 = EFUSE + 0x40;
/// RTC_CNTL.
const WATCHDOG: u32 = 0x6000_8000;

/// ESP32-C2.
pub static CHIP: Chip = Chip {
    name: "ESP32-C2",
    slug: "esp32c2",
    target: "riscv32imc-unknown-none-elf",
    core: Core::RiscV,
    identity: Identity { chip_id: 12, magic: &[0x6F51_306F, 0x7C41_A06F] },
    bootloader_offset: 0,
    memory: &[
        Region::new(0x3C00_0000, 0x3C40_0000, Kind::Drom),
        Region::new(0x3FCA_0000, 0x3FCE_0000, Kind::Dram),
        Region::new(0x3FF0_0000, 0x3FF5_0000, Kind::MaskDrom),
        Region::new(0x4000_0000, 0x4009_0000, Kind::MaskIrom),
        Region::new(0x4037_C000, 0x403C_0000, Kind::Iram),
        Region::new(0x4200_0000, 0x4240_0000, Kind::Irom),
    ],
    spi: family::spi_mem(0x6000_2000),
    uart_clkdiv: 0x6000_0014,
    crystal: Crystal::FromUart { allowed_mhz: &[26, 40], clock_divider: 1 },
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK2,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK2 + 4, 20, 2)]),
        major_map: &[],
        // WAFER_VERSION_MINOR
        minor: Field(&[Bits::new(BLOCK2 + 4, 16, 4)]),
        zero_revision: &[],
        // PKG_VERSION
        package: Field(&[Bits::new(BLOCK2 + 4, 22, 3)]),
        packages: &[
            Package { version: 0, when: &[], name: "ESP32-C2" },
            Package { version: 1, when: &[], name: "ESP8684H" },
        ],
        name_parts: &[],
        features: &["Wi-Fi", "BT 5 (LE)", "Single Core", "120MHz"],
        optional_features: &[Feature {
            field: Field(&[Bits::new(BLOCK2 + 28, 29, 3)]),
            names: &[
                (0, ""),
                (1, "Embedded Flash 4MB"),
                (2, "Embedded Flash 2MB"),
                (3, "Embedded Flash 1MB"),
            ],
            otherwise: Some("Unknown Embedded Flash"),
            vendor: Some((
                Field(&[Bits::new(BLOCK2 + 28, 24, 3)]),
                &[(1, "XMC"), (2, "GD"), (3, "FM"), (4, "TT"), (5, "ZBIT")],
            )),
        }],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x30, 7, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x30, 21, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 6, 1)]),
    },
    watchdogs: Some(Watchdogs {
        config0: WATCHDOG + 0x84,
        config1: WATCHDOG + 0x88,
        protect: WATCHDOG + 0x9C,
        key: family::WATCHDOG_KEY,
        super_config: WATCHDOG + 0xAC,
        super_auto_feed: 1 << 31,
        super_protect: WATCHDOG + 0xB0,
        super_key: 0x8F1D_312A,
        can_reset_chip: true,
    }),
    usb: UsbPorts { buffer_number: &[], otg: None, serial_jtag: None },
    boot_strap: BootStrap { pin: "GPIO9" },
    rom: family::ROM_LOADER,
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "60m"), (0x0, "30m"), (0x1, "20m"), (0x2, "15m")],
        mmu_page_sizes: &[0x1_0000, 0x8000, 0x4000],
        flash_encryption_align: 16,
    },
    uf2_family: 0x2B88_D29C,
    stub: None,
};
