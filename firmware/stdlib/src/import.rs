//! `import` of modules from the board's file system, along `sys.path`.

use alloc::string::String;
use alloc::vec::Vec;

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Root, Value};
use larch_vm::native::Frozen;
use larch_vm::{CompileMode, Res, Vm};

use crate::compile::{compile_bytes, load_mpy};
use crate::files::{checked, file_system};
use crate::frozen;
use crate::mount::{self, Place};
use crate::path::{Path, path_arg};

/// `sys.implementation._mpy`: bytecode of version 6.3, no native code.
pub const MPY: i32 = 6 | 3 << 8;

/// What a module is loaded from.
enum Source {
    File(Path),
    Package(Path),
}

/// The machine's hook: loads a module by its full dotted name; unbound if no file holds it.
///
/// # Errors
/// What compiling or running it raises.
pub fn import(vm: &mut Vm, name: Qstr) -> Res {
    let Some(folders) = vm.heap.as_kind(vm.heap.root(Root::Path), Kind::List) else {
        return Ok(Value::UNBOUND);
    };
    for index in 0..vm.list_len(folders) {
        let folder = vm.list_get(folders, index);
        if vm.str_span(folder).is_some_and(|span| vm.str_at(span) == frozen::FOLDER) {
            let text = vm.qstr_text(name);
            match vm.registry().frozen.iter().find(|module| module.name == text) {
                Some(module) => return load_frozen(vm, name, module),
                None => continue,
            }
        }
        if vm.port.files().is_none() && vm.heap.root(Root::Mounts).is_unbound() {
            continue;
        }
        if let Some(source) = find(vm, folder, name)? {
            return load(vm, name, folder, &source);
        }
    }
    Ok(Value::UNBOUND)
}

fn find(vm: &mut Vm, folder: Value, name: Qstr) -> Res<Option<Source>> {
    let mut base = path_arg(vm, folder)?;
    if !vm.qstr_text(name).split('.').all(|part| base.push(part.as_bytes())) {
        return Ok(None);
    }
    if is_directory(vm, &base)? == Some(true) {
        return Ok(Some(Source::Package(base)));
    }
    for suffix in [&b".py"[..], b".mpy"] {
        let Some(file) = base.with_suffix(suffix) else { return Ok(None) };
        if is_directory(vm, &file)? == Some(false) {
            return Ok(Some(Source::File(file)));
        }
    }
    Ok(None)
}

/// Whether a path is a directory; none if it does not exist.
fn is_directory(vm: &mut Vm, path: &Path) -> Res<Option<bool>> {
    let text = match vm.heap.root(Root::Mounts) {
        Value::UNBOUND => Value::UNBOUND,
        _ => vm.new_str(path.as_str())?,
    };
    let scope = vm.root(text)?;
    let place = if text.is_unbound() { Place::Own } else { mount::lookup(vm, text)? };
    let answer = match place {
        Place::Own => file_system(vm)?.info(path.as_bytes()).ok().map(|info| info.is_dir),
        Place::Other(other, inner) => mount::is_directory(vm, other, inner)?,
        Place::Root | Place::Nowhere => None,
    };
    vm.release(scope);
    Ok(answer)
}

/// The name that tracebacks show: as `sys.path` says, so that it is what the user typed.
fn shown(vm: &mut Vm, folder: Value, name: Qstr, suffix: &str) -> Res<Qstr> {
    let mut text = Vec::new();
    let folder_bytes = vm.str_span(folder).map_or(&b""[..], |span| vm.bytes_at(span));
    text.extend_from_slice(folder_bytes);
    if !text.is_empty() && text.last() != Some(&b'/') {
        text.push(b'/');
    }
    text.extend(vm.qstr_text(name).bytes().map(|byte| if byte == b'.' { b'/' } else { byte }));
    text.extend_from_slice(suffix.as_bytes());
    vm.intern(core::str::from_utf8(&text).unwrap_or("?"))
}

fn load(vm: &mut Vm, name: Qstr, folder: Value, source: &Source) -> Res {
    let module = vm.new_module(name)?;
    vm.root(module)?;
    let globals = vm.module_globals(module).expect("a module made just now");
    let table = globals.expect_cell("globals are a dict");
    let file = match source {
        Source::File(file) => {
            let suffix = if file.as_bytes().ends_with(b".mpy") { ".mpy" } else { ".py" };
            let shown = shown(vm, folder, name, suffix)?;
            vm.dict_set_qstr(table, Qstr::__file__, Value::qstr(shown))?;
            *file
        }
        Source::Package(base) => {
            let path = shown(vm, folder, name, "")?;
            vm.dict_set_qstr(table, Qstr::__path__, Value::qstr(path))?;
            let shown = shown(vm, folder, name, "/__init__.py")?;
            vm.dict_set_qstr(table, Qstr::__file__, Value::qstr(shown))?;
            let mut init = *base;
            let exists = init.push(b"__init__.py") && is_directory(vm, &init)? == Some(false);
            if !exists {
                // A package without `__init__.py` is a namespace.
                return Ok(module);
            }
            init
        }
    };
    let shown = vm.dict_get_qstr(table, Qstr::__file__).and_then(Value::as_qstr).unwrap_or(name);
    let code = read_file(vm, &file).and_then(|text| match file.as_bytes().ends_with(b".mpy") {
        true => load_mpy(vm, &text, shown),
        false => compile_bytes(vm, &text, shown, CompileMode::File),
    });
    run(vm, name, module, code)
}

/// `execfile(path)`: the machine's hook. The file runs with the caller's names.
///
/// # Errors
/// TypeError if the path is no string; OSError; what compiling or running it raises.
pub fn execfile(vm: &mut Vm, path: Value) -> Res {
    let shown = vm.name_arg(path)?;
    let file = path_arg(vm, path)?;
    let text = read_file(vm, &file)?;
    let code = compile_bytes(vm, &text, shown, CompileMode::File)?;
    drop(text);
    vm.run_code(code, vm.current_globals(), vm.current_namespace())?;
    Ok(Value::NONE)
}

/// A module that is part of the program.
fn load_frozen(vm: &mut Vm, name: Qstr, frozen: &'static Frozen) -> Res {
    let module = vm.new_module(name)?;
    vm.root(module)?;
    let table = vm.module_globals(module).and_then(Value::as_cell).expect("a module made just now");
    let file: String = frozen.path().chain([".py"]).collect();
    if let Some(folder) = file.strip_suffix("/__init__.py").filter(|_| frozen.is_package) {
        let path = vm.intern(folder)?;
        vm.dict_set_qstr(table, Qstr::__path__, Value::qstr(path))?;
    }
    let shown = vm.intern(&file)?;
    vm.dict_set_qstr(table, Qstr::__file__, Value::qstr(shown))?;
    let code = compile_bytes(vm, frozen.text.as_bytes(), shown, CompileMode::File);
    run(vm, name, module, code)
}

/// Runs the body of a new module; if that fails there is no such module.
fn run(vm: &mut Vm, name: Qstr, module: Value, code: Res) -> Res {
    let globals = vm.module_globals(module).expect("a module made just now");
    let done = code.and_then(|code| vm.run_code(code, globals, globals));
    if let Err(raised) = done {
        let exception = vm.take_raised();
        vm.root(exception)?;
        vm.forget_module(name)?;
        vm.raise_value(exception);
        return Err(raised);
    }
    Ok(module)
}

/// A whole file.
///
/// # Errors
/// OSError, MemoryError.
pub fn read_file(vm: &mut Vm, path: &Path) -> Res<Vec<u8>> {
    if !vm.heap.root(Root::Mounts).is_unbound() {
        let text = vm.new_str(path.as_str())?;
        vm.root(text)?;
        if let Place::Other(other, inner) = mount::lookup(vm, text)? {
            return mount::read_file(vm, other, inner);
        }
    }
    let answer = file_system(vm)?.info(path.as_bytes());
    let size = checked(vm, answer)?.size as usize;
    let mut text = Vec::new();
    if text.try_reserve_exact(size).is_err() {
        return Err(vm.raise_memory());
    }
    text.resize(size, 0);
    let mode = larch_hal::FileMode { read: true, ..larch_hal::FileMode::default() };
    let answer = file_system(vm)?.open(path.as_bytes(), mode);
    let file = checked(vm, answer)?;
    let mut done = 0;
    let result = loop {
        let answer = file_system(vm)?.read(file, &mut text[done..]);
        match checked(vm, answer) {
            Ok(0) => break Ok(()),
            Ok(count) => done += count,
            Err(raised) => break Err(raised),
        }
    };
    let answer = file_system(vm)?.close(file);
    result?;
    checked(vm, answer)?;
    text.truncate(done);
    Ok(text)
}
