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
    /// The functions of an ELF file, their names as in the source.
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
                let name = addr2line::demangle_auto(symbol.name().ok()?.into(), None);
                Some((start, size, name.into_owned()))
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_named() {
        let functions = vec![(0x4200_0100, 0x40, "main".to_owned()), (0x4200_0200, 0x10, "other".to_owned())];
        let symbols = Symbols { functions };
        assert_eq!(symbols.name_of(0x4200_0140), None);
        assert_eq!(symbols.name_of(0x4200_020C), Some(("other", 0xC)));
    }

    #[test]
    fn no_elf_file_is_an_error() {
        assert!(Symbols::parse(b"hello").is_err());
    }
}
