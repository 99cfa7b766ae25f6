//! Builtins about objects, attributes and running code: getattr … exec, help.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Immediate, Kind, Root, Value};

use crate::native::{Args, AttrOp, ModuleId, Raised, Res};
use crate::print::{PrintKind, Sink};
use crate::types::{function, ids};
use crate::vm::{CompileMode, Part, Vm};

pub(crate) fn getattr(vm: &mut Vm, args: Args) -> Res {
    let (object, name) = (vm.arg(args, 0), vm.arg(args, 1));
    let name = vm.name_arg(name)?;
    let Some(default) = vm.opt_arg(args, 2) else { return vm.get_attr(object, name) };
    match vm.find_attr(object, name) {
        Ok(Value::UNBOUND) => Ok(default),
        Err(Raised) => absent_attribute(vm).map(|()| default),
        found => found,
    }
}

/// Swallows an AttributeError that was raised.
fn absent_attribute(vm: &mut Vm) -> Res<()> {
    let raised = vm.heap.root(Root::Raised);
    if !vm.is_instance(raised, ids::AttributeError.value()) {
        return Err(Raised);
    }
    vm.take_raised();
    Ok(())
}

pub(crate) fn hasattr(vm: &mut Vm, object: Value, name: Value) -> Res {
    let name = vm.name_arg(name)?;
    match vm.find_attr(object, name) {
        Ok(found) => Ok(Value::bool(!found.is_unbound())),
        Err(Raised) => absent_attribute(vm).map(|()| Value::FALSE),
    }
}

pub(crate) fn setattr(vm: &mut Vm, object: Value, name: Value, value: Value) -> Res {
    vm.change_named(object, name, AttrOp::Set(value))
}

pub(crate) fn delattr(vm: &mut Vm, object: Value, name: Value) -> Res {
    vm.change_named(object, name, AttrOp::Delete)
}

pub(crate) fn isinstance(vm: &mut Vm, object: Value, class: Value) -> Res {
    let of = vm.type_of(object);
    subclass_of_any(vm, of, class)
}

pub(crate) fn issubclass(vm: &mut Vm, class: Value, of: Value) -> Res {
    if !vm.is_class(class) {
        return Err(vm.raise(ids::TypeError, "issubclass() arg 1 must be a class"));
    }
    subclass_of_any(vm, class, of)
}

fn subclass_of_any(vm: &mut Vm, class: Value, of: Value) -> Res {
    if vm.is_class(of) {
        return Ok(Value::bool(vm.is_subclass(class, of)));
    }
    let Some(at) = vm.heap.as_kind(of, Kind::Tuple) else {
        return Err(vm.raise(ids::TypeError, "issubclass() arg 2 must be a class or a tuple of classes"));
    };
    for index in 0..vm.heap.header(at).count() {
        let one = vm.heap.slot(at, index);
        if vm.deeper(|vm| subclass_of_any(vm, class, one))? == Value::TRUE {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub(crate) fn callable(vm: &mut Vm, value: Value) -> Res {
    Ok(Value::bool(function::is_callable(vm, value)))
}

pub(crate) fn globals(vm: &mut Vm) -> Res {
    Ok(vm.current_globals())
}

pub(crate) fn locals(vm: &mut Vm) -> Res {
    Ok(vm.current_namespace())
}

pub(crate) fn dir(vm: &mut Vm, args: Args) -> Res {
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    match vm.opt_arg(args, 0) {
        None => {
            let namespace = vm.current_namespace();
            add_keys(vm, list, namespace)?;
        }
        Some(object) => {
            if let Some(names) = vm.call_special(object, Qstr::__dir__, &[])? {
                vm.root(names)?;
                return vm.list_of(names);
            }
            add_names(vm, list, object)?;
        }
    }
    let cell = list.expect_cell("a list");
    vm.sort_list(cell, Value::NONE, false)?;
    Ok(list)
}

fn add_name(vm: &mut Vm, list: Value, name: Value) -> Res<()> {
    let cell = list.expect_cell("a list");
    for index in 0..vm.list_len(cell) {
        if vm.list_get(cell, index) == name {
            return Ok(());
        }
    }
    vm.list_append(cell, name)
}

pub(crate) fn add_keys(vm: &mut Vm, list: Value, dict: Value) -> Res<()> {
    let Some(table) = dict.as_cell() else { return Ok(()) };
    let mut position = 0;
    while let Some((found, key, _)) = vm.table_next(table, position) {
        add_name(vm, list, key)?;
        position = found + 1;
    }
    Ok(())
}

pub(crate) fn add_names(vm: &mut Vm, list: Value, object: Value) -> Res<()> {
    if let Some(number) = object.as_immediate(Immediate::Module) {
        for (name, _) in vm.registry.module_def(ModuleId(number as u16)).entries {
            add_name(vm, list, Value::qstr(*name))?;
        }
        return Ok(());
    }
    if let Some(globals) = vm.module_globals(object) {
        return add_keys(vm, list, globals);
    }
    if let Some(at) = object.as_cell().filter(|_| vm.is_python_instance(object)) {
        let Some(shape) = vm.heap.value(at, 0).as_cell() else { return Ok(()) };
        for position in 0..vm.own_count(at) {
            let name = vm.shape_name(shape, position);
            if name != Qstr::EMPTY {
                add_name(vm, list, Value::qstr(name))?;
            }
        }
    }
    let class = if vm.is_class(object) { object } else { vm.type_of(object) };
    add_class_names(vm, list, class)
}

fn add_class_names(vm: &mut Vm, list: Value, class: Value) -> Res<()> {
    if let Some(at) = vm.heap.as_kind(class, Kind::Class) {
        let dict = vm.class_dict(at);
        add_keys(vm, list, dict.into())?;
        for index in 0..vm.base_count(at) {
            let base = vm.base_at(at, index);
            add_class_names(vm, list, base)?;
        }
        return Ok(());
    }
    let mut id = vm.as_type_id(class);
    while let Some(current) = id {
        let def = vm.registry.type_def(current);
        for (name, _) in def.entries {
            add_name(vm, list, Value::qstr(*name))?;
        }
        id = def.base;
    }
    Ok(())
}

pub(crate) fn exec(vm: &mut Vm, args: Args) -> Res {
    run_source(vm, args, CompileMode::File)?;
    Ok(Value::NONE)
}

pub(crate) fn eval(vm: &mut Vm, args: Args) -> Res {
    run_source(vm, args, CompileMode::Eval)
}

fn run_source(vm: &mut Vm, args: Args, mode: CompileMode) -> Res {
    let given = |vm: &Vm, index| vm.opt_arg(args, index).filter(|value| !value.is_none());
    let globals = given(vm, 1).unwrap_or(vm.current_globals());
    let namespace = match (given(vm, 2), given(vm, 1)) {
        (Some(locals), _) => locals,
        (None, Some(globals)) => globals,
        (None, None) => vm.current_namespace(),
    };
    for dict in [globals, namespace] {
        if vm.heap.as_kind(dict, Kind::Dict).is_none() {
            return Err(vm.raise(ids::TypeError, "globals must be a dict"));
        }
    }
    let source = vm.arg(args, 0);
    let code = match vm.heap.as_kind(source, Kind::Code) {
        Some(_) => source,
        None => {
            let compile = vm.hooks.compile;
            compile(vm, source, Qstr::STRING, mode)?
        }
    };
    vm.run_code(code, globals, namespace)
}

pub(crate) fn compile(vm: &mut Vm, args: Args) -> Res {
    let file = vm.name_arg(vm.arg(args, 1))?;
    let mode = vm.name_arg(vm.arg(args, 2))?;
    let mode = match mode {
        Qstr::exec => CompileMode::File,
        Qstr::eval => CompileMode::Eval,
        Qstr::single => CompileMode::Single,
        _ => return Err(vm.raise(ids::ValueError, "bad compile mode")),
    };
    let compile = vm.hooks.compile;
    let source = vm.arg(args, 0);
    compile(vm, source, file, mode)
}

pub(crate) fn import(vm: &mut Vm, args: Args) -> Res {
    let name = vm.name_arg(vm.arg(args, 0))?;
    let level = vm.opt_arg(args, 4).unwrap_or(Value::small(0));
    let levels = vm.int_arg(level)?;
    if levels < 0 || levels == 0 && name == Qstr::EMPTY {
        return Err(vm.raise_empty(ids::ValueError));
    }
    let globals = match vm.opt_arg(args, 1).filter(|_| levels > 0).filter(|globals| !globals.is_none()) {
        Some(globals) => globals,
        None => vm.current_globals(),
    };
    if vm.heap.as_kind(globals, Kind::Dict).is_none() {
        return Err(vm.raise_empty(ids::TypeError));
    }
    let from = vm.opt_arg(args, 3).unwrap_or(Value::NONE);
    vm.import(name, from, level, globals)
}

/// What an expression statement at the prompt does with its value.
pub(crate) fn repl_print(vm: &mut Vm, value: Value) -> Res {
    if !value.is_none() {
        vm.print(value, PrintKind::Repr)?;
        vm.write(b"\n");
        builtins_attr(vm, Qstr::UNDERSCORE, AttrOp::Set(value))?;
    }
    Ok(Value::NONE)
}

/// Names set in `builtins` hide those of its table.
pub(crate) fn builtins_attr(vm: &mut Vm, name: Qstr, op: AttrOp) -> Res {
    let table = vm.heap.root(Root::Builtins).as_cell();
    vm.cache.clear();
    match (op, table) {
        (AttrOp::Get, Some(table)) => Ok(vm.dict_get_qstr(table, name).unwrap_or(Value::UNBOUND)),
        (AttrOp::Set(value), table) => {
            let table = match table {
                Some(table) => table,
                None => {
                    let scope = vm.root(value)?;
                    let dict = vm.new_dict(1)?;
                    vm.release(scope);
                    vm.heap.set_root(Root::Builtins, dict);
                    dict.expect_cell("a dict")
                }
            };
            vm.dict_set_qstr(table, name, value)?;
            Ok(Value::NONE)
        }
        (AttrOp::Delete, Some(table)) => {
            let removed = vm.table_remove(table, Value::qstr(name))?;
            Ok(removed.map_or(Value::UNBOUND, |_| Value::NONE))
        }
        _ => Ok(Value::UNBOUND),
    }
}

/// `__build_class__(body, name, *bases, **keywords)`
pub(crate) fn build_class(vm: &mut Vm, args: Args) -> Res {
    // As the instruction has it: the name comes first.
    let (body, name) = (vm.arg(args, 0), vm.arg(args, 1));
    if vm.heap.as_kind(body, Kind::Function).is_none() {
        return Err(vm.raise(ids::TypeError, "object isn't callable"));
    }
    vm.heap.set_stack(args.base, name);
    vm.heap.set_stack(args.base + 1, body);
    vm.make_class(args.base, (args.positional - 2).min(255) as u8, args.keywords.min(255) as u8)
}

pub(crate) fn help(vm: &mut Vm, args: Args) -> Res {
    match vm.opt_arg(args, 0) {
        None => {
            let text = vm.hooks.help;
            vm.write(text.as_bytes());
        }
        Some(object) if vm.str_span(object).is_some_and(|span| vm.str_at(span) == "modules") => {
            help_modules(vm)?;
        }
        Some(object) => help_object(vm, object)?,
    }
    Ok(Value::NONE)
}

/// `help(object)`: what it is, and the names in it.
fn help_object(vm: &mut Vm, object: Value) -> Res<()> {
    let sink = Sink::Console;
    vm.emit_str(sink, "object ")?;
    vm.print_value(sink, object, PrintKind::Str)?;
    vm.emit_str(sink, " is of type ")?;
    let class = vm.type_of(object);
    vm.print_type_name(sink, class)?;
    vm.emit_str(sink, "\n")?;
    if let Some(number) = object.as_immediate(Immediate::Module) {
        let id = ModuleId(number as u16);
        for (name, _) in vm.registry.module_def(id).entries {
            let value = vm.find_in_rom_module(id, *name)?;
            help_line(vm, Value::qstr(*name), value)?;
        }
        return Ok(());
    }
    if let Some(globals) = vm.module_globals(object) {
        return help_dict(vm, globals);
    }
    let class = if vm.is_class(object) { object } else { class };
    if let Some(at) = vm.heap.as_kind(class, Kind::Class) {
        let dict = vm.class_dict(at);
        return help_dict(vm, dict.into());
    }
    let Some(id) = vm.as_type_id(class) else { return Ok(()) };
    for (name, _) in vm.registry.type_def(id).entries {
        let value = vm.class_lookup(class, *name).unwrap_or(Value::NONE);
        help_line(vm, Value::qstr(*name), value)?;
    }
    Ok(())
}

fn help_dict(vm: &mut Vm, dict: Value) -> Res<()> {
    let Some(table) = dict.as_cell() else { return Ok(()) };
    let mut position = 0;
    while let Some((found, key, value)) = vm.table_next(table, position) {
        help_line(vm, key, value)?;
        position = found + 1;
    }
    Ok(())
}

fn help_line(vm: &mut Vm, name: Value, value: Value) -> Res<()> {
    let sink = Sink::Console;
    vm.emit_str(sink, "  ")?;
    vm.print_value(sink, name, PrintKind::Str)?;
    vm.emit_str(sink, " -- ")?;
    vm.print_value(sink, value, PrintKind::Str)?;
    vm.emit_str(sink, "\n")
}

const COLUMNS: u32 = 4;
const COLUMN_WIDTH: u32 = 18;

/// `help('modules')`: the names in columns.
fn help_modules(vm: &mut Vm) -> Res<()> {
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.expect_cell("a list");
    vm.list_append(cell, Value::qstr(Qstr::__main__))?;
    for table in vm.registry.modules {
        for module in table {
            vm.list_append(cell, Value::qstr(module.name))?;
        }
    }
    for module in vm.registry.frozen {
        let sink = vm.begin_text(Kind::Str, 24)?;
        module.path().try_for_each(|part| vm.emit_str(sink, part))?;
        let name = vm.end_text(sink)?;
        let scope = vm.scope();
        vm.root(name)?;
        vm.list_append(cell, name)?;
        vm.release(scope);
    }
    vm.sort_list(cell, Value::NONE, false)?;
    let count = vm.list_len(cell);
    let rows = count.div_ceil(COLUMNS);
    for row in 0..rows {
        let mut column = 0;
        while column < COLUMNS && column * rows + row < count {
            let name = vm.list_get(cell, column * rows + row);
            vm.print(name, PrintKind::Str)?;
            let is_last = (column + 1) * rows + row >= count;
            if !is_last {
                let width = vm.str_span(name).map_or(0, |span| span.len());
                let mut pad = (width / COLUMN_WIDTH + 1) * COLUMN_WIDTH - width;
                while pad > 0 {
                    vm.write(b" ");
                    pad -= 1;
                }
            }
            column += 1;
        }
        vm.write(b"\n");
    }
    vm.write(b"Plus any modules on the filesystem\n");
    Ok(())
}

impl Vm {
    /// The globals of the running Python code.
    pub fn current_globals(&self) -> Value {
        self.running_function().map_or(self.heap.root(Root::Main), |function| {
            self.heap.value(function, crate::call::FUNCTION_GLOBALS)
        })
    }

    /// The namespace of the running module or class body; a function has none of its own, so its globals.
    pub fn current_namespace(&self) -> Value {
        let Some(function) = self.running_function() else { return self.heap.root(Root::Main) };
        let code = self.heap.value(function, 0).as_cell();
        let is_body = code.is_some_and(|at| {
            crate::code::Code::new(self, at).flags(self).has(larch_bytecode::code::Flags::NAMESPACE)
        });
        match is_body {
            true => self.heap.stack(u32::from(self.frames[self.depth - 1].base)),
            false => self.current_globals(),
        }
    }

    fn running_function(&self) -> Option<larch_heap::Ref> {
        let frame = self.frames[..self.depth].last()?;
        self.heap.stack(u32::from(frame.base) - 1).as_cell()
    }

    /// Raises an exception that names a place in a source text, for the compiler.
    pub fn raise_syntax(
        &mut self,
        class: crate::native::TypeId,
        message: &[Part<'_>],
        file: Qstr,
        line: u32,
        block: Option<Qstr>,
    ) -> Raised {
        let raised = self.raise_parts(class, message);
        let exception = self.heap.root(Root::Raised);
        self.set_place(exception, file, line, block);
        raised
    }
}
