//! `gc`: the collector from Python.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom};
use crate::vm::Vm;

/// The module.
pub static GC: ModuleDef = ModuleDef { name: Qstr::gc, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::gc)),
    (Qstr::collect, Rom::Fn(Native::Var(0, 0, collect))),
    (Qstr::disable, Rom::Fn(Native::F0(disable))),
    (Qstr::enable, Rom::Fn(Native::F0(enable))),
    (Qstr::isenabled, Rom::Fn(Native::F0(isenabled))),
    (Qstr::mem_free, Rom::Fn(Native::F0(mem_free))),
    (Qstr::mem_alloc, Rom::Fn(Native::F0(mem_alloc))),
    (Qstr::threshold, Rom::Fn(Native::Var(0, 1, threshold))),
];

/// The caller's registers above the call hold nothing that it still needs, but perhaps what it needed last.
fn collect(vm: &mut Vm, args: Args) -> Res {
    let top = vm.heap.top();
    vm.heap.set_top(args.base.min(top));
    vm.collect();
    vm.heap.set_top(top);
    if vm.heap.has_died() {
        vm.run_weak_callbacks()?;
    }
    Ok(Value::small(0))
}

fn disable(vm: &mut Vm) -> Res {
    vm.heap.set_enabled(false);
    Ok(Value::NONE)
}

fn enable(vm: &mut Vm) -> Res {
    vm.heap.set_enabled(true);
    Ok(Value::NONE)
}

fn isenabled(vm: &mut Vm) -> Res {
    Ok(Value::bool(vm.heap.is_enabled()))
}

fn mem_free(vm: &mut Vm) -> Res {
    Ok(Value::small(vm.heap.statistics().free as i32))
}

fn mem_alloc(vm: &mut Vm) -> Res {
    Ok(Value::small(vm.heap.statistics().used as i32))
}

/// Bytes after whose allocation a collection starts, in units of MicroPython's blocks; -1: only when memory is short.
fn threshold(vm: &mut Vm, args: Args) -> Res {
    match vm.opt_arg(args, 0) {
        None => Ok(Value::small(vm.heap.threshold().map_or(-1, |bytes| bytes as i32 & !15))),
        Some(bytes) => {
            let bytes = vm.int_arg(bytes)?;
            vm.heap.set_threshold(u32::try_from(bytes).ok());
            Ok(Value::NONE)
        }
    }
}
