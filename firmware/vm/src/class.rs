//! Python classes, the shapes of their instances, and instances.
//!
//! A class cell is `flags | depth << 1 | slots hint << 8 | (built-in base + 1) << 16`, then name, bases (tuple or unbound), dict, root
//! shape (unbound until there is an instance). A shape is a node of a tree that starts at the class: `attribute count`,
//! then class, parent, the name added here, first child, next sibling. An instance is its shape and its attributes; when
//! it outgrows its cell the last word becomes a `Slots` cell with the rest.
//!
//! Invariants: shapes never change, so (shape, name) identifies a place; an instance of a class that derives from a
//! built-in type has the built-in object as attribute 0.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::native::{Res, TypeId};
use crate::types::ids;
use crate::vm::{Part, Vm};

/// Class flag: `__setattr__`, `__delattr__`, a property or another descriptor is among its attributes or its bases'.
pub(crate) const ACCESSORS: u32 = 1;

/// How many classes lie between a class and `object`, on the longest way; limited, because looking something up in a class
/// asks its bases in turn.
const DEPTH_SHIFT: u32 = 1;
const DEPTH_MASK: u32 = 0x7f;
const DEPTH_MAX: u32 = 32;

const NAME: u32 = 1;
const BASES: u32 = 2;
const DICT: u32 = 3;
const SHAPE: u32 = 4;

const SHAPE_CLASS: u32 = 1;
const SHAPE_PARENT: u32 = 2;
const SHAPE_NAME: u32 = 3;
const SHAPE_CHILD: u32 = 4;
const SHAPE_SIBLING: u32 = 5;

/// Attributes for which the first instance of a class has room.
const FIRST_SLOTS: u32 = 4;

impl Vm {
    /// Makes a class. `bases` (a tuple) and `dict` must be alive by themselves.
    ///
    /// # Errors
    /// TypeError for unsuitable bases; MemoryError.
    pub fn new_class(&mut self, name: Qstr, bases: Value, dict: Value) -> Res {
        let (mut native, mut flags, mut depth) = (None, 0, 0);
        let count = bases.as_cell().map_or(0, |at| self.heap.header(at).count());
        for index in 0..count {
            let base = bases.as_cell().map_or(Value::NONE, |at| self.heap.slot(at, index));
            let of_base = match (self.as_type_id(base), self.heap.as_kind(base, Kind::Class)) {
                (Some(id), _) => {
                    let def = self.registry.type_def(id);
                    if def.make.is_none() {
                        let parts = [
                            Part::Text("type '"),
                            Part::Name(def.name),
                            Part::Text("' isn't an acceptable base type"),
                        ];
                        return Err(self.raise_parts(ids::TypeError, &parts));
                    }
                    (id != ids::object).then_some(id)
                }
                (None, Some(at)) => {
                    let of_base = self.heap.word(at, 0);
                    flags |= of_base & ACCESSORS;
                    depth = depth.max(1 + (of_base >> DEPTH_SHIFT & DEPTH_MASK));
                    self.native_base(base)
                }
                _ => {
                    let parts = [
                        Part::Text("type '"),
                        Part::TypeOf(base),
                        Part::Text("' isn't an acceptable base type"),
                    ];
                    return Err(self.raise_parts(ids::TypeError, &parts));
                }
            };
            if native.is_some() && of_base.is_some() && native != of_base {
                return Err(self.raise(ids::TypeError, "multiple bases have instance lay-out conflict"));
            }
            native = native.or(of_base);
        }
        if depth > DEPTH_MAX {
            return Err(self.raise_recursion());
        }
        let at = self.alloc(Header::new(Kind::Class, 5))?;
        flags |= depth << DEPTH_SHIFT;
        flags |= native.map_or(0, |id| (u32::from(id.0) + 1) << 16);
        self.heap.set_word(at, 0, flags);
        self.heap.set_value(at, NAME, Value::qstr(name));
        self.heap.set_value(at, BASES, if count == 0 { Value::UNBOUND } else { bases });
        self.heap.set_value(at, DICT, dict);
        self.note_accessors(at);
        let scope = self.root(at.into())?;
        let table = self.class_dict(at);
        if let Some(new) = self.dict_get_qstr(table, Qstr::__new__)
            && self.heap.as_kind(new, Kind::Function).is_some()
        {
            let wrapped = self.alloc_values(Kind::StaticMethod, &[new])?;
            self.dict_set_qstr(table, Qstr::__new__, wrapped)?;
        }
        if self.class_has_accessors(at) {
            self.tell_names(at)?;
        }
        self.release(scope);
        Ok(at.into())
    }

    /// Calls `__set_name__` of the members that have it. They may change the class, so they are noted first.
    fn tell_names(&mut self, class: Ref) -> Res<()> {
        let first = self.scope();
        let dict = self.class_dict(class);
        let mut position = 0;
        while let Some((found, key, value)) = self.table_next(dict, position) {
            if self.is_python_instance(value) {
                self.root(key)?;
                self.root(value)?;
            }
            position = found + 1;
        }
        let end = self.scope();
        for slot in (first..end).step_by(2) {
            let (name, member) = (self.heap.stack(slot), self.heap.stack(slot + 1));
            let of = member.as_cell().map_or(Value::NONE, |at| self.class_of_instance(at));
            if self.class_lookup(of, Qstr::__set_name__).is_some() {
                self.call_special(member, Qstr::__set_name__, &[class.into(), name])?;
            }
        }
        self.release(first);
        Ok(())
    }

    /// Sets the class's flag if its dict has something that makes attribute access special.
    fn note_accessors(&mut self, at: Ref) {
        let Some(dict) = self.heap.value(at, DICT).as_cell() else { return };
        let mut position = 0;
        while let Some((found, key, value)) = self.table_next(dict, position) {
            if self.is_accessor(key, value) {
                let flags = self.heap.word(at, 0) | ACCESSORS;
                self.heap.set_word(at, 0, flags);
                return;
            }
            position = found + 1;
        }
    }

    fn is_accessor(&self, key: Value, value: Value) -> bool {
        key == Value::qstr(Qstr::__setattr__)
            || key == Value::qstr(Qstr::__delattr__)
            || matches!(self.heap.kind_of(value), Some(Kind::Property | Kind::Instance | Kind::GrownInstance))
    }

    /// A class's name.
    pub fn class_name(&self, class: Ref) -> Qstr {
        self.heap.value(class, NAME).as_qstr().unwrap_or(Qstr::object)
    }

    /// How many bases a class names.
    pub fn base_count(&self, class: Ref) -> u32 {
        self.heap.value(class, BASES).as_cell().map_or(0, |bases| self.heap.header(bases).count())
    }

    /// A base of a class.
    pub fn base_at(&self, class: Ref, index: u32) -> Value {
        self.heap.value(class, BASES).as_cell().map_or(Value::NONE, |bases| self.heap.slot(bases, index))
    }

    /// The bases of a class as a tuple, if it names any.
    pub fn bases(&self, class: Ref) -> Option<Value> {
        let bases = self.heap.value(class, BASES);
        (!bases.is_unbound()).then_some(bases)
    }

    /// A class's own attributes.
    pub fn class_dict(&self, class: Ref) -> Ref {
        self.heap.value(class, DICT).expect_cell("a class has a dict")
    }

    /// The built-in type a Python class derives from, if any but `object`.
    #[inline(always)]
    pub fn native_base(&self, class: Value) -> Option<TypeId> {
        let at = self.heap.as_kind(class, Kind::Class)?;
        let number = self.heap.word(at, 0) >> 16;
        if number == 0 { None } else { Some(TypeId(number as u16 - 1)) }
    }

    #[inline(always)]
    pub(crate) fn class_has_accessors(&self, class: Ref) -> bool {
        self.heap.word(class, 0) & ACCESSORS != 0
    }

    /// Sets an attribute of a class.
    ///
    /// # Errors
    /// MemoryError.
    pub fn set_class_attr(&mut self, class: Ref, name: Qstr, value: Value) -> Res<()> {
        self.cache.clear();
        if self.is_accessor(Value::qstr(name), value) {
            let flags = self.heap.word(class, 0) | ACCESSORS;
            self.heap.set_word(class, 0, flags);
        }
        let dict = self.class_dict(class);
        self.dict_set_qstr(dict, name, value)
    }

    // ---- instances ----

    /// Whether a value is an instance of a Python class.
    #[inline(always)]
    pub fn is_python_instance(&self, value: Value) -> bool {
        matches!(self.heap.kind_of(value), Some(Kind::Instance | Kind::GrownInstance))
    }

    /// The class of an instance.
    #[inline(always)]
    pub fn class_of_instance(&self, at: Ref) -> Value {
        let shape = self.heap.value(at, 0).expect_cell("an instance has a shape");
        self.heap.value(shape, SHAPE_CLASS)
    }

    /// Makes an instance of a Python class without attributes (but room for those that its kind usually has).
    ///
    /// # Errors
    /// MemoryError.
    pub fn new_instance(&mut self, class: Ref) -> Res<Ref> {
        let shape = match self.heap.value(class, SHAPE).as_cell() {
            Some(shape) => shape,
            None => self.root_shape(class)?,
        };
        let hint = self.heap.word(class, 0) >> 8 & 0xff;
        let at = self.alloc(Header::new(Kind::Instance, 1 + hint.max(1)))?;
        self.heap.set_value(at, 0, shape.into());
        Ok(at)
    }

    fn root_shape(&mut self, class: Ref) -> Res<Ref> {
        let scope = self.root(class.into())?;
        let mut shape = self.new_shape(class.into(), Value::UNBOUND, Value::UNBOUND, 0)?;
        self.root(shape.into())?;
        if self.native_base(class.into()).is_some() {
            shape = self.shape_with(shape, Qstr::EMPTY)?;
        }
        self.heap.set_value(class, SHAPE, shape.into());
        let flags = self.heap.word(class, 0) & !0xff00 | FIRST_SLOTS << 8;
        self.heap.set_word(class, 0, flags);
        self.release(scope);
        Ok(shape)
    }

    /// After the first instance is complete: later ones get exactly the room they need.
    pub(crate) fn note_instance_size(&mut self, at: Ref) {
        let shape = self.heap.value(at, 0).expect_cell("an instance has a shape");
        let Some(class) = self.heap.value(shape, SHAPE_CLASS).as_cell() else { return };
        let count = self.heap.word(shape, 0).min(0xff);
        let flags = self.heap.word(class, 0);
        let hint = flags >> 8 & 0xff;
        if hint < count || hint == FIRST_SLOTS && count < FIRST_SLOTS {
            self.heap.set_word(class, 0, flags & !0xff00 | count << 8);
        }
    }

    fn new_shape(&mut self, class: Value, parent: Value, name: Value, count: u32) -> Res<Ref> {
        let at = self.alloc(Header::new(Kind::Shape, 6))?;
        self.heap.set_word(at, 0, count);
        self.heap.set_value(at, SHAPE_CLASS, class);
        self.heap.set_value(at, SHAPE_PARENT, parent);
        self.heap.set_value(at, SHAPE_NAME, name);
        Ok(at)
    }

    /// The shape after attribute `name` was added to `shape`.
    fn shape_with(&mut self, shape: Ref, name: Qstr) -> Res<Ref> {
        let mut child = self.heap.value(shape, SHAPE_CHILD);
        while let Some(at) = child.as_cell() {
            if self.heap.value(at, SHAPE_NAME) == Value::qstr(name) {
                return Ok(at);
            }
            child = self.heap.value(at, SHAPE_SIBLING);
        }
        let (class, count) = (self.heap.value(shape, SHAPE_CLASS), self.heap.word(shape, 0));
        let at = self.new_shape(class, shape.into(), Value::qstr(name), count + 1)?;
        let first = self.heap.value(shape, SHAPE_CHILD);
        self.heap.set_value(at, SHAPE_SIBLING, first);
        self.heap.set_value(shape, SHAPE_CHILD, at.into());
        Ok(at)
    }

    /// The position of attribute `name` in instances of `shape`.
    pub(crate) fn shape_find(&self, shape: Ref, name: Qstr) -> Option<u32> {
        let mut at = shape;
        loop {
            if self.heap.value(at, SHAPE_NAME) == Value::qstr(name) {
                return Some(self.heap.word(at, 0) - 1);
            }
            at = self.heap.value(at, SHAPE_PARENT).as_cell()?;
        }
    }

    /// The name of the attribute at `position`.
    pub(crate) fn shape_name(&self, shape: Ref, position: u32) -> Qstr {
        let mut at = shape;
        while self.heap.word(at, 0) != position + 1 {
            at = self.heap.value(at, SHAPE_PARENT).expect_cell("positions count from the root");
        }
        self.heap.value(at, SHAPE_NAME).as_qstr().unwrap_or(Qstr::EMPTY)
    }

    /// How many attributes an instance has (the inner built-in object included).
    pub(crate) fn own_count(&self, at: Ref) -> u32 {
        self.heap.value(at, 0).as_cell().map_or(0, |shape| self.heap.word(shape, 0))
    }

    /// Attribute number `position` of an instance.
    #[inline(always)]
    pub(crate) fn own(&self, at: Ref, position: u32) -> Value {
        if self.heap.header(at).kind() == Kind::Instance {
            return self.heap.slot(at, 1 + position);
        }
        let (cell, index) = self.own_place(at, position);
        self.heap.slot(cell, index)
    }

    /// Sets attribute number `position`, which the instance has.
    #[inline(always)]
    pub(crate) fn set_own(&mut self, at: Ref, position: u32, value: Value) {
        if self.heap.header(at).kind() == Kind::Instance {
            return self.heap.set_slot(at, 1 + position, value);
        }
        let (cell, index) = self.own_place(at, position);
        self.heap.set_slot(cell, index, value);
    }

    fn own_place(&self, at: Ref, position: u32) -> (Ref, u32) {
        let header = self.heap.header(at);
        let inline = header.count() - 2;
        if header.kind() == Kind::Instance || position < inline {
            return (at, 1 + position);
        }
        let more = self.heap.slot(at, header.count() - 1).expect_cell("the other attributes");
        (more, position - inline)
    }

    /// The built-in object inside an instance, if its class derives from a built-in type; else the instance.
    pub fn inner_object(&self, at: Ref) -> Value {
        if self.native_base(self.class_of_instance(at)).is_none() {
            return at.into();
        }
        match self.own(at, 0) {
            Value::UNBOUND => at.into(),
            inner => inner,
        }
    }

    /// Sets the built-in object inside an instance.
    ///
    /// # Errors
    /// MemoryError.
    pub fn set_inner_object(&mut self, at: Ref, inner: Value) -> Res<()> {
        self.make_room(at, 1)?;
        self.set_own(at, 0, inner);
        Ok(())
    }

    /// Sets an instance's own attribute, adding it if need be. Instance and value must be alive by themselves.
    ///
    /// # Errors
    /// MemoryError.
    pub(crate) fn store_own(&mut self, at: Ref, name: Qstr, value: Value) -> Res<()> {
        let shape = self.heap.value(at, 0).expect_cell("an instance has a shape");
        if let Some(position) = self.shape_find(shape, name) {
            self.set_own(at, position, value);
            return Ok(());
        }
        let next = self.shape_with(shape, name)?;
        let count = self.heap.word(next, 0);
        self.make_room(at, count)?;
        self.heap.set_value(at, 0, next.into());
        self.set_own(at, count - 1, value);
        Ok(())
    }

    /// Gives an instance room for `count` attributes.
    fn make_room(&mut self, at: Ref, count: u32) -> Res<()> {
        let header = self.heap.header(at);
        let grown = header.kind() == Kind::GrownInstance;
        if !grown && (count < header.count() || self.heap.resize(at, count + 1)) {
            return Ok(());
        }
        let inline = header.count() - 2;
        let old = if grown { self.heap.slot(at, header.count() - 1).as_cell() } else { None };
        let have = old.map_or(0, |more| self.heap.header(more).count());
        if grown && count - inline <= have {
            return Ok(());
        }
        let more = self.alloc(Header::new(Kind::Slots, have + 4))?;
        match old {
            Some(old) => {
                self.heap.copy(more, 0, old, 0, have * 4);
                self.heap.free(old);
            }
            None => {
                let last = self.heap.slot(at, header.count() - 1);
                self.heap.set_value(more, 0, last);
                self.heap.set_kind(at, Kind::GrownInstance);
            }
        }
        self.heap.set_slot(at, header.count() - 1, more.into());
        Ok(())
    }

    /// Removes an own attribute; false if the instance has none of that name.
    ///
    /// # Errors
    /// MemoryError.
    pub(crate) fn delete_own(&mut self, at: Ref, name: Qstr) -> Res<bool> {
        let shape = self.heap.value(at, 0).expect_cell("an instance has a shape");
        let Some(gone) = self.shape_find(shape, name) else { return Ok(false) };
        let class = self.heap.value(shape, SHAPE_CLASS).expect_cell("a shape has a class");
        let mut new = self.heap.value(class, SHAPE).expect_cell("the class has instances");
        let kept = self.heap.word(new, 0);
        let count = self.heap.word(shape, 0);
        for position in (kept..count).filter(|position| *position != gone) {
            let name = self.shape_name(shape, position);
            new = self.shape_with(new, name)?;
        }
        for position in gone..count - 1 {
            let value = self.own(at, position + 1);
            self.set_own(at, position, value);
        }
        self.set_own(at, count - 1, Value::UNBOUND);
        self.heap.set_value(at, 0, new.into());
        Ok(true)
    }
}
