//! `object`: what every value can do.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use super::ids;
use crate::native::{Args, AttrOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `object`
pub static OBJECT: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    entries: &[
        (Qstr::__init__, Rom::Fn(Native::Kw(1, u8::MAX, init))),
        (Qstr::__new__, Rom::StaticMethod(Native::Kw(1, u8::MAX, new))),
        (Qstr::__setattr__, Rom::Fn(Native::F3(set_attr))),
        (Qstr::__delattr__, Rom::Fn(Native::F2(delete_attr))),
    ],
    ..TypeDef::new(Qstr::object)
};

fn make(vm: &mut Vm, class: Value, args: Args) -> Res {
    if args.positional > 0 || args.keywords > 0 {
        return Err(vm.raise_count(Qstr::object, 0, 0, args));
    }
    vm.alloc_values(larch_heap::Kind::Object, &[class])
}

/// Objects of types that say nothing else are shown by their type and place.
pub(crate) fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "<")?;
    let class = vm.type_of(value);
    vm.print_type_name(sink, class)?;
    vm.emit_str(sink, " object at ")?;
    vm.emit_address(sink, value)?;
    vm.emit_str(sink, ">")
}

fn unary(vm: &mut Vm, op: UnaryOp, value: Value) -> Res {
    Ok(match op {
        UnaryOp::Bool => {
            let len = vm.try_unary(UnaryOp::Len, value)?;
            Value::bool(len != Value::small(0))
        }
        UnaryOp::Hash => Value::small((value.bits() >> 3) as i32 & Value::SMALL_MAX),
        _ => Value::UNBOUND,
    })
}

/// `super().__init__(…)` up to a built-in base: the built-in object inside the instance is made from the arguments.
fn init(vm: &mut Vm, args: Args) -> Res {
    let object = vm.arg(args, 0);
    let Some(at) = object.as_cell().filter(|_| vm.is_python_instance(object)) else { return Ok(Value::NONE) };
    let class = vm.class_of_instance(at);
    let Some(id) = vm.native_base(class) else { return Ok(Value::NONE) };
    let rest = Args { base: args.base + 1, positional: args.positional - 1, keywords: args.keywords };
    let is_exception = vm.is_subclass(id.value(), ids::BaseException.value());
    if let Some(make) = vm.registry.type_def(id).make {
        let inner = make(vm, if is_exception { class } else { id.value() }, rest)?;
        vm.root(inner)?;
        vm.set_inner_object(at, inner)?;
    }
    Ok(Value::NONE)
}

fn new(vm: &mut Vm, args: Args) -> Res {
    let class = vm.arg(args, 0);
    match vm.heap.as_kind(class, larch_heap::Kind::Class) {
        Some(at) => {
            let instance = vm.new_instance(at)?;
            let (id, def) = vm.native_def(class);
            if id != ids::object
                && let Some(make) = def.make
            {
                vm.root(instance.into())?;
                let rest =
                    Args { base: args.base + 1, positional: args.positional - 1, keywords: args.keywords };
                let inner = make(vm, id.value(), rest)?;
                vm.root(inner)?;
                vm.set_inner_object(instance, inner)?;
            }
            Ok(instance.into())
        }
        None => Err(vm.raise(ids::TypeError, "arg must be user-type")),
    }
}

fn set_attr(vm: &mut Vm, object: Value, name: Value, value: Value) -> Res {
    let name = vm.name_arg(name)?;
    vm.set_own_attr(object, name, value)?;
    Ok(Value::NONE)
}

fn delete_attr(vm: &mut Vm, object: Value, name: Value) -> Res {
    let name = vm.name_arg(name)?;
    let done = match object.as_cell().filter(|_| vm.is_python_instance(object)) {
        Some(at) => vm.delete_own(at, name)?,
        None => false,
    };
    if done { Ok(Value::NONE) } else { Err(vm.raise_no_attr(object, name)) }
}

impl Vm {
    /// An attribute name given as a string.
    ///
    /// # Errors
    /// TypeError if it is none.
    pub fn name_arg(&mut self, name: Value) -> Res<Qstr> {
        match self.intern_value(name)? {
            Some(name) => Ok(name),
            None => Err(self.raise_implicit(name)),
        }
    }

    /// Writes where a value is, as `id()` would say, in hexadecimal.
    pub fn emit_address(&mut self, sink: Sink, value: Value) -> Res<()> {
        let mut digits = *b"0x00000000";
        let bits = value.bits();
        for (index, digit) in digits[2..].iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(bits >> (28 - 4 * index) & 15) as usize];
        }
        let significant = (8 - bits.leading_zeros() as usize / 4).max(1);
        self.emit(sink, b"0x")?;
        self.emit(sink, &digits[10 - significant..])
    }

    /// Deletes or sets by name (`setattr`, `delattr`).
    pub(crate) fn change_named(&mut self, object: Value, name: Value, op: AttrOp) -> Res {
        let name = self.name_arg(name)?;
        self.change_attr(object, name, op)?;
        Ok(Value::NONE)
    }
}
