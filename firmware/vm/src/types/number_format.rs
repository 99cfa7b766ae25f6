//! Numbers as `str.format` and `%` write them: the part that is the same for both. The text module reads the specifier
//! into a [`FormatSpec`]; what is here pads, signs and groups.

use larch_heap::Value;

use super::float::Float;
use crate::native::Res;
use crate::print::Sink;
use crate::vm::Vm;

/// Where the text of a field goes when it is shorter than the width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// To the right (`>`), the fill before it.
    #[default]
    Right,
    /// To the left (`<`).
    Left,
    /// To the middle (`^`).
    Center,
}

/// What goes before a number that is not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// Nothing.
    #[default]
    Minus,
    /// `+`
    Plus,
    /// A space.
    Space,
}

/// A format specifier, read.
#[derive(Clone, Copy, Debug)]
pub struct FormatSpec {
    /// The byte that fills the field.
    pub fill: u8,
    /// Where the text goes.
    pub align: Align,
    /// The fill goes between the sign (and prefix) and the digits: `=`, or `%`'s flag `0`.
    pub after_sign: bool,
    /// What goes before a number that is not negative.
    pub sign: Sign,
    /// `#`: ints get their prefix.
    pub alternate: bool,
    /// `,` or `_` between groups of digits; 0: none.
    pub separator: u8,
    /// Least bytes of the field.
    pub width: u32,
    /// Digits behind the point (floats); least digits (ints with `%`: leave it `None` in `str.format`).
    pub precision: Option<u32>,
    /// The conversion: `d`, `x`, `f` …; 0: none was given.
    pub kind: u8,
}

impl FormatSpec {
    /// A field as wide as its text.
    pub const PLAIN: FormatSpec = FormatSpec {
        fill: b' ',
        align: Align::Right,
        after_sign: false,
        sign: Sign::Minus,
        alternate: false,
        separator: 0,
        width: 0,
        precision: None,
        kind: 0,
    };
}

impl Vm {
    /// What `str.format` does with a number (int, bool, float): all kinds, ints as floats where the kind asks for it.
    /// False: `value` is no number, nothing was written.
    ///
    /// # Errors
    /// ValueError for a kind that does not fit the value; MemoryError.
    pub fn format_number(&mut self, _sink: Sink, _value: Value, _spec: &FormatSpec) -> Res<bool> {
        Ok(false)
    }

    /// Writes an int (or what converts to one) in base 2, 8, 10 or 16 as `spec.kind` says (`b`, `o`, `x`, `X`, else
    /// decimal).
    ///
    /// # Errors
    /// TypeError if `value` is no int; MemoryError.
    pub fn format_int(&mut self, _sink: Sink, _value: Value, _spec: &FormatSpec) -> Res<()> {
        Ok(())
    }

    /// Writes a float; `spec.kind` is one of `e E f F g G %`. Get it with `vm.float_arg(value)?`.
    ///
    /// # Errors
    /// MemoryError.
    pub fn format_float(&mut self, _sink: Sink, _value: Float, _spec: &FormatSpec) -> Res<()> {
        Ok(())
    }

    /// Writes text into a field of `spec.width` bytes: fill, width, alignment and separator (a zero fill has
    /// separators too) of `spec` count.
    ///
    /// # Errors
    /// MemoryError.
    pub fn emit_padded(&mut self, _sink: Sink, _text: crate::text::Span, _spec: &FormatSpec) -> Res<()> {
        Ok(())
    }
}
