//! `float`: single precision on boards, double on the host. Text is in [`super::float_text`].

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::int::hash_of_word;
use super::int_arith::Int;
use super::{float_parse, float_text, ids};
use crate::bigint;
use crate::native::{Args, BinaryOp, Res, TypeDef, UnaryOp};
use crate::print::Sink;
use crate::vm::Vm;

#[cfg(any(target_pointer_width = "32", feature = "f32"))]
mod width {
    /// What a Python float is: single precision on boards, double on the host.
    pub type Float = f32;
    /// Its bits.
    pub type Bits = u32;

    /// The bits of a float.
    pub fn bits(value: Float) -> u64 {
        value.to_bits().into()
    }
}
#[cfg(not(any(target_pointer_width = "32", feature = "f32")))]
mod width {
    /// What a Python float is: single precision on boards, double on the host.
    pub type Float = f64;
    /// Its bits.
    pub type Bits = u64;

    /// The bits of a float.
    pub fn bits(value: Float) -> u64 {
        value.to_bits()
    }
}

pub use width::{Bits, Float};

/// The C library's functions of this precision.
pub(crate) type Libm = libm::Libm<Float>;

/// Bytes of a float.
pub const SIZE: u32 = size_of::<Float>() as u32;
/// Bits of the mantissa, the hidden one included.
pub const PRECISION: u32 = Float::MANTISSA_DIGITS;
const FRACTION_BITS: u32 = PRECISION - 1;
const EXPONENT_MASK: u32 = (1 << (SIZE * 8 - PRECISION)) - 1;
/// The exponent of the smallest float's only bit.
pub(crate) const MIN_EXPONENT: i32 = Float::MIN_EXP - PRECISION as i32;

/// `float`
pub static FLOAT: TypeDef = TypeDef {
    make: Some(make),
    print: Some(|vm, sink, value, _| vm.print_float(sink, vm.float_value(value), true)),
    unary: Some(unary),
    binary: Some(binary),
    ..TypeDef::new(Qstr::float)
};

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_make(args, 0, 1)?;
    let Some(value) = vm.opt_arg(args, 0) else { return vm.new_float(0.0) };
    let inner = vm.native_part(value);
    if vm.heap.as_kind(inner, Kind::Float).is_some() {
        return Ok(inner);
    }
    match vm.str_span(inner).or_else(|| vm.buffer(inner)) {
        Some(span) => match float_parse::parse_float(vm.bytes_at(span)) {
            Some(float) => vm.new_float(float),
            None => Err(vm.raise_bad_number()),
        },
        None => {
            let float = vm.float_arg(value)?;
            vm.new_float(float)
        }
    }
}

fn unary(vm: &mut Vm, op: UnaryOp, value: Value) -> Res {
    let float = vm.float_value(value);
    match op {
        UnaryOp::Neg => vm.new_float(-float),
        UnaryOp::Pos => Ok(value),
        UnaryOp::Abs => vm.new_float(float.abs()),
        UnaryOp::Bool => Ok(Value::bool(float != 0.0)),
        UnaryOp::Hash => Ok(hash(float)),
        UnaryOp::Invert | UnaryOp::Len => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let a = vm.float_value(left);
    if vm.heap.as_kind(right, Kind::Complex).is_some() {
        return vm.complex_binary(op, (a, 0.0), right);
    }
    match vm.float_maybe(right)? {
        Some(b) => vm.float_binary(op, a, b),
        None => Ok(Value::UNBOUND),
    }
}

impl Vm {
    /// A float value.
    ///
    /// # Errors
    /// MemoryError.
    #[inline(never)]
    pub fn new_float(&mut self, value: Float) -> Res {
        self.new_float_inline(value)
    }

    /// As [`Vm::new_float`], where it is worth the code.
    #[inline(always)]
    fn new_float_inline(&mut self, value: Float) -> Res {
        let at = self.alloc(Header::new(Kind::Float, SIZE))?;
        self.store_float(at, 0, value);
        Ok(at.into())
    }

    /// Writes a float into a cell's words, from word `first` on.
    #[inline]
    pub(crate) fn store_float(&mut self, at: Ref, first: u32, value: Float) {
        let bits = width::bits(value);
        self.heap.set_word(at, first, bits as u32);
        if SIZE == 8 {
            self.heap.set_word(at, first + 1, (bits >> 32) as u32);
        }
    }

    /// Reads a float from a cell's words.
    #[inline]
    pub(crate) fn load_float(&self, at: Ref, first: u32) -> Float {
        let low = self.heap.word(at, first);
        if SIZE == 8 {
            let high = self.heap.word(at, first + 1);
            Float::from_bits((u64::from(high) << 32 | u64::from(low)) as Bits)
        } else {
            Float::from_bits(Bits::from(low))
        }
    }

    /// The number in a float object (zero for anything else).
    #[inline]
    pub fn float_value(&self, value: Value) -> Float {
        self.as_float(value).unwrap_or(0.0)
    }

    /// The number in a float object.
    #[inline]
    pub fn as_float(&self, value: Value) -> Option<Float> {
        self.heap.as_kind(value, Kind::Float).map(|at| self.load_float(at, 0))
    }

    /// Whether a value is a float that is no number, or a complex number with such a part.
    #[inline]
    pub(crate) fn is_nan(&self, value: Value) -> bool {
        match self.heap.kind_of(value) {
            Some(Kind::Float) => self.float_value(value).is_nan(),
            Some(Kind::Complex) => {
                self.as_complex(value).is_some_and(|(real, imaginary)| real.is_nan() || imaginary.is_nan())
            }
            _ => false,
        }
    }

    /// A number as a float: float, int, bool, their subclasses, or what `__float__` answers. `None` for the rest.
    ///
    /// # Errors
    /// What `__float__` raises.
    #[inline]
    pub fn float_maybe(&mut self, value: Value) -> Res<Option<Float>> {
        if let Some(float) = self.as_float(value) {
            return Ok(Some(float));
        }
        if let Some(small) = value.as_small() {
            return Ok(Some(small as Float));
        }
        self.float_maybe_slow(value)
    }

    #[inline(never)]
    fn float_maybe_slow(&mut self, value: Value) -> Res<Option<Float>> {
        if let Some(int) = self.as_int(value) {
            return Ok(Some(self.big_to_float(&int)));
        }
        Ok(self.convert_with(value, Qstr::__float__)?.and_then(|answer| self.as_float(answer)))
    }

    /// A number as a float: an argument of a function.
    ///
    /// # Errors
    /// TypeError "can't convert … to float".
    #[inline(never)]
    pub fn float_arg(&mut self, value: Value) -> Res<Float> {
        match self.float_maybe(value)? {
            Some(float) => Ok(float),
            None => self.float_of_subclass(value),
        }
    }

    /// An object of a class that derives from a number's.
    #[cold]
    fn float_of_subclass(&mut self, value: Value) -> Res<Float> {
        let inner = self.native_part(value);
        if let Some(float) = self.as_float(inner) {
            return Ok(float);
        }
        match self.as_int(inner) {
            Some(int) => Ok(self.big_to_float(&int)),
            None => Err(self.raise_conversion(value, "float")),
        }
    }

    /// A two-operand operator on two floats, or a float and a small int. `None` if it is something else.
    #[inline]
    pub(crate) fn float_fast(&mut self, op: BinaryOp, left: Value, right: Value) -> Option<Res> {
        let (a, b) = match (self.as_float(left), self.as_float(right)) {
            (Some(a), Some(b)) => (a, b),
            (Some(a), None) => (a, right.as_small()? as Float),
            (None, Some(b)) => (left.as_small()? as Float, b),
            (None, None) => return None,
        };
        match self.float_binary(op, a, b) {
            Ok(Value::UNBOUND) => None,
            result => Some(result),
        }
    }

    /// A two-operand operator on floats. Unbound if floats do not have it.
    ///
    /// # Errors
    /// ZeroDivisionError, MemoryError.
    #[inline]
    pub fn float_binary(&mut self, op: BinaryOp, a: Float, b: Float) -> Res {
        use BinaryOp::*;
        let result = match op {
            Add | IAdd => a + b,
            Sub | ISub => a - b,
            Mul | IMul => a * b,
            TrueDiv | ITrueDiv if b != 0.0 => a / b,
            Lt => return Ok(Value::bool(a < b)),
            Le => return Ok(Value::bool(a <= b)),
            Gt => return Ok(Value::bool(a > b)),
            Ge => return Ok(Value::bool(a >= b)),
            Eq => return Ok(Value::bool(a == b)),
            Ne => return Ok(Value::bool(a != b)),
            _ => return self.float_binary_slow(op, a, b),
        };
        self.new_float_inline(result)
    }

    #[inline(never)]
    fn float_binary_slow(&mut self, op: BinaryOp, a: Float, b: Float) -> Res {
        use BinaryOp::*;
        let result = match op {
            TrueDiv | ITrueDiv | FloorDiv | IFloorDiv | Mod | IMod if b == 0.0 => {
                return Err(self.raise_zero());
            }
            FloorDiv | IFloorDiv => divmod(a, b).0,
            Mod | IMod => divmod(a, b).1,
            Pow | IPow => return self.float_power(a, b),
            _ => return Ok(Value::UNBOUND),
        };
        self.new_float(result)
    }

    /// `a ** b`: a complex number where there is no real one.
    ///
    /// # Errors
    /// ZeroDivisionError for a negative power of zero; MemoryError.
    pub(crate) fn float_power(&mut self, a: Float, b: Float) -> Res {
        if a == 0.0 && b < 0.0 && b.is_finite() {
            return Err(self.raise_zero());
        }
        if a < 0.0 && b.is_finite() && b != Libm::floor(b) {
            return self.complex_power((a, 0.0), (b, 0.0));
        }
        self.new_float(Libm::pow(a, b))
    }

    /// `divmod` of floats.
    ///
    /// # Errors
    /// ZeroDivisionError, MemoryError.
    pub(crate) fn float_divmod(&mut self, a: Float, b: Float) -> Res {
        if b == 0.0 {
            return Err(self.raise_zero());
        }
        let (quotient, rest) = divmod(a, b);
        self.new_float_pair(quotient, rest)
    }

    /// A tuple of two floats.
    ///
    /// # Errors
    /// MemoryError.
    pub(crate) fn new_float_pair(&mut self, first: Float, second: Float) -> Res {
        let first = self.new_float(first)?;
        let scope = self.root(first)?;
        let second = self.new_float(second)?;
        self.release(scope);
        self.alloc_values(Kind::Tuple, &[first, second])
    }

    // ---- ints ----

    /// The float nearest to an int; infinite if it is too large.
    #[inline(never)]
    pub(crate) fn big_to_float(&self, int: &Int) -> Float {
        let limbs = self.limbs(int);
        let bits = bigint::bit_length(limbs);
        // The top 64 bits, the last of them set if anything below is: enough to round once.
        let skip = bits.saturating_sub(64);
        let word = |i: usize| u64::from(limbs.get(i).copied().unwrap_or(0));
        let (at, shift) = (skip as usize / 32, skip % 32);
        let mut top = match shift {
            0 => word(at + 1) << 32 | word(at),
            _ => (word(at + 2) << 32 | word(at + 1)) << (32 - shift) | word(at) >> shift,
        };
        if skip > 0 {
            let lost = limbs[..at].iter().any(|limb| *limb != 0) || word(at) & ((1 << shift) - 1) != 0;
            top |= u64::from(lost);
        }
        let magnitude = Libm::ldexp(top as Float, skip.min(1 << 16) as i32);
        if int.negative { -magnitude } else { magnitude }
    }

    /// `int(value)` of a float: the whole number towards zero.
    ///
    /// # Errors
    /// OverflowError for infinity, ValueError for NaN; MemoryError.
    pub fn new_int_from_float(&mut self, value: Float) -> Res {
        if value.abs() < (1 << 30) as Float {
            return Ok(Value::small(value as i32));
        }
        if value.is_nan() {
            return Err(self.raise(ids::ValueError, "can't convert NaN to int"));
        }
        if value.is_infinite() {
            return Err(self.raise(ids::OverflowError, "can't convert inf to int"));
        }
        let (negative, mantissa, exponent) = parts(value);
        if exponent <= 0 {
            return self.new_int_parts(negative, mantissa >> -exponent);
        }
        let len = 2 + exponent as u32 / 32 + 1;
        let out = self.new_limbs(len)?;
        let words = [mantissa as u32, (mantissa >> 32) as u32];
        bigint::shift_left(self.heap.words_mut(out, 1, len), &words, exponent as u32);
        Ok(self.finish_int(out, negative, len))
    }

    // ---- text ----

    /// Writes a float as `repr` does; `point` asks for `.0` behind a whole number.
    ///
    /// # Errors
    /// What a stream raises; MemoryError.
    pub fn print_float(&mut self, sink: Sink, value: Float, point: bool) -> Res<()> {
        let mut text = float_text::Buffer::new();
        float_text::write_repr(value, point, &mut text);
        self.emit(sink, text.bytes())
    }

    /// A float from decimal text (the compiler's constants).
    ///
    /// # Errors
    /// ValueError "invalid syntax for number"; MemoryError.
    pub fn float_from_text(&mut self, text: &str) -> Res {
        match float_parse::parse_float(text.as_bytes()) {
            Some(value) => self.new_float(value),
            None => Err(self.raise_bad_number()),
        }
    }

    #[cold]
    pub(crate) fn raise_bad_number(&mut self) -> crate::native::Raised {
        self.raise(ids::ValueError, "invalid syntax for number")
    }
}

/// Sign, mantissa and exponent of a finite float: `mantissa * 2 ** exponent`.
pub(crate) fn parts(value: Float) -> (bool, u64, i32) {
    let bits = width::bits(value);
    let exponent = (bits >> FRACTION_BITS) as u32 & EXPONENT_MASK;
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let negative = value.is_sign_negative();
    match exponent {
        0 => (negative, fraction, MIN_EXPONENT),
        _ => (negative, fraction | 1 << FRACTION_BITS, exponent as i32 - 1 + MIN_EXPONENT),
    }
}

/// The finite float `mantissa * 2 ** exponent`, of a mantissa that has at most [`PRECISION`] bits and an exponent that
/// leaves none of them below [`MIN_EXPONENT`]; infinite if it is too large.
pub(crate) fn from_parts(mantissa: u64, exponent: i32) -> Float {
    if mantissa >> FRACTION_BITS == 0 {
        return Float::from_bits(mantissa as Bits);
    }
    let biased = exponent - MIN_EXPONENT + 1;
    if biased >= EXPONENT_MASK as i32 {
        return Float::INFINITY;
    }
    Float::from_bits(
        (u64::from(biased as u32) << FRACTION_BITS | mantissa & ((1 << FRACTION_BITS) - 1)) as Bits,
    )
}

/// Floor of the quotient, and the rest with the sign of `b`: so that `a == quotient * b + rest`.
fn divmod(a: Float, b: Float) -> (Float, Float) {
    let mut rest = Libm::fmod(a, b);
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = (0.0 as Float).copysign(b);
    } else if (rest < 0.0) != (b < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return ((0.0 as Float).copysign(a / b), rest);
    }
    let floor = Libm::floor(quotient);
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

/// The hash of a float: that of the int it equals, if it is whole.
pub(crate) fn hash(value: Float) -> Value {
    let bits = width::bits(value);
    if value.is_finite() {
        let (negative, mantissa, exponent) = parts(value);
        let whole = match exponent {
            _ if mantissa == 0 => Some(0),
            0..32 => Some(mantissa << exponent),
            32.. => Some(0),
            -63..0 if mantissa & ((1 << -exponent) - 1) == 0 => Some(mantissa >> -exponent),
            _ => None,
        };
        if let Some(whole) = whole {
            let word = whole as u32;
            return hash_of_word(if negative { word.wrapping_neg() } else { word });
        }
    }
    hash_of_word((bits ^ bits >> 32 ^ bits >> 15) as u32)
}
