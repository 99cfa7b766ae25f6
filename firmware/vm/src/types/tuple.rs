//! `tuple`: a cell of its items.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::native::{Args, BinaryOp, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `tuple`
pub static TUPLE: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, tuple| vm.new_iterator(tuple)),
    entries: &[
        (Qstr::count, Rom::Fn(Native::F2(Vm::sequence_count))),
        (Qstr::index, Rom::Fn(Native::Var(2, 4, Vm::sequence_index))),
    ],
    ..TypeDef::new(Qstr::tuple)
};

impl Vm {
    /// A tuple of values, which must be alive by themselves.
    pub fn new_tuple(&mut self, items: &[Value]) -> Res {
        let at = self.new_tuple_cell(items.len() as u32)?;
        self.heap.values_mut(at, 0, items.len() as u32).copy_from_slice(items);
        Ok(at.into())
    }

    /// A tuple of `count` unbound items, to be filled.
    #[inline]
    pub fn new_tuple_cell(&mut self, count: u32) -> Res<Ref> {
        if count > Header::MAX_COUNT {
            return Err(self.raise_memory());
        }
        self.alloc(Header::new(Kind::Tuple, count))
    }

    /// A tuple of `count` stack slots from `first` on.
    #[inline]
    pub fn new_tuple_from_stack(&mut self, first: u32, count: u32) -> Res {
        let at = self.new_tuple_cell(count)?;
        for i in 0..count {
            let item = self.heap.stack(first + i);
            self.heap.set_slot(at, i, item);
        }
        Ok(at.into())
    }

    /// A tuple of part of a list or tuple, which must be alive by itself.
    pub fn new_tuple_part(&mut self, sequence: Value, first: u32, count: u32) -> Res {
        let tuple = self.new_tuple_cell(count)?;
        let (cell, base, _) = self.sequence_items(sequence).expect("a list or tuple");
        self.heap.copy(tuple, 0, cell, 4 * (base + first), 4 * count);
        Ok(tuple.into())
    }

    /// `tuple(list)`
    pub fn list_to_tuple(&mut self, list: Ref) -> Res {
        let len = self.list_len(list);
        self.new_tuple_part(list.into(), 0, len)
    }

    /// `tuple()` or `tuple(iterable)`
    pub(super) fn tuple_from_args(&mut self, args: Args) -> Res {
        self.check_args(args, 0, 1)?;
        match self.opt_arg(args, 0) {
            None => self.new_tuple(&[]),
            Some(iterable) => self.tuple_from(iterable),
        }
    }

    /// `tuple(iterable)`
    ///
    /// # Errors
    /// What iterating raises.
    pub fn tuple_from(&mut self, iterable: Value) -> Res {
        if self.heap.as_kind(iterable, Kind::Tuple).is_some() {
            return Ok(iterable);
        }
        if let Some((_, _, len)) = self.plain_items(iterable) {
            return self.new_tuple_part(iterable, 0, len);
        }
        let list = self.list_of(iterable)?;
        let scope = self.root(list)?;
        let tuple = self.list_to_tuple(list.expect_cell("a list"));
        self.release(scope);
        tuple
    }
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.tuple_from_args(args)
}

fn print(vm: &mut Vm, sink: Sink, tuple: Value, _kind: PrintKind) -> Res<()> {
    let inner = vm.native_part(tuple);
    vm.emit_str(sink, "(")?;
    vm.print_items(sink, inner)?;
    let single = vm.sequence_items(inner).is_some_and(|(_, _, len)| len == 1);
    vm.emit_str(sink, if single { ",)" } else { ")" })
}

fn unary(vm: &mut Vm, op: UnaryOp, tuple: Value) -> Res {
    let Some((cell, first, len)) = vm.sequence_items(tuple) else { return Ok(Value::UNBOUND) };
    match op {
        UnaryOp::Bool => Ok(Value::bool(len > 0)),
        UnaryOp::Len => Ok(Value::small(len as i32)),
        UnaryOp::Hash => {
            let mut hash = 0x345678u32;
            for i in 0..len {
                let item = vm.heap.slot(cell, first + i);
                let part = vm.deeper(|vm| vm.hash_of(item))?;
                hash = (hash ^ part).wrapping_mul(0x9e37_79b1).rotate_left(13);
            }
            Ok(Value::small((hash >> 3) as i32))
        }
        _ => Ok(Value::UNBOUND),
    }
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let other = vm.native_part(right);
    match op {
        BinaryOp::Add => {
            if !vm.is_tuple(other) {
                return Ok(Value::UNBOUND);
            }
            concatenate(vm, left, other)
        }
        BinaryOp::Mul => match vm.repeat_count(right)? {
            Some(times) => repeat(vm, left, times),
            None => Ok(Value::UNBOUND),
        },
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            if !vm.is_tuple(other) {
                return Ok(Value::UNBOUND);
            }
            vm.compare_sequences(op, left, other)
        }
        BinaryOp::Contains => Ok(Value::bool(vm.sequence_find(left, right, 0, u32::MAX)?.is_some())),
        _ => Ok(Value::UNBOUND),
    }
}

fn concatenate(vm: &mut Vm, left: Value, right: Value) -> Res {
    let (Some((a, a_first, a_len)), Some((b, b_first, b_len))) =
        (vm.sequence_items(left), vm.sequence_items(right))
    else {
        return Ok(Value::UNBOUND);
    };
    let tuple = vm.new_tuple_cell(a_len + b_len)?;
    vm.heap.copy(tuple, 0, a, 4 * a_first, 4 * a_len);
    vm.heap.copy(tuple, 4 * a_len, b, 4 * b_first, 4 * b_len);
    Ok(tuple.into())
}

fn repeat(vm: &mut Vm, tuple: Value, times: i32) -> Res {
    let Some((cell, first, len)) = vm.sequence_items(tuple) else { return Ok(Value::UNBOUND) };
    let total = vm.repeated_len(len, times)?;
    let new = vm.new_tuple_cell(total)?;
    let mut filled = 0;
    while filled < total {
        vm.heap.copy(new, 4 * filled, cell, 4 * first, 4 * len);
        filled += len;
    }
    Ok(new.into())
}

fn item(vm: &mut Vm, tuple: Value, index: Value, op: ItemOp) -> Res {
    if op != ItemOp::Get {
        return Ok(Value::UNBOUND);
    }
    let Some((cell, first, len)) = vm.sequence_items(tuple) else { return Ok(Value::UNBOUND) };
    if vm.heap.as_kind(index, Kind::Slice).is_some() {
        let bounds = vm.slice_of(index, len)?;
        if bounds.step == 1 {
            return vm.new_tuple_part(tuple, bounds.start as u32, bounds.count);
        }
        let new = vm.new_tuple_cell(bounds.count)?;
        for i in 0..bounds.count {
            let at = (bounds.start + bounds.step * i as i32) as u32;
            let item = vm.heap.slot(cell, first + at);
            vm.heap.set_slot(new, i, item);
        }
        return Ok(new.into());
    }
    let at = vm.index_arg(Qstr::tuple, len, index)?;
    Ok(vm.heap.slot(cell, first + at))
}
