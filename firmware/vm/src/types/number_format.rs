//! Numbers as `str.format` and `%` write them: the part that is the same for both. The text module reads the specifier
//! into a [`FormatSpec`]; what is here pads, signs and groups.

use larch_heap::Value;

use super::float::Float;
use super::int_text::{Digits, WORD_DIGITS, word_digits};
use super::{float_text, ids};
use crate::native::Res;
use crate::print::Sink;
use crate::text::{Span, ascii_str};
use crate::vm::{Part, Vm};

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

    /// The byte before a number that is not negative; 0: none.
    fn plus(&self) -> u8 {
        match self.sign {
            Sign::Minus => 0,
            Sign::Plus => b'+',
            Sign::Space => b' ',
        }
    }
}

/// Sign and prefix of an int: at most `-0x`.
struct Prefix {
    bytes: [u8; 3],
    len: usize,
}

impl Prefix {
    fn new(negative: bool, spec: &FormatSpec) -> Prefix {
        let mut prefix = Prefix { bytes: [0; 3], len: 0 };
        let sign = if negative { b'-' } else { spec.plus() };
        if sign != 0 {
            prefix.push(sign);
        }
        if spec.alternate && matches!(spec.kind, b'b' | b'o' | b'x' | b'X') {
            prefix.push(b'0');
            prefix.push(spec.kind);
        }
        prefix
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }
}

/// Text to be put into a field: in the heap or flash, or on the native stack.
#[derive(Clone, Copy)]
enum Content<'a> {
    Span(Span),
    Bytes(&'a [u8]),
}

impl Content<'_> {
    fn len(self) -> u32 {
        match self {
            Content::Span(span) => span.len(),
            Content::Bytes(bytes) => bytes.len() as u32,
        }
    }
}

impl Vm {
    /// What `str.format` does with a number (int, bool, float): all kinds, ints as floats where the kind asks for it.
    /// False: `value` is no number, nothing was written.
    ///
    /// # Errors
    /// ValueError for a kind that does not fit the value; OverflowError for a number that is no character; MemoryError.
    pub fn format_number(&mut self, sink: Sink, value: Value, spec: &FormatSpec) -> Res<bool> {
        let is_int = self.is_int(value) || value.as_bool().is_some();
        if !is_int && self.as_float(value).is_none() {
            return Ok(false);
        }
        match spec.kind {
            0 | b'b' | b'd' | b'n' | b'o' | b'x' | b'X' if is_int => {
                // Only `%` has a precision for ints.
                self.format_int(sink, value, &FormatSpec { precision: None, ..*spec })?;
            }
            b'c' if is_int => {
                let code = self.int_arg(value)?;
                let text = self.format_char(code)?;
                let scope = self.root(text)?;
                if let Some(span) = self.str_span(text) {
                    self.emit_padded(sink, span, spec)?;
                }
                self.release(scope);
            }
            0 | b'n' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'%' => {
                let float = self.float_arg(value)?;
                self.format_float(sink, float, spec)?;
            }
            kind => {
                let parts = [
                    Part::Text("unknown format code '"),
                    Part::Str(ascii_str(kind)),
                    Part::Text("' for object of type '"),
                    Part::TypeOf(value),
                    Part::Text("'"),
                ];
                return Err(self.raise_parts(ids::ValueError, &parts));
            }
        }
        Ok(true)
    }

    /// Writes an int (or what converts to one) in base 2, 8, 10 or 16 as `spec.kind` says (`b`, `o`, `x`, `X`, else
    /// decimal).
    ///
    /// # Errors
    /// TypeError if `value` is no int; MemoryError.
    pub fn format_int(&mut self, sink: Sink, value: Value, spec: &FormatSpec) -> Res<()> {
        let Some(value) = self.int_maybe(value)? else { return Err(self.raise_conversion(value, "int")) };
        let scope = self.root(value)?;
        let base = match spec.kind {
            b'b' => 2,
            b'o' => 8,
            b'x' | b'X' => 16,
            _ => 10,
        };
        let letter = if spec.kind == b'X' { b'A' } else { b'a' };
        let how = Digits { base, letter, separator: spec.separator };
        let result = self.format_digits(sink, value, spec, how);
        self.release(scope);
        result
    }

    fn format_digits(&mut self, sink: Sink, value: Value, spec: &FormatSpec, how: Digits) -> Res<()> {
        let Some(int) = self.as_int(value) else { return Ok(()) };
        let prefix = Prefix::new(int.negative, spec);
        if int.len <= 1 {
            let mut buffer = [0; WORD_DIGITS];
            let word = self.limbs(&int).first().copied().unwrap_or(0);
            let at = word_digits(word, how, &mut buffer);
            return self.emit_number(sink, &prefix, Content::Bytes(&buffer[at..]), spec);
        }
        let digits = self.big_digits(&int, how)?;
        let scope = self.root(digits.cell().into())?;
        self.emit_number(sink, &prefix, Content::Span(digits.span()), spec)?;
        self.release(scope);
        self.heap.free(digits.cell());
        Ok(())
    }

    /// Writes prefix and digits into a field.
    #[inline(never)]
    fn emit_number(
        &mut self,
        sink: Sink,
        prefix: &Prefix,
        digits: Content<'_>,
        spec: &FormatSpec,
    ) -> Res<()> {
        let mut field = *spec;
        let mut precision = spec.precision.unwrap_or(0);
        if spec.align == Align::Right && spec.fill == b'0' {
            // Zeros fill the whole field anyway.
            field.width = field.width.max(precision);
            precision = 0;
        }
        let before = prefix.len as u32;
        if precision > 1 {
            // The digits get zeros up to the precision, then all of it goes into the field.
            let zeros = precision.saturating_sub(digits.len());
            let used = before + zeros + digits.len();
            let spaces = spec.width.saturating_sub(used);
            let left = if spec.align == Align::Left { 0 } else { spaces };
            self.emit_fill(sink, b' ', left)?;
            self.emit(sink, &prefix.bytes[..prefix.len])?;
            self.emit_fill(sink, b'0', zeros)?;
            self.emit_content(sink, digits)?;
            return self.emit_fill(sink, b' ', spaces - left);
        }
        if spec.after_sign {
            self.emit(sink, &prefix.bytes[..prefix.len])?;
            return self.emit_field(sink, digits, &field, field.width.saturating_sub(before));
        }
        let total = digits.len() + before;
        let (left, right) = paddings(&field, field.width, total);
        self.emit_padding(sink, &field, left, field.width)?;
        self.emit(sink, &prefix.bytes[..prefix.len])?;
        self.emit_content(sink, digits)?;
        self.emit_padding(sink, &field, right, field.width)
    }

    /// Writes a float; `spec.kind` is one of `e E f F g G %`, others mean `g`. Get it with `vm.float_arg(value)?`.
    ///
    /// # Errors
    /// MemoryError.
    pub fn format_float(&mut self, sink: Sink, value: Float, spec: &FormatSpec) -> Res<()> {
        let mut buffer = float_text::Buffer::new();
        let (value, kind) = match spec.kind {
            b'%' => (value * 100.0, b'f'),
            kind @ (b'e' | b'E' | b'f' | b'F' | b'g' | b'G') => (value, kind),
            _ => (value, b'g'),
        };
        float_text::write_formatted(value, kind, spec.precision, spec.plus(), &mut buffer);
        if spec.kind == b'%' {
            buffer.push(b'%');
        }
        let mut text = buffer.bytes();
        let mut width = spec.width;
        if spec.after_sign && matches!(text.first(), Some(b'-' | b'+' | b' ')) {
            self.emit(sink, &text[..1])?;
            text = &text[1..];
            width = width.saturating_sub(1);
        }
        self.emit_field(sink, Content::Bytes(text), spec, width)
    }

    /// Writes text into a field of `spec.width` bytes: fill, width, alignment and separator (a zero fill has
    /// separators too) of `spec` count. What owns the text must be alive by itself.
    ///
    /// # Errors
    /// MemoryError.
    pub fn emit_padded(&mut self, sink: Sink, text: Span, spec: &FormatSpec) -> Res<()> {
        self.emit_field(sink, Content::Span(text), spec, spec.width)
    }

    #[inline(never)]
    fn emit_field(&mut self, sink: Sink, text: Content<'_>, spec: &FormatSpec, width: u32) -> Res<()> {
        let (left, right) = paddings(spec, width, text.len());
        self.emit_padding(sink, spec, left, width)?;
        self.emit_content(sink, text)?;
        self.emit_padding(sink, spec, right, width)
    }

    #[inline(never)]
    fn emit_content(&mut self, sink: Sink, text: Content<'_>) -> Res<()> {
        match text {
            Content::Span(span) => self.emit_span(sink, span),
            Content::Bytes(bytes) => self.emit(sink, bytes),
        }
    }

    /// Writes `count` bytes of fill; zeros in a field with separators are grouped so that they fit a text at the right
    /// end of `width`.
    #[inline(never)]
    fn emit_padding(&mut self, sink: Sink, spec: &FormatSpec, count: u32, width: u32) -> Res<()> {
        if spec.fill != b'0' || spec.separator == 0 {
            return self.emit_fill(sink, spec.fill, count);
        }
        let group = group_len(spec.separator);
        let width = if width.is_multiple_of(group) { width + 1 } else { width };
        for at in 0..count {
            let from_right = width - at;
            self.emit_fill(sink, if from_right.is_multiple_of(group) { spec.separator } else { b'0' }, 1)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn emit_fill(&mut self, sink: Sink, fill: u8, mut count: u32) -> Res<()> {
        let bytes = [fill; 16];
        while count > 0 {
            let part = count.min(16);
            self.emit(sink, &bytes[..part as usize])?;
            count -= part;
        }
        Ok(())
    }
}

/// Zeros and a separator: `0,000` or `0_0000` repeated.
fn group_len(separator: u8) -> u32 {
    if separator == b'_' { 5 } else { 4 }
}

/// Bytes of fill on the left and right of a text of `len` bytes.
fn paddings(spec: &FormatSpec, width: u32, len: u32) -> (u32, u32) {
    let mut padding = width.saturating_sub(len);
    // A field never starts with a separator: it gets one zero more.
    if spec.fill == b'0'
        && spec.separator != 0
        && width.is_multiple_of(group_len(spec.separator))
        && len <= width
    {
        padding += 1;
    }
    match spec.align {
        Align::Right => (padding, 0),
        Align::Left => (0, padding),
        Align::Center => (padding / 2, padding - padding / 2),
    }
}
