//! What lists and tuples have in common: where their items are, unpacking, comparing, searching, and slices of them.
//!
//! Invariant: comparing runs Python code, and that may change or free a list's storage; so items are looked up again
//! after every comparison and kept alive on the stack during it.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::native::{BinaryOp, Res};
use crate::print::{PrintKind, Sink};
use crate::types::ids;
use crate::vm::{Part, Vm};

/// What a slice of a sequence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Index of the first item.
    pub start: i32,
    /// Where it ends, exclusive.
    pub stop: i32,
    /// From one item to the next; not zero.
    pub step: i32,
    /// How many items that is.
    pub count: u32,
}

impl Vm {
    /// Makes a cell while `keep` is kept alive, at no cost unless a collection is needed.
    ///
    /// # Errors
    /// MemoryError.
    #[inline(always)]
    pub fn alloc_keeping(&mut self, header: Header, keep: Value) -> Res<Ref> {
        if cfg!(not(feature = "gc-stress"))
            && let Some(at) = self.heap.alloc(header)
        {
            return Ok(at);
        }
        self.alloc_keeping_slow(header, keep)
    }

    #[cold]
    #[inline(never)]
    fn alloc_keeping_slow(&mut self, header: Header, keep: Value) -> Res<Ref> {
        let scope = self.root(keep)?;
        let at = self.alloc(header);
        self.release(scope);
        at
    }

    /// The items of a list or tuple: the cell that holds them, the index of the first, and how many there are.
    #[inline(always)]
    pub fn sequence_items(&self, value: Value) -> Option<(Ref, u32, u32)> {
        let at = value.as_cell()?;
        let header = self.heap.header(at);
        if header.kind() == Kind::List {
            let storage = self.list_storage(at).unwrap_or(at);
            return Some((storage, 0, header.count()));
        }
        if header.kind() == Kind::Tuple {
            return Some((at, 0, header.count()));
        }
        self.inner_sequence(at)
    }

    /// As [`Vm::sequence_items`], for tuples with names and for an instance of a Python class that derives from list or
    /// tuple.
    #[inline(never)]
    fn inner_sequence(&self, at: Ref) -> Option<(Ref, u32, u32)> {
        let inner = self.native_part(at.into());
        match inner == Value::cell(at) {
            true => self.named_items(at),
            false => self.sequence_items(inner),
        }
    }

    /// The items of a value that is a list or tuple itself (not of a class derived from them, which may define its own
    /// iteration).
    #[inline(always)]
    pub fn plain_items(&self, value: Value) -> Option<(Ref, u32, u32)> {
        match self.heap.kind_of(value)? {
            Kind::List | Kind::Tuple | Kind::Object => self.sequence_items(value),
            _ => None,
        }
    }

    /// Item `index` of a list or tuple as it is now; `None` beyond its end.
    #[inline(always)]
    pub fn sequence_get(&self, value: Value, index: u32) -> Option<Value> {
        let (cell, first, len) = self.sequence_items(value)?;
        (index < len).then(|| self.heap.slot(cell, first + index))
    }

    // ---- unpacking ----

    /// Spreads an iterable over `count` stack slots from `first_slot` on.
    ///
    /// # Errors
    /// ValueError if it has more or fewer items; what iterating raises.
    #[inline]
    pub fn unpack_to_stack(&mut self, value: Value, first_slot: u32, count: u32) -> Res<()> {
        let Some((cell, first, len)) = self.plain_items(value) else {
            return self.unpack_iterable(value, first_slot, count);
        };
        if len != count {
            return self.unpack_mismatch(len, count);
        }
        for i in 0..count {
            let item = self.heap.slot(cell, first + i);
            self.heap.set_stack(first_slot + i, item);
        }
        Ok(())
    }

    #[cold]
    fn unpack_mismatch(&mut self, len: u32, count: u32) -> Res<()> {
        let parts = if len < count {
            [Part::Text("need more than "), Part::Int(len as i32), Part::Text(" values to unpack")]
        } else {
            [Part::Text("too many values to unpack (expected "), Part::Int(count as i32), Part::Text(")")]
        };
        Err(self.raise_parts(ids::ValueError, &parts))
    }

    #[inline(never)]
    fn unpack_iterable(&mut self, value: Value, first_slot: u32, count: u32) -> Res<()> {
        let scope = self.root(value)?;
        let iterator = self.iter(value)?;
        self.root(iterator)?;
        let items = self.scope();
        for got in 0..count {
            let item = self.next(iterator)?;
            if item.is_unbound() {
                return self.unpack_mismatch(got, count);
            }
            self.root(item)?;
        }
        if !self.next(iterator)?.is_unbound() {
            return self.unpack_mismatch(count + 1, count);
        }
        for i in 0..count {
            let item = self.heap.stack(items + i);
            self.heap.set_stack(first_slot + i, item);
        }
        self.release(scope);
        Ok(())
    }

    /// Spreads an iterable over `before` slots, one slot for a list of what is left, and `after` slots.
    ///
    /// # Errors
    /// ValueError if it has too few items; what iterating raises.
    pub fn unpack_ex(&mut self, value: Value, first_slot: u32, before: u32, after: u32) -> Res<()> {
        let scope = self.root(value)?;
        let mut source = value;
        if self.plain_items(value).is_none() {
            source = self.list_of(value)?;
            self.root(source)?;
        }
        let (_, _, len) = self.sequence_items(source).expect("a list or tuple");
        if len < before + after {
            return self.unpack_mismatch(len, before + after + 1);
        }
        let middle = self.new_list_part(source, before, len - before - after)?;
        let (cell, first, _) = self.sequence_items(source).expect("a list or tuple");
        for i in 0..before {
            let item = self.heap.slot(cell, first + i);
            self.heap.set_stack(first_slot + i, item);
        }
        for i in 0..after {
            let item = self.heap.slot(cell, first + len - after + i);
            self.heap.set_stack(first_slot + before + 1 + i, item);
        }
        self.heap.set_stack(first_slot + before, middle);
        self.release(scope);
        Ok(())
    }

    // ---- comparing and searching ----

    /// `left == right` of values that nothing else may keep alive.
    #[inline]
    pub fn equal_items(&mut self, left: Value, right: Value) -> Res<bool> {
        if left == right {
            return Ok(!self.is_nan(left));
        }
        if left.both_small(right) || left.is_qstr() && right.is_qstr() {
            return Ok(false);
        }
        let scope = self.root(left)?;
        self.root(right)?;
        let same = self.equal(left, right);
        self.release(scope);
        same
    }

    /// A comparison of two lists or of two tuples.
    pub fn compare_sequences(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        let lengths = |vm: &Vm| {
            let len = |value| vm.sequence_items(value).map_or(0, |(_, _, len)| len);
            (len(left), len(right))
        };
        let (left_len, right_len) = lengths(self);
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) && left_len != right_len {
            return Ok(Value::bool(op == BinaryOp::Ne));
        }
        let mut index = 0;
        while let (Some(a), Some(b)) = (self.sequence_get(left, index), self.sequence_get(right, index)) {
            if !self.equal_items(a, b)? {
                return match op {
                    BinaryOp::Eq => Ok(Value::FALSE),
                    BinaryOp::Ne => Ok(Value::TRUE),
                    _ => self.compare_items(op, a, b),
                };
            }
            index += 1;
        }
        let (left_len, right_len) = lengths(self);
        Ok(Value::bool(match op {
            BinaryOp::Eq => left_len == right_len,
            BinaryOp::Ne => left_len != right_len,
            BinaryOp::Lt => left_len < right_len,
            BinaryOp::Le => left_len <= right_len,
            BinaryOp::Gt => left_len > right_len,
            _ => left_len >= right_len,
        }))
    }

    fn compare_items(&mut self, op: BinaryOp, a: Value, b: Value) -> Res {
        let scope = self.root(a)?;
        self.root(b)?;
        let answer = self.deeper(|vm| vm.binary(op, a, b));
        self.release(scope);
        answer
    }

    /// The index of the first item from `start` on, before `stop`, that equals `value`.
    pub fn sequence_find(
        &mut self,
        sequence: Value,
        value: Value,
        start: u32,
        stop: u32,
    ) -> Res<Option<u32>> {
        let mut index = start;
        while index < stop
            && let Some(item) = self.sequence_get(sequence, index)
        {
            if self.equal_items(item, value)? {
                return Ok(Some(index));
            }
            index += 1;
        }
        Ok(None)
    }

    /// `sequence.count(value)`
    pub fn sequence_count(&mut self, sequence: Value, value: Value) -> Res {
        let (mut count, mut from) = (0, 0);
        while let Some(found) = self.sequence_find(sequence, value, from, u32::MAX)? {
            (count, from) = (count + 1, found + 1);
        }
        Ok(Value::small(count))
    }

    /// `sequence.index(value[, start[, stop]])`
    ///
    /// # Errors
    /// ValueError if it is not there.
    pub fn sequence_index(&mut self, args: crate::native::Args) -> Res {
        let (sequence, value) = (self.arg(args, 0), self.arg(args, 1));
        let len = self.sequence_items(sequence).map_or(0, |(_, _, len)| len);
        let mut limits = [0, len];
        for (i, limit) in limits.iter_mut().enumerate() {
            if let Some(given) = self.opt_arg(args, i as u16 + 2) {
                let given = self.int_arg(given)?;
                let place = if given < 0 { given.saturating_add(len as i32).max(0) } else { given };
                *limit = (place as u32).min(len);
            }
        }
        match self.sequence_find(sequence, value, limits[0], limits[1])? {
            Some(index) => Ok(Value::small(index as i32)),
            None => Err(self.raise(ids::ValueError, "object not in sequence")),
        }
    }

    // ---- slices ----

    /// What a slice object means for a sequence of `len` items.
    ///
    /// # Errors
    /// ValueError for step 0, TypeError for what is no int.
    pub fn slice_of(&mut self, slice: Value, len: u32) -> Res<Bounds> {
        let at = self.heap.as_kind(slice, Kind::Slice).expect("a slice");
        let part = |vm: &mut Vm, index| match vm.heap.value(at, index) {
            Value::NONE => Ok(None),
            given => vm.int_arg(given).map(Some),
        };
        let step = part(self, 2)?.unwrap_or(1);
        if step == 0 {
            return Err(self.raise(ids::ValueError, "slice step can't be zero"));
        }
        let len = len as i32;
        let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
        let place = |given: i32| {
            let place = if given < 0 { given.saturating_add(len) } else { given };
            place.clamp(lowest, highest)
        };
        let start = part(self, 0)?.map_or(if step > 0 { lowest } else { highest }, place);
        let stop = part(self, 1)?.map_or(if step > 0 { highest } else { lowest }, place);
        Ok(Bounds { start, stop, step, count: steps(start, stop, step) })
    }

    /// As [`Vm::slice_of`]: start, stop, step and count.
    ///
    /// # Errors
    /// As there.
    pub fn slice_bounds(&mut self, slice: Value, len: u32) -> Res<(i32, i32, i32, u32)> {
        let bounds = self.slice_of(slice, len)?;
        Ok((bounds.start, bounds.stop, bounds.step, bounds.count))
    }

    /// How many items `sequence` has when it is repeated.
    pub(crate) fn repeated_len(&mut self, len: u32, times: i32) -> Res<u32> {
        let total = u64::from(len) * u64::from(times.max(0) as u32);
        if total >= u64::from(Header::MAX_COUNT) {
            return Err(self.raise_memory());
        }
        Ok(total as u32)
    }

    /// Writes the items of a list or tuple, separated by commas.
    pub(crate) fn print_items(&mut self, sink: Sink, sequence: Value) -> Res<()> {
        let mut index = 0;
        while let Some(item) = self.sequence_get(sequence, index) {
            if index > 0 {
                self.emit_str(sink, ", ")?;
            }
            self.print_value(sink, item, PrintKind::Repr)?;
            index += 1;
        }
        Ok(())
    }

    /// The repeat count that an operand of `*` gives, if it is an int.
    pub(crate) fn repeat_count(&mut self, value: Value) -> Res<Option<i32>> {
        self.as_index(value)
    }
}

/// How many steps lead from `start` to before `stop`.
pub(crate) fn steps(start: i32, stop: i32, step: i32) -> u32 {
    let (distance, step) = match step > 0 {
        true if start < stop => (stop.wrapping_sub(start) as u32, step as u32),
        false if start > stop => (start.wrapping_sub(stop) as u32, step.unsigned_abs()),
        _ => return 0,
    };
    if step == 1 { distance } else { (distance - 1) / step + 1 }
}

/// The name by which index errors call a list.
pub(crate) const LIST: Qstr = Qstr::list;

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn steps_are_as_many_as_a_loop_makes() {
        for start in -7..7 {
            for stop in -7..7 {
                for step in [-3, -2, -1, 1, 2, 3, 100] {
                    let (mut count, mut at) = (0, start);
                    while if step > 0 { at < stop } else { at > stop } {
                        (count, at) = (count + 1, at + step);
                    }
                    assert_eq!(steps(start, stop, step), count, "{start}..{stop} by {step}");
                }
            }
        }
        assert_eq!(steps(i32::MIN, i32::MAX, 1), u32::MAX);
        assert_eq!(steps(i32::MAX, i32::MIN, i32::MIN), 2);
    }
}
