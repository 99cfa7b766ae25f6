//! What the compiler hands to the virtual machine: the parts of a code object, and the trait through which constants
//! and code objects are made. The compiler knows no heap; the machine knows no compiler.

use crate::qstr::Qstr;

/// Properties of a code object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// Has a `*args` parameter (after the positional ones and before the keyword-only ones in register order:
    /// positional, keyword-only, `*args`, `**kwargs`).
    pub const VAR_ARGS: u8 = 1;
    /// Has a `**kwargs` parameter.
    pub const VAR_KEYWORDS: u8 = 2;
    /// Calling it makes a generator (also `async def`).
    pub const GENERATOR: u8 = 4;
    /// Declared with `async def`.
    pub const ASYNC: u8 = 8;
    /// A module or class body: `R[0]` is its namespace.
    pub const NAMESPACE: u8 = 16;

    /// Whether `flag` is set.
    pub const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// One protected range. Ranges are listed innermost first; `start..end` and `target` are word indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// First protected instruction.
    pub start: u16,
    /// First instruction after the range.
    pub end: u16,
    /// Where execution goes on with the exception in `register`.
    pub target: u16,
    /// The register that receives the exception.
    pub register: u8,
}

const _: () = assert!(size_of::<Handler>() == 8);

/// A compiled function, class body or module, before it becomes an object. Parameters are in register order:
/// `positional`, then `keyword_only`, then `*args`, then `**kwargs`.
#[derive(Clone, Copy, Debug)]
pub struct CodeParts<'a, Const> {
    /// Name shown in tracebacks: the function's name, the class's name, or `<module>`.
    pub name: Qstr,
    /// Source file name.
    pub file: Qstr,
    /// Properties.
    pub flags: Flags,
    /// Registers used, at most [`crate::op::MAX_REGISTERS`].
    pub registers: u8,
    /// Positional parameters.
    pub positional: u8,
    /// Keyword-only parameters.
    pub keyword_only: u8,
    /// Captured cells.
    pub free: u8,
    /// Names of positional then keyword-only parameters.
    pub parameters: &'a [Qstr],
    /// The table `N`.
    pub names: &'a [Qstr],
    /// The table `K`.
    pub constants: &'a [Const],
    /// The instructions.
    pub words: &'a [u32],
    /// Protected ranges, innermost first.
    pub handlers: &'a [Handler],
    /// Line of the first instruction (1 based).
    pub first_line: u32,
    /// Line table, see [`LineTable`].
    pub lines: &'a [u8],
}

impl<Const> CodeParts<'_, Const> {
    /// Bits of the number of names of one code object.
    pub const NAME_BITS: u32 = 13;
    /// Bits of the number of handlers of one code object.
    pub const HANDLER_BITS: u32 = 11;

    /// Whether all counts are within what a code object can hold.
    #[must_use]
    pub fn fits(&self) -> bool {
        let half = usize::from(u16::MAX);
        self.words.len() + 2 * self.handlers.len() <= half
            && self.constants.len() <= half
            && self.lines.len() <= half
            && self.names.len() >> Self::NAME_BITS == 0
            && self.handlers.len() >> Self::HANDLER_BITS == 0
    }
}

/// The heap has no room for what is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// Makes what compiled code refers to. Everything made stays alive until the compilation ends.
pub trait Backend {
    /// A constant: cheap to copy, compared by the compiler only through what it was made from.
    type Const: Copy;

    /// Interns a name.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn qstr(&mut self, text: &str) -> Result<Qstr, OutOfMemory>;
    /// An int from its digits in `radix` (2, 8, 10, 16; no prefix, no underscores), perhaps after a `-`. Its value may
    /// exceed any machine word.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn int(&mut self, digits: &str, radix: u32) -> Result<Self::Const, OutOfMemory>;
    /// A small int (31 bits) that the compiler computed.
    fn small_int(&mut self, value: i32) -> Self::Const;
    /// A float from its text as written (no underscores), perhaps after a `-`.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn float(&mut self, text: &str) -> Result<Self::Const, OutOfMemory>;
    /// An imaginary number from the text before its `j`.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn imaginary(&mut self, text: &str) -> Result<Self::Const, OutOfMemory>;
    /// A string.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn str(&mut self, text: &str) -> Result<Self::Const, OutOfMemory>;
    /// The string of an interned name, as an item of a constant tuple.
    fn interned(&mut self, name: Qstr) -> Self::Const;
    /// A bytes object.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn bytes(&mut self, bytes: &[u8]) -> Result<Self::Const, OutOfMemory>;
    /// A tuple of constants.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn tuple(&mut self, items: &[Self::Const]) -> Result<Self::Const, OutOfMemory>;
    /// The number that a built-in module has under a name, for `const`; none if there is no such number.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn number_of_module(&mut self, module: Qstr, name: Qstr) -> Result<Option<Self::Const>, OutOfMemory> {
        let _ = (module, name);
        Ok(None)
    }
    /// The number that an operation on two numbers makes, for `const`; none if it raises, or they are no numbers.
    /// `operator` is its place among `+ - * @ / % // ** & | ^ << >>`.
    ///
    /// # Errors
    /// When memory is exhausted.
    fn operate(
        &mut self,
        operator: u8,
        left: Self::Const,
        right: Self::Const,
    ) -> Result<Option<Self::Const>, OutOfMemory> {
        let _ = (operator, left, right);
        Ok(None)
    }
    /// None, True, False, Ellipsis.
    fn singleton(&mut self, which: Singleton) -> Self::Const;
    /// A code object; its parts fit ([`CodeParts::fits`]).
    ///
    /// # Errors
    /// When memory is exhausted.
    fn code(&mut self, parts: &CodeParts<'_, Self::Const>) -> Result<Self::Const, OutOfMemory>;
}

/// The constants that exist once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Singleton {
    /// `None`
    None,
    /// `True`
    True,
    /// `False`
    False,
    /// `...`
    Ellipsis,
}

/// Reads and writes the line table: a sequence of bytes, each either `words << 3 | lines` with `lines` in 0..=6
/// (advance both), or `words << 3 | 7` followed by a little-endian `i16` line step. `words` is 0..=31.
#[derive(Clone, Copy, Debug)]
pub struct LineTable;

impl LineTable {
    /// Appends an advance of `words` instructions and `lines` lines through `push`.
    pub fn write(mut words: u32, lines: i32, mut push: impl FnMut(u8)) {
        while words > 31 {
            push(31 << 3);
            words -= 31;
        }
        match u8::try_from(lines) {
            Ok(step @ 0..=6) => push((words as u8) << 3 | step),
            _ => {
                push((words as u8) << 3 | 7);
                let step = lines.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
                step.to_le_bytes().into_iter().for_each(push);
            }
        }
    }

    /// The line of instruction `index`: the table's entries advance the position, and the line in force is that of
    /// the last entry at or before `index`.
    pub fn line(first_line: u32, table: &[u8], index: u32) -> u32 {
        let (mut at, mut line, mut rest) = (0u32, first_line as i32, table);
        while let [entry, tail @ ..] = rest {
            let (step, tail) = match (entry & 7, tail) {
                (7, [low, high, tail @ ..]) => (i16::from_le_bytes([*low, *high]).into(), tail),
                (step, tail) => (i32::from(step), tail),
            };
            at += u32::from(entry >> 3);
            if at > index {
                break;
            }
            line += step;
            rest = tail;
        }
        line as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn lines_read_back_as_written() {
        let mut table = Vec::new();
        for (words, lines) in [(0, 0), (3, 1), (40, 9), (1, -5), (2, 2)] {
            LineTable::write(words, lines, |byte| table.push(byte));
        }
        let expect = [(0, 10), (2, 10), (3, 11), (42, 11), (43, 20), (44, 15), (45, 15), (46, 17), (99, 17)];
        for (index, line) in expect {
            assert_eq!(LineTable::line(10, &table, index), line, "at {index}");
        }
    }
}
