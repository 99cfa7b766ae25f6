//! `range`, `slice`: cells of start, stop and step.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use super::ids;
use crate::native::{Args, BinaryOp, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::sequence::steps;
use crate::vm::Vm;

/// `range`
pub static RANGE: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print_range),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, range| vm.new_iterator(range)),
    entries: PARTS,
    ..TypeDef::new(Qstr::range)
};

/// `slice`
pub static SLICE: TypeDef = TypeDef {
    print: Some(print_slice),
    unary: Some(slice_unary),
    entries: SLICE_PARTS,
    ..TypeDef::new(Qstr::slice)
};

static PARTS: &[(Qstr, Rom)] = &[
    (Qstr::start, Rom::Getter(|vm, object| Ok(part(vm, object, 0)))),
    (Qstr::stop, Rom::Getter(|vm, object| Ok(part(vm, object, 1)))),
    (Qstr::step, Rom::Getter(|vm, object| Ok(part(vm, object, 2)))),
];

static SLICE_PARTS: &[(Qstr, Rom)] = &[
    (Qstr::start, Rom::Getter(|vm, object| Ok(part(vm, object, 0)))),
    (Qstr::stop, Rom::Getter(|vm, object| Ok(part(vm, object, 1)))),
    (Qstr::step, Rom::Getter(|vm, object| Ok(part(vm, object, 2)))),
    (Qstr::indices, Rom::Fn(Native::F2(indices))),
];

impl Vm {
    /// A slice object.
    pub fn new_slice(&mut self, start: Value, stop: Value, step: Value) -> Res {
        self.alloc_values(Kind::Slice, &[start, stop, step])
    }

    fn new_range(&mut self, start: i64, stop: i64, step: i64) -> Res {
        let scope = self.scope();
        let mut parts = [Value::UNBOUND; 3];
        for (part, number) in parts.iter_mut().zip([start, stop, step]) {
            *part = self.new_int_i64(number)?;
            self.root(*part)?;
        }
        let range = self.alloc_values(Kind::Range, &parts);
        self.release(scope);
        range
    }

    /// A range's start, stop and step.
    fn range_parts(&mut self, range: Ref) -> Res<[i32; 3]> {
        let mut parts = [0; 3];
        for (i, part) in parts.iter_mut().enumerate() {
            let value = self.heap.value(range, i as u32);
            *part = self.int_arg(value)?;
        }
        Ok(parts)
    }

    /// Number `position` of a range; unbound beyond its end.
    #[inline]
    pub(crate) fn range_next(&mut self, range: Ref, position: u32) -> Res {
        let (start, stop, step) =
            (self.heap.value(range, 0), self.heap.value(range, 1), self.heap.value(range, 2));
        if start.both_small(stop) && step.is_small() {
            let step = step.small_unchecked();
            if let Some(number) = (position as i32).checked_mul(step)
                && let Some(number) = number.checked_add(start.small_unchecked())
            {
                let stop = stop.small_unchecked();
                let is_inside = if step > 0 { number < stop } else { number > stop };
                return Ok(if is_inside { Value::small(number) } else { Value::UNBOUND });
            }
        }
        self.range_next_slow(range, position)
    }

    #[cold]
    fn range_next_slow(&mut self, range: Ref, position: u32) -> Res {
        let [start, stop, step] = self.range_parts(range)?;
        if position >= steps(start, stop, step) {
            return Ok(Value::UNBOUND);
        }
        self.new_int_i64(i64::from(start) + i64::from(position) * i64::from(step))
    }
}

fn cell(object: Value) -> Ref {
    object.expect_cell("a range or slice")
}

fn part(vm: &Vm, object: Value, index: u32) -> Value {
    vm.heap.value(cell(vm.native_part(object)), index)
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 1, 3)?;
    let mut numbers = [0i32; 3];
    for i in 0..args.positional {
        let given = vm.arg(args, i);
        numbers[usize::from(i)] = vm.int_arg(given)?;
    }
    let [start, stop, step] = match args.positional {
        1 => [0, numbers[0], 1],
        2 => [numbers[0], numbers[1], 1],
        _ => numbers,
    };
    if step == 0 {
        return Err(vm.raise(ids::ValueError, "zero step"));
    }
    vm.new_range(i64::from(start), i64::from(stop), i64::from(step))
}

fn print_range(vm: &mut Vm, sink: Sink, range: Value, _kind: PrintKind) -> Res<()> {
    let step = part(vm, range, 2);
    let shown = if step == Value::small(1) { 2 } else { 3 };
    print_parts(vm, sink, "range(", range, shown)
}

fn print_slice(vm: &mut Vm, sink: Sink, slice: Value, _kind: PrintKind) -> Res<()> {
    print_parts(vm, sink, "slice(", slice, 3)
}

fn print_parts(vm: &mut Vm, sink: Sink, name: &str, object: Value, shown: u32) -> Res<()> {
    vm.emit_str(sink, name)?;
    for i in 0..shown {
        if i > 0 {
            vm.emit_str(sink, ", ")?;
        }
        let number = part(vm, object, i);
        vm.print_value(sink, number, PrintKind::Repr)?;
    }
    vm.emit_str(sink, ")")
}

fn len(vm: &mut Vm, range: Value) -> Res<u32> {
    let [start, stop, step] = vm.range_parts(cell(range))?;
    Ok(steps(start, stop, step))
}

fn unary(vm: &mut Vm, op: UnaryOp, range: Value) -> Res {
    match op {
        UnaryOp::Bool => Ok(Value::bool(len(vm, range)? > 0)),
        UnaryOp::Len => {
            let len = len(vm, range)?;
            vm.new_int_i64(i64::from(len))
        }
        _ => Ok(Value::UNBOUND),
    }
}

/// Nothing, not even a hash.
fn slice_unary(_vm: &mut Vm, _op: UnaryOp, _slice: Value) -> Res {
    Ok(Value::UNBOUND)
}

fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    match op {
        BinaryOp::Contains => {
            let (Some(number), [start, stop, step]) = (right.as_small(), vm.range_parts(cell(left))?) else {
                // The caller searches by iterating.
                return Ok(Value::UNBOUND);
            };
            let is_between =
                if step > 0 { start <= number && number < stop } else { stop < number && number <= start };
            let distance = i64::from(number) - i64::from(start);
            Ok(Value::bool(is_between && distance % i64::from(step) == 0))
        }
        BinaryOp::Eq | BinaryOp::Ne => {
            let Some(other) = vm.heap.as_kind(vm.native_part(right), Kind::Range) else {
                return Ok(Value::UNBOUND);
            };
            let (a, b) = (vm.range_parts(cell(left))?, vm.range_parts(other)?);
            let (a_len, b_len) = (steps(a[0], a[1], a[2]), steps(b[0], b[1], b[2]));
            let same = a_len == b_len && (a_len == 0 || a[0] == b[0] && (a_len == 1 || a[2] == b[2]));
            Ok(Value::bool(same == (op == BinaryOp::Eq)))
        }
        _ => Ok(Value::UNBOUND),
    }
}

fn item(vm: &mut Vm, range: Value, index: Value, op: ItemOp) -> Res {
    if op != ItemOp::Get {
        return Ok(Value::UNBOUND);
    }
    let [start, stop, step] = vm.range_parts(cell(range))?;
    let len = steps(start, stop, step);
    let (start, step) = (i64::from(start), i64::from(step));
    if vm.heap.as_kind(index, Kind::Slice).is_some() {
        let bounds = vm.slice_of(index, len)?;
        let at = |i: i32| start + step * i64::from(i);
        return vm.new_range(at(bounds.start), at(bounds.stop), step * i64::from(bounds.step));
    }
    let i = vm.index_arg(Qstr::range, len, index)?;
    vm.new_int_i64(start + step * i64::from(i))
}

/// `slice.indices(len)`
fn indices(vm: &mut Vm, slice: Value, len: Value) -> Res {
    let len = vm.int_arg(len)?;
    if len < 0 {
        return Err(vm.raise(ids::ValueError, "length should not be negative"));
    }
    let bounds = vm.slice_of(slice, len as u32)?;
    let first = vm.scope();
    for number in [bounds.start, bounds.stop, bounds.step] {
        let number = vm.new_int_i64(i64::from(number))?;
        vm.root(number)?;
    }
    vm.new_tuple_from_stack(first, 3)
}
