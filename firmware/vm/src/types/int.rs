//! `int`: making, converting, and what Rust code asks of ints. Operators are in [`super::int_arith`], text in
//! [`super::int_text`].

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use super::ids;
use super::int_arith::Int;
use crate::bigint;
use crate::native::{Args, BinaryOp, Native, Raised, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::text::{Span, TEXT_START};
use crate::vm::{Part, Vm};

/// `int`
pub static INT: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    entries: &[
        (Qstr::from_bytes, Rom::ClassMethod(Native::Var(2, 4, from_bytes))),
        (Qstr::to_bytes, Rom::Fn(Native::Kw(1, 3, to_bytes))),
    ],
    ..TypeDef::new(Qstr::int)
};

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_make(args, 0, 2)?;
    let Some(value) = vm.opt_arg(args, 0) else { return Ok(Value::small(0)) };
    if args.positional == 2 {
        let span = vm.str_or_bytes_arg(value)?.span;
        let base = vm.int_arg(vm.arg(args, 1))?;
        return vm.parse_int(span, base);
    }
    vm.to_int(value)
}

fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    vm.print_int(sink, value)
}

fn unary(vm: &mut Vm, op: UnaryOp, value: Value) -> Res {
    match value.as_small() {
        Some(small) => vm.small_unary(op, small),
        None => vm.big_unary(op, value),
    }
}

#[inline]
fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    match (left.as_small(), right.as_small()) {
        (Some(a), Some(b)) => vm.small_binary(op, a, b),
        _ => vm.int_binary(op, left, right),
    }
}

impl Vm {
    /// A one-operand operator on a small int.
    ///
    /// # Errors
    /// MemoryError.
    pub fn small_unary(&mut self, op: UnaryOp, small: i32) -> Res {
        match op {
            UnaryOp::Neg => self.new_int_i64(-i64::from(small)),
            UnaryOp::Abs => self.new_int_i64(i64::from(small).abs()),
            UnaryOp::Pos | UnaryOp::Hash => Ok(Value::small(small)),
            UnaryOp::Invert => Ok(Value::small(!small)),
            UnaryOp::Bool => Ok(Value::bool(small != 0)),
            UnaryOp::Len => Ok(Value::UNBOUND),
        }
    }

    fn big_unary(&mut self, op: UnaryOp, value: Value) -> Res {
        let Some(int) = self.as_int(value) else { return Ok(Value::UNBOUND) };
        match op {
            UnaryOp::Neg => self.with_sign(value, &int, !int.negative),
            UnaryOp::Abs => self.with_sign(value, &int, false),
            UnaryOp::Pos => Ok(value),
            UnaryOp::Invert => {
                // ~x = -x - 1
                let one = Int::new(false, 1);
                let negated = self.with_sign(value, &int, !int.negative)?;
                let scope = self.root(negated)?;
                let Some(negated) = self.as_int(negated) else { return Ok(Value::UNBOUND) };
                let result = self.big_binary(BinaryOp::Sub, &negated, &one)?;
                self.release(scope);
                Ok(result)
            }
            UnaryOp::Bool => Ok(Value::TRUE),
            UnaryOp::Hash => Ok(hash_of_word(self.low_word(&int))),
            UnaryOp::Len => Ok(Value::UNBOUND),
        }
    }

    /// A two-operand operator whose left operand is an int or bool. Unbound if the right one has no meaning for ints.
    ///
    /// # Errors
    /// What the operator raises.
    #[inline(never)]
    pub fn int_binary(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        let Some(a) = self.as_int(left) else { return Ok(Value::UNBOUND) };
        if let Some(b) = self.as_int(right) {
            return match (self.small_of(left), self.small_of(right)) {
                (Some(a), Some(b)) => self.small_binary(op, a, b),
                _ => self.big_binary(op, &a, &b),
            };
        }
        match self.heap.kind_of(right) {
            Some(Kind::Float) => self.float_binary(op, self.big_to_float(&a), self.float_value(right)),
            Some(Kind::Complex) => self.complex_binary(op, (self.big_to_float(&a), 0.0), right),
            kind if matches!(op, BinaryOp::Mul | BinaryOp::IMul)
                && (right.is_qstr()
                    || matches!(kind, Some(Kind::Str | Kind::Bytes | Kind::List | Kind::Tuple))) =>
            {
                self.binary(BinaryOp::Mul, right, left)
            }
            _ => Ok(Value::UNBOUND),
        }
    }

    /// The small int that a small int or bool is.
    fn small_of(&self, value: Value) -> Option<i32> {
        value.as_small().or_else(|| value.as_bool().map(i32::from))
    }

    /// Checks the arguments of a built-in type that takes no keywords.
    ///
    /// # Errors
    /// TypeError.
    #[inline(never)]
    pub(crate) fn check_make(&mut self, args: Args, min: u8, max: u8) -> Res<()> {
        if args.keywords > 0 {
            return Err(self.raise(ids::TypeError, "function doesn't take keyword arguments"));
        }
        if args.positional < min.into() || args.positional > max.into() {
            return Err(self.raise_count(Qstr::EMPTY, min, max, args));
        }
        Ok(())
    }

    // ---- conversions ----

    /// Whether `value` is an int (bool is none).
    pub fn is_int(&self, value: Value) -> bool {
        value.is_small() || self.heap.as_kind(value, Kind::BigInt).is_some()
    }

    /// The int that `value` is or has: an int, bool, subclass of int, or object with `__int__`. `None` for the rest.
    ///
    /// # Errors
    /// What `__int__` raises.
    #[inline(never)]
    pub fn int_maybe(&mut self, value: Value) -> Res<Option<Value>> {
        if self.is_int(value) {
            return Ok(Some(value));
        }
        if let Some(bit) = value.as_bool() {
            return Ok(Some(Value::small(bit.into())));
        }
        let inner = self.native_part(value);
        if self.is_int(inner) {
            return Ok(Some(inner));
        }
        match self.convert_with(value, Qstr::__int__)? {
            Some(answer) if self.is_int(answer) => Ok(Some(answer)),
            _ => Ok(None),
        }
    }

    /// `int(value)`
    ///
    /// # Errors
    /// TypeError "can't convert … to int", ValueError for text that is no number.
    pub fn to_int(&mut self, value: Value) -> Res {
        if let Some(int) = self.int_maybe(value)? {
            return Ok(int);
        }
        if self.type_of(value) == ids::uctypes_struct.value()
            && let Some(address) = crate::modules::uctypes::pointer_address(self, value)?
        {
            return Ok(address);
        }
        let inner = self.native_part(value);
        if self.heap.as_kind(inner, Kind::Float).is_some() {
            return self.new_int_from_float(self.float_value(inner));
        }
        match self.str_span(inner).or_else(|| self.buffer(inner)) {
            Some(span) => self.parse_int(span, 10),
            None => Err(self.raise_conversion(value, "int")),
        }
    }

    /// Raises TypeError "can't convert … to …".
    #[cold]
    pub(crate) fn raise_conversion(&mut self, value: Value, to: &str) -> Raised {
        let parts = [Part::Text("can't convert "), Part::TypeOf(value), Part::Text(" to "), Part::Text(to)];
        self.raise_parts(ids::TypeError, &parts)
    }

    /// Raises OverflowError about a machine word.
    #[cold]
    pub(crate) fn raise_int_overflow(&mut self) -> Raised {
        self.raise(ids::OverflowError, "overflow converting long int to machine word")
    }

    /// Raises ZeroDivisionError.
    #[cold]
    pub(crate) fn raise_zero(&mut self) -> Raised {
        self.raise(ids::ZeroDivisionError, "divide by zero")
    }

    /// What `object.name()` answers, if it is an object of a Python class that has this method.
    pub(crate) fn convert_with(&mut self, value: Value, name: Qstr) -> Res<Option<Value>> {
        if !self.is_python_instance(value) {
            return Ok(None);
        }
        self.call_special(value, name, &[])
    }

    /// An int that is no small int, as a machine word.
    #[inline(never)]
    pub fn int_arg_slow(&mut self, value: Value) -> Res<i32> {
        match self.as_index(value)? {
            Some(word) => Ok(word),
            None => Err(self.raise_conversion(value, "int")),
        }
    }

    /// The value of an index: a small int, a bool, or what `__int__` says. `None` if it is none of these.
    pub fn as_index(&mut self, value: Value) -> Res<Option<i32>> {
        if let Some(small) = value.as_small() {
            return Ok(Some(small));
        }
        let Some(int) = self.int_maybe(value)? else { return Ok(None) };
        match self.int_to_i64(int).map(i32::try_from) {
            Some(Ok(word)) => Ok(Some(word)),
            _ => Err(self.raise_int_overflow()),
        }
    }

    /// An int or bool as `i64`; `None` if it is neither or does not fit.
    #[inline(never)]
    pub fn int_to_i64(&self, value: Value) -> Option<i64> {
        let int = self.as_int(value)?;
        let magnitude = self.magnitude(&int)?;
        if int.negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }

    /// An int or bool as `u64`; `None` if it is neither or does not fit.
    pub fn int_to_u64(&self, value: Value) -> Option<u64> {
        let int = self.as_int(value)?;
        if int.negative { None } else { self.magnitude(&int) }
    }

    fn magnitude(&self, int: &Int) -> Option<u64> {
        match *self.limbs(int) {
            [] => Some(0),
            [low] => Some(low.into()),
            [low, high] => Some(u64::from(high) << 32 | u64::from(low)),
            _ => None,
        }
    }

    /// The low 64 bits of an int or bool (two's complement); `None` if it is neither. For `random.seed`, ports and
    /// `struct`.
    pub fn int_truncated(&self, value: Value) -> Option<u64> {
        let int = self.as_int(value)?;
        let limbs = self.limbs(&int);
        let limb = |i: usize| u64::from(limbs.get(i).copied().unwrap_or(0));
        let magnitude = limb(1) << 32 | limb(0);
        Some(if int.negative { magnitude.wrapping_neg() } else { magnitude })
    }

    fn low_word(&self, int: &Int) -> u32 {
        let low = self.limbs(int).first().copied().unwrap_or(0);
        if int.negative { low.wrapping_neg() } else { low }
    }

    // ---- bytes ----

    /// Makes an int of bytes.
    ///
    /// # Errors
    /// MemoryError.
    pub fn int_from_bytes(&mut self, span: Span, little: bool, signed: bool) -> Res {
        let len = span.len();
        let at = |index: u32| if little { index } else { len - 1 - index };
        let significant =
            (0..len).rev().find(|index| self.byte_at(span, at(*index)) != 0).map_or(0, |index| index + 1);
        if !signed && significant < 4 {
            let number =
                (0..significant).rev().fold(0, |n, index| n << 8 | i32::from(self.byte_at(span, at(index))));
            return Ok(Value::small(number));
        }
        let out = self.new_limbs(len.div_ceil(4) + 1)?;
        for i in 0..len {
            // Byte number `i` counted from the low end.
            let byte = self.byte_at(span, if little { i } else { len - 1 - i });
            let word = self.heap.words(out, 1 + i / 4, 1)[0] | u32::from(byte) << (i % 4 * 8);
            self.heap.words_mut(out, 1 + i / 4, 1)[0] = word;
        }
        let count = len.div_ceil(4) + 1;
        let negative = signed && len > 0 && self.byte_at(span, if little { len - 1 } else { 0 }) >= 0x80;
        if negative {
            let limbs = self.heap.words_mut(out, 1, count);
            // Extend the sign, then take the magnitude.
            for i in len as usize..count as usize * 4 {
                limbs[i / 4] |= 0xff << (i % 4 * 8);
            }
            bigint::negate(limbs);
        }
        Ok(self.finish_int(out, negative, count))
    }

    /// Byte `index` (from the low end) of an int in two's complement. `carry` starts as true and goes from byte to byte.
    fn int_byte(&self, int: &Int, index: u32, carry: &mut bool) -> u8 {
        let limb = self.limbs(int).get(index as usize / 4).copied().unwrap_or(0);
        let byte = (limb >> (index % 4 * 8)) as u8;
        if !int.negative {
            return byte;
        }
        let (byte, over) = (!byte).overflowing_add((*carry).into());
        *carry = over;
        byte
    }

    /// Writes an int's low bytes in two's complement into a cell, from byte `first` behind the header.
    pub fn int_to_buffer(&mut self, value: Value, to: larch_heap::Ref, first: u32, len: u32, little: bool) {
        let Some(int) = self.as_int(value) else { return };
        let mut carry = true;
        for i in 0..len {
            let byte = self.int_byte(&int, i, &mut carry);
            let at = if little { i } else { len - 1 - i };
            self.heap.bytes_mut(to, first + at, 1)[0] = byte;
        }
    }

    /// Whether an int can be written in `len` bytes.
    pub fn int_fits(&self, value: Value, len: u32, signed: bool) -> bool {
        let Some(int) = self.as_int(value) else { return false };
        let limbs = self.limbs(&int);
        let bits = bigint::bit_length(limbs);
        if !signed {
            return !int.negative && bits <= len * 8;
        }
        // -2^(n-1) needs no more bits than 2^(n-1) - 1.
        let power = limbs.iter().map(|limb| limb.count_ones()).sum::<u32>() == 1;
        bits == 0 || bits < len * 8 + u32::from(int.negative && power)
    }
}

/// The hash of a number whose low 32 bits are these: a small int.
pub(crate) fn hash_of_word(word: u32) -> Value {
    Value::small((word << 1) as i32 >> 1)
}

fn is_little(vm: &Vm, order: Option<Value>) -> bool {
    order.is_some_and(|order| vm.same_text(order, Value::qstr(Qstr::little)))
}

fn from_bytes(vm: &mut Vm, args: Args) -> Res {
    let source = vm.arg(args, 1);
    let inner = vm.native_part(source);
    let Some(span) = vm.str_span(inner).or_else(|| vm.buffer(inner)) else {
        return Err(vm.raise(ids::TypeError, "object with buffer protocol required"));
    };
    let little = is_little(vm, vm.opt_arg(args, 2));
    vm.int_from_bytes(span, little, false)
}

fn to_bytes(vm: &mut Vm, args: Args) -> Res {
    let defaults = [Value::small(1), Value::qstr(Qstr::big), Value::FALSE];
    let names = [Qstr::length, Qstr::byteorder, Qstr::signed];
    let [len, order, signed] = vm.named_args(args, 1, names, defaults)?;
    let value = vm.arg(args, 0);
    let len = vm.int_arg(len)?;
    let Ok(len) = u32::try_from(len) else { return Err(vm.raise_empty(ids::ValueError)) };
    let (little, signed) = (is_little(vm, Some(order)), vm.truth(signed)?);
    if !signed && vm.as_int(value).is_some_and(|int| int.negative) {
        return Err(vm.raise(ids::OverflowError, "can't convert negative int to unsigned"));
    }
    if !vm.int_fits(value, len, signed) {
        let parts =
            [Part::Text("value would overflow a "), Part::Int(len as i32), Part::Text(" byte buffer")];
        return Err(vm.raise_parts(ids::OverflowError, &parts));
    }
    let out = vm.alloc_text(Kind::Bytes, len)?;
    vm.int_to_buffer(value, out, TEXT_START, len, little);
    vm.finish_text(out);
    Ok(out.into())
}
