//! ESP32-C3 (RISC-V, RV32IMC).
//!
//! Sources: ESP32-C3 TRM v1.1 chapters 3 (memory), 4 (eFuse), ESP-IDF `components/soc/esp32c3/register/soc/efuse_reg.h`,
//! `spi_mem_reg.h`, `rtc_cntl_reg.h`, `soc.h`, and ESP-IDF's `components/efuse/esp32c3/esp_efuse_table.csv`.

use crate::{
    Bits, BootStrap, Chip, Core, Crystal, Efuse, Feature, Field, Identity, ImageRules, Kind, Package, Region,
    RomLoader, SpiRegisters, UsbPorts, Watchdogs, family,
};

const EFUSE: u32 = 0x6000_8800;
/// EFUSE_RD_MAC_SPI_SYS_0_REG, first word of BLOCK1; word n is at + 4n.
const BLOCK1: u32 = EFUSE + 0x44;
const RTC_CNTL: u32 = 0x6000_8000;

/// SPI1.
pub(crate) const SPI: SpiRegisters = family::spi_mem(0x6000_2000);

/// ESP32-C3.
pub static CHIP: Chip = Chip {
    name: "ESP32-C3",
    slug: "esp32c3",
    target: "riscv32imc-unknown-none-elf",
    core: Core::RiscV,
    // ROM of revisions 0.1 and 0.2, 0.3 and 0.4, 1.0, 1.1
    identity: Identity { chip_id: 5, magic: &[0x6921_506F, 0x1B31_506F, 0x4881_606F, 0x4361_606F] },
    bootloader_offset: 0,
    memory: &[
        Region::new(0x3C00_0000, 0x3C80_0000, Kind::Drom),
        Region::new(0x3FC8_0000, 0x3FCE_0000, Kind::Dram),
        Region::new(0x3FF0_0000, 0x3FF2_0000, Kind::MaskDrom),
        Region::new(0x4000_0000, 0x4006_0000, Kind::MaskIrom),
        Region::new(0x4037_C000, 0x403E_0000, Kind::Iram),
        Region::new(0x4200_0000, 0x4280_0000, Kind::Irom),
        Region::new(0x5000_0000, 0x5000_2000, Kind::Rtc),
    ],
    spi: SPI,
    uart_clkdiv: 0x6000_0014,
    crystal: Crystal::FixedMhz(40),
    efuse: Efuse {
        base: EFUSE,
        mac: BLOCK1,
        // WAFER_VERSION_MAJOR
        major: Field(&[Bits::new(BLOCK1 + 20, 24, 2)]),
        major_map: &[],
        // WAFER_VERSION_MINOR_LO, _HI
        minor: Field(&[Bits::new(BLOCK1 + 12, 18, 3), Bits::new(BLOCK1 + 20, 23, 1)]),
        zero_revision: &[],
        // PKG_VERSION
        package: Field(&[Bits::new(BLOCK1 + 12, 21, 3)]),
        packages: &[
            Package { version: 0, when: &[], name: "ESP32-C3 (QFN32)" },
            Package { version: 1, when: &[], name: "ESP8685 (QFN28)" },
            Package { version: 2, when: &[], name: "ESP32-C3 AZ (QFN32)" },
            Package { version: 3, when: &[], name: "ESP8686 (QFN24)" },
        ],
        name_parts: &[],
        features: &["Wi-Fi", "BT 5 (LE)", "Single Core", "160MHz"],
        optional_features: &[Feature {
            // FLASH_CAP
            field: Field(&[Bits::new(BLOCK1 + 12, 27, 3)]),
            names: &[
                (0, ""),
                (1, "Embedded Flash 4MB"),
                (2, "Embedded Flash 2MB"),
                (3, "Embedded Flash 1MB"),
                (4, "Embedded Flash 8MB"),
            ],
            otherwise: Some("Unknown Embedded Flash"),
            // FLASH_VENDOR
            vendor: Some((
                Field(&[Bits::new(BLOCK1 + 16, 0, 3)]),
                &[(1, "XMC"), (2, "GD"), (3, "FM"), (4, "TT"), (5, "ZBIT")],
            )),
        }],
        // SPI_BOOT_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE + 0x34, 18, 3)]),
        // SECURE_BOOT_EN
        secure_boot: &[Field(&[Bits::new(EFUSE + 0x38, 20, 1)])],
        // DIS_DOWNLOAD_MANUAL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(EFUSE + 0x30, 20, 1)]),
    },
    watchdogs: Some(Watchdogs {
        config0: RTC_CNTL + 0x90,
        config1: RTC_CNTL + 0x94,
        protect: RTC_CNTL + 0xA8,
        key: family::WATCHDOG_KEY,
        super_config: RTC_CNTL + 0xAC,
        super_auto_feed: 1 << 31,
        super_protect: RTC_CNTL + 0xB0,
        super_key: 0x8F1D_312A,
        can_reset_chip: true,
    }),
    usb: UsbPorts {
        buffer_number: &[
            (0x6921_506F, 0x3FCD_F264 + 24),
            (0x1B31_506F, 0x3FCD_F064 + 24),
            (0x4881_606F, 0x3FCD_F064 + 24),
            (0x4361_606F, 0x3FCD_F060 + 24),
        ],
        otg: None,
        serial_jtag: Some(3),
    },
    boot_strap: BootStrap { pin: "GPIO9" },
    rom: RomLoader { custom_spi_pins: true, ..family::ROM_LOADER },
    image: ImageRules {
        fills_last_page: false,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x1, "26m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000],
        flash_encryption_align: 16,
    },
    uf2_family: 0xD42B_A06C,
    stub: Some(&crate::stub::ESP32C3),
};
