//! What a port knows by number (files, sockets, sessions), held by objects: the first word of their `RawObject` is `number | OPEN`.

use larch_heap::{Kind, Value};
use larch_vm::native::TypeId;
use larch_vm::{Res, Vm};

const OPEN: u32 = 1 << 16;
/// More than any board has open of one kind.
const MAX: usize = 64;

/// The number that an object holds; none if it was closed.
pub(crate) fn number(vm: &Vm, object: Value) -> Option<u16> {
    let word = vm.heap.word(object.as_cell()?, 0);
    (word & OPEN != 0).then_some(word as u16)
}

/// Lets an object hold a number, or none.
pub(crate) fn set(vm: &mut Vm, object: Value, number: Option<u16>) {
    if let Some(at) = object.as_cell() {
        vm.heap.set_word(at, 0, number.map_or(0, |number| u32::from(number) | OPEN));
    }
}

/// Collects garbage, then tells `close` what objects of these types still hold, so that the port can close all else:
/// `open('x').read()` leaves a file behind.
///
/// # Errors
/// What `close` raises.
pub(crate) fn close_forgotten<T: Copy>(
    vm: &mut Vm,
    types: &[TypeId],
    handle: impl Fn(u16) -> T,
    close: impl FnOnce(&mut Vm, &[T]) -> Res<()>,
) -> Res<()> {
    vm.collect();
    let (mut held, mut count) = ([handle(0); MAX], 0);
    vm.heap.visit_cells(|heap, at| {
        let is_one =
            heap.kind(at) == Kind::RawObject && types.iter().any(|class| heap.value(at, 1) == class.value());
        if is_one && heap.word(at, 0) & OPEN != 0 {
            if let Some(place) = held.get_mut(count) {
                *place = handle(heap.word(at, 0) as u16);
            }
            count += 1;
        }
    });
    held.get(..count).map_or(Ok(()), |held| close(vm, held))
}
