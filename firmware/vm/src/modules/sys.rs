//! `sys`. The streams come from the port, as a module attribute hook of [`crate::vm::Hooks`].

use larch_bytecode::qstr::Qstr;
use larch_heap::{Root, Value};

use crate::native::{Args, AttrOp, Entry, ModuleDef, Native, Res, Rom};
use crate::print::Sink;
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static SYS: ModuleDef = ModuleDef { name: Qstr::sys, entries: ENTRIES, attr: Some(attr) };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::sys)),
    (Qstr::path, Rom::Getter(path)),
    (Qstr::argv, Rom::Getter(argv)),
    (Qstr::version, Rom::Getter(version)),
    (Qstr::version_info, Rom::Getter(version_info)),
    (Qstr::implementation, Rom::Getter(implementation)),
    (Qstr::platform, Rom::Getter(platform)),
    (Qstr::byteorder, Rom::Str(Qstr::little)),
    (Qstr::maxsize, Rom::Getter(maxsize)),
    (Qstr::exit, Rom::Fn(Native::Var(0, 1, exit))),
    (Qstr::modules, Rom::Getter(modules)),
    (Qstr::atexit, Rom::Fn(Native::F1(atexit))),
    (Qstr::print_exception, Rom::Fn(Native::Var(1, 2, print_exception))),
    (Qstr::stdin, Rom::Getter(stdin)),
    (Qstr::stdout, Rom::Getter(stdout)),
    (Qstr::stderr, Rom::Getter(stderr)),
];

fn rooted_list(vm: &mut Vm, root: Root) -> Res {
    match vm.heap.root(root) {
        Value::UNBOUND => {
            let list = vm.new_list(&[])?;
            vm.heap.set_root(root, list);
            Ok(list)
        }
        list => Ok(list),
    }
}

fn path(vm: &mut Vm, _: Value) -> Res {
    rooted_list(vm, Root::Path)
}

fn argv(vm: &mut Vm, _: Value) -> Res {
    rooted_list(vm, Root::Argv)
}

fn version(vm: &mut Vm, _: Value) -> Res {
    let text = vm.hooks.identity.version;
    vm.new_str(text)
}

fn version_info(vm: &mut Vm, _: Value) -> Res {
    vm.new_tuple(&[Value::small(3), Value::small(4), Value::small(0)])
}

fn implementation(vm: &mut Vm, _: Value) -> Res {
    let fields = [Qstr::name, Qstr::version, Qstr::_machine, Qstr::_mpy, Qstr::_build];
    let identity = vm.hooks.identity;
    let version = vm.new_tuple(&identity.release.map(|n| Value::small(i32::from(n))))?;
    vm.root(version)?;
    let release = vm.new_str("")?;
    let with_suffix = {
        let cell = version.expect_cell("a tuple");
        let parts = [vm.heap.value(cell, 0), vm.heap.value(cell, 1), vm.heap.value(cell, 2), release];
        vm.new_tuple(&parts)?
    };
    vm.root(with_suffix)?;
    let machine = vm.new_str(identity.machine)?;
    vm.root(machine)?;
    let build = vm.new_str(identity.build)?;
    vm.root(build)?;
    let values = [Value::qstr(Qstr::micropython), with_suffix, machine, Value::small(identity.mpy), build];
    vm.new_attr_tuple(&fields, &values)
}

fn platform(vm: &mut Vm, _: Value) -> Res {
    let text = vm.hooks.identity.platform;
    vm.new_str(text)
}

fn maxsize(vm: &mut Vm, _: Value) -> Res {
    vm.new_int_i64(i64::from(i32::MAX))
}

fn exit(vm: &mut Vm, args: Args) -> Res {
    Err(match vm.opt_arg(args, 0) {
        Some(code) => vm.raise_arg(ids::SystemExit, code),
        None => vm.raise_empty(ids::SystemExit),
    })
}

fn modules(vm: &mut Vm, _: Value) -> Res {
    vm.modules()
}

fn print_exception(vm: &mut Vm, args: Args) -> Res {
    let exception = vm.arg(args, 0);
    let sink = match vm.opt_arg(args, 1).filter(|stream| !stream.is_none()) {
        Some(stream) if vm.find_attr(stream, Qstr::write)?.is_unbound() => {
            return Err(vm.raise(ids::OSError, "stream operation not supported"));
        }
        Some(stream) => Sink::Stream(vm.root(stream)?),
        None => Sink::Console,
    };
    vm.print_exception(sink, exception)?;
    Ok(Value::NONE)
}

fn stream(vm: &mut Vm, name: Qstr) -> Res {
    let streams = vm.hooks.stream;
    streams(vm, name)
}

fn stdin(vm: &mut Vm, _: Value) -> Res {
    stream(vm, Qstr::stdin)
}

fn stdout(vm: &mut Vm, _: Value) -> Res {
    stream(vm, Qstr::stdout)
}

fn stderr(vm: &mut Vm, _: Value) -> Res {
    stream(vm, Qstr::stderr)
}

/// `sys.ps1` or `sys.ps2`, for the prompt.
///
/// # Errors
/// MemoryError.
pub fn prompt(vm: &mut Vm, name: Qstr) -> Res {
    attr(vm, name, AttrOp::Get)
}

/// `ps1`, `ps2` and what programs set: kept in a dict.
fn attr(vm: &mut Vm, name: Qstr, op: AttrOp) -> Res {
    let table = vm.heap.root(Root::Sys).as_cell();
    let is_settable = matches!(name, Qstr::ps1 | Qstr::ps2 | Qstr::tracebacklimit);
    match op {
        AttrOp::Get => match table.and_then(|table| vm.dict_get_qstr(table, name)) {
            Some(value) => Ok(value),
            None if name == Qstr::ps1 => vm.new_str(">>> "),
            None if name == Qstr::ps2 => vm.new_str("... "),
            None => Ok(Value::UNBOUND),
        },
        AttrOp::Set(value) if name == Qstr::path => {
            vm.heap.set_root(Root::Path, value);
            Ok(Value::NONE)
        }
        AttrOp::Set(value) if is_settable => {
            set(vm, name, value)?;
            Ok(Value::NONE)
        }
        AttrOp::Delete if name == Qstr::tracebacklimit => {
            let removed = match table {
                Some(table) => vm.table_remove(table, Value::qstr(name))?,
                None => None,
            };
            Ok(removed.map_or(Value::UNBOUND, |_| Value::NONE))
        }
        _ => Ok(Value::UNBOUND),
    }
}

fn set(vm: &mut Vm, name: Qstr, value: Value) -> Res<()> {
    let table = match vm.heap.root(Root::Sys).as_cell() {
        Some(table) => table,
        None => {
            let dict = vm.new_dict(2)?;
            vm.heap.set_root(Root::Sys, dict);
            dict.expect_cell("a dict")
        }
    };
    vm.dict_set_qstr(table, name, value)
}

/// `sys.atexit`: what is called at the end; returns what was to be called before.
fn atexit(vm: &mut Vm, function: Value) -> Res {
    let before = at_exit(vm);
    set(vm, Qstr::atexit, function)?;
    Ok(before)
}

/// What `sys.atexit` was told; None if nothing.
pub fn at_exit(vm: &Vm) -> Value {
    let table = vm.heap.root(Root::Sys).as_cell();
    table.and_then(|table| vm.dict_get_qstr(table, Qstr::atexit)).unwrap_or(Value::NONE)
}

/// How many places of a traceback are shown: `sys.tracebacklimit`, if it was set.
pub(crate) fn traceback_limit(vm: &Vm) -> u32 {
    let table = vm.heap.root(Root::Sys).as_cell();
    let limit =
        table.and_then(|table| vm.dict_get_qstr(table, Qstr::tracebacklimit)).and_then(Value::as_small);
    limit.map_or(u32::MAX, |limit| limit.max(0) as u32)
}
