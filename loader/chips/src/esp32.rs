//! ESP32 (Xtensa LX6).
//!
//! Sources: ESP32 TRM v5.2 chapters 3 (memory), 20 (eFuse), ESP-IDF `components/soc/esp32/register/soc/efuse_reg.h`,
//! `spi_reg.h`, `soc.h`, and the chip names of ESP-IDF's `esp_hw_support`.

use crate::{
    Bits, BootStrap, Chip, Condition, Core, Crystal, CrystalEstimate, Efuse, Feature, Field, Identity,
    ImageRules, Kind, Package, Region, RomLoader, SpiRegisters, UsbPorts,
};

/// EFUSE_BLK0_RDATA0_REG; word n is at + 4n.
const EFUSE: u32 = 0x3FF5_A000;
const WORD3: u32 = EFUSE + 4 * 3;
const WORD4: u32 = EFUSE + 4 * 4;
const WORD5: u32 = EFUSE + 4 * 5;
const WORD6: u32 = EFUSE + 4 * 6;
/// APB_CTRL_DATE_REG: bit 31 is the third bit of the wafer revision.
const APB_CTRL_DATE: u32 = 0x3FF6_607C;

/// EFUSE_RD_CHIP_VER_REV1, _REV2 and the bit in the APB date register; 1, 3 and 7 are revisions 1, 2 and 3.
const REVISION: Field =
    Field(&[Bits::new(WORD3, 15, 1), Bits::new(WORD5, 20, 1), Bits::new(APB_CTRL_DATE, 31, 1)]);
const REVISION_3: Condition = Condition { field: REVISION, is: 7 };
/// EFUSE_RD_CHIP_VER_DIS_APP_CPU.
const APP_CPU_DISABLED: Field = Field(&[Bits::new(WORD3, 0, 1)]);
const SINGLE_CORE: Condition = Condition { field: APP_CPU_DISABLED, is: 1 };
/// EFUSE_RD_CHIP_VER_PKG and its fourth bit.
const PACKAGE: Field = Field(&[Bits::new(WORD3, 9, 3), Bits::new(WORD3, 2, 1)]);

/// ESP32.
pub static CHIP: Chip = Chip {
    name: "ESP32",
    slug: "esp32",
    target: "xtensa-esp32-none-elf",
    core: Core::Xtensa,
    identity: Identity { chip_id: 0, magic: &[0x00F0_1D83] },
    bootloader_offset: 0x1000,
    memory: &[
        Region::new(0x3F40_0000, 0x3F80_0000, Kind::Drom),
        Region::new(0x3F80_0000, 0x3FC0_0000, Kind::Psram),
        Region::new(0x3FF8_0000, 0x3FF8_2000, Kind::Rtc),
        Region::new(0x3FF9_0000, 0x3FFA_0000, Kind::MaskDrom),
        Region::new(0x3FFA_E000, 0x4000_0000, Kind::Dram),
        Region::new(0x4000_0000, 0x4007_0000, Kind::MaskIrom),
        Region::new(0x4007_0000, 0x4008_0000, Kind::Cache),
        Region::new(0x4008_0000, 0x400C_0000, Kind::Iram),
        Region::new(0x400C_0000, 0x400C_2000, Kind::Rtc),
        Region::new(0x400D_0000, 0x4040_0000, Kind::Irom),
        Region::new(0x5000_0000, 0x5000_2000, Kind::Rtc),
    ],
    spi: SpiRegisters {
        base: 0x3FF4_2000,
        user: 0x1C,
        user1: 0x20,
        user2: 0x24,
        mosi_dlen: 0x28,
        miso_dlen: 0x2C,
        w0: 0x80,
        address_from_msb: true,
    },
    uart_clkdiv: 0x3FF4_0014,
    crystal: Crystal::FromUart { allowed_mhz: &[26, 40], clock_divider: 1 },
    efuse: Efuse {
        base: EFUSE,
        mac: EFUSE + 4,
        major: REVISION,
        major_map: &[(0, 0), (1, 1), (3, 2), (7, 3)],
        minor: Field(&[Bits::new(WORD5, 24, 2)]),
        zero_revision: &[],
        package: PACKAGE,
        packages: &[
            Package { version: 0, when: &[SINGLE_CORE], name: "ESP32-S0WDQ6" },
            Package { version: 0, when: &[REVISION_3], name: "ESP32-D0WDQ6-V3" },
            Package { version: 0, when: &[], name: "ESP32-D0WDQ6" },
            Package { version: 1, when: &[SINGLE_CORE], name: "ESP32-S0WD" },
            Package { version: 1, when: &[REVISION_3], name: "ESP32-D0WD-V3" },
            Package { version: 1, when: &[], name: "ESP32-D0WD" },
            Package { version: 2, when: &[], name: "ESP32-D2WD" },
            Package { version: 4, when: &[], name: "ESP32-U4WDH" },
            Package { version: 5, when: &[REVISION_3], name: "ESP32-PICO-V3" },
            Package { version: 5, when: &[], name: "ESP32-PICO-D4" },
            Package { version: 6, when: &[], name: "ESP32-PICO-V3-02" },
            Package { version: 7, when: &[], name: "ESP32-D0WDR2-V3" },
        ],
        name_parts: &[],
        features: &["Wi-Fi"],
        optional_features: FEATURES,
        // EFUSE_RD_FLASH_CRYPT_CNT
        flash_encryption: Field(&[Bits::new(EFUSE, 20, 7)]),
        // EFUSE_RD_ABS_DONE_0 and _1
        secure_boot: &[Field(&[Bits::new(WORD6, 4, 1)]), Field(&[Bits::new(WORD6, 5, 1)])],
        // EFUSE_RD_DISABLE_DL_ENCRYPT
        no_download_encrypt: Field(&[Bits::new(WORD6, 7, 1)]),
    },
    watchdogs: None,
    usb: UsbPorts { buffer_number: &[], otg: None, serial_jtag: None },
    boot_strap: BootStrap { pin: "GPIO0" },
    rom: RomLoader {
        begin_has_encrypt: false,
        security_info: false,
        security_info_has_chip_id: false,
        crystal_estimate: Some(CrystalEstimate {
            // TIMG0_RTCCALICFG1_REG, EFUSE_RD_CK8M_FREQ
            calibration: Bits::new(0x3FF5_F06C, 7, 25),
            slow_clock: Bits::new(WORD4, 0, 8),
        }),
        flash_regulator: Some(0x3FF4_8074),
        custom_spi_pins: true,
    },
    image: ImageRules {
        fills_last_page: true,
        frequencies: &[(0xF, "80m"), (0x0, "40m"), (0x1, "26m"), (0x2, "20m")],
        mmu_page_sizes: &[0x1_0000],
        flash_encryption_align: 32,
    },
    uf2_family: 0x1C5F_21B0,
    stub: None,
};

const FEATURES: &[Feature] = &[
    // EFUSE_RD_CHIP_VER_DIS_BT
    feature(Field(&[Bits::new(WORD3, 1, 1)]), &[(0, "BT")]),
    feature(APP_CPU_DISABLED, &[(0, "Dual Core + LP Core"), (1, "Single Core + LP Core")]),
    // EFUSE_RD_CHIP_CPU_FREQ_RATED, then _LOW
    feature(Field(&[Bits::new(WORD3, 13, 1), Bits::new(WORD3, 12, 1)]), &[(1, "240MHz"), (3, "160MHz")]),
    feature(
        PACKAGE,
        &[(2, "Embedded Flash"), (4, "Embedded Flash"), (5, "Embedded Flash"), (6, "Embedded Flash")],
    ),
    feature(PACKAGE, &[(6, "Embedded PSRAM")]),
    // EFUSE_RD_ADC_VREF: any trim but 0
    Feature {
        field: Field(&[Bits::new(WORD4, 8, 5)]),
        names: &[(0, "")],
        otherwise: Some("Vref calibration in eFuse"),
        vendor: None,
    },
    // EFUSE_RD_BLK3_PART_RESERVE
    feature(Field(&[Bits::new(WORD3, 14, 1)]), &[(1, "BLK3 partially reserved")]),
    // EFUSE_CODING_SCHEME
    feature(
        Field(&[Bits::new(WORD6, 0, 2)]),
        &[
            (0, "Coding Scheme None"),
            (1, "Coding Scheme 3/4"),
            (2, "Coding Scheme Repeat (UNSUPPORTED)"),
            (3, "Coding Scheme None (may contain encoding data)"),
        ],
    ),
];

const fn feature(field: Field, names: crate::Named) -> Feature {
    Feature { field, names, otherwise: None, vendor: None }
}
