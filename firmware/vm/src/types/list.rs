//! `list`: its length, and a `Slots` cell with room for more items (unbound while there was never one).
//!
//! Invariants: places at and above the length are unbound, so that nothing dead is kept alive; the length never exceeds
//! the storage. Growth doubles, in place where the memory behind is free.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::ids;
use crate::native::{Args, BinaryOp, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::sequence::LIST as NAME;
use crate::vm::{Part, Vm};

/// `list`
pub static LIST: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, list| vm.new_iterator(list)),
    entries: &[
        (Qstr::append, Rom::Fn(Native::F2(append))),
        (Qstr::clear, Rom::Fn(Native::F1(clear))),
        (Qstr::copy, Rom::Fn(Native::F1(copy))),
        (Qstr::count, Rom::Fn(Native::F2(Vm::sequence_count))),
        (Qstr::extend, Rom::Fn(Native::F2(extend))),
        (Qstr::index, Rom::Fn(Native::Var(2, 4, Vm::sequence_index))),
        (Qstr::insert, Rom::Fn(Native::F3(insert))),
        (Qstr::pop, Rom::Fn(Native::Var(1, 2, pop))),
        (Qstr::remove, Rom::Fn(Native::F2(remove))),
        (Qstr::reverse, Rom::Fn(Native::F1(reverse))),
        (Qstr::sort, Rom::Fn(Native::Kw(1, u8::MAX, sort))),
    ],
    ..TypeDef::new(Qstr::list)
};

/// Longest list whose storage doubles; longer ones grow by half.
const DOUBLING: u32 = 1023;

impl Vm {
    // ---- making ----

    /// A list of values, which must be alive by themselves.
    pub fn new_list(&mut self, items: &[Value]) -> Res {
        let (list, storage) = self.new_list_cells(items.len() as u32)?;
        if let Some(storage) = storage {
            self.heap.values_mut(storage, 0, items.len() as u32).copy_from_slice(items);
        }
        Ok(list.into())
    }

    /// A list of `len` items, which are still unbound, and its storage (if `len` is not 0).
    #[inline]
    pub fn new_list_cells(&mut self, len: u32) -> Res<(Ref, Option<Ref>)> {
        if len == 0 {
            return Ok((self.alloc(Header::new(Kind::List, 0))?, None));
        }
        if len > Header::MAX_COUNT - 2 {
            return Err(self.raise_memory_of(i64::from(len) * 4));
        }
        // A cell is a multiple of two words, header included.
        let storage = self.alloc(Header::new(Kind::Slots, len | 1))?;
        let list = self.alloc_keeping(Header::new(Kind::List, len), storage.into())?;
        self.heap.set_value(list, 0, storage.into());
        Ok((list, Some(storage)))
    }

    /// A list of `count` stack slots from `first` on.
    #[inline]
    pub fn new_list_from_stack(&mut self, first: u32, count: u32) -> Res {
        let (list, storage) = self.new_list_cells(count)?;
        if let Some(storage) = storage {
            for i in 0..count {
                let item = self.heap.stack(first + i);
                self.heap.set_slot(storage, i, item);
            }
        }
        Ok(list.into())
    }

    /// A list of part of a list or tuple, which must be alive by itself.
    pub fn new_list_part(&mut self, sequence: Value, first: u32, count: u32) -> Res {
        let (list, storage) = self.new_list_cells(count)?;
        if let Some(storage) = storage {
            let (cell, base, _) = self.sequence_items(sequence).expect("a list or tuple");
            self.heap.copy(storage, 0, cell, 4 * (base + first), 4 * count);
        }
        Ok(list.into())
    }

    /// `list(iterable)`
    ///
    /// # Errors
    /// What iterating raises.
    pub fn list_of(&mut self, iterable: Value) -> Res {
        if let Some((_, _, len)) = self.plain_items(iterable) {
            return self.new_list_part(iterable, 0, len);
        }
        let (list, _) = self.new_list_cells(0)?;
        let scope = self.root(list.into())?;
        self.list_extend(list, iterable)?;
        self.release(scope);
        Ok(list.into())
    }

    // ---- reading ----

    /// How many items a list has.
    #[inline(always)]
    pub fn list_len(&self, list: Ref) -> u32 {
        self.heap.header(list).count()
    }

    /// Where a list's items are; none if it never had any.
    #[inline(always)]
    pub(crate) fn list_storage(&self, list: Ref) -> Option<Ref> {
        self.heap.value(list, 0).as_cell()
    }

    /// Item `i` of a list that has more than `i`.
    #[inline(always)]
    pub fn list_get(&self, list: Ref, i: u32) -> Value {
        match self.list_storage(list) {
            Some(storage) => self.heap.slot(storage, i),
            None => Value::UNBOUND,
        }
    }

    /// Sets item `i` of a list that has more than `i`.
    #[inline(always)]
    pub fn list_set(&mut self, list: Ref, i: u32, value: Value) {
        if let Some(storage) = self.list_storage(list) {
            self.heap.set_slot(storage, i, value);
        }
    }

    // ---- growing and shrinking ----

    /// Adds an item at the end.
    ///
    /// # Errors
    /// MemoryError.
    #[inline(always)]
    pub fn list_append(&mut self, list: Ref, value: Value) -> Res<()> {
        let len = self.list_len(list);
        if let Some(storage) = self.list_storage(list)
            && len < self.heap.header(storage).count()
        {
            self.heap.set_slot(storage, len, value);
            self.heap.set_list_len(list, len + 1);
            return Ok(());
        }
        self.list_append_growing(list, value)
    }

    #[cold]
    #[inline(never)]
    fn list_append_growing(&mut self, list: Ref, value: Value) -> Res<()> {
        let len = self.list_len(list);
        let scope = self.root(value)?;
        let storage = self.list_room(list, len + 1)?;
        self.release(scope);
        self.heap.set_slot(storage, len, value);
        self.heap.set_list_len(list, len + 1);
        Ok(())
    }

    /// The storage of a list, with room for `wanted` items.
    ///
    /// # Errors
    /// MemoryError.
    pub fn list_room(&mut self, list: Ref, wanted: u32) -> Res<Ref> {
        let old = self.list_storage(list);
        let capacity = old.map_or(0, |storage| self.heap.header(storage).count());
        if let Some(old) = old
            && wanted <= capacity
        {
            return Ok(old);
        }
        if wanted > Header::MAX_COUNT - 2 {
            return Err(self.raise_memory_of(i64::from(wanted) * 4));
        }
        let grown = if capacity < DOUBLING { 2 * capacity + 1 } else { capacity + capacity / 2 };
        let target = (grown.max(wanted).max(3) | 1).min(Header::MAX_COUNT);
        if let Some(old) = old
            && (self.heap.resize(old, target) || self.heap.resize(old, wanted | 1) && wanted > capacity + 16)
        {
            return Ok(old);
        }
        let new = match self.alloc_keeping(Header::new(Kind::Slots, target), list.into()) {
            // Doubling asks for much; what is needed may fit.
            Err(_) if target > wanted + wanted / 8 + 8 => {
                self.take_raised();
                self.alloc_keeping(Header::new(Kind::Slots, (wanted + wanted / 16) | 1), list.into())?
            }
            new => new?,
        };
        if let Some(old) = old {
            let len = self.list_len(list);
            self.heap.copy(new, 0, old, 0, 4 * len);
            self.heap.free(old);
        }
        self.heap.set_value(list, 0, new.into());
        Ok(new)
    }

    /// Sets a shorter length; what is beyond is forgotten, and memory given back if most of it is unused.
    pub fn list_truncate(&mut self, list: Ref, len: u32) {
        let Some(storage) = self.list_storage(list) else { return };
        let old = self.list_len(list);
        for i in len..old {
            self.heap.set_slot(storage, i, Value::UNBOUND);
        }
        self.heap.set_list_len(list, len);
        let capacity = self.heap.header(storage).count();
        if capacity > 16 && len < capacity / 4 {
            self.heap.resize(storage, (2 * len) | 1);
        }
    }

    /// Makes room for `more` items at `at`; they are unbound (or stale) until set. The storage is returned.
    fn list_open(&mut self, list: Ref, at: u32, more: u32) -> Res<Ref> {
        let len = self.list_len(list);
        let storage = self.list_room(list, len.saturating_add(more))?;
        self.heap.copy(storage, 4 * (at + more), storage, 4 * at, 4 * (len - at));
        self.heap.set_list_len(list, len + more);
        Ok(storage)
    }

    /// Removes `count` items from `at` on.
    pub fn list_cut(&mut self, list: Ref, at: u32, count: u32) {
        let len = self.list_len(list);
        if let Some(storage) = self.list_storage(list) {
            self.heap.copy(storage, 4 * at, storage, 4 * (at + count), 4 * (len - at - count));
        }
        self.list_truncate(list, len - count);
    }

    /// Adds every item of an iterable at the end. The list must be alive by itself.
    ///
    /// # Errors
    /// What iterating raises; MemoryError.
    pub fn list_extend(&mut self, list: Ref, iterable: Value) -> Res<()> {
        let Some((_, _, more)) = self.plain_items(iterable) else {
            return self.for_each(iterable, |vm, item| vm.list_append(list, item).map(|()| true));
        };
        if more == 0 {
            return Ok(());
        }
        let len = self.list_len(list);
        let scope = self.root(iterable)?;
        let storage = self.list_room(list, len.saturating_add(more))?;
        self.release(scope);
        // The list may be extended by itself: its items are where they are now.
        let (cell, first, _) = self.sequence_items(iterable).expect("a list or tuple");
        self.heap.copy(storage, 4 * len, cell, 4 * first, 4 * more);
        self.heap.set_list_len(list, len + more);
        Ok(())
    }

    /// Removes item `at`, which exists.
    pub fn list_remove(&mut self, list: Ref, at: u32) -> Value {
        let item = self.list_get(list, at);
        self.list_cut(list, at, 1);
        item
    }

    /// Raises TypeError if a type is called with keyword arguments or the wrong number of others.
    ///
    /// # Errors
    /// That.
    #[inline]
    pub fn check_args(&mut self, args: Args, least: u16, most: u16) -> Res<()> {
        if args.keywords == 0 && args.positional >= least && args.positional <= most {
            return Ok(());
        }
        self.wrong_args(args, least, most)
    }

    #[cold]
    fn wrong_args(&mut self, args: Args, least: u16, most: u16) -> Res<()> {
        if args.keywords > 0 {
            return Err(self.raise(ids::TypeError, "function doesn't take keyword arguments"));
        }
        let given = i32::from(args.positional);
        let wanted = |n: u16| Part::Int(i32::from(n));
        let parts = if least == most {
            [
                Part::Text("function takes "),
                wanted(least),
                Part::Text(" positional arguments but "),
                Part::Int(given),
                Part::Text(" were given"),
            ]
        } else if args.positional < least {
            let missing = Part::Int(i32::from(least) - given);
            let text = Part::Text("function missing ");
            [text, missing, Part::Text(" required positional arguments"), Part::Text(""), Part::Text("")]
        } else {
            let text = Part::Text("function expected at most ");
            [text, wanted(most), Part::Text(" arguments, got "), Part::Int(given), Part::Text("")]
        };
        Err(self.raise_parts(ids::TypeError, &parts))
    }
}

/// The cell of a list value that was checked to be one.
fn cell(list: Value) -> Ref {
    list.expect_cell("a list")
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 0, 1)?;
    match vm.opt_arg(args, 0) {
        None => vm.new_list(&[]),
        Some(iterable) => vm.list_of(iterable),
    }
}

fn print(vm: &mut Vm, sink: Sink, list: Value, _kind: PrintKind) -> Res<()> {
    let inner = vm.native_part(list);
    vm.emit_str(sink, "[")?;
    vm.print_items(sink, inner)?;
    vm.emit_str(sink, "]")
}

fn unary(vm: &mut Vm, op: UnaryOp, list: Value) -> Res {
    let len = vm.list_len(cell(list));
    match op {
        UnaryOp::Bool => Ok(Value::bool(len > 0)),
        UnaryOp::Len => Ok(Value::small(len as i32)),
        _ => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    match op {
        BinaryOp::Contains => Ok(Value::bool(vm.sequence_find(left, right, 0, u32::MAX)?.is_some())),
        BinaryOp::IAdd => {
            vm.list_extend(cell(left), right)?;
            Ok(left)
        }
        BinaryOp::Mul => match vm.repeat_count(right)? {
            Some(times) => repeat(vm, left, times),
            None => Ok(Value::UNBOUND),
        },
        BinaryOp::IMul => match vm.repeat_count(right)? {
            Some(times) => repeat_in_place(vm, left, times),
            None => Ok(Value::UNBOUND),
        },
        BinaryOp::Add
        | BinaryOp::Eq
        | BinaryOp::Ne
        | BinaryOp::Lt
        | BinaryOp::Le
        | BinaryOp::Gt
        | BinaryOp::Ge => {
            let other = vm.native_part(right);
            if vm.heap.as_kind(other, Kind::List).is_none() {
                return Ok(Value::UNBOUND);
            }
            if op == BinaryOp::Add {
                return concatenate(vm, left, other);
            }
            vm.compare_sequences(op, left, other)
        }
        _ => Ok(Value::UNBOUND),
    }
}

fn concatenate(vm: &mut Vm, left: Value, right: Value) -> Res {
    let (a_len, b_len) = (vm.list_len(cell(left)), vm.list_len(cell(right)));
    let (list, storage) = vm.new_list_cells(a_len + b_len)?;
    if let (Some(storage), Some((a, ..)), Some((b, ..))) =
        (storage, vm.sequence_items(left), vm.sequence_items(right))
    {
        vm.heap.copy(storage, 0, a, 0, 4 * a_len);
        vm.heap.copy(storage, 4 * a_len, b, 0, 4 * b_len);
    }
    Ok(list.into())
}

/// Fills places `len..total` of a storage with copies of its first `len`.
fn fill(vm: &mut Vm, storage: Ref, len: u32, total: u32) {
    let mut filled = len;
    while filled < total {
        let part = filled.min(total - filled);
        vm.heap.copy(storage, 4 * filled, storage, 0, 4 * part);
        filled += part;
    }
}

fn repeat(vm: &mut Vm, list: Value, times: i32) -> Res {
    let len = vm.list_len(cell(list));
    let total = vm.repeated_len(len, times)?;
    let (new, storage) = vm.new_list_cells(total)?;
    if let (Some(storage), Some((from, ..))) = (storage, vm.sequence_items(list)) {
        vm.heap.copy(storage, 0, from, 0, 4 * len);
        fill(vm, storage, len, total);
    }
    Ok(new.into())
}

fn repeat_in_place(vm: &mut Vm, list: Value, times: i32) -> Res {
    let len = vm.list_len(cell(list));
    let total = vm.repeated_len(len, times)?;
    if total <= len {
        vm.list_truncate(cell(list), total);
        return Ok(list);
    }
    let storage = vm.list_room(cell(list), total)?;
    fill(vm, storage, len, total);
    vm.heap.set_list_len(cell(list), total);
    Ok(list)
}

fn item(vm: &mut Vm, list: Value, index: Value, op: ItemOp) -> Res {
    let at = cell(list);
    if vm.heap.as_kind(index, Kind::Slice).is_some() {
        return match op {
            ItemOp::Get => get_slice(vm, list, index),
            ItemOp::Set(value) => set_slice(vm, at, index, value),
            ItemOp::Delete => delete_slice(vm, at, index),
        };
    }
    let i = vm.index_arg(NAME, vm.list_len(at), index)?;
    match op {
        ItemOp::Get => return Ok(vm.list_get(at, i)),
        ItemOp::Set(value) => vm.list_set(at, i, value),
        ItemOp::Delete => vm.list_cut(at, i, 1),
    }
    Ok(Value::NONE)
}

fn get_slice(vm: &mut Vm, list: Value, slice: Value) -> Res {
    let bounds = vm.slice_of(slice, vm.list_len(cell(list)))?;
    if bounds.step == 1 {
        return vm.new_list_part(list, bounds.start as u32, bounds.count);
    }
    let (new, storage) = vm.new_list_cells(bounds.count)?;
    if let Some(storage) = storage {
        for i in 0..bounds.count {
            let item = vm.list_get(cell(list), (bounds.start + bounds.step * i as i32) as u32);
            vm.heap.set_slot(storage, i, item);
        }
    }
    Ok(new.into())
}

fn set_slice(vm: &mut Vm, list: Ref, slice: Value, value: Value) -> Res {
    let bounds = vm.slice_of(slice, vm.list_len(list))?;
    if bounds.step != 1 {
        return Err(vm.raise_empty(ids::NotImplementedError));
    }
    let mut items = value;
    let scope = vm.scope();
    if vm.heap.as_kind(value, Kind::Tuple).is_none() {
        if value.is_small() || value.is_none() {
            let parts = [Part::Text("object '"), Part::TypeOf(value), Part::Text("' isn't a tuple or list")];
            return Err(vm.raise_parts(ids::TypeError, &parts));
        }
        // A copy, because the items may be this list's own.
        items = vm.list_of(value)?;
        vm.root(items)?;
    }
    // Iterating may have changed the list.
    let len = vm.list_len(list);
    let start = (bounds.start as u32).min(len);
    let gone = bounds.count.min(len - start);
    let (_, _, new) = vm.sequence_items(items).expect("a list or tuple");
    if new > gone {
        vm.list_open(list, start + gone, new - gone)?;
    } else if new < gone {
        vm.list_cut(list, start + new, gone - new);
    }
    if let (Some(storage), Some((cell, first, _))) = (vm.list_storage(list), vm.sequence_items(items)) {
        vm.heap.copy(storage, 4 * start, cell, 4 * first, 4 * new);
    }
    vm.release(scope);
    Ok(Value::NONE)
}

fn delete_slice(vm: &mut Vm, list: Ref, slice: Value) -> Res {
    let bounds = vm.slice_of(slice, vm.list_len(list))?;
    if bounds.step != 1 {
        return Err(vm.raise_empty(ids::NotImplementedError));
    }
    vm.list_cut(list, bounds.start as u32, bounds.count);
    Ok(Value::NONE)
}

fn append(vm: &mut Vm, list: Value, value: Value) -> Res {
    vm.list_append(cell(list), value)?;
    Ok(Value::NONE)
}

fn clear(vm: &mut Vm, list: Value) -> Res {
    let at = cell(list);
    vm.heap.set_list_len(at, 0);
    if let Some(storage) = vm.list_storage(at) {
        vm.heap.set_value(at, 0, Value::UNBOUND);
        vm.heap.free(storage);
    }
    Ok(Value::NONE)
}

fn copy(vm: &mut Vm, list: Value) -> Res {
    let len = vm.list_len(cell(list));
    vm.new_list_part(list, 0, len)
}

fn extend(vm: &mut Vm, list: Value, iterable: Value) -> Res {
    vm.list_extend(cell(list), iterable)?;
    Ok(Value::NONE)
}

fn insert(vm: &mut Vm, list: Value, index: Value, value: Value) -> Res {
    let index = vm.int_arg(index)?;
    let len = vm.list_len(cell(list));
    let at = if index < 0 { index.saturating_add(len as i32).max(0) as u32 } else { (index as u32).min(len) };
    let storage = vm.list_open(cell(list), at, 1)?;
    vm.heap.set_slot(storage, at, value);
    Ok(Value::NONE)
}

fn pop(vm: &mut Vm, args: Args) -> Res {
    let list = cell(vm.arg(args, 0));
    let len = vm.list_len(list);
    if len == 0 {
        return Err(vm.raise(ids::IndexError, "pop from empty list"));
    }
    match vm.opt_arg(args, 1) {
        None => {
            let item = vm.list_get(list, len - 1);
            vm.list_truncate(list, len - 1);
            Ok(item)
        }
        Some(index) => {
            let at = vm.index_arg(NAME, len, index)?;
            Ok(vm.list_remove(list, at))
        }
    }
}

fn remove(vm: &mut Vm, list: Value, value: Value) -> Res {
    match vm.sequence_find(list, value, 0, u32::MAX)? {
        Some(at) if at < vm.list_len(cell(list)) => {
            vm.list_cut(cell(list), at, 1);
            Ok(Value::NONE)
        }
        _ => Err(vm.raise(ids::ValueError, "object not in sequence")),
    }
}

fn reverse(vm: &mut Vm, list: Value) -> Res {
    let at = cell(list);
    let len = vm.list_len(at);
    if let Some(storage) = vm.list_storage(at) {
        vm.heap.values_mut(storage, 0, len).reverse();
    }
    Ok(Value::NONE)
}

fn sort(vm: &mut Vm, args: Args) -> Res {
    let list = cell(vm.arg(args, 0));
    if args.positional > 1 {
        return Err(vm.raise(ids::TypeError, "extra positional arguments given"));
    }
    let names = [Qstr::key, Qstr::reverse];
    let [key, reverse] = vm.named_args(args, 1, names, [Value::NONE, Value::FALSE])?;
    let reverse = vm.truth(reverse)?;
    vm.sort_list(list, key, reverse)?;
    Ok(Value::NONE)
}
