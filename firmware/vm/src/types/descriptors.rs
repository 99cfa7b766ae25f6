//! `property`, `staticmethod`, `classmethod`, `super`.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use super::ids;
use crate::native::{Args, Native, Res, Rom, TypeDef};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `property`
pub static PROPERTY: TypeDef = TypeDef {
    make: Some(make_property),
    entries: &[
        (Qstr::getter, Rom::Fn(Native::F2(getter))),
        (Qstr::setter, Rom::Fn(Native::F2(setter))),
        (Qstr::deleter, Rom::Fn(Native::F2(deleter))),
    ],
    ..TypeDef::new(Qstr::property)
};

/// `staticmethod`
pub static STATICMETHOD: TypeDef = TypeDef { make: Some(make_static), ..TypeDef::new(Qstr::staticmethod) };

/// `classmethod`
pub static CLASSMETHOD: TypeDef = TypeDef { make: Some(make_classmethod), ..TypeDef::new(Qstr::classmethod) };

/// `super`
pub static SUPER: TypeDef =
    TypeDef { make: Some(make_super), print: Some(print_super), ..TypeDef::new(Qstr::super_) };

fn make_property(vm: &mut Vm, _class: Value, args: Args) -> Res {
    let names = [Qstr::fget, Qstr::fset, Qstr::fdel, Qstr::doc];
    let values = vm.named_args(args, 0, names, [Value::NONE; 4])?;
    vm.alloc_values(Kind::Property, &values[..3])
}

fn with(vm: &mut Vm, property: Value, index: usize, function: Value) -> Res {
    let at = property.expect_cell("a property is a cell");
    let mut values = [vm.heap.value(at, 0), vm.heap.value(at, 1), vm.heap.value(at, 2)];
    values[index] = function;
    vm.alloc_values(Kind::Property, &values)
}

fn getter(vm: &mut Vm, property: Value, function: Value) -> Res {
    with(vm, property, 0, function)
}

fn setter(vm: &mut Vm, property: Value, function: Value) -> Res {
    with(vm, property, 1, function)
}

fn deleter(vm: &mut Vm, property: Value, function: Value) -> Res {
    with(vm, property, 2, function)
}

fn one(vm: &mut Vm, args: Args) -> Res {
    if args.positional != 1 || args.keywords != 0 {
        return Err(vm.raise_count(Qstr::EMPTY, 1, 1, args));
    }
    Ok(vm.arg(args, 0))
}

fn make_static(vm: &mut Vm, _class: Value, args: Args) -> Res {
    let function = one(vm, args)?;
    vm.alloc_values(Kind::StaticMethod, &[function])
}

fn make_classmethod(vm: &mut Vm, _class: Value, args: Args) -> Res {
    let function = one(vm, args)?;
    vm.alloc_values(Kind::ClassMethod, &[function])
}

fn print_super(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    let parts = value.as_cell().map(|at| (vm.heap.value(at, 0), vm.heap.value(at, 1)));
    let (class, object) = parts.unwrap_or((Value::NONE, Value::NONE));
    vm.emit_str(sink, "<super: ")?;
    vm.print_value(sink, class, PrintKind::Repr)?;
    vm.emit_str(sink, ", ")?;
    vm.print_value(sink, object, PrintKind::Repr)?;
    vm.emit_str(sink, ">")
}

fn make_super(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.positional != 2 || args.keywords != 0 {
        return Err(vm.raise_count(Qstr::super_, 2, 2, args));
    }
    let (class, object) = (vm.arg(args, 0), vm.arg(args, 1));
    if !vm.is_class(class) {
        return Err(vm.raise(ids::TypeError, "first argument to super() must be type"));
    }
    let is_of = vm.is_instance(object, class) || vm.is_class(object) && vm.is_subclass(object, class);
    if !is_of {
        return Err(vm.raise(ids::TypeError, "super(type, obj): obj must be an instance or subtype of type"));
    }
    vm.alloc_values(Kind::Super, &[class, object])
}
