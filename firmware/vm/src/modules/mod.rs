//! The core's modules.

pub mod array;
pub mod binascii;
pub mod buffered;
pub mod builtins;
pub mod cmath;
pub mod collections;
pub mod errno;
pub mod gc;
pub mod hashlib;
pub mod heapq;
pub mod io;
pub(crate) mod iteration;
pub mod json;
mod json_read;
pub mod math;
pub mod micropython;
pub(crate) mod number_builtins;
pub(crate) mod objects;
pub mod random;
pub mod re;
mod re_match;
mod re_program;
pub mod ringio;
pub mod struct_;
pub mod sys;
pub(crate) mod text_builtins;
pub mod uctypes;
pub mod weakref;

use larch_heap::{Root, Value};

use crate::native::{ModuleDef, Res};
use crate::vm::Vm;

/// The definitions of the core's modules, by number.
pub static MODULES: &[&ModuleDef] = &[
    &builtins::BUILTINS,
    &sys::SYS,
    &gc::GC,
    &micropython::MICROPYTHON,
    &errno::ERRNO,
    &io::IO,
    &re::RE,
    &hashlib::HASHLIB,
    &array::ARRAY,
    &binascii::BINASCII,
    &struct_::STRUCT,
    &heapq::HEAPQ,
    &math::MATH,
    &cmath::CMATH,
    &random::RANDOM,
    &json::JSON,
    &collections::COLLECTIONS,
    &weakref::WEAKREF,
    &uctypes::UCTYPES,
];

/// The number of `builtins`.
pub(crate) const BUILTINS_ID: crate::native::ModuleId = crate::native::ModuleId(0);
/// The number of `micropython`.
pub(crate) const MICROPYTHON_ID: crate::native::ModuleId = crate::native::ModuleId(3);

/// Calls `visit` with the names that completion offers: attributes of the object a dotted path names in `__main__` (the
/// empty path: `__main__` and the builtins), or the built-in modules if there is no path. An unknown path has none.
///
/// # Errors
/// MemoryError.
pub fn visit_names(vm: &mut Vm, path: Option<&str>, visit: &mut dyn FnMut(&str)) -> Res<()> {
    let Some(path) = path else {
        for table in vm.registry.modules {
            table.iter().for_each(|module| visit(vm.qstr_text(module.name)));
        }
        vm.registry.frozen.iter().for_each(|module| visit(module.name));
        return Ok(());
    };
    let main = vm.heap.root(Root::Main);
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    if path.is_empty() {
        objects::add_keys(vm, list, main)?;
        objects::add_names(vm, list, BUILTINS_ID.value())?;
    } else {
        let mut object = Value::UNBOUND;
        for part in path.split('.') {
            let name = vm.intern(part)?;
            object = match (object, main.as_cell()) {
                (Value::UNBOUND, Some(main)) => match vm.dict_get_qstr(main, name) {
                    Some(value) => value,
                    None => vm.find_in_rom_module(BUILTINS_ID, name)?,
                },
                _ => vm.find_attr(object, name)?,
            };
            if object.is_unbound() {
                return Ok(());
            }
        }
        vm.root(object)?;
        objects::add_names(vm, list, object)?;
    }
    let cell = list.expect_cell("a list");
    for index in 0..vm.list_len(cell) {
        let name = vm.list_get(cell, index);
        if let Some(span) = vm.str_span(name) {
            visit(vm.str_at(span));
        }
    }
    Ok(())
}
