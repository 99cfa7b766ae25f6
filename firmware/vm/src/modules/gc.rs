//! `gc`: the collector from Python.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom};
use crate::vm::Vm;

/// The module.
pub static GC: ModuleDef = ModuleDef { name: Qstr::gc, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::gc)),
    (Qstr::collect, Rom::Fn(Native::F0(collect))),
    (Qstr::disable, Rom::Fn(Native::F0(disable))),
    (Qstr::enable, Rom::Fn(Native::F0(enable))),
    (Qstr::isenabled, Rom::Fn(Native::F0(isenabled))),
    (Qstr::mem_free, Rom::Fn(Native::F0(mem_free))),
    (Qstr::mem_alloc, Rom::Fn(Native::F0(mem_alloc))),
    (Qstr::threshold, Rom::Fn(Native::Var(0, 1, threshold))),
];

fn collect(vm: &mut Vm) -> Res {
    vm.collect();
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

/// The collector has no threshold to set: -1, as MicroPython says for "off".
fn threshold(_vm: &mut Vm, args: Args) -> Res {
    Ok(if args.positional == 0 { Value::small(-1) } else { Value::NONE })
}
