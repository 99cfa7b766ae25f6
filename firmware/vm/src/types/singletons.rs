//! `NoneType`, `bool`, `ellipsis`, `not_implemented`.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Args, BinaryOp, Res, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `NoneType`
pub static NONE_TYPE: TypeDef =
    TypeDef { print: Some(print), unary: Some(unary), ..TypeDef::new(Qstr::NoneType) };
/// `bool`
pub static BOOL: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    ..TypeDef::new(Qstr::bool)
};
/// `ellipsis`
pub static ELLIPSIS: TypeDef =
    TypeDef { print: Some(print), unary: Some(unary), ..TypeDef::new(Qstr::Ellipsis) };
/// `not_implemented`
pub static NOT_IMPLEMENTED: TypeDef =
    TypeDef { print: Some(print), unary: Some(unary), ..TypeDef::new(Qstr::NotImplemented) };

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_make(args, 0, 1)?;
    match vm.opt_arg(args, 0) {
        Some(value) => vm.truth(value).map(Value::bool),
        None => Ok(Value::FALSE),
    }
}

fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    let text = match value {
        Value::NONE => "None",
        Value::TRUE => "True",
        Value::FALSE => "False",
        Value::ELLIPSIS => "Ellipsis",
        _ => "NotImplemented",
    };
    vm.emit_str(sink, text)
}

fn unary(vm: &mut Vm, op: UnaryOp, value: Value) -> Res {
    match (value.as_bool(), op) {
        (Some(truth), _) => vm.small_unary(op, truth.into()),
        (None, UnaryOp::Bool) => Ok(Value::bool(value != Value::NONE)),
        (None, UnaryOp::Hash) => Ok(Value::small((value.bits() >> 3) as i32)),
        _ => Ok(Value::UNBOUND),
    }
}

/// A bool is an int in every operator.
fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let left = Value::small(i32::from(left == Value::TRUE));
    vm.int_binary(op, left, right)
}
