//! Every eFuse field of a chip, by name: for summaries and for questions that name their field.

mod esp32;
mod esp32c2;
mod esp32c3;
mod esp32c5;
mod esp32c6;
mod esp32c61;
mod esp32h2;
mod esp32p4;
mod esp32s2;
mod esp32s3;

/// A block of eFuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EfuseBlock {
    /// 32-bit words.
    pub words: u8,
    /// Address of the register with the first word.
    pub address: u32,
}

/// Adjacent bits of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EfuseField {
    /// Espressif's name, in capitals.
    pub name: &'static str,
    /// Number of the block.
    pub block: u8,
    /// First bit, counted from the start of the block.
    pub bit: u16,
    /// How many bits; keys have 256.
    pub width: u16,
}

impl EfuseField {
    const fn new(name: &'static str, block: u8, bit: u16, width: u16) -> Self {
        assert!(width > 0);
        Self { name, block, bit, width }
    }

    /// The field's bits out of the words of its block, first byte lowest; words that are missing count as 0.
    pub fn bytes<'w>(&self, words: &'w [u32]) -> impl Iterator<Item = u8> + 'w {
        let (bit, width) = (usize::from(self.bit), usize::from(self.width));
        let one = move |at: usize| words.get(at / 32).is_some_and(|word| word >> (at % 32) & 1 == 1);
        (0..width.div_ceil(8)).map(move |byte| {
            (0..8.min(width - byte * 8)).fold(0, |value, at| value | u8::from(one(bit + byte * 8 + at)) << at)
        })
    }
}

/// All blocks and fields of a chip.
#[derive(Debug)]
pub struct EfuseTable {
    /// Blocks by number.
    pub blocks: &'static [EfuseBlock],
    /// Fields in the order of the manual.
    pub fields: &'static [EfuseField],
}

impl EfuseTable {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static EfuseField> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Tables by the chip's slug.
pub(crate) static TABLES: &[(&str, &EfuseTable)] = &[
    ("esp32", &esp32::TABLE),
    ("esp32s2", &esp32s2::TABLE),
    ("esp32c3", &esp32c3::TABLE),
    ("esp32s3", &esp32s3::TABLE),
    ("esp32c2", &esp32c2::TABLE),
    ("esp32c6", &esp32c6::TABLE),
    ("esp32h2", &esp32h2::TABLE),
    ("esp32p4", &esp32p4::TABLE),
    ("esp32c5", &esp32c5::TABLE),
    ("esp32c61", &esp32c61::TABLE),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CHIPS, Chip};

    #[test]
    fn fields_lie_in_their_blocks_and_have_names_of_their_own() {
        for chip in CHIPS {
            let table = chip.efuses();
            for (index, field) in table.fields.iter().enumerate() {
                let block = &table.blocks[usize::from(field.block)];
                assert!(
                    field.bit + field.width <= u16::from(block.words) * 32,
                    "{} {}",
                    chip.name,
                    field.name
                );
                assert!(table.fields[..index].iter().all(|other| other.name != field.name), "{}", field.name);
            }
        }
    }

    /// The same facts stand in the chip's own table, from another source.
    #[test]
    fn what_the_loader_asks_for_is_where_the_summary_has_it() {
        let compare = |chip: &Chip, name: &str, known: crate::Field| {
            let (Some(field), [bits]) = (chip.efuses().field(name), known.0) else { return 0 };
            let address =
                chip.efuses().blocks[usize::from(field.block)].address + u32::from(field.bit / 32 * 4);
            assert_eq!(
                (address, field.bit % 32, field.width),
                (bits.register, bits.shift.into(), bits.width.into()),
                "{} {name}",
                chip.name
            );
            1
        };
        let mut compared = 0;
        for chip in CHIPS {
            let efuse = &chip.efuse;
            compared += compare(chip, "SPI_BOOT_CRYPT_CNT", efuse.flash_encryption);
            compared += compare(chip, "FLASH_CRYPT_CNT", efuse.flash_encryption);
            compared += compare(chip, "DIS_DOWNLOAD_MANUAL_ENCRYPT", efuse.no_download_encrypt);
            compared += compare(chip, "SECURE_BOOT_EN", efuse.secure_boot[0]);
            compared += compare(chip, "WAFER_VERSION_MAJOR", efuse.major);
            compared += compare(chip, "PKG_VERSION", efuse.package);
        }
        assert!(compared > 35, "{compared}");
    }

    #[test]
    fn a_field_is_read_across_words() {
        let field = EfuseField::new("X", 0, 28, 12);
        assert!(field.bytes(&[0xA000_0000, 0xFFFF_FFBC]).eq([0xCA, 0x0B]));
        assert_eq!(field.bytes(&[]).count(), 2);
    }
}
