//! `cmath`.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Entry, ModuleDef, Native, Res, Rom};
use crate::types::complex::{Parts, absolute, from_polar};
use crate::types::float::{Float, Libm};
use crate::vm::Vm;

/// The module.
pub static CMATH: ModuleDef = ModuleDef { name: Qstr::cmath, entries: ENTRIES, attr: None };

/// A function of one complex number.
macro_rules! complex {
    ($name:ident) => {
        (Qstr::$name, Rom::Fn(Native::F1(|vm, z| with_one(vm, z, $name))))
    };
}

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::cmath)),
    (Qstr::e, Rom::Getter(|vm, _| vm.new_float(core::f64::consts::E as Float))),
    (Qstr::pi, Rom::Getter(|vm, _| vm.new_float(core::f64::consts::PI as Float))),
    (Qstr::phase, Rom::Fn(Native::F1(phase))),
    (Qstr::polar, Rom::Fn(Native::F1(polar))),
    (Qstr::rect, Rom::Fn(Native::F2(rect))),
    complex!(exp),
    complex!(log),
    complex!(log10),
    complex!(sqrt),
    complex!(cos),
    complex!(sin),
];

fn with_one(vm: &mut Vm, z: Value, function: fn(Parts) -> Parts) -> Res {
    let z = vm.complex_arg(z)?;
    vm.new_complex(function(z))
}

fn angle((real, imaginary): Parts) -> Float {
    Libm::atan2(imaginary, real)
}

fn phase(vm: &mut Vm, z: Value) -> Res {
    let z = vm.complex_arg(z)?;
    vm.new_float(angle(z))
}

fn polar(vm: &mut Vm, z: Value) -> Res {
    let z = vm.complex_arg(z)?;
    vm.new_float_pair(absolute(z), angle(z))
}

fn rect(vm: &mut Vm, size: Value, angle: Value) -> Res {
    let (size, angle) = (vm.float_arg(size)?, vm.float_arg(angle)?);
    vm.new_complex(from_polar(size, angle))
}

fn exp((real, imaginary): Parts) -> Parts {
    from_polar(Libm::exp(real), imaginary)
}

fn square((real, imaginary): Parts) -> Float {
    real * real + imaginary * imaginary
}

fn log(z: Parts) -> Parts {
    (0.5 * Libm::log(square(z)), angle(z))
}

fn log10(z: Parts) -> Parts {
    (0.5 * Libm::log10(square(z)), core::f64::consts::LOG10_E as Float * angle(z))
}

fn sqrt(z: Parts) -> Parts {
    from_polar(Libm::pow(square(z), 0.25), 0.5 * angle(z))
}

fn cos((real, imaginary): Parts) -> Parts {
    (Libm::cos(real) * Libm::cosh(imaginary), -Libm::sin(real) * Libm::sinh(imaginary))
}

fn sin((real, imaginary): Parts) -> Parts {
    (Libm::sin(real) * Libm::cosh(imaginary), Libm::cos(real) * Libm::sinh(imaginary))
}
