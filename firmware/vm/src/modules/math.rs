//! `math`. A result that is infinite or no number where no argument is raises ValueError "math domain error".

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Args, Entry, ModuleDef, Native, Raised, Res, Rom};
use crate::types::float::{Float, Libm};
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static MATH: ModuleDef = ModuleDef { name: Qstr::math, entries: ENTRIES, attr: None };

const PI: Float = core::f64::consts::PI as Float;

macro_rules! constant {
    ($name:ident, $value:expr) => {
        (Qstr::$name, Rom::Getter(|vm, _| vm.new_float($value)))
    };
}

/// A function of one float.
macro_rules! one {
    ($name:ident, $function:expr) => {
        (Qstr::$name, Rom::Fn(Native::F1(|vm, x| with_one(vm, x, $function))))
    };
}

/// A function of two floats.
macro_rules! two {
    ($name:ident, $function:expr) => {
        (Qstr::$name, Rom::Fn(Native::F2(|vm, x, y| with_two(vm, x, y, $function))))
    };
}

/// A function from a float to an int.
macro_rules! whole {
    ($name:ident, $function:expr) => {
        (Qstr::$name, Rom::Fn(Native::F1(|vm, x| whole(vm, x, $function))))
    };
}

/// A question about a float.
macro_rules! question {
    ($name:ident, $function:expr) => {
        (Qstr::$name, Rom::Fn(Native::F1(|vm, x| vm.float_arg(x).map(|x| Value::bool($function(x))))))
    };
}

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::math)),
    constant!(e, core::f64::consts::E as Float),
    constant!(pi, PI),
    constant!(tau, core::f64::consts::TAU as Float),
    constant!(inf, Float::INFINITY),
    constant!(nan, Float::NAN),
    one!(sqrt, Libm::sqrt),
    two!(pow, Libm::pow),
    one!(exp, Libm::exp),
    one!(expm1, Libm::expm1),
    (Qstr::log, Rom::Fn(Native::Var(1, 2, log))),
    one!(log2, Libm::log2),
    one!(log10, Libm::log10),
    one!(cosh, Libm::cosh),
    one!(sinh, Libm::sinh),
    one!(tanh, Libm::tanh),
    one!(acosh, Libm::acosh),
    one!(asinh, Libm::asinh),
    one!(atanh, Libm::atanh),
    one!(cos, Libm::cos),
    one!(sin, Libm::sin),
    one!(tan, Libm::tan),
    one!(acos, Libm::acos),
    one!(asin, Libm::asin),
    one!(atan, Libm::atan),
    two!(atan2, Libm::atan2),
    whole!(ceil, Libm::ceil),
    two!(copysign, Float::copysign),
    one!(fabs, Float::abs),
    whole!(floor, Libm::floor),
    two!(fmod, Libm::fmod),
    (Qstr::frexp, Rom::Fn(Native::F1(frexp))),
    (Qstr::ldexp, Rom::Fn(Native::F2(ldexp))),
    (Qstr::modf, Rom::Fn(Native::F1(modf))),
    question!(isfinite, Float::is_finite),
    question!(isinf, Float::is_infinite),
    question!(isnan, Float::is_nan),
    (Qstr::isclose, Rom::Fn(Native::Kw(2, 2, isclose))),
    whole!(trunc, Libm::trunc),
    one!(radians, |x| x * (PI / 180.0)),
    one!(degrees, |x| x * (180.0 / PI)),
    (Qstr::factorial, Rom::Fn(Native::F1(factorial))),
    one!(erf, Libm::erf),
    one!(erfc, Libm::erfc),
    one!(gamma, |x| if x == Float::NEG_INFINITY { Float::NAN } else { Libm::tgamma(x) }),
    one!(lgamma, Libm::lgamma),
];

#[cold]
fn domain_error(vm: &mut Vm) -> Raised {
    vm.raise(ids::ValueError, "math domain error")
}

#[inline(never)]
fn with_one(vm: &mut Vm, x: Value, function: fn(Float) -> Float) -> Res {
    let x = vm.float_arg(x)?;
    let answer = function(x);
    if answer.is_nan() && !x.is_nan() || answer.is_infinite() && !x.is_infinite() {
        return Err(domain_error(vm));
    }
    vm.new_float(answer)
}

#[inline(never)]
fn with_two(vm: &mut Vm, x: Value, y: Value, function: fn(Float, Float) -> Float) -> Res {
    let (x, y) = (vm.float_arg(x)?, vm.float_arg(y)?);
    let answer = function(x, y);
    if answer.is_nan() && !x.is_nan() && !y.is_nan()
        || answer.is_infinite() && !x.is_infinite() && !y.is_infinite()
    {
        return Err(domain_error(vm));
    }
    vm.new_float(answer)
}

#[inline(never)]
fn whole(vm: &mut Vm, x: Value, function: fn(Float) -> Float) -> Res {
    let x = vm.float_arg(x)?;
    vm.new_int_from_float(function(x))
}

fn log(vm: &mut Vm, args: Args) -> Res {
    let x = vm.float_arg(vm.arg(args, 0))?;
    if x <= 0.0 {
        return Err(domain_error(vm));
    }
    let log = Libm::log(x);
    let Some(base) = vm.opt_arg(args, 1) else { return vm.new_float(log) };
    let base = vm.float_arg(base)?;
    if base <= 0.0 {
        return Err(domain_error(vm));
    }
    if base == 1.0 {
        return Err(vm.raise_zero());
    }
    vm.new_float(log / Libm::log(base))
}

fn frexp(vm: &mut Vm, x: Value) -> Res {
    let x = vm.float_arg(x)?;
    let (fraction, exponent) = if x.is_finite() { Libm::frexp(x) } else { (x, 0) };
    let fraction = vm.new_float(fraction)?;
    vm.alloc_values(larch_heap::Kind::Tuple, &[fraction, Value::small(exponent)])
}

fn ldexp(vm: &mut Vm, x: Value, exponent: Value) -> Res {
    let (x, exponent) = (vm.float_arg(x)?, vm.int_arg(exponent)?);
    vm.new_float(Libm::ldexp(x, exponent))
}

fn modf(vm: &mut Vm, x: Value) -> Res {
    let x = vm.float_arg(x)?;
    let (fraction, whole) = Libm::modf(x);
    vm.new_float_pair(fraction.copysign(x), whole)
}

fn isclose(vm: &mut Vm, args: Args) -> Res {
    let names = [Qstr::rel_tol, Qstr::abs_tol];
    let [relative, absolute] = vm.named_args(args, 2, names, [Value::UNBOUND, Value::small(0)])?;
    let (a, b) = (vm.float_arg(vm.arg(args, 0))?, vm.float_arg(vm.arg(args, 1))?);
    let relative = if relative.is_unbound() { 1e-9 } else { vm.float_arg(relative)? };
    let absolute = vm.float_arg(absolute)?;
    if relative < 0.0 || absolute < 0.0 {
        return Err(domain_error(vm));
    }
    let distance = (a - b).abs();
    let close = distance <= absolute || distance <= (relative * a).abs() || distance <= (relative * b).abs();
    Ok(Value::bool(a == b || distance.is_finite() && close))
}

fn factorial(vm: &mut Vm, x: Value) -> Res {
    let last = vm.int_arg(x)?;
    if last < 0 {
        return Err(vm.raise(ids::ValueError, "negative factorial"));
    }
    // Small factors are multiplied with each other first.
    let mut group = 1;
    let slot = vm.root(Value::small(1))?;
    for factor in 2..=last {
        match Value::try_small(i32::checked_mul(group, factor).unwrap_or(i32::MAX)) {
            Some(_) => group *= factor,
            None => {
                vm.multiply_at(slot, group)?;
                group = factor;
            }
        }
    }
    vm.multiply_at(slot, group)?;
    Ok(vm.heap.stack(slot))
}
