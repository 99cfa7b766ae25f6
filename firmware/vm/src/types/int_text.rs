//! Ints as text: parsing in any base, digits in base 2 to 16.
//!
//! Decimal digits of a big int come in groups of nine, each by one division of the whole number by a prepared divisor.

use larch_heap::{Header, Kind, Ref, Value};

use super::ids;
use super::int_arith::Int;
use crate::bigint::{self, Divisor};
use crate::native::{Raised, Res};
use crate::print::Sink;
use crate::text::Span;
use crate::vm::{Part, Vm};

/// How an int's digits are written.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    /// 2, 8, 10 or 16.
    pub base: u32,
    /// `A` or `a`.
    pub letter: u8,
    /// Between groups; 0: none.
    pub separator: u8,
}

impl Digits {
    const DECIMAL: Digits = Digits { base: 10, letter: b'a', separator: 0 };

    fn digit(self, digit: u32) -> u8 {
        if digit < 10 { b'0' + digit as u8 } else { self.letter + digit as u8 - 10 }
    }

    fn group(self) -> u32 {
        if self.base == 10 { 3 } else { 4 }
    }
}

/// Room for the digits of a word: 32 bits, 7 separators.
pub(crate) const WORD_DIGITS: usize = 40;

/// Writes a word's digits at the end of `out`; where they start.
pub(crate) fn word_digits(mut word: u32, how: Digits, out: &mut [u8; WORD_DIGITS]) -> usize {
    let (mut at, mut count) = (out.len(), 0);
    loop {
        if count > 0 && how.separator != 0 && count % how.group() == 0 {
            at -= 1;
            out[at] = how.separator;
        }
        at -= 1;
        out[at] = how.digit(word % how.base);
        word /= how.base;
        count += 1;
        if word == 0 {
            return at;
        }
    }
}

/// The digits of a big int while they are made: one cell of raw memory with the number, which is divided to nothing, and
/// behind it the text, which is filled from its end.
pub(crate) struct BigDigits {
    cell: Ref,
    limbs: u32,
    /// First byte of the text and one after its last, behind the cell's header.
    start: u32,
    end: u32,
    count: u32,
}

impl BigDigits {
    #[inline(never)]
    fn push(&mut self, vm: &mut Vm, digit: u32, how: Digits) {
        if how.separator != 0 && self.count > 0 && self.count.is_multiple_of(how.group()) {
            self.put(vm, how.separator);
        }
        self.put(vm, how.digit(digit));
        self.count += 1;
    }

    fn put(&mut self, vm: &mut Vm, byte: u8) {
        self.start -= 1;
        vm.heap.bytes_mut(self.cell, self.start, 1)[0] = byte;
    }

    /// Where the digits are.
    pub(crate) fn span(&self) -> Span {
        Span::Cell { at: self.cell, first: self.start, len: self.end - self.start }
    }

    /// The cell, to be rooted while the digits are used and freed afterwards.
    pub(crate) fn cell(&self) -> Ref {
        self.cell
    }
}

impl Vm {
    /// Writes an int in decimal.
    ///
    /// # Errors
    /// MemoryError, or what a stream raises.
    pub fn print_int(&mut self, sink: Sink, value: Value) -> Res<()> {
        if let Some(small) = value.as_small() {
            let mut buffer = [0; WORD_DIGITS];
            let mut at = word_digits(small.unsigned_abs(), Digits::DECIMAL, &mut buffer);
            if small < 0 {
                at -= 1;
                buffer[at] = b'-';
            }
            return self.emit(sink, &buffer[at..]);
        }
        let Some(int) = self.as_int(value) else { return Ok(()) };
        let digits = self.big_digits(&int, Digits::DECIMAL)?;
        let scope = self.root(digits.cell().into())?;
        if int.negative {
            self.emit_str(sink, "-")?;
        }
        self.emit_span(sink, digits.span())?;
        self.release(scope);
        self.heap.free(digits.cell());
        Ok(())
    }

    /// The digits of an int of at least one limb.
    ///
    /// # Errors
    /// MemoryError.
    pub(crate) fn big_digits(&mut self, int: &Int, how: Digits) -> Res<BigDigits> {
        let bits = bigint::bit_length(self.limbs(int));
        // Bits per digit are at least this.
        let digits = bits / how.base.ilog2() + 1;
        let room = if how.separator == 0 { digits } else { digits + digits / 3 };
        if int.len * 4 > Header::MAX_COUNT - room.min(Header::MAX_COUNT) {
            return Err(self.raise_memory());
        }
        let end = int.len * 4 + room;
        let cell = self.alloc(Header::new(Kind::Raw, end))?;
        for i in 0..int.len {
            let limb = self.limbs(int)[i as usize];
            self.heap.words_mut(cell, i, 1)[0] = limb;
        }
        let mut out = BigDigits { cell, limbs: int.len, start: end, end, count: 0 };
        match how.base {
            10 => self.decimal_digits(&mut out, how),
            base => self.power_of_two_digits(&mut out, how, base.ilog2(), bits),
        }
        Ok(out)
    }

    fn decimal_digits(&mut self, out: &mut BigDigits, how: Digits) {
        const GROUP: Divisor = Divisor::new(1_000_000_000);
        while out.limbs > 0 {
            let limbs = self.heap.words_mut(out.cell, 0, out.limbs);
            let mut group = bigint::div_small(limbs, GROUP);
            out.limbs = bigint::significant(limbs) as u32;
            for _ in 0..9 {
                if group == 0 && out.limbs == 0 {
                    break;
                }
                out.push(self, group % 10, how);
                group /= 10;
            }
        }
    }

    fn power_of_two_digits(&mut self, out: &mut BigDigits, how: Digits, width: u32, bits: u32) {
        for at in (0..bits).step_by(width as usize) {
            let limbs = self.heap.words(out.cell, 0, out.limbs);
            let (index, shift) = (at as usize / 32, at % 32);
            let mut word = limbs[index] >> shift;
            if shift + width > 32 && index + 1 < limbs.len() {
                word |= limbs[index + 1] << (32 - shift);
            }
            out.push(self, word & ((1 << width) - 1), how);
        }
    }

    // ---- parsing ----

    /// Parses an int as `int(text, base)` does; base 0 takes the text's own prefix.
    ///
    /// # Errors
    /// ValueError for a bad base or text that is no int.
    pub fn parse_int(&mut self, text: Span, base: i32) -> Res {
        if base != 0 && !(2..=36).contains(&base) {
            return Err(self.raise(ids::ValueError, "int() arg 2 must be >= 2 and <= 36"));
        }
        let bytes = self.bytes_at(text);
        let scan = Scan::new(bytes, base as u32);
        let Some((digits, base)) = scan.number(bytes) else {
            return Err(self.raise_bad_int(text.part(scan.start, text.len() - scan.start), scan.base));
        };
        if let Some(small) = small_from_digits(&bytes[digits.start as usize..digits.end as usize], base) {
            return self.new_int_i64(if scan.negative { -i64::from(small) } else { small.into() });
        }
        let source = Source::Span(text.part(digits.start, digits.end - digits.start));
        self.big_from_digits(source, base, scan.negative)
    }

    /// The int with these digits, at most of base 36, with or without a minus sign before them. Underscores are
    /// skipped.
    ///
    /// # Errors
    /// MemoryError.
    pub fn int_from_digits(&mut self, text: &str, base: u32) -> Res {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let negative = digits.len() < text.len();
        match small_from_digits(digits.as_bytes(), base) {
            Some(small) => self.new_int_i64(if negative { -i64::from(small) } else { small.into() }),
            None => self.big_from_digits(Source::Bytes(digits.as_bytes()), base, negative),
        }
    }

    fn big_from_digits(&mut self, source: Source<'_>, base: u32, negative: bool) -> Res {
        let len = source.len();
        let bits_per_digit = if base.is_power_of_two() { base.ilog2() } else { base.ilog2() + 1 };
        if len > Header::MAX_COUNT {
            return Err(self.raise_memory());
        }
        let count = (len * bits_per_digit).div_ceil(32);
        let out = self.new_limbs(count)?;
        // Digits are taken in groups that fit a word.
        let (mut group, mut factor, mut used) = (0, 1, 0);
        for i in 0..len {
            let Some(digit) = digit_value(source.get(self, i), base) else { continue };
            (group, factor) = (group * base + digit, factor * base);
            if factor > u32::MAX / base {
                used = self.append_group(out, used, group, factor);
                (group, factor) = (0, 1);
            }
        }
        self.append_group(out, used, group, factor);
        Ok(self.finish_int(out, negative, count))
    }

    /// Multiplies the first `used` limbs by `factor` and adds `group`; how many limbs are used then.
    fn append_group(&mut self, out: Ref, used: u32, group: u32, factor: u32) -> u32 {
        let carry = bigint::mul_small(self.heap.words_mut(out, 1, used), factor, group);
        if carry == 0 {
            return used;
        }
        self.heap.words_mut(out, 1 + used, 1)[0] = carry;
        used + 1
    }

    #[cold]
    fn raise_bad_int(&mut self, text: Span, base: u32) -> Raised {
        let text = match self.new_text_from(Kind::Str, text) {
            Ok(text) => text,
            Err(raised) => return raised,
        };
        let parts = [
            Part::Text("invalid syntax for integer with base "),
            Part::Int(if base == 1 { 0 } else { base as i32 }),
            Part::Text(": "),
            Part::Repr(text),
        ];
        self.raise_parts(ids::ValueError, &parts)
    }
}

/// Digits to parse: in the heap, or elsewhere.
#[derive(Clone, Copy)]
enum Source<'a> {
    Bytes(&'a [u8]),
    Span(Span),
}

impl Source<'_> {
    fn len(self) -> u32 {
        match self {
            Source::Bytes(bytes) => bytes.len() as u32,
            Source::Span(span) => span.len(),
        }
    }

    fn get(self, vm: &Vm, index: u32) -> u8 {
        match self {
            Source::Bytes(bytes) => bytes[index as usize],
            Source::Span(span) => vm.byte_at(span, index),
        }
    }
}

/// An int literal in text: sign and prefix are read.
struct Scan {
    negative: bool,
    base: u32,
    /// Where the digits start.
    start: u32,
}

impl Scan {
    fn new(text: &[u8], base: u32) -> Scan {
        let mut at = text.iter().take_while(|byte| is_space(**byte)).count();
        let negative = text.get(at) == Some(&b'-');
        if negative || text.get(at) == Some(&b'+') {
            at += 1;
        }
        let (skip, base) = prefix(&text[at..], base);
        Scan { negative, base, start: at as u32 + skip }
    }

    /// Where the digits are, and their base; `None` if there are none, or something is behind them.
    fn number(&self, text: &[u8]) -> Option<(core::ops::Range<u32>, u32)> {
        let rest = &text[self.start as usize..];
        let is_part = |byte: &&u8| **byte == b'_' || digit_value(**byte, self.base).is_some();
        let len = rest.iter().take_while(is_part).count();
        let good = len > 0 && rest[len..].iter().all(|byte| is_space(*byte));
        good.then_some((self.start..self.start + len as u32, self.base))
    }
}

/// Length of a base prefix that fits `base`, and the base.
fn prefix(text: &[u8], base: u32) -> (u32, u32) {
    let named = match text {
        [b'0', letter, ..] => match letter | 0x20 {
            b'x' => 16,
            b'o' => 8,
            b'b' => 2,
            _ => 0,
        },
        _ => 0,
    };
    match (named, base) {
        // A leading zero without a letter: no digit but zeros may follow.
        (0, 0) if text.len() > 1 && text[0] == b'0' => (0, 1),
        (0, 0) => (0, 10),
        (0, _) => (0, base),
        (_, 0) => (2, named),
        _ if named == base => (2, base),
        _ => (0, base),
    }
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn digit_value(byte: u8, base: u32) -> Option<u32> {
    (byte as char).to_digit(36).filter(|digit| *digit < base)
}

/// The value of digits that fit 32 bits.
fn small_from_digits(digits: &[u8], base: u32) -> Option<u32> {
    let mut value = 0u32;
    for byte in digits {
        let Some(digit) = digit_value(*byte, base) else { continue };
        value = value.checked_mul(base)?.checked_add(digit)?;
    }
    Some(value)
}
