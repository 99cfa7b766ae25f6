//! The parts of a board's description: image, probe, power, wires, quarantine.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::Checked;
use crate::parts::{Image, Power, Probe, Quarantine, Wire};

/// A path, or a path with an offset.
pub(super) struct RawImage(pub(super) Image);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawImageMap {
    file: String,
    offset: Option<u32>,
}

impl<'de> Deserialize<'de> for RawImage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ImageVisitor;
        impl<'de> Visitor<'de> for ImageVisitor {
            type Value = Image;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a file, such as `firmware.bin` or `{ file: firmware.bin, offset: 0x1000 }`")
            }
            fn visit_str<E: de::Error>(self, file: &str) -> Result<Image, E> {
                Ok(Image { file: file.into(), offset: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Image, A::Error> {
                let raw = RawImageMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Image { file: raw.file, offset: raw.offset })
            }
        }
        from.deserialize_any(ImageVisitor).map(RawImage)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawProbe {
    chip: String,
    selector: Option<String>,
    speed_khz: Option<u32>,
    #[serde(default)]
    connect_under_reset: bool,
    #[serde(default)]
    chip_erase: bool,
}

impl RawProbe {
    /// The word for the probe of an emulated board.
    pub(super) fn is_emulated(&self) -> bool {
        self.selector.as_deref() == Some("emulator")
    }

    pub(super) fn into_probe(self) -> Probe {
        let Self { chip, selector, speed_khz, connect_under_reset, chip_erase } = self;
        Probe { chip, selector, speed_khz, connect_under_reset, chip_erase }
    }
}

/// `manual`, a command with `{action}`, or a port of a hub.
pub(super) struct RawPower(pub(super) Power);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPowerMap {
    uhubctl: String,
    port: u8,
}

impl<'de> Deserialize<'de> for RawPower {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct PowerVisitor;
        impl<'de> Visitor<'de> for PowerVisitor {
            type Value = Power;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`manual`, a command with {action}, or `{ uhubctl: 1-1, port: 2 }`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Power, E> {
                if text == "manual" {
                    return Ok(Power::Manual);
                }
                let words: Vec<String> = text.split_whitespace().map(String::from).collect();
                if !text.contains("{action}") {
                    return Err(E::custom(format!(
                        "bad power '{text}': expected manual, a command in which {{action}} stands for on or off, \
                         or {{ uhubctl: 1-1, port: 2 }}"
                    )));
                }
                Ok(Power::Command(words))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Power, A::Error> {
                let raw = RawPowerMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Power::Uhubctl { hub: raw.uhubctl, port: raw.port })
            }
        }
        from.deserialize_any(PowerVisitor).map(RawPower)
    }
}

/// `4-5` or `4-second.5`.
pub(super) struct RawWire(pub(super) Wire);

impl<'de> Deserialize<'de> for RawWire {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Checked("a wire, such as 4-5", Wire::parse)).map(RawWire)
    }
}

struct Day(String);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Checked("a day, such as 2026-12-31", Quarantine::day)).map(Day)
    }
}

/// A reason or an owner: somebody has to have written something.
struct Said(String);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let check = |text: &str| match text.trim() {
            "" => Err("an empty text says nothing; write why, and who takes care".to_owned()),
            text => Ok(text.to_owned()),
        };
        from.deserialize_str(Checked("a text", check)).map(Said)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawQuarantine {
    scenario: Said,
    reason: Said,
    owner: Said,
    until: Day,
}

impl RawQuarantine {
    pub(super) fn into_quarantine(self) -> Quarantine {
        let (Said(scenario), Said(reason), Said(owner), Day(until)) =
            (self.scenario, self.reason, self.owner, self.until);
        Quarantine { scenario, reason, owner, until }
    }
}
