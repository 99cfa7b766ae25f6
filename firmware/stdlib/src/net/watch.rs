//! Sockets with somebody to call when something arrives: MicroPython's socket option 20, which WebREPL is made of.
//!
//! The root `Watched` is a list: a flag (calls are being made), then socket and function of each. Calls are made where the machine
//! looks up, again and again as long as there is something to be read; while one runs no other starts.
//!
//! Source: MicroPython's `ports/esp32/modsocket.c`.

use larch_heap::{Ref, Root, Value};
use larch_vm::print::Sink;
use larch_vm::{Res, Vm};

use super::socket::id;

fn list(vm: &Vm) -> Option<Ref> {
    vm.heap.root(Root::Watched).as_cell()
}

/// Where a socket is in the list.
fn place(vm: &Vm, list: Ref, socket: Value) -> Option<u32> {
    (1..vm.list_len(list)).step_by(2).find(|index| vm.list_get(list, *index) == socket)
}

/// From now on `function(socket)` is called when something can be read.
pub(super) fn watch(vm: &mut Vm, socket: Value, function: Value) -> Res<()> {
    let list = match list(vm) {
        Some(list) => list,
        None => {
            let list = vm.new_list(&[Value::FALSE])?;
            vm.heap.set_root(Root::Watched, list);
            list.expect_cell("a list")
        }
    };
    match place(vm, list, socket) {
        Some(index) => vm.list_set(list, index + 1, function),
        None => {
            vm.list_append(list, socket)?;
            if let Err(raised) = vm.list_append(list, function) {
                vm.list_truncate(list, vm.list_len(list) - 1);
                return Err(raised);
            }
        }
    }
    Ok(())
}

/// Nobody is called any more.
pub(super) fn forget(vm: &mut Vm, socket: Value) {
    if let Some(list) = list(vm)
        && let Some(index) = place(vm, list, socket)
    {
        vm.list_cut(list, index, 2);
    }
}

/// Calls those whose sockets have something. What they raise is shown, and ends there.
///
/// # Errors
/// What printing raises.
pub fn run(vm: &mut Vm) -> Res<()> {
    let Some(list) = list(vm) else { return Ok(()) };
    if vm.is_scheduler_locked() || vm.heap_locked > 0 || vm.list_get(list, 0) == Value::TRUE {
        return Ok(());
    }
    vm.list_set(list, 0, Value::TRUE);
    let mut shown = Ok(());
    let mut index = 1;
    while shown.is_ok() && index + 1 < vm.list_len(list) {
        let (socket, function) = (vm.list_get(list, index), vm.list_get(list, index + 1));
        index += 2;
        let readable = match (id(vm, socket), vm.port.sockets()) {
            (Ok(id), Some(sockets)) => sockets.readiness(id).readable,
            _ => false,
        };
        if readable && vm.call(function, &[socket]).is_err() {
            let exception = vm.take_raised();
            shown = vm.print_exception(Sink::Console, exception);
        }
    }
    vm.list_set(list, 0, Value::FALSE);
    shown
}
