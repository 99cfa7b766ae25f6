//! ESP32-H2 (RISC-V, RV32IMAC).
//!
//! Sources: ESP32-H2 TRM (memory, eFuse, SPI and watchdog chapters), ESP-IDF `components/soc/esp32h2/register/soc/` and
//! `components/efuse/esp32h2/esp_efuse_table.csv`; magic words and `UartDev` from the published mask ROM ELF files.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind, Package, Region,
    UsbPorts, family,
};

const EFUSE: u32 = 0x600B_0800;
/// First word of BLOCK1 (MAC_SPI_SYS); word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
/// LP_WDT.
const WATCHDOG: u32 = 0x600B_1C00;

/// FLASH_CAP and TEMP.
const FLASH_AND_TEMPERATURE: Field = Field(&[Bits::new(BLOCK1 + 12, 24, 3), Bits::new(BLOCK1 + 12, 27, 2)]);
const FLASH_NAMES: crate::Named = &[
    (0, ""),
    (8, ""),
    (16, ""),
    (24, ""),
    (9, "FH4"),
    (10, "FH2"),
    (11, "FH1"),
    (17, "FN4"),
    (18, "FN2"),
    (19, "FN1"),
];
/// FLASH_CAP, WAFER_VERSION_MINOR and WAFER_VERSION_MAJOR.
const FLASH_AND_REVISION: Field =
    Field(&[Bits::new(BLOCK1 + 12, 24, 3), Bits::new(BLOCK1 + 12, 18, 3), Bits::new(BLOCK1 + 12, 21, 2)]);
/// Chips with flash in them are the security-enhanced variant from revision 1.2 on: an S behind the name.
/// Source: esptool's documentation of the ESP32-H2, Espressif's chip revision advisory.
static SECURE: [(u32, &str); 256] = {
    let mut names = [(0, ""); 256];
    let mut value = 0;
    while value < names.len() {
        let (flash, minor, major) = (value & 7, value >> 3 & 7, value >> 6);
        let is_secure = flash != 0 && (major > 1 || major == 1 && minor >= 2);
        names[value] = (value as u32, if is_secure { "S" } else { "" });
        value += 1;
    }
    names
};

/// ESP32-H2.
pub static CHIP: Chip = Chip {
    name: "ESP32-H2",
    slug: "esp32h2",
    target: "riscv32imac-unknown-none-elf",
    core: Core::RiscV,
    identity: Identity { chip_id: 16, magic: &[0xD7B7_3E80] },
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
    crystal: Crystal::FixedMhz(32),
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK1,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK1 + 12, 21, 2)]),
        major_map: &[],
        // WAFER_VERSION_MINOR
        minor: Field(&[Bits::new(BLOCK1 + 12, 18, 3)]),
        zero_revision: &[],
        // PKG_VERSION
        package: Field(&[Bits::new(BLOCK1 + 16, 0, 3)]),
        packages: &[Package { version: 0, when: &[], name: "ESP32-H2" }],
        name_parts: &[(FLASH_AND_TEMPERATURE, FLASH_NAMES), (FLASH_AND_REVISION, &SECURE)],
        features: &["BT 5 (LE)", "IEEE802.15.4", "Single Core", "96MHz"],
        optional_features: &[Feature {
            field: Field(&[Bits::new(BLOCK1 + 12, 24, 3)]),
            names: &[
                (0, "No Embedded Flash"),
                (1, "Embedded Flash 4MB"),
                (2, "Embedded Flash 2MB"),
                (3, "Embedded Flash 1MB"),
            ],
            otherwise: Some("Unknown Embedded Flash"),
            vendor: Some((
                Field(&[Bits::new(BLOCK1 + 12, 29, 3)]),
                &[(1, "XMC"), (2, "GD"), (3, "FM"), (4, "TT")],
            )),
        }],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x34, 18, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x38, 20, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 20, 1)]),
    },
    watchdogs: Some(family::lp_watchdogs(WATCHDOG, 0x1C, false)),
    usb: UsbPorts { buffer_number: &[(0, 0x4084_FEE4 + 24)], otg: None, serial_jtag: Some(3) },
    boot_strap: BootStrap { pin: "GPIO9" },
    rom: family::ROM_LOADER,
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "48m"), (0x0, "24m"), (0x1, "16m"), (0x2, "12m")],
        mmu_page_sizes: &[0x1_0000, 0x8000, 0x4000, 0x2000],
        flash_encryption_align: 16,
    },
    uf2_family: 0x3327_26F6,
    stub: None,
};
