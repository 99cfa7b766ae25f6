//! Types and subtypes by name.

/// What a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Type(pub u8);

impl Type {
    /// A program.
    pub const APP: Self = Self(0);
    /// Data.
    pub const DATA: Self = Self(1);
    /// A second-stage bootloader.
    pub const BOOTLOADER: Self = Self(2);
    /// A partition table.
    pub const PARTITION_TABLE: Self = Self(3);

    const NAMES: [(u8, &'static str); 4] =
        [(0, "app"), (1, "data"), (2, "bootloader"), (3, "partition_table")];

    /// The type with this name or number.
    pub fn by_name(name: &str) -> Option<Self> {
        by_name(&Self::NAMES, name).map(Self)
    }

    /// Its name, or its number.
    pub fn name(self) -> String {
        name_of(&Self::NAMES, self.0)
    }

    /// The names that exist, for messages.
    pub fn known() -> String {
        list(&Self::NAMES)
    }
}

/// Which one of its kind a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtype(pub u8);

impl Subtype {
    const APP: [(u8, &'static str); 18] = [
        (0x00, "factory"),
        (0x10, "ota_0"),
        (0x11, "ota_1"),
        (0x12, "ota_2"),
        (0x13, "ota_3"),
        (0x14, "ota_4"),
        (0x15, "ota_5"),
        (0x16, "ota_6"),
        (0x17, "ota_7"),
        (0x18, "ota_8"),
        (0x19, "ota_9"),
        (0x1A, "ota_10"),
        (0x1B, "ota_11"),
        (0x1C, "ota_12"),
        (0x1D, "ota_13"),
        (0x1E, "ota_14"),
        (0x1F, "ota_15"),
        (0x20, "test"),
    ];
    const DATA: [(u8, &'static str); 11] = [
        (0x00, "ota"),
        (0x01, "phy"),
        (0x02, "nvs"),
        (0x03, "coredump"),
        (0x04, "nvs_keys"),
        (0x05, "efuse"),
        (0x06, "undefined"),
        (0x80, "esphttpd"),
        (0x81, "fat"),
        (0x82, "spiffs"),
        (0x83, "littlefs"),
    ];
    const SLOT: [(u8, &'static str); 2] = [(0, "primary"), (1, "ota")];

    fn names(kind: Type) -> &'static [(u8, &'static str)] {
        match kind {
            Type::APP => &Self::APP,
            Type::DATA => &Self::DATA,
            Type::BOOTLOADER | Type::PARTITION_TABLE => &Self::SLOT,
            _ => &[],
        }
    }

    /// The subtype of this kind with this name or number; an empty name is 0.
    pub fn by_name(kind: Type, name: &str) -> Option<Self> {
        match (name, kind) {
            ("", Type::DATA) => Some(Self(6)),
            ("", _) => Some(Self(0)),
            _ => by_name(Self::names(kind), name).map(Self),
        }
    }

    /// Its name, or its number.
    pub fn name(self, kind: Type) -> String {
        name_of(Self::names(kind), self.0)
    }

    /// The names that exist, for messages.
    pub fn known(kind: Type) -> String {
        list(Self::names(kind))
    }
}

fn by_name(names: &[(u8, &'static str)], name: &str) -> Option<u8> {
    let known = names.iter().find(|(_, known)| *known == name).map(|(number, _)| *number);
    known.or_else(|| super::csv::number(name).and_then(|number| u8::try_from(number).ok()))
}

fn name_of(names: &[(u8, &'static str)], number: u8) -> String {
    let known = names.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("0x{number:02x}"), |(_, name)| (*name).to_owned())
}

fn list(names: &[(u8, &'static str)]) -> String {
    let names: Vec<_> = names.iter().map(|(_, name)| *name).collect();
    names.join(", ")
}
