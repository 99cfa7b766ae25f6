//! Names of addresses, from a program's symbol table.

use crate::ImageError;
use object::{Object, ObjectSymbol, SymbolKind};

/// Functions by address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Start, length and name, sorted by start.
    functions: Vec<(u32, u32, String)>,
}

impl Symbols {
    /// The functions of an ELF file.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let file = object::File::parse(bytes).map_err(|error| ImageError::Elf(error.to_string()))?;
        let functions = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .filter_map(|symbol| {
                let start = u32::try_from(symbol.address()).ok()?;
                let size = u32::try_from(symbol.size()).ok()?;
                Some((start, size, symbol.name().ok()?.to_owned()))
            })
            .collect();
        Ok(Self::of(functions))
    }

    /// These functions: start, length, name.
    #[must_use]
    pub fn of(mut functions: Vec<(u32, u32, String)>) -> Self {
        functions.sort();
        Self { functions }
    }

    /// The function that an address is in, and how far.
    pub fn name_of(&self, address: u32) -> Option<(&str, u32)> {
        let after = self.functions.partition_point(|(start, _, _)| *start <= address);
        let (start, size, name) = self.functions.get(after.checked_sub(1)?)?;
        let into = address - start;
        (into < *size).then_some((name.as_str(), into))
    }

    /// A line for every address of a function in a line of output: `0x42000120: main+0x10`.
    pub fn names_in(&self, line: &str) -> Vec<String> {
        let words = line.split(|c: char| !c.is_ascii_alphanumeric());
        let addresses = words.filter_map(|word| {
            let digits = word.strip_prefix("0x").unwrap_or(word);
            (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
        });
        addresses
            .filter_map(|address| {
                let (name, into) = self.name_of(address)?;
                Some(format!("0x{address:08x}: {name}+0x{into:x}"))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_a_panic_are_named() {
        let functions = vec![(0x4200_0100, 0x40, "main".to_owned()), (0x4200_0200, 0x10, "other".to_owned())];
        let symbols = Symbols { functions };
        assert_eq!(symbols.name_of(0x4200_0140), None);
        assert_eq!(
            symbols.names_in("MEPC : 0x42000110  RA : 0x4200020c  SP : 0x3fc80000, Backtrace:42000100"),
            ["0x42000110: main+0x10", "0x4200020c: other+0xc", "0x42000100: main+0x0"]
        );
    }

    #[test]
    fn no_elf_file_is_an_error() {
        assert!(Symbols::parse(b"hello").is_err());
    }
}
