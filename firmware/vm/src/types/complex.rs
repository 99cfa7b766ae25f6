//! `complex`: two floats.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Value};

use super::float::{self, Float, Libm};
use super::{float_parse, ids};
use crate::native::{Args, AttrOp, BinaryOp, Res, TypeDef, UnaryOp};
use crate::print::Sink;
use crate::vm::Vm;

/// Real and imaginary part.
pub type Parts = (Float, Float);

const IMAGINARY: u32 = float::SIZE / 4;

/// `complex`
pub static COMPLEX: TypeDef = TypeDef {
    make: Some(make),
    print: Some(|vm, sink, value, _| print(vm, sink, value)),
    unary: Some(unary),
    binary: Some(binary),
    attr: Some(attr),
    ..TypeDef::new(Qstr::complex)
};

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_make(args, 0, 2)?;
    let Some(first) = vm.opt_arg(args, 0) else { return vm.new_complex((0.0, 0.0)) };
    let inner = vm.native_part(first);
    let Some(second) = vm.opt_arg(args, 1) else {
        if vm.as_complex(inner).is_some() {
            return Ok(inner);
        }
        if let Some(span) = vm.str_span(inner) {
            return match float_parse::parse_complex(vm.bytes_at(span)) {
                Some(parts) => vm.new_complex(parts),
                None => Err(vm.raise_bad_number()),
            };
        }
        let parts = vm.complex_arg(first)?;
        return vm.new_complex(parts);
    };
    let (real, imaginary) = match vm.as_complex(inner) {
        Some(parts) => parts,
        None => (vm.float_arg(first)?, 0.0),
    };
    let second = match vm.as_complex(vm.native_part(second)) {
        Some(parts) => parts,
        None => (vm.float_arg(second)?, 0.0),
    };
    // The second argument times i.
    vm.new_complex((real - second.1, imaginary + second.0))
}

fn print(vm: &mut Vm, sink: Sink, value: Value) -> Res<()> {
    let (real, imaginary) = vm.as_complex(value).unwrap_or_default();
    if real == 0.0 {
        vm.print_float(sink, imaginary, false)?;
        return vm.emit_str(sink, "j");
    }
    vm.emit_str(sink, "(")?;
    vm.print_float(sink, real, false)?;
    if imaginary.is_nan() || imaginary.is_sign_positive() {
        vm.emit_str(sink, "+")?;
    }
    vm.print_float(sink, imaginary, false)?;
    vm.emit_str(sink, "j)")
}

fn unary(vm: &mut Vm, op: UnaryOp, value: Value) -> Res {
    let (real, imaginary) = vm.as_complex(value).unwrap_or_default();
    match op {
        UnaryOp::Neg => vm.new_complex((-real, -imaginary)),
        UnaryOp::Pos => Ok(value),
        UnaryOp::Abs => vm.new_float(absolute((real, imaginary))),
        UnaryOp::Bool => Ok(Value::bool(real != 0.0 || imaginary != 0.0)),
        UnaryOp::Hash => {
            let (a, b) = (float::hash(real).small_unchecked(), float::hash(imaginary).small_unchecked());
            Ok(Value::small(a ^ b))
        }
        UnaryOp::Invert | UnaryOp::Len => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let left = vm.as_complex(left).unwrap_or_default();
    vm.complex_binary(op, left, right)
}

fn attr(vm: &mut Vm, value: Value, name: Qstr, op: AttrOp) -> Res {
    let (real, imaginary) = vm.as_complex(value).unwrap_or_default();
    match (name, op) {
        (Qstr::real, AttrOp::Get) => vm.new_float(real),
        (Qstr::imag, AttrOp::Get) => vm.new_float(imaginary),
        _ => Ok(Value::UNBOUND),
    }
}

/// The distance from zero.
pub(crate) fn absolute((real, imaginary): Parts) -> Float {
    Libm::sqrt(real * real + imaginary * imaginary)
}

#[inline(never)]
fn multiply(a: Parts, b: Parts) -> Parts {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn divide(a: Parts, b: Parts) -> Parts {
    if b.1 == 0.0 {
        return (a.0 / b.0, a.1 / b.0);
    }
    if b.0 == 0.0 {
        return (a.1 / b.1, -a.0 / b.1);
    }
    let square = b.0 * b.0 + b.1 * b.1;
    multiply(a, (b.0 / square, b.1 / -square))
}

impl Vm {
    /// A complex number.
    ///
    /// # Errors
    /// MemoryError.
    #[inline(never)]
    pub fn new_complex(&mut self, (real, imaginary): Parts) -> Res {
        let at = self.alloc(Header::new(Kind::Complex, 2 * float::SIZE))?;
        self.store_float(at, 0, real);
        self.store_float(at, IMAGINARY, imaginary);
        Ok(at.into())
    }

    /// An imaginary number from the text before its `j` (the compiler's constants).
    ///
    /// # Errors
    /// ValueError "invalid syntax for number"; MemoryError.
    pub fn imaginary_from_text(&mut self, text: &str) -> Res {
        match float_parse::parse_float(text.as_bytes()) {
            Some(imaginary) => self.new_complex((0.0, imaginary)),
            None => Err(self.raise_bad_number()),
        }
    }

    /// The parts of a complex object.
    #[inline(never)]
    pub fn as_complex(&self, value: Value) -> Option<Parts> {
        let at = self.heap.as_kind(value, Kind::Complex)?;
        Some((self.load_float(at, 0), self.load_float(at, IMAGINARY)))
    }

    /// A number as a complex one: complex, what is or converts to a float, or what `__complex__` answers. `None` for
    /// the rest.
    fn complex_maybe(&mut self, value: Value) -> Res<Option<Parts>> {
        if let Some(parts) = self.as_complex(value) {
            return Ok(Some(parts));
        }
        if let Some(real) = self.float_maybe(value)? {
            return Ok(Some((real, 0.0)));
        }
        Ok(self.convert_with(value, Qstr::__complex__)?.and_then(|answer| self.as_complex(answer)))
    }

    /// A number as a complex one: an argument of a function.
    ///
    /// # Errors
    /// TypeError "can't convert … to complex".
    pub fn complex_arg(&mut self, value: Value) -> Res<Parts> {
        match self.complex_maybe(value)? {
            Some(parts) => Ok(parts),
            None => Err(self.raise_conversion(value, "complex")),
        }
    }

    /// A two-operand operator whose left operand is complex, perhaps made so. Unbound if complex numbers do not have it.
    ///
    /// # Errors
    /// ZeroDivisionError, TypeError for `//`, MemoryError.
    pub(crate) fn complex_binary(&mut self, op: BinaryOp, a: Parts, right: Value) -> Res {
        use BinaryOp::*;
        let Some(b) = self.complex_maybe(right)? else { return Ok(Value::UNBOUND) };
        let result = match op {
            Add | IAdd => (a.0 + b.0, a.1 + b.1),
            Sub | ISub => (a.0 - b.0, a.1 - b.1),
            Mul | IMul => multiply(a, b),
            TrueDiv | ITrueDiv if b == (0.0, 0.0) => {
                return Err(self.raise(ids::ZeroDivisionError, "complex divide by zero"));
            }
            TrueDiv | ITrueDiv => divide(a, b),
            FloorDiv | IFloorDiv => {
                return Err(self.raise(ids::TypeError, "can't truncate-divide a complex number"));
            }
            Pow | IPow => return self.complex_power(a, b),
            Eq => return Ok(Value::bool(a == b)),
            Ne => return Ok(Value::bool(a != b)),
            _ => return Ok(Value::UNBOUND),
        };
        self.new_complex(result)
    }

    /// `a ** b = exp(b * log(a))`
    ///
    /// # Errors
    /// ZeroDivisionError for zero to a power that is not a positive real number; MemoryError.
    pub(crate) fn complex_power(&mut self, a: Parts, b: Parts) -> Res {
        let size = absolute(a);
        if size == 0.0 {
            if b.1 != 0.0 || b.0 < 0.0 {
                return Err(self.raise(ids::ZeroDivisionError, "0.0 to a complex power"));
            }
            return self.new_complex((if b.0 == 0.0 { 1.0 } else { 0.0 }, 0.0));
        }
        let log = (Libm::log(size), Libm::atan2(a.1, a.0));
        let (real, angle) = multiply(b, log);
        self.new_complex(from_polar(Libm::exp(real), angle))
    }
}

/// The number with this distance from zero and angle.
pub(crate) fn from_polar(size: Float, angle: Float) -> Parts {
    (size * Libm::cos(angle), size * Libm::sin(angle))
}
