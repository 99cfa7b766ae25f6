//! `generator`: generators and coroutines as objects. How they run is in [`crate::generator`].

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Root, Value};

use super::ids;
use crate::code::Code;
use crate::native::{Args, Native, Raised, Res, Rom, TypeDef};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `generator`
pub static GENERATOR: TypeDef = TypeDef {
    print: Some(print),
    iter: Some(iter),
    next: Some(next),
    entries: &[
        (Qstr::close, Rom::Fn(Native::F1(close))),
        (Qstr::send, Rom::Fn(Native::F2(send))),
        (Qstr::throw, Rom::Fn(Native::Var(2, 4, throw))),
        (Qstr::pend_throw, Rom::Fn(Native::F2(pend_throw))),
    ],
    ..TypeDef::new(Qstr::generator)
};

fn cell(value: Value) -> Ref {
    value.expect_cell("a generator is a cell")
}

fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "<generator object '")?;
    let function = vm.heap.value(cell(value), 2);
    let name = vm.function_name(function);
    vm.print_value(sink, Value::qstr(name), PrintKind::Str)?;
    vm.emit_str(sink, "' at ")?;
    vm.emit_address(sink, value)?;
    vm.emit_str(sink, ">")
}

fn iter(_vm: &mut Vm, value: Value) -> Res {
    Ok(value)
}

fn next(vm: &mut Vm, value: Value) -> Res {
    Ok(vm.generator_send(cell(value), Value::NONE)?.unwrap_or(Value::UNBOUND))
}

/// A yielded value, or StopIteration with what the generator returned.
fn answer(vm: &mut Vm, yielded: Option<Value>) -> Res {
    match yielded {
        Some(value) => Ok(value),
        None => {
            let returned = vm.heap.root(Root::Returned);
            Err(match returned.is_none() {
                true => vm.raise_empty(ids::StopIteration),
                false => vm.raise_arg(ids::StopIteration, returned),
            })
        }
    }
}

fn send(vm: &mut Vm, generator: Value, value: Value) -> Res {
    let yielded = vm.generator_send(cell(generator), value)?;
    answer(vm, yielded)
}

fn throw(vm: &mut Vm, args: Args) -> Res {
    let generator = cell(vm.arg(args, 0));
    // throw(type, value, traceback): the value counts if there is one.
    let what = vm.opt_arg(args, 2).filter(|value| !value.is_none()).unwrap_or(vm.arg(args, 1));
    let yielded = vm.generator_throw(generator, what)?;
    answer(vm, yielded)
}

fn close(vm: &mut Vm, generator: Value) -> Res {
    let exit = vm.new_exception(ids::GeneratorExit.value(), &[])?;
    vm.root(exit)?;
    match vm.generator_throw(cell(generator), exit) {
        Ok(None) => Ok(Value::NONE),
        Ok(Some(_)) => Err(vm.raise(ids::RuntimeError, "generator ignored GeneratorExit")),
        Err(Raised) => {
            let raised = vm.heap.root(Root::Raised);
            let is_expected = vm.is_instance(raised, ids::GeneratorExit.value())
                || vm.is_instance(raised, ids::StopIteration.value());
            if !is_expected {
                return Err(Raised);
            }
            vm.take_raised();
            Ok(Value::NONE)
        }
    }
}

fn pend_throw(vm: &mut Vm, generator: Value, exception: Value) -> Res {
    vm.generator_pend(cell(generator), exception)
}

impl Vm {
    /// The source position a generator is suspended at: file and line (for `print` of tracebacks and tests).
    pub fn generator_line(&self, generator: Value) -> Option<u32> {
        let at = self.heap.as_kind(generator, Kind::Generator)?;
        let function = self.heap.value(at, 2).as_cell()?;
        let code = Code::new(self, self.heap.value(function, 0).as_cell()?);
        Some(code.line(self, self.heap.value(at, 1).as_small()? as u32))
    }
}
