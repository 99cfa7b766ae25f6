//! The builtins about numbers: `abs`, `bin`, `divmod`, `hash`, `hex`, `id`, `oct`, `pow`, `round`.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use crate::native::{Args, BinaryOp, Res, UnaryOp};
use crate::types::float::{Float, Libm};
use crate::types::ids;
use crate::types::number_format::FormatSpec;
use crate::vm::{Part, Vm};

pub(crate) fn abs(vm: &mut Vm, value: Value) -> Res {
    vm.unary(UnaryOp::Abs, value)
}

pub(crate) fn hash(vm: &mut Vm, value: Value) -> Res {
    vm.unary(UnaryOp::Hash, value)
}

pub(crate) fn id(vm: &mut Vm, value: Value) -> Res {
    vm.new_int_u64(value.bits().into())
}

pub(crate) fn bin(vm: &mut Vm, value: Value) -> Res {
    // MicroPython formats with "{:#b}", so its complaint is that of str.format.
    if !vm.is_int(value) && value.as_bool().is_none() {
        let parts = [
            Part::Text("unknown format code 'b' for object of type '"),
            Part::TypeOf(value),
            Part::Text("'"),
        ];
        return Err(vm.raise_parts(ids::ValueError, &parts));
    }
    digits(vm, value, b'b')
}

pub(crate) fn oct(vm: &mut Vm, value: Value) -> Res {
    digits(vm, value, b'o')
}

pub(crate) fn hex(vm: &mut Vm, value: Value) -> Res {
    digits(vm, value, b'x')
}

fn digits(vm: &mut Vm, value: Value, kind: u8) -> Res {
    let sink = vm.begin_text(Kind::Str, 12)?;
    vm.format_int(sink, value, &FormatSpec { kind, alternate: true, ..FormatSpec::PLAIN })?;
    vm.end_text(sink)
}

pub(crate) fn divmod(vm: &mut Vm, left: Value, right: Value) -> Res {
    if let (Some(a), Some(b)) = (vm.as_int(left), vm.as_int(right)) {
        return vm.int_divmod(&a, &b);
    }
    let is_number = |vm: &Vm, value| vm.as_int(value).is_some() || vm.as_float(value).is_some();
    if is_number(vm, left)
        && let Some(b) = vm.float_maybe(right)?
    {
        let a = vm.float_arg(left)?;
        return vm.float_divmod(a, b);
    }
    let answer = vm.call_special(left, Qstr::__divmod__, &[right])?;
    if let Some(answer) = answer.filter(|answer| *answer != Value::NOT_IMPLEMENTED) {
        return Ok(answer);
    }
    let (inner_left, inner_right) = (vm.native_part(left), vm.native_part(right));
    if inner_left != left || inner_right != right {
        return divmod(vm, inner_left, inner_right);
    }
    let parts = [
        Part::Text("unsupported types for __divmod__: '"),
        Part::TypeOf(left),
        Part::Text("', '"),
        Part::TypeOf(right),
        Part::Text("'"),
    ];
    Err(vm.raise_parts(ids::TypeError, &parts))
}

pub(crate) fn pow(vm: &mut Vm, args: Args) -> Res {
    let (base, exponent) = (vm.arg(args, 0), vm.arg(args, 1));
    let modulus = match vm.opt_arg(args, 2) {
        None | Some(Value::NONE) => return vm.binary(BinaryOp::Pow, base, exponent),
        Some(modulus) => modulus,
    };
    if !vm.is_int(base) || !vm.is_int(exponent) || !vm.is_int(modulus) {
        return Err(vm.raise(ids::TypeError, "pow() with 3 arguments requires integers"));
    }
    if modulus == Value::small(0) {
        return Err(vm.raise(ids::ValueError, "divide by zero"));
    }
    match (vm.as_int(base), vm.as_int(exponent), vm.as_int(modulus)) {
        (Some(base), Some(exponent), Some(modulus)) => vm.int_pow_mod(&base, &exponent, &modulus),
        _ => Ok(Value::NONE),
    }
}

pub(crate) fn round(vm: &mut Vm, args: Args) -> Res {
    let value = vm.arg(args, 0);
    let places = vm.opt_arg(args, 1);
    let inner = vm.native_part(value);
    if vm.is_int(inner) || inner.as_bool().is_some() {
        return match places {
            None => vm.to_int(inner),
            Some(places) => {
                let places = vm.int_arg(places)?;
                if places >= 0 { vm.to_int(inner) } else { round_int(vm, inner, places.unsigned_abs()) }
            }
        };
    }
    let float = vm.float_arg(value)?;
    match places {
        None => vm.new_int_from_float(Libm::rint(float)),
        Some(places) => {
            let places = vm.int_arg(places)?;
            let scale = Libm::pow(10.0, places as Float);
            vm.new_float(Libm::rint(float * scale) / scale)
        }
    }
}

/// Rounds an int to a multiple of `10 ** places`, halves to the even one.
fn round_int(vm: &mut Vm, value: Value, places: u32) -> Res {
    let scale = vm.int_pow(Value::small(10), places)?;
    vm.root(scale)?;
    let half = vm.binary(BinaryOp::FloorDiv, scale, Value::small(2))?;
    vm.root(half)?;
    let rest = vm.binary(BinaryOp::Mod, value, scale)?;
    vm.root(rest)?;
    let down = vm.binary(BinaryOp::Sub, value, rest)?;
    vm.root(down)?;
    let up = if vm.equal(rest, half)? {
        let quotient = vm.binary(BinaryOp::FloorDiv, value, scale)?;
        vm.root(quotient)?;
        let bit = vm.binary(BinaryOp::And, quotient, Value::small(1))?;
        bit == Value::small(1)
    } else {
        vm.binary(BinaryOp::Gt, rest, half)? == Value::TRUE
    };
    if up { vm.binary(BinaryOp::Add, down, scale) } else { Ok(down) }
}
