//! `dict`, `OrderedDict`: tables with values ([`crate::table`]), both in insertion order, and the views of them.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::ids;
use crate::native::{Args, BinaryOp, Entry, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::table::{FIXED, ORDERED};
use crate::vm::{Part, Vm};

/// `dict`
pub static DICT: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, args, 0)),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, dict| vm.new_iterator(dict)),
    entries: METHODS,
    ..TypeDef::new(Qstr::dict)
};

/// `OrderedDict`
pub static ORDERED_DICT: TypeDef = TypeDef {
    base: Some(ids::dict),
    make: Some(|vm, _class, args| make(vm, args, ORDERED)),
    ..TypeDef::new(Qstr::OrderedDict)
};

/// `dict_view`: a cell of the dict and which view it is.
pub static DICT_VIEW: TypeDef = TypeDef {
    print: Some(print_view),
    unary: Some(view_unary),
    binary: Some(view_binary),
    iter: Some(|vm, view| vm.new_iterator(view)),
    ..TypeDef::new(Qstr::dict_view)
};

static METHODS: &[Entry] = &[
    (Qstr::clear, Rom::Fn(Native::F1(clear))),
    (Qstr::copy, Rom::Fn(Native::F1(copy))),
    (Qstr::fromkeys, Rom::ClassMethod(Native::Var(2, 3, from_keys))),
    (Qstr::get, Rom::Fn(Native::Var(2, 3, get))),
    (Qstr::items, Rom::Fn(Native::F1(|vm, dict| new_view(vm, dict, View::Items)))),
    (Qstr::keys, Rom::Fn(Native::F1(|vm, dict| new_view(vm, dict, View::Keys)))),
    (Qstr::pop, Rom::Fn(Native::Var(2, 3, pop))),
    (Qstr::popitem, Rom::Fn(Native::F1(pop_item))),
    (Qstr::setdefault, Rom::Fn(Native::Var(2, 3, set_default))),
    (Qstr::update, Rom::Fn(Native::Kw(1, 2, update))),
    (Qstr::values, Rom::Fn(Native::F1(|vm, dict| new_view(vm, dict, View::Values)))),
    (Qstr::__getitem__, Rom::Fn(Native::F2(get_item))),
    (Qstr::__setitem__, Rom::Fn(Native::F3(set_item))),
    (Qstr::__delitem__, Rom::Fn(Native::F2(delete_item))),
];

/// What a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Keys,
    Values,
    Items,
}

impl Vm {
    /// Takes over the entries of a mapping, or of an iterable of pairs. As for `**` in a call (`as_call`), it must be a
    /// mapping, keys must be strings, and none may be there already. Both must be alive by themselves.
    ///
    /// # Errors
    /// TypeError, ValueError, what iterating and hashing raise; MemoryError.
    pub fn dict_update(&mut self, dict: Ref, source: Value, as_call: bool) -> Res<()> {
        if let Some(from) = self.heap.as_kind(self.native_part(source), Kind::Dict) {
            return self.dict_take_all(dict, from, as_call);
        }
        if as_call {
            return self.dict_update_from_mapping(dict, source);
        }
        self.for_each(source, |vm, pair| {
            let slot = vm.root(Value::UNBOUND)?;
            vm.root(Value::UNBOUND)?;
            vm.pair_to_stack(pair, slot)?;
            let (key, value) = (vm.heap.stack(slot), vm.heap.stack(slot + 1));
            vm.table_set(dict, key, value)?;
            Ok(true)
        })
    }

    fn dict_take_all(&mut self, dict: Ref, from: Ref, as_call: bool) -> Res<()> {
        let mut position = 0;
        while let Some((found, key, value)) = self.table_next(from, position) {
            let scope = self.root(key)?;
            self.root(value)?;
            self.dict_take(dict, key, value, as_call)?;
            self.release(scope);
            position = found + 1;
        }
        Ok(())
    }

    /// Spreads an iterable of two items over two stack slots.
    fn pair_to_stack(&mut self, pair: Value, slot: u32) -> Res<()> {
        if let Some((cell, first, 2)) = self.plain_items(pair) {
            let (key, value) = (self.heap.slot(cell, first), self.heap.slot(cell, first + 1));
            self.heap.set_stack(slot, key);
            self.heap.set_stack(slot + 1, value);
            return Ok(());
        }
        let iterator = self.iter(pair)?;
        let scope = self.root(iterator)?;
        for i in 0..2 {
            let item = self.next(iterator)?;
            if item.is_unbound() {
                return Err(self.raise(ids::ValueError, "dict update sequence has wrong length"));
            }
            self.heap.set_stack(slot + i, item);
        }
        if !self.next(iterator)?.is_unbound() {
            return Err(self.raise(ids::ValueError, "dict update sequence has wrong length"));
        }
        self.release(scope);
        Ok(())
    }

    fn dict_update_from_mapping(&mut self, dict: Ref, mapping: Value) -> Res<()> {
        let keys = self.call_method(mapping, Qstr::keys, &[])?;
        self.for_each(keys, |vm, key| {
            let value = vm.item(mapping, key, ItemOp::Get)?;
            vm.root(value)?;
            vm.dict_take(dict, key, value, true)?;
            Ok(true)
        })
    }

    fn dict_take(&mut self, dict: Ref, key: Value, value: Value, as_call: bool) -> Res<()> {
        if as_call && self.table_get(dict, key)?.is_some() {
            let parts =
                [Part::Text("function got multiple values for argument '"), Part::Str(key), Part::Text("'")];
            return Err(self.raise_parts(ids::TypeError, &parts));
        }
        self.table_set(dict, key, value)
    }

    /// Refuses to change a dict that is fixed (the namespace of a class or instance, seen through `__dict__`).
    fn check_not_fixed(&mut self, dict: Ref) -> Res<()> {
        if self.table_flags(dict) & FIXED != 0 {
            return Err(self.raise_empty(ids::TypeError));
        }
        Ok(())
    }
}

/// The cell of a dict value that was checked to be one.
fn cell(dict: Value) -> Ref {
    dict.expect_cell("a dict")
}

fn make(vm: &mut Vm, args: Args, flags: u32) -> Res {
    if args.positional > 1 {
        // The class counts too, as MicroPython counts.
        let parts = [
            Part::Text("function expected at most 2 arguments, got "),
            Part::Int(i32::from(args.positional) + 1),
        ];
        return Err(vm.raise_parts(ids::TypeError, &parts));
    }
    let dict = vm.new_dict(u32::from(args.keywords))?;
    vm.root(dict)?;
    vm.set_table_flag(cell(dict), flags);
    if let Some(source) = vm.opt_arg(args, 0) {
        vm.dict_update(cell(dict), source, false)?;
    }
    take_keywords(vm, cell(dict), args)?;
    Ok(dict)
}

fn take_keywords(vm: &mut Vm, dict: Ref, args: Args) -> Res<()> {
    for i in 0..args.keywords {
        let (name, value) = vm.keyword(args, i);
        vm.dict_set_qstr(dict, name, value)?;
    }
    Ok(())
}

fn print(vm: &mut Vm, sink: Sink, dict: Value, _kind: PrintKind) -> Res<()> {
    let at = cell(vm.native_part(dict));
    let is_ordered = vm.table_flags(at) & ORDERED != 0;
    vm.emit_str(sink, if is_ordered { "OrderedDict({" } else { "{" })?;
    let mut position = 0;
    while let Some((found, key, value)) = vm.table_next(at, position) {
        if position > 0 {
            vm.emit_str(sink, ", ")?;
        }
        let scope = vm.root(value)?;
        vm.print_value(sink, key, PrintKind::Repr)?;
        vm.emit_str(sink, ": ")?;
        vm.print_value(sink, value, PrintKind::Repr)?;
        vm.release(scope);
        position = found + 1;
    }
    vm.emit_str(sink, if is_ordered { "})" } else { "}" })
}

fn unary(vm: &mut Vm, op: UnaryOp, dict: Value) -> Res {
    let len = vm.table_len(cell(dict));
    match op {
        UnaryOp::Bool => Ok(Value::bool(len > 0)),
        UnaryOp::Len => Ok(Value::small(len as i32)),
        _ => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    if op == BinaryOp::Contains {
        return Ok(Value::bool(vm.table_get(cell(left), right)?.is_some()));
    }
    let scope = vm.scope();
    let answer = combine(vm, op, left, right)?;
    vm.release(scope);
    Ok(answer)
}

fn combine(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    if op == BinaryOp::IOr {
        vm.check_not_fixed(cell(left))?;
        vm.dict_update(cell(left), right, false)?;
        return Ok(left);
    }
    let Some(other) = vm.heap.as_kind(vm.native_part(right), Kind::Dict) else { return Ok(Value::UNBOUND) };
    match op {
        BinaryOp::Eq => Ok(Value::bool(same_entries(vm, cell(left), other)?)),
        BinaryOp::Ne => Ok(Value::bool(!same_entries(vm, cell(left), other)?)),
        BinaryOp::Or => {
            let new = copy(vm, left)?;
            vm.root(new)?;
            vm.dict_take_all(cell(new), other, false)?;
            Ok(new)
        }
        _ => Ok(Value::UNBOUND),
    }
}

/// Whether two dicts are equal: two ordered ones only if their order is the same.
fn same_entries(vm: &mut Vm, left: Ref, right: Ref) -> Res<bool> {
    if vm.table_len(left) != vm.table_len(right) {
        return Ok(false);
    }
    let in_order = vm.table_flags(left) & vm.table_flags(right) & ORDERED != 0;
    let (mut position, mut other_position) = (0, 0);
    while let Some((found, key, value)) = vm.table_next(left, position) {
        let scope = vm.root(key)?;
        vm.root(value)?;
        let other = if in_order {
            let Some((place, other_key, other)) = vm.table_next(right, other_position) else {
                return Ok(false);
            };
            vm.root(other)?;
            other_position = place + 1;
            vm.equal_items(key, other_key)?.then_some(other)
        } else {
            vm.table_get(right, key)?
        };
        let same = match other {
            Some(other) => vm.equal_items(value, other)?,
            None => false,
        };
        vm.release(scope);
        if !same {
            return Ok(false);
        }
        position = found + 1;
    }
    Ok(true)
}

fn item(vm: &mut Vm, dict: Value, key: Value, op: ItemOp) -> Res {
    let at = cell(dict);
    match op {
        ItemOp::Get => vm.dict_item(at, key),
        ItemOp::Set(value) => {
            vm.check_not_fixed(at)?;
            vm.table_set(at, key, value)?;
            Ok(Value::NONE)
        }
        ItemOp::Delete => {
            vm.check_not_fixed(at)?;
            match vm.table_remove(at, key)? {
                Some(_) => Ok(Value::NONE),
                None => Err(vm.raise_arg(ids::KeyError, key)),
            }
        }
    }
}

fn get_item(vm: &mut Vm, dict: Value, key: Value) -> Res {
    item(vm, dict, key, ItemOp::Get)
}

fn set_item(vm: &mut Vm, dict: Value, key: Value, value: Value) -> Res {
    item(vm, dict, key, ItemOp::Set(value))
}

fn delete_item(vm: &mut Vm, dict: Value, key: Value) -> Res {
    item(vm, dict, key, ItemOp::Delete)
}

fn clear(vm: &mut Vm, dict: Value) -> Res {
    vm.check_not_fixed(cell(dict))?;
    vm.table_clear(cell(dict));
    Ok(Value::NONE)
}

fn copy(vm: &mut Vm, dict: Value) -> Res {
    let new = vm.new_dict(0)?;
    vm.root(new)?;
    vm.table_copy(cell(new), cell(dict))?;
    let flags = vm.table_flags(cell(dict)) & ORDERED;
    vm.set_table_flag(cell(new), flags);
    Ok(new)
}

fn from_keys(vm: &mut Vm, args: Args) -> Res {
    let (class, keys) = (vm.arg(args, 0), vm.arg(args, 1));
    let value = vm.opt_arg(args, 2).unwrap_or(Value::NONE);
    let new = vm.call(class, &[])?;
    vm.root(new)?;
    let dict = cell(vm.native_part(new));
    vm.for_each(keys, |vm, key| vm.table_set(dict, key, value).map(|()| true))?;
    Ok(new)
}

fn get(vm: &mut Vm, args: Args) -> Res {
    let (dict, key) = (vm.arg(args, 0), vm.arg(args, 1));
    match vm.table_get(cell(dict), key)? {
        Some(value) => Ok(value),
        None => Ok(vm.opt_arg(args, 2).unwrap_or(Value::NONE)),
    }
}

fn pop(vm: &mut Vm, args: Args) -> Res {
    let (dict, key) = (vm.arg(args, 0), vm.arg(args, 1));
    vm.check_not_fixed(cell(dict))?;
    match (vm.table_remove(cell(dict), key)?, vm.opt_arg(args, 2)) {
        (Some(value), _) | (None, Some(value)) => Ok(value),
        (None, None) => Err(vm.raise_arg(ids::KeyError, key)),
    }
}

fn pop_item(vm: &mut Vm, dict: Value) -> Res {
    vm.check_not_fixed(cell(dict))?;
    match vm.table_pop_last(cell(dict))? {
        Some((key, value)) => vm.alloc_values(Kind::Tuple, &[key, value]),
        None => Err(vm.raise(ids::KeyError, "popitem(): dictionary is empty")),
    }
}

fn set_default(vm: &mut Vm, args: Args) -> Res {
    let (dict, key) = (vm.arg(args, 0), vm.arg(args, 1));
    vm.check_not_fixed(cell(dict))?;
    if let Some(value) = vm.table_get(cell(dict), key)? {
        return Ok(value);
    }
    let value = vm.opt_arg(args, 2).unwrap_or(Value::NONE);
    vm.table_set(cell(dict), key, value)?;
    Ok(value)
}

fn update(vm: &mut Vm, args: Args) -> Res {
    let dict = cell(vm.arg(args, 0));
    vm.check_not_fixed(dict)?;
    if let Some(source) = vm.opt_arg(args, 1) {
        vm.dict_update(dict, source, false)?;
    }
    take_keywords(vm, dict, args)?;
    Ok(Value::NONE)
}

// ---- views ----

fn new_view(vm: &mut Vm, dict: Value, view: View) -> Res {
    let at = vm.alloc(Header::new(Kind::DictView, 2))?;
    vm.heap.set_value(at, 0, dict);
    vm.heap.set_value(at, 1, Value::small(view as i32));
    Ok(at.into())
}

/// A view's dict, and what it shows.
fn view_of(vm: &Vm, view: Value) -> (Ref, View) {
    let at = view.expect_cell("a view");
    let which = match vm.heap.value(at, 1).small_unchecked() {
        0 => View::Keys,
        1 => View::Values,
        _ => View::Items,
    };
    (cell(vm.heap.value(at, 0)), which)
}

/// What a view shows at or after `position`, and where that is.
pub(super) fn view_next(vm: &mut Vm, view: Ref, position: u32) -> Res<Option<(u32, Value)>> {
    let (dict, which) = view_of(vm, view.into());
    let Some((found, key, value)) = vm.table_next(dict, position) else { return Ok(None) };
    let shown = match which {
        View::Keys => key,
        View::Values => value,
        View::Items => {
            // The dict keeps both alive.
            let pair = vm.alloc(Header::new(Kind::Tuple, 2))?;
            vm.heap.set_value(pair, 0, key);
            vm.heap.set_value(pair, 1, value);
            pair.into()
        }
    };
    Ok(Some((found, shown)))
}

fn print_view(vm: &mut Vm, sink: Sink, view: Value, _kind: PrintKind) -> Res<()> {
    let (dict, which) = view_of(vm, view);
    let name = match which {
        View::Keys => "dict_keys([",
        View::Values => "dict_values([",
        View::Items => "dict_items([",
    };
    vm.emit_str(sink, name)?;
    let mut position = 0;
    while let Some((found, key, value)) = vm.table_next(dict, position) {
        if position > 0 {
            vm.emit_str(sink, ", ")?;
        }
        match which {
            View::Keys => vm.print_value(sink, key, PrintKind::Repr)?,
            View::Values => vm.print_value(sink, value, PrintKind::Repr)?,
            View::Items => {
                let pair = vm.alloc_values(Kind::Tuple, &[key, value])?;
                vm.print_value(sink, pair, PrintKind::Repr)?;
            }
        }
        position = found + 1;
    }
    vm.emit_str(sink, "])")
}

fn view_unary(vm: &mut Vm, op: UnaryOp, view: Value) -> Res {
    let (dict, which) = view_of(vm, view);
    let len = vm.table_len(dict);
    match op {
        UnaryOp::Bool => Ok(Value::bool(len > 0)),
        UnaryOp::Len => Ok(Value::small(len as i32)),
        UnaryOp::Hash if which == View::Values => Ok(Value::small((cell(view).bits() >> 3) as i32)),
        _ => Ok(Value::UNBOUND),
    }
}

fn view_binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    match view_of(vm, left) {
        (dict, View::Keys) if op == BinaryOp::Contains => {
            Ok(Value::bool(vm.table_get(dict, right)?.is_some()))
        }
        _ => Ok(Value::UNBOUND),
    }
}
