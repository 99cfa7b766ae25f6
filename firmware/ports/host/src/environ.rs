//! `os.getenv` and its like, which only desktops have: the module behind `os` for names it does not have itself.
//!
//! What programs set is kept here and given to the commands they run; the process's own environment is not changed.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;
use larch_vm::native::{Args, Native};
use larch_vm::{ModuleDef, Res, Rom, Vm};

/// The module.
pub static ENVIRON: ModuleDef = ModuleDef {
    name: Qstr::_environ,
    entries: &[
        (Qstr::getenv, Rom::Fn(Native::Var(1, 2, getenv))),
        (Qstr::putenv, Rom::Fn(Native::F2(putenv))),
        (Qstr::unsetenv, Rom::Fn(Native::F1(unsetenv))),
        (Qstr::system, Rom::Fn(Native::F1(system))),
        (Qstr::errno, Rom::Fn(Native::Var(0, 1, errno))),
    ],
    attr: None,
};

/// What was set (or unset: none) since the start.
static CHANGES: Mutex<BTreeMap<String, Option<String>>> = Mutex::new(BTreeMap::new());

fn changes() -> std::sync::MutexGuard<'static, BTreeMap<String, Option<String>>> {
    CHANGES.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The value of a variable.
pub fn get(name: &str) -> Option<String> {
    match changes().get(name) {
        Some(value) => value.clone(),
        None => std::env::var(name).ok(),
    }
}

fn text(vm: &mut Vm, value: Value) -> Res<String> {
    match vm.str_span(value) {
        Some(span) => Ok(vm.str_at(span).to_owned()),
        None => Err(vm.raise_implicit(value)),
    }
}

fn getenv(vm: &mut Vm, args: Args) -> Res {
    let name = vm.arg(args, 0);
    match get(&text(vm, name)?) {
        Some(value) => vm.new_str(&value),
        None => Ok(vm.opt_arg(args, 1).unwrap_or(Value::NONE)),
    }
}

fn putenv(vm: &mut Vm, name: Value, value: Value) -> Res {
    let (name, value) = (text(vm, name)?, text(vm, value)?);
    changes().insert(name, Some(value));
    Ok(Value::NONE)
}

fn unsetenv(vm: &mut Vm, name: Value) -> Res {
    let name = text(vm, name)?;
    changes().insert(name, None);
    Ok(Value::NONE)
}

/// The number that `errno` keeps.
static ERRNO: AtomicI32 = AtomicI32::new(0);

/// `errno([number])`
fn errno(vm: &mut Vm, args: Args) -> Res {
    if let Some(number) = vm.opt_arg(args, 0) {
        ERRNO.store(vm.int_arg(number)?, Ordering::Relaxed);
        return Ok(Value::NONE);
    }
    vm.new_int_i64(ERRNO.load(Ordering::Relaxed).into())
}

/// `system(command)`: its exit code, as the shell's `wait` tells it.
fn system(vm: &mut Vm, command: Value) -> Res {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(text(vm, command)?);
    for (name, value) in changes().iter() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    match shell.status() {
        Ok(status) => Ok(Value::small(status.code().map_or(-1, |code| code << 8))),
        Err(error) => Err(vm.raise_os(error.raw_os_error().unwrap_or(5))),
    }
}
