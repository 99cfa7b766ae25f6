//! `deque`: a ring of at most `maxlen` items. A cell of type, storage (`Slots`, unbound while empty), index of the first
//! item, length, `maxlen` and flags (small ints).

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::ids;
use crate::native::{Args, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::vm::Vm;

/// `deque`
pub static DEQUE: TypeDef = TypeDef {
    make: Some(make),
    unary: Some(unary),
    item: Some(item),
    iter: Some(|vm, deque| vm.new_iterator(deque)),
    entries: &[
        (Qstr::append, Rom::Fn(Native::F2(append))),
        (Qstr::appendleft, Rom::Fn(Native::F2(append_left))),
        (Qstr::extend, Rom::Fn(Native::F2(extend))),
        (Qstr::pop, Rom::Fn(Native::F1(pop))),
        (Qstr::popleft, Rom::Fn(Native::F1(pop_left))),
    ],
    ..TypeDef::new(Qstr::deque)
};

const STORAGE: u32 = 1;
const FIRST: u32 = 2;
const LEN: u32 = 3;
const MAXLEN: u32 = 4;
const FLAGS: u32 = 5;
/// Flag: appending to a full deque raises instead of dropping the item at the other end.
const CHECK_OVERFLOW: u32 = 1;

/// The cell of a deque value that was checked to be one.
fn cell(deque: Value) -> Ref {
    deque.expect_cell("a deque")
}

fn field(vm: &Vm, at: Ref, field: u32) -> u32 {
    vm.heap.value(at, field).small_unchecked() as u32
}

fn set_field(vm: &mut Vm, at: Ref, field: u32, number: u32) {
    vm.heap.set_value(at, field, Value::small(number as i32));
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 2, 3)?;
    let (items, maxlen) = (vm.arg(args, 0), vm.arg(args, 1));
    let maxlen = vm.int_arg(maxlen)?;
    if maxlen < 0 {
        return Err(vm.raise_empty(ids::ValueError));
    }
    if maxlen as u32 >= Header::MAX_COUNT {
        return Err(vm.raise_memory());
    }
    let flags = match vm.opt_arg(args, 2) {
        Some(flags) => vm.int_arg(flags)?,
        None => 0,
    };
    let at = vm.alloc(Header::new(Kind::Object, 6))?;
    vm.heap.set_value(at, 0, ids::deque.value());
    vm.root(at.into())?;
    for (index, number) in
        [(FIRST, 0), (LEN, 0), (MAXLEN, maxlen as u32), (FLAGS, flags as u32 & CHECK_OVERFLOW)]
    {
        set_field(vm, at, index, number);
    }
    extend(vm, at.into(), items)?;
    Ok(at.into())
}

/// The item at `index`, if there are so many.
pub(super) fn get(vm: &Vm, at: Ref, index: u32) -> Option<Value> {
    if index >= field(vm, at, LEN) {
        return None;
    }
    let storage = vm.heap.value(at, STORAGE).as_cell()?;
    Some(vm.heap.slot(storage, place(vm, at, storage, index)))
}

/// Where item `index` is in the storage.
fn place(vm: &Vm, at: Ref, storage: Ref, index: u32) -> u32 {
    let capacity = vm.heap.header(storage).count();
    let place = field(vm, at, FIRST) + index;
    if place >= capacity { place - capacity } else { place }
}

/// The storage with room for one more. The deque and `value` must be alive.
fn room(vm: &mut Vm, at: Ref, value: Value) -> Res<Ref> {
    let (len, maxlen) = (field(vm, at, LEN), field(vm, at, MAXLEN));
    let old = vm.heap.value(at, STORAGE).as_cell();
    if let Some(storage) = old
        && len < vm.heap.header(storage).count()
    {
        return Ok(storage);
    }
    let scope = vm.root(value)?;
    let capacity = (2 * len + 1).max(3).min(maxlen | 1).max(len + 1);
    let storage = vm.alloc(Header::new(Kind::Slots, capacity))?;
    vm.release(scope);
    for index in 0..len {
        let item = get(vm, at, index).unwrap_or(Value::NONE);
        vm.heap.set_slot(storage, index, item);
    }
    if let Some(old) = old {
        vm.heap.free(old);
    }
    vm.heap.set_value(at, STORAGE, storage.into());
    set_field(vm, at, FIRST, 0);
    Ok(storage)
}

fn take(vm: &mut Vm, at: Ref, index: u32) -> Value {
    let Some(storage) = vm.heap.value(at, STORAGE).as_cell() else { return Value::UNBOUND };
    let place = place(vm, at, storage, index);
    let item = vm.heap.slot(storage, place);
    vm.heap.set_slot(storage, place, Value::UNBOUND);
    item
}

fn pop_left(vm: &mut Vm, deque: Value) -> Res {
    let at = cell(deque);
    let len = field(vm, at, LEN);
    if len == 0 {
        return Err(vm.raise(ids::IndexError, "empty"));
    }
    let item = take(vm, at, 0);
    let first = vm.heap.value(at, STORAGE).as_cell().map_or(0, |storage| place(vm, at, storage, 1));
    set_field(vm, at, FIRST, first);
    set_field(vm, at, LEN, len - 1);
    Ok(item)
}

fn pop(vm: &mut Vm, deque: Value) -> Res {
    let at = cell(deque);
    let len = field(vm, at, LEN);
    if len == 0 {
        return Err(vm.raise(ids::IndexError, "empty"));
    }
    let item = take(vm, at, len - 1);
    set_field(vm, at, LEN, len - 1);
    Ok(item)
}

/// Drops an item from the other end if the deque is full. False: nothing fits at all.
fn make_room(vm: &mut Vm, deque: Value, drop: fn(&mut Vm, Value) -> Res) -> Res<bool> {
    let at = cell(deque);
    if field(vm, at, LEN) < field(vm, at, MAXLEN) {
        return Ok(true);
    }
    if field(vm, at, FLAGS) & CHECK_OVERFLOW != 0 {
        return Err(vm.raise(ids::IndexError, "full"));
    }
    if field(vm, at, MAXLEN) == 0 {
        return Ok(false);
    }
    drop(vm, deque)?;
    Ok(true)
}

fn append(vm: &mut Vm, deque: Value, value: Value) -> Res {
    let at = cell(deque);
    if make_room(vm, deque, pop_left)? {
        let storage = room(vm, at, value)?;
        let len = field(vm, at, LEN);
        let place = place(vm, at, storage, len);
        vm.heap.set_slot(storage, place, value);
        set_field(vm, at, LEN, len + 1);
    }
    Ok(Value::NONE)
}

fn append_left(vm: &mut Vm, deque: Value, value: Value) -> Res {
    let at = cell(deque);
    if make_room(vm, deque, pop)? {
        let storage = room(vm, at, value)?;
        let capacity = vm.heap.header(storage).count();
        let first = (field(vm, at, FIRST) + capacity - 1) % capacity;
        vm.heap.set_slot(storage, first, value);
        set_field(vm, at, FIRST, first);
        let len = field(vm, at, LEN);
        set_field(vm, at, LEN, len + 1);
    }
    Ok(Value::NONE)
}

fn extend(vm: &mut Vm, deque: Value, items: Value) -> Res {
    vm.for_each(items, |vm, item| append(vm, deque, item).map(|_| true))?;
    Ok(Value::NONE)
}

fn unary(vm: &mut Vm, op: UnaryOp, deque: Value) -> Res {
    let len = field(vm, cell(deque), LEN);
    match op {
        UnaryOp::Bool => Ok(Value::bool(len > 0)),
        UnaryOp::Len => Ok(Value::small(len as i32)),
        _ => Ok(Value::UNBOUND),
    }
}

fn item(vm: &mut Vm, deque: Value, index: Value, op: ItemOp) -> Res {
    let at = cell(deque);
    if op == ItemOp::Delete {
        return Ok(Value::UNBOUND);
    }
    let index = vm.index_arg(Qstr::deque, field(vm, at, LEN), index)?;
    match (op, vm.heap.value(at, STORAGE).as_cell()) {
        (ItemOp::Set(value), Some(storage)) => {
            let place = place(vm, at, storage, index);
            vm.heap.set_slot(storage, place, value);
            Ok(Value::NONE)
        }
        _ => Ok(get(vm, at, index).unwrap_or(Value::NONE)),
    }
}
