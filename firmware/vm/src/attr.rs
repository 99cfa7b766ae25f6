//! Attributes: of instances, classes, modules and built-in objects, and the special methods of Python classes.
//!
//! Order of an instance's look-up, as MicroPython has it: its own attributes, then its class and the class's bases depth
//! first (built-in tables last), then `__getattr__`.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Immediate, Kind, Ref, Root, Value};

use crate::attr_cache::Found;
use crate::native::{AttrOp, BinaryOp, ItemOp, ModuleId, Native, Res, Rom, RomRef, TypeId, UnaryOp};
use crate::types::ids;
use crate::vm::{Part, Vm};

/// A method to call: the function and what comes before its arguments (unbound: nothing).
pub(crate) struct Method {
    pub(crate) function: Value,
    pub(crate) object: Value,
}

impl Vm {
    // ---- reading ----

    /// `object.name`
    ///
    /// # Errors
    /// AttributeError, or what a property or `__getattr__` raises.
    pub fn get_attr(&mut self, object: Value, name: Qstr) -> Res {
        let found = self.find_attr(object, name)?;
        if found.is_unbound() { Err(self.raise_no_attr(object, name)) } else { Ok(found) }
    }

    /// `object.name`, unbound if there is none.
    ///
    /// # Errors
    /// What a property or `__getattr__` raises.
    pub fn find_attr(&mut self, object: Value, name: Qstr) -> Res {
        let method = self.find_method(object, name)?;
        if method.object.is_unbound() {
            return Ok(method.function);
        }
        self.alloc_values(Kind::BoundMethod, &[method.function, method.object])
    }

    /// `object.name` as something to call: a function of the class is not bound yet.
    pub(crate) fn find_method(&mut self, object: Value, name: Qstr) -> Res<Method> {
        let plain = |function| Ok(Method { function, object: Value::UNBOUND });
        if let Some(at) = object.as_cell() {
            match self.heap.kind(at) {
                Kind::Instance | Kind::GrownInstance => return self.find_in_instance(at, name),
                Kind::Class => {
                    let found = self.find_in_class_object(at, name)?;
                    return plain(found);
                }
                Kind::Module => {
                    let found = self.find_in_module(at, name)?;
                    return plain(found);
                }
                Kind::Super => return self.find_in_super(at, name),
                _ => {}
            }
        } else if let Some(id) = self.as_type_id(object) {
            if let Some(value) = self.type_lookup(id, name)
                && let Some(rom) = value.as_immediate(Immediate::Rom)
                && let Rom::ClassMethod(_) = self.registry.entry(RomRef(rom)).1
            {
                return Ok(Method { function: value, object });
            }
            let found = self.find_in_type_object(id, name)?;
            return plain(found);
        } else if let Some(number) = object.as_immediate(Immediate::Module) {
            let found = self.find_in_rom_module(ModuleId(number as u16), name)?;
            return plain(found);
        }
        let class = self.type_of(object);
        self.find_in_native(class, object, object, name)
    }

    fn find_in_instance(&mut self, at: Ref, name: Qstr) -> Res<Method> {
        let shape = self.heap.value(at, 0);
        let found = match self.cache.get(shape, name) {
            Some(found) => Some(found),
            None => self.look_up_instance(shape, name),
        };
        match found {
            Some(Found::Own(position)) => {
                Ok(Method { function: self.own(at, position), object: Value::UNBOUND })
            }
            Some(Found::Method(function)) => Ok(Method { function, object: at.into() }),
            Some(Found::Plain(value)) => self.class_attr_of_instance(at, value),
            None => self.find_beyond_class(at, name),
        }
    }

    /// Looks `name` up in a shape and its class, and remembers what it finds.
    fn look_up_instance(&mut self, shape: Value, name: Qstr) -> Option<Found> {
        let at = shape.as_cell()?;
        let found = match self.shape_find(at, name) {
            Some(position) if name != Qstr::EMPTY => Found::Own(position),
            _ => {
                let class = self.heap.value(at, 1);
                let value = self.class_lookup(class, name)?;
                if self.is_function(value) { Found::Method(value) } else { Found::Plain(value) }
            }
        };
        self.cache.put(shape, name, found);
        Some(found)
    }

    /// Whether a class attribute is bound to the instance it is read from.
    fn is_function(&self, value: Value) -> bool {
        matches!(self.heap.kind_of(value), Some(Kind::Function))
    }

    /// An attribute found in an instance's class: descriptors act, everything else is itself.
    fn class_attr_of_instance(&mut self, at: Ref, value: Value) -> Res<Method> {
        let plain = |function| Ok(Method { function, object: Value::UNBOUND });
        if let Some(rom) = value.as_immediate(Immediate::Rom) {
            let rom = RomRef(rom);
            return match self.registry.entry(rom).1 {
                Rom::Fn(_) if rom.is_type_table() => Ok(Method { function: value, object: at.into() }),
                Rom::ClassMethod(_) => Ok(Method { function: value, object: self.class_of_instance(at) }),
                Rom::Getter(getter) => {
                    let inner = self.inner_object(at);
                    plain(getter(self, inner)?)
                }
                _ => plain(value),
            };
        }
        let Some(cell) = value.as_cell() else { return plain(value) };
        match self.heap.kind(cell) {
            Kind::Property => {
                let getter = self.heap.value(cell, 0);
                if getter.is_none() {
                    return Err(self.raise(ids::AttributeError, "unreadable attribute"));
                }
                plain(self.call(getter, &[at.into()])?)
            }
            Kind::StaticMethod => plain(self.heap.value(cell, 0)),
            Kind::ClassMethod => {
                Ok(Method { function: self.heap.value(cell, 0), object: self.class_of_instance(at) })
            }
            Kind::Instance | Kind::GrownInstance => {
                let class = self.class_of_instance(cell);
                match self.class_lookup(class, Qstr::__get__) {
                    Some(get) => {
                        let owner = self.class_of_instance(at);
                        plain(self.call(get, &[value, at.into(), owner])?)
                    }
                    None => plain(value),
                }
            }
            _ => plain(value),
        }
    }

    /// What an instance has beyond its shape and class: `__class__`, `__dict__`, the built-in base's computed
    /// attributes, `__getattr__`.
    fn find_beyond_class(&mut self, at: Ref, name: Qstr) -> Res<Method> {
        let plain = |function| Ok(Method { function, object: Value::UNBOUND });
        let class = self.class_of_instance(at);
        match name {
            Qstr::__class__ => return plain(class),
            Qstr::__dict__ => return plain(self.instance_dict(at)?),
            _ => {}
        }
        if self.native_base(class).is_some() {
            let inner = self.inner_object(at);
            if inner != Value::cell(at)
                && let Some(attr) = self.native_slot(class, |def| def.attr)
            {
                let found = attr(self, inner, name, AttrOp::Get)?;
                if !found.is_unbound() {
                    return plain(found);
                }
            }
        }
        match self.class_lookup(class, Qstr::__getattr__) {
            Some(hook) => plain(self.call(hook, &[at.into(), Value::qstr(name)])?),
            None => plain(Value::UNBOUND),
        }
    }

    fn instance_dict(&mut self, at: Ref) -> Res {
        let count = self.own_count(at);
        let dict = self.new_dict(count)?;
        let scope = self.root(dict)?;
        let (Some(table), Some(shape)) = (dict.as_cell(), self.heap.value(at, 0).as_cell()) else {
            return Ok(dict);
        };
        for position in 0..count {
            let name = self.shape_name(shape, position);
            if name != Qstr::EMPTY {
                let value = self.own(at, position);
                self.dict_set_qstr(table, name, value)?;
            }
        }
        self.set_table_flag(table, crate::table::FIXED);
        self.release(scope);
        Ok(dict)
    }

    /// An attribute of a class or its bases, as it is stored.
    pub fn class_lookup(&mut self, class: Value, name: Qstr) -> Option<Value> {
        if let Some(id) = self.as_type_id(class) {
            return self.type_lookup(id, name);
        }
        let at = class.as_cell()?;
        if let Some(Found::Plain(value)) = self.cache.get(class, name) {
            return if value.is_unbound() { None } else { Some(value) };
        }
        let found = self.class_search(at, name);
        self.cache.put(class, name, Found::Plain(found.unwrap_or(Value::UNBOUND)));
        found
    }

    fn class_search(&mut self, at: Ref, name: Qstr) -> Option<Value> {
        if let Some(value) = self.dict_get_qstr(self.class_dict(at), name) {
            return Some(value);
        }
        for index in 0..self.base_count(at) {
            let base = self.base_at(at, index);
            if base != ids::object.value()
                && let Some(value) = self.class_lookup(base, name)
            {
                return Some(value);
            }
        }
        self.type_lookup(ids::object, name)
    }

    /// A row of a built-in type's table or of those it derives from.
    fn type_lookup(&mut self, id: TypeId, name: Qstr) -> Option<Value> {
        if let Some(Found::Plain(value)) = self.cache.get(id.value(), name) {
            return if value.is_unbound() { None } else { Some(value) };
        }
        let found = self.type_search(id, name);
        self.cache.put(id.value(), name, Found::Plain(found.unwrap_or(Value::UNBOUND)));
        found
    }

    fn type_search(&self, mut id: TypeId, name: Qstr) -> Option<Value> {
        loop {
            let def = self.registry.type_def(id);
            if let Some(index) = def.entries.iter().position(|(entry, _)| *entry == name) {
                return Some(match def.entries[index].1 {
                    Rom::Value(value) => value,
                    Rom::Type(id) => id.value(),
                    Rom::Str(name) => Value::qstr(name),
                    _ => RomRef::of_type(id, index).value(),
                });
            }
            id = def.base?;
        }
    }

    /// An attribute of an object of a built-in type. `object` is what methods are bound to, `inner` what the type's own
    /// code works on.
    fn find_in_native(&mut self, class: Value, object: Value, inner: Value, name: Qstr) -> Res<Method> {
        let plain = |function| Ok(Method { function, object: Value::UNBOUND });
        let (id, _) = self.native_def(class);
        if let Some(value) = self.type_lookup(id, name) {
            let Some(rom) = value.as_immediate(Immediate::Rom) else { return plain(value) };
            return match self.registry.entry(RomRef(rom)).1 {
                Rom::Fn(_) if RomRef(rom).is_type_table() => Ok(Method { function: value, object }),
                Rom::ClassMethod(_) => Ok(Method { function: value, object: class }),
                Rom::Getter(getter) => plain(getter(self, inner)?),
                _ => plain(value),
            };
        }
        if let Some(attr) = self.native_slot(class, |def| def.attr) {
            let found = attr(self, inner, name, AttrOp::Get)?;
            if !found.is_unbound() {
                return plain(found);
            }
        }
        match name {
            Qstr::__class__ => plain(class),
            Qstr::__next__ if self.native_slot(class, |def| def.next).is_some() => {
                let function = self.find_in_rom_module(crate::modules::BUILTINS_ID, Qstr::next)?;
                Ok(Method { function, object })
            }
            _ => plain(Value::UNBOUND),
        }
    }

    /// An attribute of a built-in type itself: `int.from_bytes`, `list.append`.
    fn find_in_type_object(&mut self, id: TypeId, name: Qstr) -> Res {
        if name == Qstr::__name__ {
            return Ok(Value::qstr(self.registry.type_def(id).name));
        }
        if name == Qstr::__bases__ {
            if id == ids::object {
                return self.alloc_values(Kind::Tuple, &[]);
            }
            let base = self.registry.type_def(id).base.unwrap_or(ids::object);
            return self.alloc_values(Kind::Tuple, &[base.value()]);
        }
        match self.type_lookup(id, name).or_else(|| self.type_lookup(ids::object, name)) {
            Some(value) => self.class_attr_of_class(id.value(), value),
            None if name == Qstr::__class__ => Ok(ids::type_.value()),
            None if name == Qstr::__dict__ => {
                let entries = self.registry.type_def(id).entries;
                self.rom_dict(entries, |index| RomRef::of_type(id, index))
            }
            None => Ok(Value::UNBOUND),
        }
    }

    /// A built-in table as a dict that cannot be changed.
    fn rom_dict(&mut self, entries: &'static [crate::native::Entry], row: impl Fn(usize) -> RomRef) -> Res {
        let dict = self.new_dict(entries.len() as u32)?;
        let scope = self.root(dict)?;
        let table = dict.expect_cell("a dict");
        for (index, (name, what)) in entries.iter().enumerate() {
            let value = match what {
                Rom::Value(value) => *value,
                Rom::Type(id) => id.value(),
                Rom::Str(name) => Value::qstr(*name),
                _ => row(index).value(),
            };
            self.dict_set_qstr(table, *name, value)?;
        }
        self.set_table_flag(table, crate::table::FIXED);
        self.release(scope);
        Ok(dict)
    }

    /// An attribute read from a class: class methods are bound to it, static methods unwrapped.
    fn class_attr_of_class(&mut self, class: Value, value: Value) -> Res {
        if let Some(rom) = value.as_immediate(Immediate::Rom) {
            return match self.registry.entry(RomRef(rom)).1 {
                Rom::ClassMethod(_) => self.alloc_values(Kind::BoundMethod, &[value, class]),
                _ => Ok(value),
            };
        }
        let Some(cell) = value.as_cell() else { return Ok(value) };
        match self.heap.kind(cell) {
            Kind::StaticMethod => Ok(self.heap.value(cell, 0)),
            Kind::ClassMethod => {
                let function = self.heap.value(cell, 0);
                self.alloc_values(Kind::BoundMethod, &[function, class])
            }
            Kind::Instance | Kind::GrownInstance => {
                let of = self.class_of_instance(cell);
                match self.class_lookup(of, Qstr::__get__) {
                    Some(get) => self.call(get, &[value, Value::NONE, class]),
                    None => Ok(value),
                }
            }
            _ => Ok(value),
        }
    }

    fn find_in_class_object(&mut self, at: Ref, name: Qstr) -> Res {
        let class = Value::cell(at);
        if let Some(value) = self.class_lookup(class, name) {
            return self.class_attr_of_class(class, value);
        }
        match name {
            Qstr::__name__ | Qstr::__qualname__ => Ok(Value::qstr(self.class_name(at))),
            Qstr::__bases__ => match self.bases(at) {
                Some(bases) => Ok(bases),
                None => self.alloc_values(Kind::Tuple, &[ids::object.value()]),
            },
            Qstr::__dict__ => {
                let dict = self.class_dict(at);
                let copy = self.new_dict(self.table_len(dict))?;
                let scope = self.root(copy)?;
                let to = copy.expect_cell("a dict");
                self.table_copy(to, dict)?;
                self.set_table_flag(to, crate::table::FIXED);
                self.release(scope);
                Ok(copy)
            }
            Qstr::__class__ => Ok(ids::type_.value()),
            _ => Ok(Value::UNBOUND),
        }
    }

    fn find_in_module(&mut self, at: Ref, name: Qstr) -> Res {
        let dict = self.heap.value(at, 0);
        if name == Qstr::__dict__ {
            return Ok(dict);
        }
        let table = dict.expect_cell("a module has a dict");
        if let Some(value) = self.dict_get_qstr(table, name) {
            return Ok(value);
        }
        match self.dict_get_qstr(table, Qstr::__getattr__) {
            Some(hook) => self.call(hook, &[Value::qstr(name)]),
            None => Ok(Value::UNBOUND),
        }
    }

    /// An attribute of a built-in module.
    pub fn find_in_rom_module(&mut self, id: ModuleId, name: Qstr) -> Res {
        let def = self.registry.module_def(id);
        if id == crate::modules::BUILTINS_ID
            && let Some(table) = self.heap.root(Root::Builtins).as_cell()
            && let Some(value) = self.dict_get_qstr(table, name)
        {
            return Ok(value);
        }
        if name == Qstr::__name__ {
            return Ok(Value::qstr(def.name));
        }
        if let Some(index) = def.entries.iter().position(|(entry, _)| *entry == name) {
            return match def.entries[index].1 {
                Rom::Value(value) => Ok(value),
                Rom::Type(id) => Ok(id.value()),
                Rom::Str(name) => Ok(Value::qstr(name)),
                Rom::Getter(getter) => getter(self, Value::NONE),
                _ => Ok(RomRef::of_module(id, index).value()),
            };
        }
        if name == Qstr::__dict__ {
            return self.rom_dict(def.entries, |index| RomRef::of_module(id, index));
        }
        match def.attr {
            Some(attr) => attr(self, name, AttrOp::Get),
            None => Ok(Value::UNBOUND),
        }
    }

    /// `super().name`: the class list of the object's class after the given class.
    fn find_in_super(&mut self, at: Ref, name: Qstr) -> Res<Method> {
        let (class, object) = (self.heap.value(at, 0), self.heap.value(at, 1));
        let Some(cell) = self.heap.as_kind(class, Kind::Class) else {
            return self.find_in_native(ids::object.value(), object, object, name);
        };
        let mut found = None;
        for index in 0..self.base_count(cell) {
            let base = self.base_at(cell, index);
            found = self.class_lookup(base, name);
            if found.is_some() {
                break;
            }
        }
        let found = found.or_else(|| self.type_lookup(ids::object, name));
        let Some(value) = found else {
            return Ok(Method { function: Value::UNBOUND, object: Value::UNBOUND });
        };
        let instance = object.as_cell().filter(|_| self.is_python_instance(object));
        match instance {
            Some(_) if self.is_function(value) => Ok(Method { function: value, object }),
            Some(instance) => self.class_attr_of_instance(instance, value),
            None if self.is_function(value) && !self.is_class(object) => {
                Ok(Method { function: value, object })
            }
            None => Ok(Method { function: self.class_attr_of_class(object, value)?, object: Value::UNBOUND }),
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn raise_no_attr(&mut self, object: Value, name: Qstr) -> crate::native::Raised {
        if self.is_class(object) {
            let class = self.type_name(object);
            let parts = [
                Part::Text("type object '"),
                Part::Name(class),
                Part::Text("' has no attribute '"),
                Part::Name(name),
                Part::Text("'"),
            ];
            return self.raise_parts(ids::AttributeError, &parts);
        }
        if self.hooks.identity.detailed_errors && self.is_a(object, ids::module) {
            let shown = match (object.as_immediate(Immediate::Module), self.module_globals(object)) {
                (Some(number), _) => self.registry.module_def(ModuleId(number as u16)).name,
                (None, globals) => globals
                    .and_then(Value::as_cell)
                    .and_then(|at| self.dict_get_qstr(at, Qstr::__name__))
                    .and_then(Value::as_qstr)
                    .unwrap_or(Qstr::module),
            };
            let parts = [
                Part::Text("module '"),
                Part::Name(shown),
                Part::Text("' has no attribute '"),
                Part::Name(name),
                Part::Text("'"),
            ];
            return self.raise_parts(ids::AttributeError, &parts);
        }
        let parts = [
            Part::Text("'"),
            Part::TypeOf(object),
            Part::Text("' object has no attribute '"),
            Part::Name(name),
            Part::Text("'"),
        ];
        self.raise_parts(ids::AttributeError, &parts)
    }

    // ---- writing ----

    /// `object.name = value`, `del object.name`
    ///
    /// # Errors
    /// AttributeError, or what a property or `__setattr__` raises.
    pub fn change_attr(&mut self, object: Value, name: Qstr, op: AttrOp) -> Res<()> {
        if let Some(at) = object.as_cell() {
            match self.heap.kind(at) {
                Kind::Instance | Kind::GrownInstance => return self.change_in_instance(at, name, op),
                Kind::Class => return self.change_in_class(at, name, op),
                Kind::Module => {
                    let dict = self.heap.value(at, 0).expect_cell("a module has a dict");
                    return self.change_in_dict(object, dict, name, op);
                }
                _ => {}
            }
        }
        if let Some(number) = object.as_immediate(Immediate::Module) {
            let def = self.registry.module_def(ModuleId(number as u16));
            if let Some(attr) = def.attr
                && !attr(self, name, op)?.is_unbound()
            {
                return Ok(());
            }
            return Err(self.raise_no_attr(object, name));
        }
        let class = self.type_of(object);
        if let Some(attr) = self.native_slot(class, |def| def.attr)
            && !attr(self, object, name, op)?.is_unbound()
        {
            return Ok(());
        }
        Err(self.raise_no_attr(object, name))
    }

    fn change_in_dict(&mut self, object: Value, dict: Ref, name: Qstr, op: AttrOp) -> Res<()> {
        match op {
            AttrOp::Set(value) => self.dict_set_qstr(dict, name, value),
            _ => match self.table_remove(dict, Value::qstr(name))? {
                Some(_) => {
                    self.cache.clear();
                    Ok(())
                }
                None => Err(self.raise_no_attr(object, name)),
            },
        }
    }

    fn change_in_class(&mut self, at: Ref, name: Qstr, op: AttrOp) -> Res<()> {
        match op {
            AttrOp::Set(value) => self.set_class_attr(at, name, value),
            _ => {
                let dict = self.class_dict(at);
                self.change_in_dict(at.into(), dict, name, op)
            }
        }
    }

    #[inline]
    fn change_in_instance(&mut self, at: Ref, name: Qstr, op: AttrOp) -> Res<()> {
        let class = self.class_of_instance(at);
        let special = class.as_cell().is_some_and(|class| self.class_has_accessors(class));
        if special && self.change_specially(at, class, name, op)? {
            return Ok(());
        }
        match op {
            AttrOp::Set(value) => {
                if let Some(Found::Own(position)) = self.cache.get(self.heap.value(at, 0), name) {
                    self.set_own(at, position, value);
                    return Ok(());
                }
                self.change_own(at, class, name, value)
            }
            _ => match self.delete_own(at, name)? {
                true => Ok(()),
                false => Err(self.raise_no_attr(at.into(), name)),
            },
        }
    }

    fn change_own(&mut self, at: Ref, class: Value, name: Qstr, value: Value) -> Res<()> {
        let inner = self.inner_object(at);
        if inner != Value::cell(at)
            && let Some(attr) = self.native_slot(class, |def| def.attr)
            && !attr(self, inner, name, AttrOp::Set(value))?.is_unbound()
        {
            return Ok(());
        }
        self.store_own(at, name, value)
    }

    /// Properties, descriptors, `__setattr__`, `__delattr__`; true if one of them did it.
    fn change_specially(&mut self, at: Ref, class: Value, name: Qstr, op: AttrOp) -> Res<bool> {
        let object = Value::cell(at);
        if let Some(member) = self.class_lookup(class, name)
            && let Some(cell) = member.as_cell()
        {
            match self.heap.kind(cell) {
                Kind::Property => return self.change_property(object, cell, op).map(|()| true),
                Kind::Instance | Kind::GrownInstance => {
                    let of = self.class_of_instance(cell);
                    let hook = match op {
                        AttrOp::Set(_) => self.class_lookup(of, Qstr::__set__),
                        _ => self.class_lookup(of, Qstr::__delete__),
                    };
                    if let Some(hook) = hook {
                        match op {
                            AttrOp::Set(value) => self.call(hook, &[member, object, value])?,
                            _ => self.call(hook, &[member, object])?,
                        };
                        return Ok(true);
                    }
                }
                _ => {}
            }
        }
        let hook = match op {
            AttrOp::Set(_) => self.class_lookup(class, Qstr::__setattr__),
            _ => self.class_lookup(class, Qstr::__delattr__),
        };
        match (hook, op) {
            (Some(hook), AttrOp::Set(value)) if !self.is_rom(hook) => {
                self.call(hook, &[object, Value::qstr(name), value]).map(|_| true)
            }
            (Some(hook), AttrOp::Delete) if !self.is_rom(hook) => {
                self.call(hook, &[object, Value::qstr(name)]).map(|_| true)
            }
            _ => Ok(false),
        }
    }

    fn is_rom(&self, value: Value) -> bool {
        value.as_immediate(Immediate::Rom).is_some()
    }

    fn change_property(&mut self, object: Value, property: Ref, op: AttrOp) -> Res<()> {
        let (function, args) = match op {
            AttrOp::Set(value) => (self.heap.value(property, 1), [object, value]),
            _ => (self.heap.value(property, 2), [object, Value::UNBOUND]),
        };
        if function.is_none() {
            return Err(self.raise(ids::AttributeError, "can't set attribute"));
        }
        let count = if matches!(op, AttrOp::Set(_)) { 2 } else { 1 };
        self.call(function, &args[..count]).map(|_| ())
    }

    /// Sets an instance's own attribute without asking anybody (`object.__setattr__`).
    ///
    /// # Errors
    /// MemoryError.
    pub(crate) fn set_own_attr(&mut self, object: Value, name: Qstr, value: Value) -> Res<()> {
        match object.as_cell().filter(|_| self.is_python_instance(object)) {
            Some(at) => self.store_own(at, name, value),
            None => Err(self.raise_no_attr(object, name)),
        }
    }

    // ---- special methods of instances ----

    /// Calls a special method of an instance's class, if its class (not a built-in table) has it.
    pub(crate) fn call_special(&mut self, object: Value, name: Qstr, args: &[Value]) -> Res<Option<Value>> {
        let Some(at) = object.as_cell().filter(|_| self.is_python_instance(object)) else { return Ok(None) };
        let class = self.class_of_instance(at);
        let Some(function) = self.class_lookup(class, name).filter(|f| !self.is_rom(*f)) else {
            return Ok(None);
        };
        let scope = self.scope();
        let method = match self.is_function(function) {
            true => Method { function, object },
            false => self.class_attr_of_instance(at, function)?,
        };
        let slot = self.root(method.function)?;
        if !method.object.is_unbound() {
            self.root(method.object)?;
        }
        for arg in args {
            self.root(*arg)?;
        }
        let count = (self.scope() - slot - 1) as u16;
        let answer = self.deeper(|vm| vm.call_at(slot, count, 0))?;
        self.release(scope);
        Ok(Some(answer))
    }

    pub(crate) fn instance_unary(&mut self, op: UnaryOp, value: Value) -> Res<Option<Value>> {
        let name = match op {
            UnaryOp::Neg => Qstr::__neg__,
            UnaryOp::Pos => Qstr::__pos__,
            UnaryOp::Invert => Qstr::__invert__,
            UnaryOp::Bool => Qstr::__bool__,
            UnaryOp::Len => Qstr::__len__,
            UnaryOp::Hash => Qstr::__hash__,
            UnaryOp::Abs => Qstr::__abs__,
        };
        let answer = self.call_special(value, name, &[])?;
        let Some(answer) = answer else { return self.instance_unary_default(op, value) };
        match op {
            UnaryOp::Bool => self.truth(answer).map(|truth| Some(Value::bool(truth))),
            UnaryOp::Hash | UnaryOp::Len => match self.native_part(answer) {
                small if small.is_small() => Ok(Some(small)),
                other => {
                    let word = self.int_hash_word(other)?;
                    Ok(Some(Value::small(word << 2 >> 2)))
                }
            },
            _ => Ok(Some(answer)),
        }
    }

    fn int_hash_word(&mut self, value: Value) -> Res<i32> {
        match self.is_a(value, ids::int) || self.is_a(value, ids::bool) {
            true => {
                let hash = self.try_unary(UnaryOp::Hash, value)?;
                Ok(hash.as_small().unwrap_or(0))
            }
            false => Err(self.raise_parts(
                ids::TypeError,
                &[Part::Text("can't convert "), Part::TypeOf(value), Part::Text(" to int")],
            )),
        }
    }

    fn instance_unary_default(&mut self, op: UnaryOp, value: Value) -> Res<Option<Value>> {
        let at = value.expect_cell("an instance");
        let class = self.class_of_instance(at);
        let is_plain = self.inner_object(at) == value;
        match op {
            UnaryOp::Hash if is_plain => {
                if self.class_lookup(class, Qstr::__eq__).is_some_and(|eq| !self.is_rom(eq)) {
                    // A class with __eq__ and no __hash__ is not hashable.
                    return Ok(Some(Value::UNBOUND));
                }
                Ok(Some(Value::small((at.bits() >> 3) as i32 & Value::SMALL_MAX)))
            }
            UnaryOp::Bool if is_plain => {
                let len = self.call_special(value, Qstr::__len__, &[])?;
                match len {
                    Some(len) => self.truth(len).map(|truth| Some(Value::bool(truth))),
                    None => Ok(Some(Value::TRUE)),
                }
            }
            UnaryOp::Bool => match self.call_special(value, Qstr::__len__, &[])? {
                Some(len) => self.truth(len).map(|truth| Some(Value::bool(truth))),
                None => Ok(None),
            },
            _ if is_plain => Ok(Some(Value::UNBOUND)),
            _ => Ok(None),
        }
    }

    pub(crate) fn instance_item(&mut self, object: Value, index: Value, op: ItemOp) -> Res<Option<Value>> {
        let answer = match op {
            ItemOp::Get => self.call_special(object, Qstr::__getitem__, &[index])?,
            ItemOp::Set(value) => self.call_special(object, Qstr::__setitem__, &[index, value])?,
            ItemOp::Delete => self.call_special(object, Qstr::__delitem__, &[index])?,
        };
        Ok(answer)
    }

    pub(crate) fn instance_iter(&mut self, value: Value) -> Res<Option<Value>> {
        if let Some(iterator) = self.call_special(value, Qstr::__iter__, &[])? {
            return Ok(Some(iterator));
        }
        let at = value.expect_cell("an instance");
        if self.inner_object(at) != value {
            return Ok(None);
        }
        let class = self.class_of_instance(at);
        if self.class_lookup(class, Qstr::__getitem__).is_some() {
            return self.new_iterator(value).map(Some);
        }
        Ok(None)
    }

    pub(crate) fn instance_next(&mut self, value: Value) -> Res<Option<Value>> {
        match self.call_special(value, Qstr::__next__, &[]) {
            Err(raised) => self.end_of_iteration(raised).map(Some),
            answer => answer,
        }
    }

    // ---- binary operators in full ----

    /// A two-operand operator: Python methods, built-in types, reflected methods, in that order.
    ///
    /// # Errors
    /// TypeError if neither operand supports it.
    pub fn binary(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        let answer = self.binary_once(op, left, right)?;
        if !answer.is_unbound() {
            return Ok(answer);
        }
        if let Some(plain) = op.without_assignment() {
            return self.binary(plain, left, right);
        }
        self.binary_fallback(op, left, right)
    }

    fn binary_once(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        if self.is_python_instance(left) {
            let answer = self.call_special(left, op.method(), &[right])?;
            if let Some(answer) = answer
                && answer != Value::NOT_IMPLEMENTED
            {
                return if op == BinaryOp::Contains {
                    self.truth(answer).map(Value::bool)
                } else {
                    Ok(answer)
                };
            }
            if op == BinaryOp::Ne
                && answer.is_none()
                && let Some(equal) = self.call_special(left, Qstr::__eq__, &[right])?
                && equal != Value::NOT_IMPLEMENTED
            {
                return self.truth(equal).map(|equal| Value::bool(!equal));
            }
            if self.native_part(left) == left {
                return Ok(Value::UNBOUND);
            }
        }
        let inner_right = self.native_part(right);
        self.native_binary(op, left, inner_right)
    }

    fn binary_fallback(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        if let Some(reflected) = op.reflected()
            && let Some(answer) = self.call_special(right, reflected, &[left])?
            && answer != Value::NOT_IMPLEMENTED
        {
            return Ok(answer);
        }
        match op {
            BinaryOp::Eq => return Ok(Value::bool(left == right)),
            BinaryOp::Ne => {
                let equal = self.binary(BinaryOp::Eq, left, right)?;
                return self.truth(equal).map(|equal| Value::bool(!equal));
            }
            BinaryOp::Contains => {
                let mut found = false;
                self.for_each(left, |vm, item| {
                    found = vm.equal(item, right)?;
                    Ok(!found)
                })?;
                return Ok(Value::bool(found));
            }
            // A right operand of a built-in type may know what the left one does not (`2 + 1.5`, `1 < 2.0`).
            _ => {}
        }
        let parts = [
            Part::Text("unsupported types for "),
            Part::Name(op.method()),
            Part::Text(": '"),
            Part::TypeOf(left),
            Part::Text("', '"),
            Part::TypeOf(right),
            Part::Text("'"),
        ];
        Err(self.raise_parts(ids::TypeError, &parts))
    }
}

impl BinaryOp {
    /// The operators in the order of their numbers.
    const ALL: [BinaryOp; 33] = {
        use BinaryOp::*;
        [
            Add, Sub, Mul, TrueDiv, FloorDiv, Mod, Pow, MatMul, And, Or, Xor, Shl, Shr, IAdd, ISub, IMul,
            ITrueDiv, IFloorDiv, IMod, IPow, IMatMul, IAnd, IOr, IXor, IShl, IShr, Eq, Ne, Lt, Le, Gt, Ge,
            Contains,
        ]
    };

    /// The operator with this number.
    pub const fn from_index(index: u8) -> BinaryOp {
        BinaryOp::ALL[index as usize]
    }

    /// `+` for `+=` and so on.
    pub const fn without_assignment(self) -> Option<BinaryOp> {
        let number = self as u8;
        if number >= BinaryOp::IAdd as u8 && number <= BinaryOp::IShr as u8 {
            Some(BinaryOp::ALL[(number - BinaryOp::IAdd as u8) as usize])
        } else {
            None
        }
    }

    /// The special method.
    pub const fn method(self) -> Qstr {
        use BinaryOp::*;
        match self {
            Add => Qstr::__add__,
            Sub => Qstr::__sub__,
            Mul => Qstr::__mul__,
            TrueDiv => Qstr::__truediv__,
            FloorDiv => Qstr::__floordiv__,
            Mod => Qstr::__mod__,
            Pow => Qstr::__pow__,
            MatMul => Qstr::__matmul__,
            And => Qstr::__and__,
            Or => Qstr::__or__,
            Xor => Qstr::__xor__,
            Shl => Qstr::__lshift__,
            Shr => Qstr::__rshift__,
            IAdd => Qstr::__iadd__,
            ISub => Qstr::__isub__,
            IMul => Qstr::__imul__,
            ITrueDiv => Qstr::__itruediv__,
            IFloorDiv => Qstr::__ifloordiv__,
            IMod => Qstr::__imod__,
            IPow => Qstr::__ipow__,
            IMatMul => Qstr::__imatmul__,
            IAnd => Qstr::__iand__,
            IOr => Qstr::__ior__,
            IXor => Qstr::__ixor__,
            IShl => Qstr::__ilshift__,
            IShr => Qstr::__irshift__,
            Eq => Qstr::__eq__,
            Ne => Qstr::__ne__,
            Lt => Qstr::__lt__,
            Le => Qstr::__le__,
            Gt => Qstr::__gt__,
            Ge => Qstr::__ge__,
            Contains => Qstr::__contains__,
        }
    }

    /// The special method of the right operand.
    pub const fn reflected(self) -> Option<Qstr> {
        use BinaryOp::*;
        Some(match self {
            Add => Qstr::__radd__,
            Sub => Qstr::__rsub__,
            Mul => Qstr::__rmul__,
            TrueDiv => Qstr::__rtruediv__,
            FloorDiv => Qstr::__rfloordiv__,
            Mod => Qstr::__rmod__,
            Pow => Qstr::__rpow__,
            MatMul => Qstr::__rmatmul__,
            And => Qstr::__rand__,
            Or => Qstr::__ror__,
            Xor => Qstr::__rxor__,
            Shl => Qstr::__rlshift__,
            Shr => Qstr::__rrshift__,
            Eq => Qstr::__eq__,
            Ne => Qstr::__ne__,
            Lt => Qstr::__gt__,
            Le => Qstr::__ge__,
            Gt => Qstr::__lt__,
            Ge => Qstr::__le__,
            _ => return None,
        })
    }
}

/// Whether a native function's table row takes the object as its first argument.
pub(crate) fn native_of(rom: &Rom) -> Option<Native> {
    match rom {
        Rom::Fn(native) | Rom::ClassMethod(native) | Rom::StaticMethod(native) => Some(*native),
        _ => None,
    }
}
