//! `import` of modules from files along `sys.path`.

use std::path::{Path, PathBuf};

use larch_bytecode::qstr::Qstr;
use larch_heap::{Root, Value};
use larch_stdlib::compile::compile_bytes;
use larch_vm::{CompileMode, Res, Vm};

/// The machine's hook: loads a module by its full dotted name; unbound if no file holds it.
pub fn import(vm: &mut Vm, name: Qstr) -> Res {
    let relative: PathBuf = vm.qstr_text(name).split('.').collect();
    for folder in folders(vm) {
        let base = Path::new(&folder).join(&relative);
        if base.is_dir() {
            return load(vm, name, &base.join("__init__.py"), Some(&base));
        }
        let file = base.with_extension("py");
        if file.is_file() {
            return load(vm, name, &file, None);
        }
    }
    Ok(Value::UNBOUND)
}

fn folders(vm: &Vm) -> Vec<String> {
    let Some(list) = vm.heap.root(Root::Path).as_cell() else { return vec![String::new()] };
    (0..vm.list_len(list))
        .filter_map(|index| vm.str_span(vm.list_get(list, index)))
        .map(|span| vm.str_at(span).to_owned())
        .collect()
}

fn load(vm: &mut Vm, name: Qstr, file: &Path, package: Option<&Path>) -> Res {
    let module = vm.new_module(name)?;
    vm.root(module)?;
    let globals = vm.module_globals(module).expect("a module made just now");
    let table = globals.as_cell().expect("globals are a dict");
    let shown = vm.new_str(&file.to_string_lossy())?;
    vm.dict_set_qstr(table, Qstr::__file__, shown)?;
    if let Some(folder) = package {
        let path = vm.new_str(&folder.to_string_lossy())?;
        vm.root(path)?;
        vm.dict_set_qstr(table, Qstr::__path__, path)?;
    }
    // A package without `__init__.py` is a namespace.
    let Ok(source) = std::fs::read(file) else { return Ok(module) };
    let shown = vm.intern(&file.to_string_lossy())?;
    let done = compile_bytes(vm, &source, shown, CompileMode::File).and_then(|code| vm.run_code(code, globals, globals));
    if let Err(raised) = done {
        let exception = vm.take_raised();
        vm.root(exception)?;
        vm.forget_module(name)?;
        vm.raise_value(exception);
        return Err(raised);
    }
    Ok(module)
}
