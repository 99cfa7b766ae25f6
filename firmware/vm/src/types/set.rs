//! `set`, `frozenset`: tables without values ([`crate::table`]).

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use super::ids;
use crate::native::{Args, BinaryOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `set`
pub static SET: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, Kind::Set, args)),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    iter: Some(|vm, set| vm.new_iterator(set)),
    entries: &[
        (Qstr::add, Rom::Fn(Native::F2(add))),
        (Qstr::clear, Rom::Fn(Native::F1(clear))),
        (Qstr::copy, Rom::Fn(Native::F1(copy))),
        (Qstr::discard, Rom::Fn(Native::F2(discard))),
        (Qstr::difference, Rom::Fn(Native::Var(1, u8::MAX, difference))),
        (Qstr::difference_update, Rom::Fn(Native::Var(1, u8::MAX, difference_update))),
        (Qstr::intersection, Rom::Fn(Native::F2(intersection))),
        (Qstr::intersection_update, Rom::Fn(Native::F2(intersection_update))),
        (Qstr::isdisjoint, Rom::Fn(Native::F2(is_disjoint))),
        (Qstr::issubset, Rom::Fn(Native::F2(is_subset))),
        (Qstr::issuperset, Rom::Fn(Native::F2(is_superset))),
        (Qstr::pop, Rom::Fn(Native::F1(pop))),
        (Qstr::remove, Rom::Fn(Native::F2(remove))),
        (Qstr::symmetric_difference, Rom::Fn(Native::F2(symmetric_difference))),
        (Qstr::symmetric_difference_update, Rom::Fn(Native::F2(symmetric_difference_update))),
        (Qstr::union, Rom::Fn(Native::F2(union))),
        (Qstr::update, Rom::Fn(Native::Var(1, u8::MAX, update))),
        (Qstr::__contains__, Rom::Fn(Native::F2(contains))),
    ],
    ..TypeDef::new(Qstr::set)
};

/// `frozenset`
pub static FROZENSET: TypeDef = TypeDef {
    make: Some(|vm, _class, args| make(vm, Kind::FrozenSet, args)),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    iter: Some(|vm, set| vm.new_iterator(set)),
    entries: &[
        (Qstr::copy, Rom::Fn(Native::F1(copy))),
        (Qstr::difference, Rom::Fn(Native::Var(1, u8::MAX, difference))),
        (Qstr::intersection, Rom::Fn(Native::F2(intersection))),
        (Qstr::isdisjoint, Rom::Fn(Native::F2(is_disjoint))),
        (Qstr::issubset, Rom::Fn(Native::F2(is_subset))),
        (Qstr::issuperset, Rom::Fn(Native::F2(is_superset))),
        (Qstr::symmetric_difference, Rom::Fn(Native::F2(symmetric_difference))),
        (Qstr::union, Rom::Fn(Native::F2(union))),
        (Qstr::__contains__, Rom::Fn(Native::F2(contains))),
    ],
    ..TypeDef::new(Qstr::frozenset)
};

impl Vm {
    /// A set of `count` stack slots from `first` on.
    ///
    /// # Errors
    /// TypeError for what cannot be hashed.
    pub fn new_set_from_stack(&mut self, first: u32, count: u32) -> Res {
        let set = self.new_table(Kind::Set, count)?;
        let scope = self.root(set.into())?;
        for i in 0..count {
            let item = self.heap.stack(first + i);
            self.set_add(set, item)?;
        }
        self.release(scope);
        Ok(set.into())
    }

    /// Adds an item. The set and the item must be alive by themselves.
    ///
    /// # Errors
    /// TypeError for what cannot be hashed; MemoryError.
    #[inline]
    pub fn set_add(&mut self, set: Ref, item: Value) -> Res<()> {
        self.table_set(set, item, Value::NONE)
    }

    /// Adds every item of an iterable. The set must be alive by itself.
    ///
    /// # Errors
    /// As [`Vm::set_add`], and what iterating raises.
    pub fn set_update(&mut self, set: Ref, iterable: Value) -> Res<()> {
        self.for_each(iterable, |vm, item| vm.set_add(set, item).map(|()| true))
    }

    /// The table of a set or frozenset.
    fn as_set(&self, value: Value) -> Option<Ref> {
        let inner = self.native_part(value);
        self.heap.as_kind(inner, Kind::Set).or_else(|| self.heap.as_kind(inner, Kind::FrozenSet))
    }

    /// The table of a set, or of a new set with an iterable's items; it is kept alive by the caller's scope.
    fn set_of(&mut self, value: Value) -> Res<Ref> {
        if let Some(set) = self.as_set(value) {
            return Ok(set);
        }
        let set = self.new_table(Kind::Set, 0)?;
        self.root(set.into())?;
        self.set_update(set, value)?;
        Ok(set)
    }

    /// Calls `each` with every item of a set, which may change meanwhile; `each` answers whether to go on.
    fn each_in_set(&mut self, set: Ref, mut each: impl FnMut(&mut Vm, Value) -> Res<bool>) -> Res<()> {
        let mut position = 0;
        let scope = self.scope();
        while let Some((found, item, _)) = self.table_next(set, position) {
            self.root(item)?;
            let go_on = each(self, item)?;
            self.release(scope);
            if !go_on {
                break;
            }
            position = found + 1;
        }
        Ok(())
    }

    /// A new set of the same type with those items of `set` for which being in `other` is `wanted`. Kept alive by the
    /// caller's scope.
    fn filter_set(&mut self, set: Ref, other: Ref, wanted: bool) -> Res<Ref> {
        let new = self.new_table(self.heap.kind(set), 0)?;
        self.root(new.into())?;
        self.each_in_set(set, |vm, item| {
            if vm.table_get(other, item)?.is_some() == wanted {
                vm.set_add(new, item)?;
            }
            Ok(true)
        })?;
        Ok(new)
    }

    /// Gives a set the items of a table that nothing else refers to.
    fn take_table(&mut self, set: Ref, from: Ref) -> Res<()> {
        self.table_clear(set);
        self.table_copy(set, from)
    }

    fn contains_all(&mut self, set: Ref, items: Ref) -> Res<bool> {
        let mut all = true;
        self.each_in_set(items, |vm, item| {
            all = vm.table_get(set, item)?.is_some();
            Ok(all)
        })?;
        Ok(all)
    }
}

/// The cell of a set value that was checked to be one.
fn cell(set: Value) -> Ref {
    set.expect_cell("a set")
}

fn make(vm: &mut Vm, kind: Kind, args: Args) -> Res {
    vm.check_args(args, 0, 1)?;
    let set = vm.new_table(kind, 0)?;
    vm.root(set.into())?;
    if let Some(iterable) = vm.opt_arg(args, 0) {
        match vm.as_set(iterable) {
            Some(from) => vm.table_copy(set, from)?,
            None => vm.set_update(set, iterable)?,
        }
    }
    Ok(set.into())
}

fn print(vm: &mut Vm, sink: Sink, set: Value, _kind: PrintKind) -> Res<()> {
    let at = cell(vm.native_part(set));
    let is_frozen = vm.heap.kind(at) == Kind::FrozenSet;
    if vm.table_len(at) == 0 {
        return vm.emit_str(sink, if is_frozen { "frozenset()" } else { "set()" });
    }
    vm.emit_str(sink, if is_frozen { "frozenset({" } else { "{" })?;
    let mut is_first = true;
    vm.each_in_set(at, |vm, item| {
        if !is_first {
            vm.emit_str(sink, ", ")?;
        }
        is_first = false;
        vm.print_value(sink, item, PrintKind::Repr)?;
        Ok(true)
    })?;
    vm.emit_str(sink, if is_frozen { "})" } else { "}" })
}

fn unary(vm: &mut Vm, op: UnaryOp, set: Value) -> Res {
    let at = cell(set);
    let len = vm.table_len(at);
    match op {
        UnaryOp::Bool => Ok(Value::bool(len > 0)),
        UnaryOp::Len => Ok(Value::small(len as i32)),
        UnaryOp::Hash if vm.heap.kind(at) == Kind::FrozenSet => {
            // Independent of the order.
            let mut hash = len;
            vm.each_in_set(at, |vm, item| {
                let part = vm.hash_of(item)?.wrapping_mul(0x9e37_79b1);
                hash = hash.wrapping_add(part ^ part >> 15);
                Ok(true)
            })?;
            Ok(Value::small((hash >> 3) as i32))
        }
        _ => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    if op == BinaryOp::Contains {
        return contains(vm, left, right);
    }
    let scope = vm.scope();
    let answer = combine(vm, op, left, right)?;
    vm.release(scope);
    Ok(answer)
}

fn combine(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let Some(other) = vm.as_set(right) else { return Ok(Value::UNBOUND) };
    let set = cell(left);
    let (len, other_len) = (vm.table_len(set), vm.table_len(other));
    let is_plain = vm.heap.kind(set) == Kind::Set;
    let answer = match op {
        BinaryOp::Eq => len == other_len && vm.contains_all(other, set)?,
        BinaryOp::Ne => len != other_len || !vm.contains_all(other, set)?,
        BinaryOp::Lt => len < other_len && vm.contains_all(other, set)?,
        BinaryOp::Le => len <= other_len && vm.contains_all(other, set)?,
        BinaryOp::Gt => len > other_len && vm.contains_all(set, other)?,
        BinaryOp::Ge => len >= other_len && vm.contains_all(set, other)?,
        BinaryOp::Or => return union(vm, left, right),
        BinaryOp::And => return intersection(vm, left, right),
        BinaryOp::Xor => return symmetric_difference(vm, left, right),
        BinaryOp::Sub => return without(vm, left, right),
        BinaryOp::IOr if is_plain => {
            vm.set_update(set, other.into())?;
            return Ok(left);
        }
        BinaryOp::IAnd if is_plain => {
            intersection_update(vm, left, right)?;
            return Ok(left);
        }
        BinaryOp::IXor if is_plain => {
            symmetric_difference_update(vm, left, right)?;
            return Ok(left);
        }
        BinaryOp::ISub if is_plain => {
            remove_all(vm, set, right)?;
            return Ok(left);
        }
        _ => return Ok(Value::UNBOUND),
    };
    Ok(Value::bool(answer))
}

fn contains(vm: &mut Vm, set: Value, item: Value) -> Res {
    Ok(Value::bool(vm.table_get(cell(set), item)?.is_some()))
}

// ---- new sets ----

fn copy(vm: &mut Vm, set: Value) -> Res {
    let new = vm.new_table(vm.heap.kind(cell(set)), 0)?;
    vm.root(new.into())?;
    vm.table_copy(new, cell(set))?;
    Ok(new.into())
}

fn union(vm: &mut Vm, set: Value, other: Value) -> Res {
    let new = copy(vm, set)?;
    vm.root(new)?;
    vm.set_update(cell(new), other)?;
    Ok(new)
}

fn intersection(vm: &mut Vm, set: Value, other: Value) -> Res {
    let other = vm.set_of(other)?;
    vm.filter_set(cell(set), other, true).map(Value::cell)
}

fn without(vm: &mut Vm, set: Value, other: Value) -> Res {
    let other = vm.set_of(other)?;
    vm.filter_set(cell(set), other, false).map(Value::cell)
}

fn difference(vm: &mut Vm, args: Args) -> Res {
    let mut set = vm.arg(args, 0);
    if args.positional == 1 {
        return copy(vm, set);
    }
    for i in 1..args.positional {
        let other = vm.arg(args, i);
        set = without(vm, set, other)?;
    }
    Ok(set)
}

fn symmetric_difference(vm: &mut Vm, set: Value, other: Value) -> Res {
    let other = vm.set_of(other)?;
    let new = vm.filter_set(cell(set), other, false)?;
    vm.each_in_set(other, |vm, item| {
        if vm.table_get(cell(set), item)?.is_none() {
            vm.set_add(new, item)?;
        }
        Ok(true)
    })?;
    Ok(new.into())
}

// ---- changes ----

fn add(vm: &mut Vm, set: Value, item: Value) -> Res {
    vm.set_add(cell(set), item)?;
    Ok(Value::NONE)
}

fn clear(vm: &mut Vm, set: Value) -> Res {
    vm.table_clear(cell(set));
    Ok(Value::NONE)
}

fn discard(vm: &mut Vm, set: Value, item: Value) -> Res {
    vm.table_remove(cell(set), item)?;
    Ok(Value::NONE)
}

fn remove(vm: &mut Vm, set: Value, item: Value) -> Res {
    match vm.table_remove(cell(set), item)? {
        Some(_) => Ok(Value::NONE),
        None => Err(vm.raise_arg(ids::KeyError, item)),
    }
}

fn pop(vm: &mut Vm, set: Value) -> Res {
    match vm.table_pop_first(cell(set))? {
        Some((item, _)) => Ok(item),
        None => Err(vm.raise(ids::KeyError, "pop from an empty set")),
    }
}

fn update(vm: &mut Vm, args: Args) -> Res {
    let set = cell(vm.arg(args, 0));
    for i in 1..args.positional {
        let iterable = vm.arg(args, i);
        vm.set_update(set, iterable)?;
    }
    Ok(Value::NONE)
}

fn remove_all(vm: &mut Vm, set: Ref, items: Value) -> Res<()> {
    if vm.as_set(items) == Some(set) {
        vm.table_clear(set);
        return Ok(());
    }
    vm.for_each(items, |vm, item| vm.table_remove(set, item).map(|_| true))
}

fn difference_update(vm: &mut Vm, args: Args) -> Res {
    let set = cell(vm.arg(args, 0));
    for i in 1..args.positional {
        let items = vm.arg(args, i);
        remove_all(vm, set, items)?;
    }
    Ok(Value::NONE)
}

fn intersection_update(vm: &mut Vm, set: Value, other: Value) -> Res {
    let new = cell(intersection(vm, set, other)?);
    vm.take_table(cell(set), new)?;
    Ok(Value::NONE)
}

fn symmetric_difference_update(vm: &mut Vm, set: Value, other: Value) -> Res {
    let new = cell(symmetric_difference(vm, set, other)?);
    vm.take_table(cell(set), new)?;
    Ok(Value::NONE)
}

// ---- questions ----

fn is_disjoint(vm: &mut Vm, set: Value, other: Value) -> Res {
    let mut disjoint = true;
    vm.for_each(other, |vm, item| {
        disjoint = vm.table_get(cell(set), item)?.is_none();
        Ok(disjoint)
    })?;
    Ok(Value::bool(disjoint))
}

fn is_subset(vm: &mut Vm, set: Value, other: Value) -> Res {
    let other = vm.set_of(other)?;
    Ok(Value::bool(vm.contains_all(other, cell(set))?))
}

fn is_superset(vm: &mut Vm, set: Value, other: Value) -> Res {
    let other = vm.set_of(other)?;
    Ok(Value::bool(vm.contains_all(cell(set), other)?))
}
