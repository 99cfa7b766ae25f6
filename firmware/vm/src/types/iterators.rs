//! `iterator`, `enumerate`, `filter`, `map`, `reversed`, `zip`: cells of their type, what they iterate over, and where
//! they are.
//!
//! An `iterator` knows a position and asks its container for what is there now, so a container may change under it.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::{deque, dict, ids};
use crate::native::{Args, BinaryOp, ItemOp, Raised, Res, TypeDef, TypeId};
use crate::vm::Vm;

/// `iterator`: container, position.
pub static ITERATOR: TypeDef = TypeDef { next: Some(Vm::iterator_next), ..TypeDef::new(Qstr::iterator) };
/// `enumerate`: iterator, next number.
pub static ENUMERATE: TypeDef =
    TypeDef { make: Some(make_enumerate), next: Some(next_enumerate), ..TypeDef::new(Qstr::enumerate) };
/// `filter`: function, iterator.
pub static FILTER: TypeDef =
    TypeDef { make: Some(make_filter), next: Some(next_filter), ..TypeDef::new(Qstr::filter) };
/// `map`: function, iterators.
pub static MAP: TypeDef = TypeDef { make: Some(make_map), next: Some(next_map), ..TypeDef::new(Qstr::map) };
/// `reversed`: sequence, how many items are left.
pub static REVERSED: TypeDef =
    TypeDef { make: Some(make_reversed), next: Some(next_reversed), ..TypeDef::new(Qstr::reversed) };
/// `zip`: iterators.
pub static ZIP: TypeDef = TypeDef { make: Some(make_zip), next: Some(next_zip), ..TypeDef::new(Qstr::zip) };

impl Vm {
    /// An iterator over a built-in container, or over any object with `__getitem__`.
    #[inline]
    pub fn new_iterator(&mut self, over: Value) -> Res {
        let at = self.alloc_keeping(Header::new(Kind::Iterator, 3), over)?;
        self.heap.set_value(at, 0, ids::iterator.value());
        self.heap.set_value(at, 1, over);
        self.heap.set_value(at, 2, Value::small(0));
        Ok(at.into())
    }

    /// What an `iterator` gives next; unbound at the end.
    pub(crate) fn iterator_next(&mut self, iterator: Value) -> Res {
        let at = cell(iterator);
        let over = self.heap.value(at, 1);
        let position = self.heap.value(at, 2).small_unchecked() as u32;
        let Some(container) = over.as_cell() else { return self.iterator_next_item(at, over, position) };
        let (position, item) = match self.heap.kind(container) {
            Kind::List | Kind::Tuple => match self.sequence_get(over, position) {
                Some(item) => (position, item),
                None => return Ok(Value::UNBOUND),
            },
            Kind::Range => match self.range_next(container, position)? {
                Value::UNBOUND => return Ok(Value::UNBOUND),
                item => (position, item),
            },
            Kind::Dict | Kind::Set | Kind::FrozenSet => match self.table_next(container, position) {
                Some((found, key, _)) => (found, key),
                None => return Ok(Value::UNBOUND),
            },
            Kind::DictView => match dict::view_next(self, container, position)? {
                Some(found) => found,
                None => return Ok(Value::UNBOUND),
            },
            Kind::Object if self.heap.value(container, 0) == ids::deque.value() => {
                match deque::get(self, container, position) {
                    Some(item) => (position, item),
                    None => return Ok(Value::UNBOUND),
                }
            }
            Kind::Object if self.is_tuple(over) => match self.sequence_get(over, position) {
                Some(item) => (position, item),
                None => return Ok(Value::UNBOUND),
            },
            _ => return self.iterator_next_item(at, over, position),
        };
        self.heap.set_value(at, 2, Value::small(position as i32 + 1));
        Ok(item)
    }

    /// By `__getitem__`, until it raises IndexError or StopIteration.
    #[inline(never)]
    fn iterator_next_item(&mut self, at: Ref, over: Value, position: u32) -> Res {
        match self.item(over, Value::small(position as i32), ItemOp::Get) {
            Ok(item) => {
                self.heap.set_value(at, 2, Value::small(position as i32 + 1));
                Ok(item)
            }
            Err(raised) => self.end_at(raised, &[ids::IndexError, ids::StopIteration]),
        }
    }

    /// "Exhausted" if what was raised is one of these exceptions; else it is raised on.
    fn end_at(&mut self, raised: Raised, ends: &[TypeId]) -> Res {
        let exception = self.heap.root(larch_heap::Root::Raised);
        if !ends.iter().any(|end| self.is_a(exception, *end)) {
            return Err(raised);
        }
        self.take_raised();
        Ok(Value::UNBOUND)
    }

    /// An iterator cell of `kind` made of `first` (if it is one) and what is on the stack from `scope` on.
    fn new_compound(&mut self, kind: TypeId, scope: u32) -> Res {
        let count = self.heap.top() - scope;
        let at = self.alloc(Header::new(Kind::Iterator, 1 + count))?;
        self.heap.set_value(at, 0, kind.value());
        for i in 0..count {
            let part = self.heap.stack(scope + i);
            self.heap.set_slot(at, 1 + i, part);
        }
        self.release(scope);
        Ok(at.into())
    }

    /// The next item of an iterator that is part of another one. Such a chain is as long as the program makes it.
    fn next_inner(&mut self, iterator: Value) -> Res {
        match self.heap.as_kind(iterator, Kind::Iterator) {
            Some(at) if self.heap.value(at, 0) != ids::iterator.value() => {
                self.deeper(|vm| vm.next(iterator))
            }
            _ => self.next(iterator),
        }
    }

    /// Puts the next item of each iterator from value `first` of a cell on the stack; false if one is exhausted.
    fn next_of_each(&mut self, at: Ref, first: u32) -> Res<bool> {
        for i in first..self.heap.header(at).count() {
            let iterator = self.heap.slot(at, i);
            let item = self.next_inner(iterator)?;
            if item.is_unbound() {
                return Ok(false);
            }
            self.root(item)?;
        }
        Ok(true)
    }

    /// Puts an iterator over each argument from `first` on, on the stack.
    fn iterate_args(&mut self, args: Args, first: u16) -> Res<()> {
        for i in first..args.positional {
            let iterable = self.arg(args, i);
            let iterator = self.iter(iterable)?;
            self.root(iterator)?;
        }
        Ok(())
    }
}

/// The cell of an iterator value that was checked to be one.
fn cell(iterator: Value) -> Ref {
    iterator.expect_cell("an iterator")
}

fn make_enumerate(vm: &mut Vm, _class: Value, args: Args) -> Res {
    let names = [Qstr::iterable, Qstr::start];
    let [iterable, start] = vm.named_args(args, 0, names, [Value::UNBOUND, Value::small(0)])?;
    if iterable.is_unbound() {
        return Err(vm.raise(ids::TypeError, "'iterable' argument required"));
    }
    vm.int_arg(start)?;
    let iterator = vm.iter(iterable)?;
    let scope = vm.root(iterator)?;
    vm.root(start)?;
    vm.new_compound(ids::enumerate, scope)
}

fn next_enumerate(vm: &mut Vm, enumerate: Value) -> Res {
    let at = cell(enumerate);
    let item = vm.next_inner(vm.heap.value(at, 1))?;
    if item.is_unbound() {
        return Ok(item);
    }
    let number = vm.heap.value(at, 2);
    let scope = vm.root(item)?;
    vm.root(number)?;
    let following = match number.as_small().and_then(|n| Value::try_small(n.wrapping_add(1))) {
        Some(following) => following,
        None => vm.binary(BinaryOp::Add, number, Value::small(1))?,
    };
    vm.heap.set_value(at, 2, following);
    let pair = vm.alloc(Header::new(Kind::Tuple, 2))?;
    vm.heap.set_value(pair, 0, number);
    vm.heap.set_value(pair, 1, item);
    vm.release(scope);
    Ok(pair.into())
}

fn make_filter(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 2, 2)?;
    let function = vm.arg(args, 0);
    let scope = vm.root(function)?;
    vm.iterate_args(args, 1)?;
    vm.new_compound(ids::filter, scope)
}

fn next_filter(vm: &mut Vm, filter: Value) -> Res {
    let at = cell(filter);
    let (function, iterator) = (vm.heap.value(at, 1), vm.heap.value(at, 2));
    let scope = vm.scope();
    loop {
        let item = vm.next_inner(iterator)?;
        if item.is_unbound() {
            return Ok(item);
        }
        vm.root(item)?;
        let answer = match function {
            Value::NONE => item,
            _ => vm.call(function, &[item])?,
        };
        vm.root(answer)?;
        let keep = vm.truth(answer)?;
        vm.release(scope);
        if keep {
            return Ok(item);
        }
    }
}

fn make_map(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 2, u16::MAX)?;
    let function = vm.arg(args, 0);
    let scope = vm.root(function)?;
    vm.iterate_args(args, 1)?;
    vm.new_compound(ids::map, scope)
}

fn next_map(vm: &mut Vm, map: Value) -> Res {
    let at = cell(map);
    let scope = vm.root(vm.heap.value(at, 1))?;
    if !vm.next_of_each(at, 2)? {
        vm.release(scope);
        return Ok(Value::UNBOUND);
    }
    let count = vm.heap.top() - scope - 1;
    let result = vm.call_at(scope, count as u16, 0);
    vm.release(scope);
    result
}

fn make_zip(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 0, u16::MAX)?;
    let scope = vm.scope();
    vm.iterate_args(args, 0)?;
    vm.new_compound(ids::zip, scope)
}

fn next_zip(vm: &mut Vm, zip: Value) -> Res {
    let at = cell(zip);
    let scope = vm.scope();
    if vm.heap.header(at).count() == 1 || !vm.next_of_each(at, 1)? {
        vm.release(scope);
        return Ok(Value::UNBOUND);
    }
    let tuple = vm.new_tuple_from_stack(scope, vm.heap.top() - scope);
    vm.release(scope);
    tuple
}

fn make_reversed(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 1, 1)?;
    let sequence = vm.arg(args, 0);
    if vm.plain_items(sequence).is_none() && vm.heap.as_kind(sequence, Kind::Range).is_none() {
        let method = vm.find_attr(sequence, Qstr::__reversed__)?;
        if !method.is_unbound() {
            return vm.call(method, &[]);
        }
    }
    let len = vm.len(sequence)?;
    let scope = vm.root(sequence)?;
    vm.root(Value::small(len as i32))?;
    vm.new_compound(ids::reversed, scope)
}

fn next_reversed(vm: &mut Vm, reversed: Value) -> Res {
    let at = cell(reversed);
    let left = vm.heap.value(at, 2).small_unchecked();
    if left == 0 {
        return Ok(Value::UNBOUND);
    }
    let index = Value::small(left - 1);
    vm.heap.set_value(at, 2, index);
    let sequence = vm.heap.value(at, 1);
    match vm.plain_items(sequence) {
        Some((cell, first, len)) if (left as u32) <= len => Ok(vm.heap.slot(cell, first + left as u32 - 1)),
        None if let Some(range) = vm.heap.as_kind(sequence, Kind::Range) => {
            vm.range_next(range, left as u32 - 1)
        }
        _ => vm.item(sequence, index, ItemOp::Get),
    }
}
