//! What `machine` has for pins of any kind: `PinBase`, `Signal` and `time_pulse_us`. A pin is whatever has a method `value`.

use core::sync::atomic::Ordering;

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};
use larch_vm::native::{Args, Native, Rom, TypeDef};
use larch_vm::vm::PENDING;
use larch_vm::{Res, Vm};

use crate::ids;

/// `machine.PinBase`, from which Python classes derive that are to be pins.
pub static PIN_BASE: TypeDef = TypeDef {
    make: Some(|vm, _class, _args| vm.alloc_values(Kind::Object, &[ids::PIN_BASE.value()])),
    ..TypeDef::new(Qstr::PinBase)
};

/// `machine.Signal`: type, pin, whether its level is inverted.
pub static SIGNAL: TypeDef = TypeDef {
    make: Some(make),
    call: Some(|vm, signal, args| {
        let level = vm.opt_arg(args, 0);
        value(vm, signal, level)
    }),
    entries: &[
        (
            Qstr::value,
            Rom::Fn(Native::Var(1, 2, |vm, args| {
                let level = vm.opt_arg(args, 1);
                value(vm, vm.arg(args, 0), level)
            })),
        ),
        (Qstr::on, Rom::Fn(Native::F1(|vm, signal| value(vm, signal, Some(Value::TRUE))))),
        (Qstr::off, Rom::Fn(Native::F1(|vm, signal| value(vm, signal, Some(Value::FALSE))))),
    ],
    ..TypeDef::new(Qstr::Signal)
};

/// `Signal(pin, invert=False)`, or the arguments of a `Pin` and `invert`.
fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    let mut inverted = Value::FALSE;
    let pin = vm.root(ids::PIN.value())?;
    for index in 0..args.positional {
        vm.root(vm.arg(args, index))?;
    }
    let mut keywords = 0;
    for index in 0..args.keywords {
        match vm.keyword(args, index) {
            (Qstr::invert, given) => inverted = Value::bool(vm.truth(given)?),
            (name, given) => {
                vm.root(Value::qstr(name))?;
                vm.root(given)?;
                keywords += 1;
            }
        }
    }
    let is_pin = args.positional == 1 && keywords == 0 && !vm.is_int(vm.arg(args, 0));
    let pin = match is_pin {
        true => vm.arg(args, 0),
        false => vm.call_at(pin, args.positional, keywords)?,
    };
    vm.root(pin)?;
    vm.alloc_values(Kind::Object, &[ids::SIGNAL.value(), pin, inverted])
}

fn value(vm: &mut Vm, signal: Value, level: Option<Value>) -> Res {
    let at = signal.expect_cell("a signal");
    let (pin, inverted) = (vm.heap.value(at, 1), vm.heap.value(at, 2) == Value::TRUE);
    match level {
        Some(level) => {
            let high = vm.truth(level)? != inverted;
            vm.call_method(pin, Qstr::value, &[Value::bool(high)])?;
            Ok(Value::NONE)
        }
        None => {
            let level = vm.call_method(pin, Qstr::value, &[])?;
            let level = vm.int_arg(level)?;
            Ok(Value::small(level ^ i32::from(inverted)))
        }
    }
}

fn is_high(vm: &mut Vm, pin: Value) -> Res<bool> {
    let level = vm.call_method(pin, Qstr::value, &[])?;
    vm.truth(level)
}

/// `time_pulse_us(pin, level, timeout_us=1000000)`: how long the next pulse of that level lasts; -2 if none began in time, -1
/// if it did not end in time.
pub(super) fn time_pulse_us(vm: &mut Vm, args: Args) -> Res {
    let (pin, level) = (vm.arg(args, 0), vm.arg(args, 1));
    let level = vm.truth(level)?;
    let timeout = vm.opt_arg(args, 2).unwrap_or(Value::small(1_000_000));
    let timeout = vm.int_arg(timeout)?.max(0) as u64;
    if !reaches(vm, pin, level, timeout)? {
        return Ok(Value::small(-2));
    }
    let start = vm.port.ticks_us();
    if !reaches(vm, pin, !level, timeout)? {
        return Ok(Value::small(-1));
    }
    let duration = vm.port.ticks_us() - start;
    vm.new_int_i64(duration as i64)
}

/// Waits for a level; false if it does not come within `timeout_us`.
fn reaches(vm: &mut Vm, pin: Value, level: bool, timeout_us: u64) -> Res<bool> {
    let deadline = vm.port.ticks_us().saturating_add(timeout_us);
    while is_high(vm, pin)? != level {
        if PENDING.load(Ordering::Relaxed) {
            vm.handle_pending()?;
        }
        if vm.port.ticks_us() >= deadline {
            return Ok(false);
        }
    }
    Ok(true)
}
