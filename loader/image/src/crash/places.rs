//! Where in a program an address is: function, source file and line.
//!
//! Lines come from the file's DWARF; a program without one is told by its symbols alone. Code that was inlined is told with the
//! function that it was inlined into, as ESP-IDF's monitor does.
//! Invariant: an address that lies in no section of the file is nowhere, whatever DWARF says (it keeps functions that the
//! linker threw away, at address 0).

use crate::ImageError;
use crate::elf::{Program, Section};
use crate::symbols::Symbols;
use gimli::{Dwarf, EndianArcSlice, LittleEndian, SectionId};
use object::{Object, ObjectSection};
use std::convert::Infallible;
use std::sync::Arc;

type Context = addr2line::Context<EndianArcSlice<LittleEndian>>;

/// Functions deeper than this inlined into each other are left out.
const MOST_INLINED: usize = 16;

/// A program's places.
#[derive(Default)]
pub struct Places {
    symbols: Symbols,
    code: Vec<Section>,
    /// None without a file, and for a file without DWARF or with one that is damaged.
    lines: Option<Context>,
}

impl Places {
    /// Those of an ELF file.
    ///
    /// # Errors
    /// If it is none.
    pub fn of_program(elf: &[u8]) -> Result<Self, ImageError> {
        Ok(Self { symbols: Symbols::parse(elf)?, code: Program::parse(elf)?.sections, lines: lines(elf) })
    }

    #[cfg(test)]
    pub(super) fn of(symbols: Symbols, code: Vec<Section>) -> Self {
        Self { symbols, code, lines: None }
    }

    /// What is at an address: `main at src/main.rs:12`, below it what that was inlined into; `main+0x14` where
    /// lines are not known; nothing if no function is there.
    #[must_use]
    pub fn at(&self, address: u32) -> Vec<String> {
        self.told(address, address)
    }

    /// What a function returns to: the call before this address.
    #[must_use]
    pub fn before(&self, address: u32) -> Vec<String> {
        self.told(address.saturating_sub(1), address)
    }

    /// The bytes that end at an address.
    pub(super) fn bytes_before<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let at = address.checked_sub(u32::try_from(N).ok()?)?;
        self.code.iter().find_map(|section| {
            let from = usize::try_from(at.checked_sub(section.part.address)?).ok()?;
            section.part.data.get(from..)?.first_chunk().copied()
        })
    }

    fn told(&self, inside: u32, address: u32) -> Vec<String> {
        let lines = self.frames(inside);
        if !lines.is_empty() {
            return lines;
        }
        let Some((function, into)) = self.symbols.name_of(inside) else { return Vec::new() };
        vec![format!("{function}+0x{:x}", into + (address - inside))]
    }

    /// The innermost function first.
    fn frames(&self, address: u32) -> Vec<String> {
        let is_in_file = self.code.iter().any(|section| {
            address
                .checked_sub(section.part.address)
                .is_some_and(|into| (into as usize) < section.part.data.len())
        });
        let Some(lines) = self.lines.as_ref().filter(|_| is_in_file) else { return Vec::new() };
        let Ok(mut frames) = lines.find_frames(u64::from(address)).skip_all_loads() else {
            return Vec::new();
        };
        let mut told = Vec::new();
        while let Ok(Some(frame)) = frames.next()
            && told.len() < MOST_INLINED
        {
            let Some((file, line)) = frame.location.and_then(|at| Some((at.file?, at.line?))) else { break };
            let symbol = || self.symbols.name_of(address).map(|(name, _)| name.to_owned());
            let function =
                frame.function.and_then(|name| Some(name.demangle().ok()?.into_owned())).or_else(symbol);
            let inlined = if told.is_empty() { "" } else { "(inlined by) " };
            told.push(format!("{inlined}{} at {file}:{line}", function.as_deref().unwrap_or("??")));
        }
        told
    }
}

fn lines(elf: &[u8]) -> Option<Context> {
    let file = object::File::parse(elf).ok()?;
    let section = |id: SectionId| -> Result<_, Infallible> {
        let data = file.section_by_name(id.name()).and_then(|section| section.uncompressed_data().ok());
        Ok(EndianArcSlice::new(Arc::from(data.unwrap_or_default()), LittleEndian))
    };
    let Ok(dwarf) = Dwarf::load(section);
    Context::from_dwarf(dwarf).ok()
}
