//! `type`: classes as objects.

use larch_bytecode::qstr::Qstr;
use larch_heap::{FrameKind, Kind, Root, Value};

use super::ids;
use crate::native::{Args, Res, TypeDef};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `type`
pub static TYPE: TypeDef = TypeDef { make: Some(make), print: Some(print), ..TypeDef::new(Qstr::type_) };

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    match args.positional {
        1 => Ok(vm.type_of(vm.arg(args, 0))),
        3 => {
            let name = vm.name_arg(vm.arg(args, 0))?;
            let (bases, dict) = (vm.arg(args, 1), vm.arg(args, 2));
            let is_valid =
                vm.heap.as_kind(bases, Kind::Tuple).is_some() && vm.heap.as_kind(dict, Kind::Dict).is_some();
            if !is_valid {
                return Err(vm.raise(ids::TypeError, "type takes 1 or 3 arguments"));
            }
            let copy = vm.new_dict(0)?;
            vm.root(copy)?;
            if let (Some(to), Some(from)) = (copy.as_cell(), dict.as_cell()) {
                vm.table_copy(to, from)?;
            }
            vm.new_class(name, bases, copy)
        }
        _ => Err(vm.raise(ids::TypeError, "type takes 1 or 3 arguments")),
    }
}

fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "<class '")?;
    vm.print_type_name(sink, value)?;
    vm.emit_str(sink, "'>")
}

impl Vm {
    /// The `MakeClass` instruction, which asks `builtins.__build_class__` if a program has set it.
    pub(crate) fn build_class(&mut self, slot: u32, bases: u8, keywords: u8) -> Res {
        let Some(hook) = self.overridden(Qstr::__build_class__) else {
            return self.make_class(slot, bases, keywords);
        };
        let scope = self.root(hook)?;
        let count = 2 + u32::from(bases) + 2 * u32::from(keywords);
        for index in [1, 0].into_iter().chain(2..count) {
            let value = self.heap.stack(slot + index);
            self.root(value)?;
        }
        let class = self.call_at(scope, 2 + u16::from(bases), keywords.into());
        self.release(scope);
        class
    }

    /// A builtin that a program has replaced.
    pub(crate) fn overridden(&self, name: Qstr) -> Option<Value> {
        let table = self.heap.root(Root::Builtins).as_cell()?;
        self.dict_get_qstr(table, name)
    }

    /// The `MakeClass` instruction: at `slot` the name, then the body function, `bases` bases and `keywords` pairs.
    pub(crate) fn make_class(&mut self, slot: u32, bases: u8, keywords: u8) -> Res {
        let scope = self.scope();
        let name = self.heap.stack(slot);
        let name = self.name_arg(name)?;
        let dict = self.new_dict(0)?;
        self.root(dict)?;
        let body = self.heap.stack(slot + 1);
        let call = self.root(body)?;
        self.root(dict)?;
        let cell = match self.start_call(call, 1, 0, FrameKind::Entry, 0)? {
            crate::call::Called::Value(value) => value,
            crate::call::Called::Frame => self.deeper_run()?,
        };
        self.root(cell)?;
        let bases_tuple = self.new_tuple_from_stack(slot + 2, u32::from(bases))?;
        self.root(bases_tuple)?;
        let first_keyword = slot + 2 + u32::from(bases);
        let mut metaclass = ids::type_.value();
        for index in 0..u32::from(keywords) {
            if self.heap.stack(first_keyword + 2 * index) == Value::qstr(Qstr::metaclass) {
                metaclass = self.heap.stack(first_keyword + 2 * index + 1);
            }
        }
        let class = match metaclass == ids::type_.value() {
            true => self.new_class(name, bases_tuple, dict)?,
            false => self.call(metaclass, &[Value::qstr(name), bases_tuple, dict])?,
        };
        if let Some(at) = self.heap.as_kind(cell, Kind::Cell) {
            self.heap.set_value(at, 0, class);
        }
        self.release(scope);
        Ok(class)
    }
}
