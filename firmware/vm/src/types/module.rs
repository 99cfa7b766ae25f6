//! Modules as objects.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Immediate, Value};

use crate::native::{ModuleId, Res, TypeDef};
use crate::print::{PrintKind, Sink};
use crate::vm::Vm;

/// `module`
pub static MODULE: TypeDef = TypeDef { print: Some(print), ..TypeDef::new(Qstr::module) };

fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    vm.emit_str(sink, "<module '")?;
    let globals = vm.module_globals(value).and_then(Value::as_cell);
    match (value.as_immediate(Immediate::Module), globals) {
        (Some(number), _) => {
            let name = vm.registry.module_def(ModuleId(number as u16)).name;
            vm.print_value(sink, Value::qstr(name), PrintKind::Str)?;
        }
        (None, Some(globals)) => {
            let name = vm.dict_get_qstr(globals, Qstr::__name__).unwrap_or(Value::NONE);
            vm.print_value(sink, name, PrintKind::Str)?;
            if let Some(file) = vm.dict_get_qstr(globals, Qstr::__file__) {
                vm.emit_str(sink, "' from '")?;
                vm.print_value(sink, file, PrintKind::Str)?;
            }
        }
        _ => {}
    }
    vm.emit_str(sink, "'>")
}
