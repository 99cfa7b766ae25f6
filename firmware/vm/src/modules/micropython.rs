//! `micropython`: the interpreter's own settings and figures.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom};
use crate::print::Sink;
use crate::types::ids;
use crate::vm::{Part, Vm};

/// The module.
pub static MICROPYTHON: ModuleDef = ModuleDef { name: Qstr::micropython, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::micropython)),
    (Qstr::const_, Rom::Fn(Native::F1(identity))),
    (Qstr::opt_level, Rom::Fn(Native::Var(0, 1, opt_level))),
    (Qstr::mem_info, Rom::Fn(Native::Var(0, 1, mem_info))),
    (Qstr::stack_use, Rom::Fn(Native::F0(stack_use))),
    (Qstr::heap_lock, Rom::Fn(Native::F0(heap_lock))),
    (Qstr::heap_unlock, Rom::Fn(Native::F0(heap_unlock))),
    (Qstr::heap_locked, Rom::Fn(Native::F0(heap_locked))),
    (Qstr::RingIO, Rom::Type(ids::RingIO)),
    (Qstr::qstr_info, Rom::Fn(Native::Var(0, 1, qstr_info))),
    (Qstr::schedule, Rom::Fn(Native::F2(schedule))),
    (Qstr::kbd_intr, Rom::Fn(Native::F1(kbd_intr))),
    (Qstr::native, Rom::Fn(Native::F1(identity))),
    (Qstr::viper, Rom::Fn(Native::F1(identity))),
    (Qstr::bytecode, Rom::Fn(Native::F1(identity))),
    (Qstr::alloc_emergency_exception_buf, Rom::Fn(Native::F1(alloc_emergency_exception_buf))),
];

fn identity(_vm: &mut Vm, value: Value) -> Res {
    Ok(value)
}

fn opt_level(vm: &mut Vm, args: Args) -> Res {
    match vm.opt_arg(args, 0) {
        None => Ok(Value::small(i32::from(vm.opt_level))),
        Some(level) => {
            vm.opt_level = vm.int_arg(level)?.clamp(0, 3) as u8;
            Ok(Value::NONE)
        }
    }
}

fn mem_info(vm: &mut Vm, _args: Args) -> Res {
    let figures = vm.heap.statistics();
    let total = figures.used + figures.free;
    let parts = [
        Part::Text("stack: "),
        Part::Int(vm.heap.top() as i32 * 4),
        Part::Text(" out of "),
        Part::Int((vm.heap.top() + vm.heap.stack_room()) as i32 * 4),
        Part::Text("\nGC: total: "),
        Part::Int(total as i32),
        Part::Text(", used: "),
        Part::Int(figures.used as i32),
        Part::Text(", free: "),
        Part::Int(figures.free as i32),
        Part::Text("\n max free sz: "),
        Part::Int(figures.largest_free as i32),
        Part::Text(", collections: "),
        Part::Int(figures.collections as i32),
        Part::Text("\n"),
    ];
    let text = vm.format_parts(&parts)?;
    vm.root(text)?;
    vm.print_value(Sink::Console, text, crate::print::PrintKind::Str)?;
    Ok(Value::NONE)
}

/// Names made at run time, and the bytes they take.
fn qstr_info(vm: &mut Vm, _args: Args) -> Res {
    let (count, bytes) = vm.interned_figures();
    let parts = [
        Part::Text("qstr pool: n_pool=1, n_qstr="),
        Part::Int(count as i32),
        Part::Text(", n_str_data_bytes="),
        Part::Int(bytes as i32),
        Part::Text(", n_total_bytes="),
        Part::Int((bytes + 4 * count) as i32),
        Part::Text("\n"),
    ];
    let text = vm.format_parts(&parts)?;
    vm.root(text)?;
    vm.print_value(Sink::Console, text, crate::print::PrintKind::Str)?;
    Ok(Value::NONE)
}

fn schedule(vm: &mut Vm, function: Value, argument: Value) -> Res {
    vm.schedule(function, argument)?;
    Ok(Value::NONE)
}

fn stack_use(vm: &mut Vm) -> Res {
    Ok(Value::small(vm.heap.top() as i32 * 4))
}

fn heap_lock(vm: &mut Vm) -> Res {
    vm.lock_heap(vm.heap_locked.saturating_add(1));
    Ok(Value::NONE)
}

fn heap_unlock(vm: &mut Vm) -> Res {
    if vm.heap_locked == 0 {
        return Err(vm.raise(ids::RuntimeError, "heap is not locked"));
    }
    vm.lock_heap(vm.heap_locked - 1);
    Ok(Value::small(i32::from(vm.heap_locked)))
}

fn heap_locked(vm: &mut Vm) -> Res {
    Ok(Value::small(i32::from(vm.heap_locked)))
}

/// The function `kbd_intr`, which needs no place in the queue of scheduled calls.
pub(crate) fn kbd_intr_value() -> Value {
    let index = ENTRIES.iter().position(|(name, _)| *name == Qstr::kbd_intr).unwrap_or(0);
    crate::native::RomRef::of_module(super::MICROPYTHON_ID, index).value()
}

fn kbd_intr(vm: &mut Vm, value: Value) -> Res {
    if value.is_none() {
        // Scheduled with None it is Ctrl-C.
        crate::vm::interrupt();
        return Ok(Value::NONE);
    }
    let character = vm.int_arg(value)?;
    vm.set_interrupt_byte(u8::try_from(character).ok());
    Ok(Value::NONE)
}

/// MemoryError needs no memory here, so there is nothing to reserve.
fn alloc_emergency_exception_buf(vm: &mut Vm, size: Value) -> Res {
    vm.int_arg(size)?;
    Ok(Value::NONE)
}
