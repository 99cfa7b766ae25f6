//! eFuse fields of the ESP32-C2.
//!
//! Source: ESP32-C2 TRM (eFuse chapter), ESP-IDF `components/efuse/esp32c2/esp_efuse_table.csv`; names and places compared with the
//! field tables of espflash 4.7 (`src/target/efuse/esp32c2.rs`).

use super::{EfuseBlock, EfuseField, EfuseTable};

pub(super) static TABLE: EfuseTable = EfuseTable { blocks: BLOCKS, fields: FIELDS };

/// Words and address of each block, from block 0 on.
const BLOCKS: &[EfuseBlock] = &[
    EfuseBlock { words: 2, address: 0x6000_882C },
    EfuseBlock { words: 3, address: 0x6000_8834 },
    EfuseBlock { words: 8, address: 0x6000_8840 },
    EfuseBlock { words: 8, address: 0x6000_8860 },
];

const FIELDS: &[EfuseField] = &[
    EfuseField::new("WR_DIS", 0, 0, 8),
    EfuseField::new("RESERVED_0_8", 0, 8, 24),
    EfuseField::new("RD_DIS", 0, 32, 2),
    EfuseField::new("WDT_DELAY_SEL", 0, 34, 2),
    EfuseField::new("DIS_PAD_JTAG", 0, 36, 1),
    EfuseField::new("DIS_DOWNLOAD_ICACHE", 0, 37, 1),
    EfuseField::new("DIS_DOWNLOAD_MANUAL_ENCRYPT", 0, 38, 1),
    EfuseField::new("SPI_BOOT_CRYPT_CNT", 0, 39, 3),
    EfuseField::new("XTS_KEY_LENGTH_256", 0, 42, 1),
    EfuseField::new("UART_PRINT_CONTROL", 0, 43, 2),
    EfuseField::new("FORCE_SEND_RESUME", 0, 45, 1),
    EfuseField::new("DIS_DOWNLOAD_MODE", 0, 46, 1),
    EfuseField::new("DIS_DIRECT_BOOT", 0, 47, 1),
    EfuseField::new("ENABLE_SECURITY_DOWNLOAD", 0, 48, 1),
    EfuseField::new("FLASH_TPUW", 0, 49, 4),
    EfuseField::new("SECURE_BOOT_EN", 0, 53, 1),
    EfuseField::new("SECURE_VERSION", 0, 54, 4),
    EfuseField::new("CUSTOM_MAC_USED", 0, 58, 1),
    EfuseField::new("DISABLE_WAFER_VERSION_MAJOR", 0, 59, 1),
    EfuseField::new("DISABLE_BLK_VERSION_MAJOR", 0, 60, 1),
    EfuseField::new("RESERVED_0_61", 0, 61, 3),
    EfuseField::new("CUSTOM_MAC", 1, 0, 48),
    EfuseField::new("RESERVED_1_48", 1, 48, 16),
    EfuseField::new("SYSTEM_DATA2", 1, 64, 24),
    EfuseField::new("MAC0", 2, 0, 32),
    EfuseField::new("MAC1", 2, 32, 16),
    EfuseField::new("WAFER_VERSION_MINOR", 2, 48, 4),
    EfuseField::new("WAFER_VERSION_MAJOR", 2, 52, 2),
    EfuseField::new("PKG_VERSION", 2, 54, 3),
    EfuseField::new("BLK_VERSION_MINOR", 2, 57, 3),
    EfuseField::new("BLK_VERSION_MAJOR", 2, 60, 2),
    EfuseField::new("OCODE", 2, 62, 7),
    EfuseField::new("TEMP_CALIB", 2, 69, 9),
    EfuseField::new("ADC1_INIT_CODE_ATTEN0", 2, 78, 8),
    EfuseField::new("ADC1_INIT_CODE_ATTEN3", 2, 86, 5),
    EfuseField::new("ADC1_CAL_VOL_ATTEN0", 2, 91, 8),
    EfuseField::new("ADC1_CAL_VOL_ATTEN3", 2, 99, 6),
    EfuseField::new("DIG_DBIAS_HVT", 2, 105, 5),
    EfuseField::new("DIG_LDO_SLP_DBIAS2", 2, 110, 7),
    EfuseField::new("DIG_LDO_SLP_DBIAS26", 2, 117, 8),
    EfuseField::new("DIG_LDO_ACT_DBIAS26", 2, 125, 6),
    EfuseField::new("DIG_LDO_ACT_STEPD10", 2, 131, 4),
    EfuseField::new("RTC_LDO_SLP_DBIAS13", 2, 135, 7),
    EfuseField::new("RTC_LDO_SLP_DBIAS29", 2, 142, 9),
    EfuseField::new("RTC_LDO_SLP_DBIAS31", 2, 151, 6),
    EfuseField::new("RTC_LDO_ACT_DBIAS31", 2, 157, 6),
    EfuseField::new("RTC_LDO_ACT_DBIAS13", 2, 163, 8),
    EfuseField::new("RESERVED_2_171", 2, 171, 21),
    EfuseField::new("ADC_CALIBRATION_3", 2, 192, 11),
    EfuseField::new("BLK2_RESERVED_DATA_0", 2, 203, 21),
    EfuseField::new("BLK2_RESERVED_DATA_1", 2, 224, 32),
    EfuseField::new("BLOCK_KEY0", 3, 0, 256),
];
