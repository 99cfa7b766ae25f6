//! `import`: built-in modules, modules of the file system (through the port's hook), packages, relative names.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Immediate, Kind, Root, Value};

use crate::native::{ModuleId, Raised, Res};
use crate::types::ids;
use crate::vm::{Part, Vm};

/// Longest dotted name of a module.
const MAX_NAME: usize = 128;

impl Vm {
    /// `sys.modules`
    pub fn modules(&mut self) -> Res {
        match self.heap.root(Root::Modules) {
            Value::UNBOUND => {
                let dict = self.new_dict(0)?;
                self.heap.set_root(Root::Modules, dict);
                Ok(dict)
            }
            dict => Ok(dict),
        }
    }

    /// A new module, entered in `sys.modules`.
    ///
    /// # Errors
    /// MemoryError.
    pub fn new_module(&mut self, name: Qstr) -> Res {
        let scope = self.scope();
        let globals = self.new_dict(0)?;
        self.root(globals)?;
        let table = globals.expect_cell("a dict");
        self.dict_set_qstr(table, Qstr::__name__, Value::qstr(name))?;
        let module = self.alloc_values(Kind::Module, &[globals])?;
        self.root(module)?;
        let modules = self.modules()?.expect_cell("a dict");
        self.dict_set_qstr(modules, name, module)?;
        self.release(scope);
        Ok(module)
    }

    /// Takes a module that failed out of `sys.modules`.
    ///
    /// # Errors
    /// MemoryError.
    pub fn forget_module(&mut self, name: Qstr) -> Res<()> {
        match self.heap.root(Root::Modules).as_cell() {
            Some(modules) => self.table_remove(modules, Value::qstr(name)).map(|_| ()),
            None => Ok(()),
        }
    }

    /// The names of a module that is not built in.
    pub fn module_globals(&self, module: Value) -> Option<Value> {
        self.heap.as_kind(module, Kind::Module).map(|at| self.heap.value(at, 0))
    }

    /// Runs a code object as a module body in these globals.
    ///
    /// # Errors
    /// What it raises.
    pub fn run_code(&mut self, code: Value, globals: Value, namespace: Value) -> Res {
        let scope = self.root(code)?;
        self.root(globals)?;
        let function = self.new_function(code, globals)?;
        let result = self.call(function, &[namespace]);
        self.release(scope);
        result
    }

    /// An import statement, which asks `builtins.__import__` if a program has set it.
    pub(crate) fn import_statement(&mut self, name: Qstr, from: Value, level: Value, globals: Value) -> Res {
        match self.overridden(Qstr::__import__) {
            Some(hook) => self.call(hook, &[Value::qstr(name), globals, globals, from, level]),
            None => self.import(name, from, level, globals),
        }
    }

    /// `__import__(name, fromlist, level)` of code with these globals.
    pub(crate) fn import(&mut self, name: Qstr, from: Value, level: Value, globals: Value) -> Res {
        let level = level.as_small().unwrap_or(0);
        let mut full = [0; MAX_NAME];
        let len = self.absolute_name(name, level, globals, &mut full)?;
        let full = core::str::from_utf8(&full[..len]).unwrap_or_default();
        let mut end = 0;
        let (mut first, mut parent, mut last) = (Value::UNBOUND, Value::UNBOUND, Value::UNBOUND);
        while end < full.len() {
            let part_start = if end == 0 { 0 } else { end + 1 };
            end = full[part_start..].find('.').map_or(full.len(), |dot| part_start + dot);
            let path = self.intern(&full[..end])?;
            let is_new = !self.is_loaded(path);
            last = self.import_one(path)?;
            if !parent.is_unbound() && is_new {
                let part = self.intern(&full[part_start..end])?;
                self.bind_submodule(parent, part, last)?;
            }
            if first.is_unbound() {
                first = last;
            }
            parent = last;
        }
        let wants_last = !from.is_none() && !from.is_unbound();
        if wants_last {
            self.import_submodules(last, full, from)?;
            return Ok(last);
        }
        Ok(if level > 0 { last } else { first })
    }

    fn is_loaded(&self, name: Qstr) -> bool {
        let modules = self.heap.root(Root::Modules).as_cell();
        modules.is_some_and(|modules| self.dict_get_qstr(modules, name).is_some())
    }

    fn bind_submodule(&mut self, parent: Value, part: Qstr, module: Value) -> Res<()> {
        match self.module_globals(parent).and_then(Value::as_cell) {
            Some(globals) => self.dict_set_qstr(globals, part, module),
            None => Ok(()),
        }
    }

    /// `from package import name`: names that are no attributes may be modules of the package.
    fn import_submodules(&mut self, package: Value, full: &str, from: Value) -> Res<()> {
        let Some((at, first, count)) = self.sequence_items(from) else { return Ok(()) };
        for index in 0..count {
            let Some(name) = self.heap.slot(at, first + index).as_qstr() else { continue };
            if name == Qstr::STAR || !self.is_package(package) || !self.find_attr(package, name)?.is_unbound()
            {
                continue;
            }
            let mut path = [0; MAX_NAME];
            let text = self.qstr_text(name);
            let len = full.len() + 1 + text.len();
            if len > MAX_NAME {
                continue;
            }
            path[..full.len()].copy_from_slice(full.as_bytes());
            path[full.len()] = b'.';
            path[full.len() + 1..len].copy_from_slice(text.as_bytes());
            let path = self.intern(core::str::from_utf8(&path[..len]).unwrap_or_default())?;
            let is_new = !self.is_loaded(path);
            if let Some(module) = self.try_import(path)?
                && is_new
            {
                self.bind_submodule(package, name, module)?;
            }
        }
        Ok(())
    }

    fn is_package(&self, module: Value) -> bool {
        let globals = self.module_globals(module).and_then(Value::as_cell);
        globals.is_some_and(|at| self.dict_get_qstr(at, Qstr::__path__).is_some())
    }

    /// The full dotted name of what `level` dots and `name` mean in a module with these globals.
    fn absolute_name(
        &mut self,
        name: Qstr,
        level: i32,
        globals: Value,
        out: &mut [u8; MAX_NAME],
    ) -> Res<usize> {
        let mut len = 0;
        if level > 0 {
            let table = globals.expect_cell("globals are a dict");
            let own = self.dict_get_qstr(table, Qstr::__name__).unwrap_or(Value::NONE);
            let is_package = self.dict_get_qstr(table, Qstr::__path__).is_some();
            let package = self.str_span(own).map_or("", |span| self.str_at(span));
            let mut up = if is_package { level - 1 } else { level };
            let mut package = package;
            while up > 0 {
                package = match package.rfind('.') {
                    Some(dot) => &package[..dot],
                    None => "",
                };
                up -= 1;
            }
            if package.is_empty() {
                return Err(self.raise(ids::ImportError, "can't perform relative import"));
            }
            len = package.len().min(MAX_NAME);
            out[..len].copy_from_slice(&package.as_bytes()[..len]);
        }
        let text = self.qstr_text(name);
        if !text.is_empty() {
            if len > 0 && len < MAX_NAME {
                out[len] = b'.';
                len += 1;
            }
            if len + text.len() > MAX_NAME {
                return Err(self.raise(ids::ImportError, "name too long"));
            }
            out[len..len + text.len()].copy_from_slice(text.as_bytes());
            len += text.len();
        }
        Ok(len)
    }

    fn import_one(&mut self, name: Qstr) -> Res {
        match self.try_import(name)? {
            Some(module) => Ok(module),
            None => Err(self.raise_no_module(name)),
        }
    }

    #[cold]
    fn raise_no_module(&mut self, name: Qstr) -> Raised {
        let parts = [Part::Text("no module named '"), Part::Name(name), Part::Text("'")];
        self.raise_parts(ids::ImportError, &parts)
    }

    fn try_import(&mut self, name: Qstr) -> Res<Option<Value>> {
        let built_in = self.registry.find_module(name);
        // Without a path a built-in module is meant, also by the file that is taking its place just now.
        if let Some(id) = built_in
            && self.sequence_items(self.heap.root(Root::Path)).is_none_or(|(.., len)| len == 0)
        {
            return Ok(Some(id.value()));
        }
        if let Some(modules) = self.heap.root(Root::Modules).as_cell()
            && let Some(module) = self.dict_get_qstr(modules, name)
        {
            return Ok(Some(module));
        }
        if let Some(id) = built_in
            && !self.is_extensible(id, name)
        {
            return Ok(Some(id.value()));
        }
        let import = self.hooks.import;
        let module = self.deeper(|vm| import(vm, name))?;
        if !module.is_unbound() {
            return Ok(Some(module));
        }
        let Some(id) = built_in else { return Ok(None) };
        // Noted, so that files are looked for once.
        let modules = self.modules()?.as_cell().expect("a dict");
        self.dict_set_qstr(modules, name, id.value())?;
        Ok(Some(id.value()))
    }

    /// Whether a file may take the place of a built-in module, as MicroPython has it: of those that Python has too, by
    /// their proper names.
    fn is_extensible(&self, id: ModuleId, name: Qstr) -> bool {
        const FIXED: [Qstr; 9] = [
            Qstr::builtins,
            Qstr::sys,
            Qstr::gc,
            Qstr::micropython,
            Qstr::math,
            Qstr::cmath,
            Qstr::uctypes,
            Qstr::vfs,
            Qstr::weakref,
        ];
        self.registry.module_def(id).name == name && !FIXED.contains(&name)
    }

    pub(crate) fn import_from(&mut self, module: Value, name: Qstr) -> Res {
        let value = self.find_attr(module, name)?;
        if value.is_unbound() {
            let parts = [Part::Text("can't import name "), Part::Name(name)];
            return Err(self.raise_parts(ids::ImportError, &parts));
        }
        Ok(value)
    }

    pub(crate) fn import_star(&mut self, module: Value, namespace: Value) -> Res<()> {
        let to = namespace.expect_cell("a namespace");
        if let Some(number) = module.as_immediate(Immediate::Module) {
            let def = self.registry.module_def(ModuleId(number as u16));
            for (name, _) in def.entries {
                if !self.qstr_text(*name).starts_with('_') {
                    let value = self.get_attr(module, *name)?;
                    self.dict_set_qstr(to, *name, value)?;
                }
            }
            return Ok(());
        }
        let all = match self.find_attr(module, Qstr::__all__) {
            Err(Raised) if self.is_instance(self.heap.root(Root::Raised), ids::AttributeError.value()) => {
                self.take_raised();
                Value::UNBOUND
            }
            found => found?,
        };
        if !all.is_unbound() {
            self.root(all)?;
            return self.for_each(all, |vm, name| {
                let Some(name) = vm.intern_value(name)? else { return Ok(true) };
                let value = vm.get_attr(module, name)?;
                vm.dict_set_qstr(to, name, value)?;
                Ok(true)
            });
        }
        let names = self.get_attr(module, Qstr::__dict__)?;
        self.root(names)?;
        let Some(from) = self.heap.as_kind(names, Kind::Dict) else { return Ok(()) };
        let mut position = 0;
        while let Some((found, key, value)) = self.table_next(from, position) {
            let is_public = self.str_span(key).is_some_and(|span| !self.str_at(span).starts_with('_'));
            if is_public {
                self.table_set(to, key, value)?;
            }
            position = found + 1;
        }
        Ok(())
    }
}
