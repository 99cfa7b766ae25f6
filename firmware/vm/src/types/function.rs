//! Functions, built-in functions, bound methods, code objects and cells, as objects.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Immediate, Kind, Value};

use super::ids;
use crate::call::{FUNCTION_CODE, FUNCTION_GLOBALS};
use crate::code::Code;
use crate::native::{Args, AttrOp, BinaryOp, Res, Rom, RomRef, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `function`
pub static FUNCTION: TypeDef = TypeDef {
    make: Some(make_function),
    print: Some(print_function),
    attr: Some(function_attr),
    unary: Some(unary),
    ..TypeDef::new(Qstr::function)
};

/// `builtin_function`
pub static BUILTIN_FUNCTION: TypeDef = TypeDef {
    print: Some(print_builtin),
    attr: Some(builtin_attr),
    unary: Some(unary),
    ..TypeDef::new(Qstr::function)
};

/// `bound_method`
pub static BOUND_METHOD: TypeDef = TypeDef {
    print: Some(print_method),
    attr: Some(method_attr),
    unary: Some(method_unary),
    binary: Some(method_binary),
    ..TypeDef::new(Qstr::bound_method)
};

/// `code`
pub static CODE: TypeDef = TypeDef { unary: Some(unary), ..TypeDef::new(Qstr::code) };

/// `cell`
pub static CELL: TypeDef = TypeDef::new(Qstr::cell);

fn unary(_vm: &mut Vm, op: UnaryOp, value: Value) -> Res {
    Ok(match op {
        UnaryOp::Bool => Value::TRUE,
        UnaryOp::Hash => Value::small((value.bits() >> 3) as i32 & Value::SMALL_MAX),
        _ => Value::UNBOUND,
    })
}

impl Vm {
    /// The name of a Python function.
    pub fn function_name(&self, function: Value) -> Qstr {
        let code = self
            .heap
            .as_kind(function, Kind::Function)
            .and_then(|at| self.heap.value(at, FUNCTION_CODE).as_cell());
        code.map_or(Qstr::function, |at| Code::new(self, at).name(self))
    }
}

/// `type(f)(code, globals)`
fn make_function(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 2, 2)?;
    let (code, globals) = (vm.arg(args, 0), vm.arg(args, 1));
    let Some(at) = vm.heap.as_kind(code, Kind::Code) else {
        return Err(vm.raise(ids::TypeError, "code object expected"));
    };
    if vm.heap.as_kind(globals, Kind::Dict).is_none() || Code::new(vm, at).signature(vm).free > 0 {
        return Err(vm.raise(ids::TypeError, "globals must be a dict and the code capture nothing"));
    }
    vm.new_function(code, globals)
}

fn print_function(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "<function ")?;
    let name = vm.function_name(value);
    vm.print_value(sink, Value::qstr(name), PrintKind::Str)?;
    vm.emit_str(sink, " at ")?;
    vm.emit_address(sink, value)?;
    vm.emit_str(sink, ">")
}

fn print_builtin(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    let row = value.as_immediate(Immediate::Rom).map(|rom| vm.registry.entry(RomRef(rom)).1);
    let text = match row {
        Some(Rom::ClassMethod(_)) => "<classmethod>",
        Some(Rom::StaticMethod(_)) => "<staticmethod>",
        _ => "<function>",
    };
    vm.emit_str(sink, text)
}

fn print_method(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "<bound_method")?;
    if let Some(at) = value.as_cell() {
        let (function, object) = (vm.heap.value(at, 0), vm.heap.value(at, 1));
        vm.emit_str(sink, " ")?;
        vm.emit_address(sink, value)?;
        vm.emit_str(sink, " ")?;
        vm.print_value(sink, object, PrintKind::Repr)?;
        vm.emit_str(sink, ".")?;
        vm.print_value(sink, function, PrintKind::Repr)?;
    }
    vm.emit_str(sink, ">")
}

fn function_attr(vm: &mut Vm, value: Value, name: Qstr, op: AttrOp) -> Res {
    if op != AttrOp::Get {
        return Ok(Value::UNBOUND);
    }
    let Some(at) = vm.heap.as_kind(value, Kind::Function) else { return Ok(Value::UNBOUND) };
    Ok(match name {
        Qstr::__name__ => Value::qstr(vm.function_name(value)),
        Qstr::__globals__ => vm.heap.value(at, FUNCTION_GLOBALS),
        Qstr::__code__ => vm.heap.value(at, FUNCTION_CODE),
        _ => Value::UNBOUND,
    })
}

fn builtin_attr(vm: &mut Vm, value: Value, name: Qstr, op: AttrOp) -> Res {
    match (value.as_immediate(Immediate::Rom), op) {
        (Some(rom), AttrOp::Get) if name == Qstr::__name__ => {
            Ok(Value::qstr(vm.registry.entry(RomRef(rom)).0))
        }
        _ => Ok(Value::UNBOUND),
    }
}

fn method_attr(vm: &mut Vm, value: Value, name: Qstr, op: AttrOp) -> Res {
    let Some(at) = value.as_cell().filter(|_| op == AttrOp::Get) else { return Ok(Value::UNBOUND) };
    match name {
        Qstr::__self__ => Ok(vm.heap.value(at, 1)),
        Qstr::__func__ => Ok(vm.heap.value(at, 0)),
        _ => {
            let function = vm.heap.value(at, 0);
            vm.find_attr(function, name)
        }
    }
}

/// Equal methods, which may be two objects, have the same hash.
fn method_unary(vm: &mut Vm, op: UnaryOp, value: Value) -> Res {
    match (op, value.as_cell()) {
        (UnaryOp::Hash, Some(at)) => {
            let (function, object) = (vm.heap.value(at, 0).bits(), vm.heap.value(at, 1).bits());
            Ok(Value::small(((function >> 3) ^ (object >> 2)) as i32 & Value::SMALL_MAX))
        }
        _ => unary(vm, op, value),
    }
}

fn method_binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let (Some(a), Some(b)) = (left.as_cell(), vm.heap.as_kind(right, Kind::BoundMethod)) else {
        return Ok(Value::UNBOUND);
    };
    if op != BinaryOp::Eq {
        return Ok(Value::UNBOUND);
    }
    let same = vm.heap.value(a, 0) == vm.heap.value(b, 0) && vm.heap.value(a, 1) == vm.heap.value(b, 1);
    Ok(Value::bool(same))
}

/// Whether a value can be called.
pub fn is_callable(vm: &mut Vm, value: Value) -> bool {
    let class = vm.type_of(value);
    let is_function =
        [ids::function, ids::builtin_function, ids::bound_method].iter().any(|id| class == id.value());
    if is_function || vm.is_class(value) {
        return true;
    }
    if vm.is_python_instance(value) {
        return vm.class_lookup(class, Qstr::__call__).is_some();
    }
    vm.native_slot(class, |def| def.call).is_some()
}
