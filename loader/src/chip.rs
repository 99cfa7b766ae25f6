//! What chip answers, read from its ROM and eFuses by the chip's table.

use crate::error::Error;
use larch_chips::{Bits, Chip, Condition, Crystal, Efuse};
use std::collections::HashMap;
use std::fmt;

/// A factory MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A wafer revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    /// Major part.
    pub major: u16,
    /// Minor part.
    pub minor: u16,
}

impl Revision {
    /// As image headers count: major * 100 + minor.
    pub fn number(self) -> u16 {
        self.major.saturating_mul(100).saturating_add(self.minor)
    }

    /// From an image header.
    pub fn from_number(number: u16) -> Self {
        Self { major: number / 100, minor: number % 100 }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

/// Everything that is printed about a chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipInfo {
    /// `ESP32-C3`.
    pub name: &'static str,
    /// `ESP32-C3 (QFN32)`.
    pub package: String,
    /// Wafer revision.
    pub revision: Revision,
    /// `Wi-Fi`, `BT`, ...
    pub features: Vec<String>,
    /// Frequency of the crystal in MHz.
    pub crystal_mhz: u8,
    /// Factory MAC.
    pub mac: Mac,
}

impl ChipInfo {
    /// `ESP32-C3 (QFN32) (revision v0.4)`.
    pub fn description(&self) -> String {
        format!("{} (revision {})", self.package, self.revision)
    }

    /// Reads the chip's registers through `read`; `baud` is the speed at which the ROM was synchronised.
    ///
    /// # Errors
    /// What `read` returns.
    pub fn read(
        chip: &'static Chip,
        baud: u32,
        mut read: impl FnMut(u32) -> Result<u32, Error>,
    ) -> Result<Self, Error> {
        let mut cache = HashMap::new();
        let mut read = |register: u32| match cache.get(&register) {
            Some(&value) => Ok(value),
            None => {
                let value = read(register)?;
                cache.insert(register, value);
                Ok(value)
            }
        };
        let efuse = &chip.efuse;
        Ok(Self {
            name: chip.name,
            package: package(chip, &mut read)?,
            revision: revision(efuse, &mut read)?,
            features: features(efuse, &mut read)?,
            crystal_mhz: crystal(chip, baud, &mut read)?,
            mac: mac(efuse, &mut read)?,
        })
    }
}

type Read<'r> = &'r mut dyn FnMut(u32) -> Result<u32, Error>;

fn hold(conditions: &[Condition], read: Read<'_>) -> Result<bool, Error> {
    for condition in conditions {
        if condition.field.read(&mut *read)? != condition.is {
            return Ok(false);
        }
    }
    Ok(true)
}

fn revision(efuse: &Efuse, read: Read<'_>) -> Result<Revision, Error> {
    if !efuse.zero_revision.is_empty() && hold(efuse.zero_revision, &mut *read)? {
        return Ok(Revision { major: 0, minor: 0 });
    }
    let raw = efuse.major.read(&mut *read)?;
    let major = match efuse.major_map {
        [] => raw,
        map => map.iter().find(|(value, _)| *value == raw).map_or(0, |(_, major)| *major),
    };
    let minor = efuse.minor.read(&mut *read)?;
    let small = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    Ok(Revision { major: small(major), minor: small(minor) })
}

fn package(chip: &Chip, read: Read<'_>) -> Result<String, Error> {
    let version = chip.efuse.package.read(&mut *read)?;
    let mut name = None;
    for package in chip.efuse.packages.iter().filter(|package| package.version == version) {
        if hold(package.when, &mut *read)? {
            name = Some(package.name.to_owned());
            break;
        }
    }
    for (field, names) in chip.efuse.name_parts {
        let value = field.read(&mut *read)?;
        let part = names.iter().find(|known| known.0 == value).map(|known| known.1);
        name = name.zip(part).map(|(name, part)| name + part);
    }
    Ok(name.unwrap_or_else(|| format!("Unknown {}", chip.name)))
}

fn features(efuse: &Efuse, read: Read<'_>) -> Result<Vec<String>, Error> {
    let name = |names: larch_chips::Named, value: u32| {
        names.iter().find(|known| known.0 == value).map(|known| known.1)
    };
    let mut features: Vec<String> = efuse.features.iter().map(|&feature| feature.to_owned()).collect();
    for feature in efuse.optional_features {
        let value = feature.field.read(&mut *read)?;
        let Some(text) = name(feature.names, value).or(feature.otherwise).filter(|text| !text.is_empty())
        else {
            continue;
        };
        let vendor = match feature.vendor {
            Some((field, names)) if !text.starts_with("No ") => name(names, field.read(&mut *read)?),
            _ => None,
        };
        features.push(vendor.map_or_else(|| text.to_owned(), |vendor| format!("{text} ({vendor})")));
    }
    Ok(features)
}

fn crystal(chip: &Chip, baud: u32, read: Read<'_>) -> Result<u8, Error> {
    match chip.crystal {
        Crystal::FixedMhz(mhz) => Ok(mhz),
        Crystal::FromEfuse { field, if_zero_mhz, otherwise_mhz } => {
            Ok(if field.read(&mut *read)? == 0 { if_zero_mhz } else { otherwise_mhz })
        }
        Crystal::FromUart { allowed_mhz, clock_divider } => {
            let divider = Bits::new(0, 0, 20).of(read(chip.uart_clkdiv)?);
            let hertz = u64::from(baud) * u64::from(divider) / u64::from(clock_divider.max(1));
            let distance = |mhz: u8| (u64::from(mhz) * 1_000_000).abs_diff(hertz);
            Ok(allowed_mhz.iter().copied().min_by_key(|&mhz| distance(mhz)).unwrap_or(40))
        }
    }
}

fn mac(efuse: &Efuse, read: Read<'_>) -> Result<Mac, Error> {
    let low = read(efuse.mac)?.to_be_bytes();
    let high = read(efuse.mac + 4)?.to_be_bytes();
    Ok(Mac([high[2], high[3], low[0], low[1], low[2], low[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chip whose registers are these and otherwise 0.
    fn info(chip: &str, registers: &[(u32, u32)]) -> ChipInfo {
        let read = |address| Ok(registers.iter().find(|known| known.0 == address).map_or(0, |known| known.1));
        ChipInfo::read(Chip::by_name(chip).unwrap(), 115_200, read).unwrap()
    }

    #[test]
    fn the_articles_esp32_cam_is_described_as_esptool_does() {
        let info = info(
            "esp32",
            &[
                (0x3FF5_A004, 0xA299_C038),
                (0x3FF5_A008, 0x0000_F4CF),
                (0x3FF5_A00C, 1 << 15 | 1 << 13 | 1 << 9),
                (0x3FF5_A010, 0x0000_0500),
                (0x3FF4_0014, 347),
            ],
        );
        assert_eq!(info.description(), "ESP32-D0WD (revision v1.0)");
        assert_eq!(info.mac.to_string(), "f4:cf:a2:99:c0:38");
        assert_eq!(info.crystal_mhz, 40);
        let features =
            "Wi-Fi, BT, Dual Core + LP Core, 240MHz, Vref calibration in eFuse, Coding Scheme None";
        assert_eq!(info.features.join(", "), features);
    }

    #[test]
    fn revision_three_changes_the_esp32s_name() {
        let registers = [(0x3FF5_A00C, 1 << 15 | 1 << 9), (0x3FF5_A014, 1 << 20), (0x3FF6_607C, 1 << 31)];
        assert_eq!(info("esp32", &registers).description(), "ESP32-D0WD-V3 (revision v3.0)");
    }

    #[test]
    fn later_h2_chips_with_flash_have_an_s_behind_their_name() {
        let name = |minor: u32| {
            info("esp32h2", &[(0x600B_0850, minor << 18 | 1 << 21 | 1 << 24 | 1 << 27)]).description()
        };
        assert_eq!(name(1), "ESP32-H2FH4 (revision v1.1)");
        assert_eq!(name(2), "ESP32-H2FH4S (revision v1.2)");
    }

    #[test]
    fn a_c3_with_flash_names_the_flashs_maker() {
        let registers = [
            (0x6000_8850, 4 << 18 | 1 << 27),
            (0x6000_8854, 2),
            (0x6000_8844, 0xF900_0001),
            (0x6000_8848, 0x6055),
        ];
        let info = info("esp32c3", &registers);
        assert_eq!(info.description(), "ESP32-C3 (QFN32) (revision v0.4)");
        assert_eq!(info.features.last().map(String::as_str), Some("Embedded Flash 4MB (GD)"));
        assert_eq!(info.mac.to_string(), "60:55:f9:00:00:01");
    }
}
