//! `heapq`: priority queues in lists.
//!
//! Comparing runs Python code that may change the list; positions are therefore checked against its length each time.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use crate::native::{BinaryOp, ModuleDef, Native, Res, Rom};
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static HEAPQ: ModuleDef = ModuleDef {
    name: Qstr::heapq,
    entries: &[
        (Qstr::__name__, Rom::Str(Qstr::heapq)),
        (Qstr::heappush, Rom::Fn(Native::F2(push))),
        (Qstr::heappop, Rom::Fn(Native::F1(pop))),
        (Qstr::heapify, Rom::Fn(Native::F1(heapify))),
    ],
    attr: None,
};

/// The list that a heap is.
fn list_arg(vm: &mut Vm, heap: Value) -> Res<Ref> {
    match vm.heap.as_kind(vm.native_part(heap), Kind::List) {
        Some(list) => Ok(list),
        None => Err(vm.raise(ids::TypeError, "heap must be a list")),
    }
}

fn get(vm: &Vm, list: Ref, index: u32) -> Option<Value> {
    (index < vm.list_len(list)).then(|| vm.list_get(list, index))
}

fn set(vm: &mut Vm, list: Ref, index: u32, item: Value) {
    if index < vm.list_len(list) {
        vm.list_set(list, index, item);
    }
}

fn less(vm: &mut Vm, a: Value, b: Value) -> Res<bool> {
    if a.both_small(b) {
        return Ok(a.small_unchecked() < b.small_unchecked());
    }
    let scope = vm.root(a)?;
    vm.root(b)?;
    let answer = vm.binary(BinaryOp::Lt, a, b)?;
    vm.release(scope);
    vm.truth(answer)
}

/// Moves an item towards the root, to its place at or after `start`.
fn sift_down(vm: &mut Vm, list: Ref, start: u32, mut position: u32) -> Res<()> {
    let Some(item) = get(vm, list, position) else { return Ok(()) };
    let scope = vm.root(item)?;
    while position > start {
        let above = (position - 1) / 2;
        let Some(parent) = get(vm, list, above) else { break };
        if !less(vm, item, parent)? {
            break;
        }
        set(vm, list, position, parent);
        set(vm, list, above, item);
        position = above;
    }
    vm.release(scope);
    Ok(())
}

/// Moves an item to a leaf along the smaller children, then back up to its place.
fn sift_up(vm: &mut Vm, list: Ref, start: u32) -> Res<()> {
    let mut position = start;
    let Some(item) = get(vm, list, position) else { return Ok(()) };
    let scope = vm.root(item)?;
    while let Some(left) = get(vm, list, 2 * position + 1) {
        let mut child = 2 * position + 1;
        if let Some(right) = get(vm, list, child + 1)
            && !less(vm, left, right)?
        {
            child += 1;
        }
        let Some(smaller) = get(vm, list, child) else { break };
        set(vm, list, position, smaller);
        set(vm, list, child, item);
        position = child;
    }
    vm.release(scope);
    sift_down(vm, list, start, position)
}

fn push(vm: &mut Vm, heap: Value, item: Value) -> Res {
    let list = list_arg(vm, heap)?;
    vm.list_append(list, item)?;
    sift_down(vm, list, 0, vm.list_len(list) - 1)?;
    Ok(Value::NONE)
}

fn pop(vm: &mut Vm, heap: Value) -> Res {
    let list = list_arg(vm, heap)?;
    let len = vm.list_len(list);
    if len == 0 {
        return Err(vm.raise(ids::IndexError, "empty heap"));
    }
    let (item, last) = (vm.list_get(list, 0), vm.list_get(list, len - 1));
    vm.root(item)?;
    vm.list_truncate(list, len - 1);
    set(vm, list, 0, last);
    sift_up(vm, list, 0)?;
    Ok(item)
}

fn heapify(vm: &mut Vm, heap: Value) -> Res {
    let list = list_arg(vm, heap)?;
    for position in (0..vm.list_len(list) / 2).rev() {
        sift_up(vm, list, position)?;
    }
    Ok(Value::NONE)
}
