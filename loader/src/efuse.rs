//! eFuses, read only.

use crate::connect::Loader;
use crate::error::Error;
use larch_chips::efuses::EfuseField;
use std::fmt;

/// A field and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EfuseReading {
    /// Espressif's name.
    pub name: &'static str,
    /// Number of its block.
    pub block: u8,
    /// First bit within the block.
    pub bit: u16,
    /// How many bits.
    pub width: u16,
    /// Its contents.
    pub value: EfuseValue,
}

/// The contents of a field: a number, or bytes where it is wider than 32 bits. Read-protected keys read as zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EfuseValue(Vec<u8>);

impl EfuseValue {
    /// As a number, if it is narrow enough.
    pub fn number(&self) -> Option<u32> {
        (self.0.len() <= 4).then(|| self.0.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    /// The bytes, lowest first.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for EfuseValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => write!(f, "{number} (0x{number:x})"),
            None => self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl Loader<'_> {
    /// Every eFuse field whose name contains `filter`.
    ///
    /// # Errors
    /// If the chip does not let them be read, or does not answer.
    pub fn efuse_summary(&mut self, filter: &str) -> Result<Vec<EfuseReading>, Error> {
        let table = self.chip.efuses();
        let mut blocks = vec![None; table.blocks.len()];
        let wanted = table.fields.iter().filter(|field| field.name.contains(filter));
        wanted
            .map(|field| {
                let block = &mut blocks[usize::from(field.block)];
                let words = match block {
                    Some(words) => words,
                    None => block.insert(self.efuse_block(field.block)?),
                };
                Ok(reading(field, words))
            })
            .collect()
    }

    /// The number in the field with this name; `None`: this chip has no such field.
    pub(crate) fn efuse(&mut self, name: &str) -> Result<Option<u32>, Error> {
        let Some(field) = self.chip.efuses().field(name) else { return Ok(None) };
        let words = self.efuse_block(field.block)?;
        Ok(reading(field, &words).value.number())
    }

    /// The words of a block.
    pub(crate) fn efuse_block(&mut self, number: u8) -> Result<Vec<u32>, Error> {
        if self.secure_download() {
            let why = "in secure download mode".to_owned();
            return Err(Error::Unsupported { what: "reading eFuses".to_owned(), why });
        }
        let block = self.chip.efuses().blocks[usize::from(number)];
        (0..u32::from(block.words)).map(|word| self.read_register(block.address + 4 * word)).collect()
    }
}

fn reading(field: &EfuseField, words: &[u32]) -> EfuseReading {
    let EfuseField { name, block, bit, width } = *field;
    EfuseReading { name, block, bit, width, value: EfuseValue(field.bytes(words).collect()) }
}
