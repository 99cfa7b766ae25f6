//! Tuples whose items have names: objects of the classes that `namedtuple` makes, and the records that built-in modules
//! return (`sys.implementation`, `os.uname()`).
//!
//! A named tuple is one cell: its class, then the items. Its class is a Python class whose only base is [`NAMEDTUPLE`];
//! the tuple of names is in the class's dict. A record is [`ATTRTUPLE`], the items, then the tuple of names.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::ids;
use crate::native::{Args, AttrOp, Res, TypeDef};
use crate::print::{PrintKind, Sink};
use crate::vm::{Part, Vm};

/// The base of every class that `namedtuple` makes.
pub static NAMEDTUPLE: TypeDef = TypeDef {
    base: Some(ids::tuple),
    make: Some(make),
    print: Some(print),
    attr: Some(attr),
    ..TypeDef::new(Qstr::tuple)
};

/// A record.
pub static ATTRTUPLE: TypeDef =
    TypeDef { base: Some(ids::tuple), print: Some(print), attr: Some(attr), ..TypeDef::new(Qstr::tuple) };

/// Where a class keeps its fields' names: no Python name can be the same.
const FIELDS: Qstr = Qstr::EMPTY;

impl Vm {
    /// The items of a tuple whose items have names, as [`Vm::sequence_items`].
    pub(crate) fn named_items(&self, at: Ref) -> Option<(Ref, u32, u32)> {
        if self.heap.kind(at) != Kind::Object {
            return None;
        }
        let class = self.heap.value(at, 0);
        let count = self.heap.header(at).count();
        if class == ids::attrtuple.value() {
            return Some((at, 1, count - 2));
        }
        (self.native_base(class) == Some(ids::namedtuple)).then_some((at, 1, count - 1))
    }

    /// Whether a value is a tuple, with or without names.
    #[inline]
    pub fn is_tuple(&self, value: Value) -> bool {
        match value.as_cell() {
            Some(at) => self.heap.kind(at) == Kind::Tuple || self.named_items(at).is_some(),
            None => false,
        }
    }

    /// Whether `class` was made by `namedtuple`: calling it makes a named tuple rather than an instance.
    pub(crate) fn is_namedtuple_class(&self, class: Ref) -> bool {
        self.base_count(class) == 1 && self.base_at(class, 0) == ids::namedtuple.value()
    }

    /// A record of values, which must be alive by themselves.
    pub fn new_attr_tuple(&mut self, fields: &[Qstr], values: &[Value]) -> Res {
        let names = self.new_tuple_cell(fields.len() as u32)?;
        for (i, name) in fields.iter().enumerate() {
            self.heap.set_slot(names, i as u32, Value::qstr(*name));
        }
        let count = values.len() as u32;
        let at = self.alloc_keeping(Header::new(Kind::Object, count + 2), names.into())?;
        self.heap.set_value(at, 0, ids::attrtuple.value());
        self.heap.values_mut(at, 1, count).copy_from_slice(values);
        self.heap.set_slot(at, 1 + count, names.into());
        Ok(at.into())
    }

    /// A class of named tuples.
    ///
    /// # Errors
    /// TypeError if the names are not strings.
    pub(crate) fn new_namedtuple(&mut self, name: Value, fields: Value) -> Res {
        let Some(name) = self.intern_value(name)? else { return Err(self.raise_implicit(name)) };
        let fields = match self.is_str(fields) {
            true => self.call_method(fields, Qstr::split, &[])?,
            false => fields,
        };
        let Some((_, _, count)) = self.plain_items(fields) else {
            let parts = [Part::Text("object '"), Part::TypeOf(fields), Part::Text("' isn't a tuple or list")];
            return Err(self.raise_parts(ids::TypeError, &parts));
        };
        self.root(fields)?;
        let names = self.new_tuple_cell(count)?;
        self.root(names.into())?;
        for i in 0..count {
            let field = self.sequence_get(fields, i).unwrap_or(Value::NONE);
            let Some(field) = self.intern_value(field)? else { return Err(self.raise_implicit(field)) };
            self.heap.set_slot(names, i, Value::qstr(field));
        }
        let bases = self.alloc_values(Kind::Tuple, &[ids::namedtuple.value()])?;
        self.root(bases)?;
        let dict = self.new_dict(1)?;
        self.root(dict)?;
        self.dict_set_qstr(dict.expect_cell("a dict"), FIELDS, names.into())?;
        self.new_class(name, bases, dict)
    }

    /// The names of the fields of an object or of a class made by `namedtuple`.
    fn fields_of_class(&self, class: Value) -> Option<Ref> {
        let class = class.as_cell()?;
        self.dict_get_qstr(self.class_dict(class), FIELDS)?.as_cell()
    }

    fn fields_of(&self, at: Ref) -> Option<Ref> {
        match self.heap.value(at, 0) {
            class if class == ids::attrtuple.value() => {
                self.heap.slot(at, self.heap.header(at).count() - 1).as_cell()
            }
            class => self.fields_of_class(class),
        }
    }

    fn field_index(&self, names: Ref, name: Qstr) -> Option<u32> {
        (0..self.heap.header(names).count()).find(|i| self.heap.slot(names, *i) == Value::qstr(name))
    }
}

/// Makes an object of the class that `namedtuple` made, from which `class` derives.
fn make(vm: &mut Vm, class: Value, args: Args) -> Res {
    let mut class = class;
    while let Some(at) = class.as_cell()
        && !vm.is_namedtuple_class(at)
    {
        class = vm.base_at(at, 0);
    }
    let Some(names) = vm.fields_of_class(class) else { return vm.tuple_from_args(args) };
    let count = vm.heap.header(names).count();
    let given = u32::from(args.positional) + u32::from(args.keywords);
    if given != count {
        let parts = [
            Part::Name(vm.type_name(class)),
            Part::Text("() takes "),
            Part::Int(count as i32),
            Part::Text(" positional arguments but "),
            Part::Int(given as i32),
            Part::Text(" were given"),
        ];
        return Err(vm.raise_parts(ids::TypeError, &parts));
    }
    let at = vm.alloc(Header::new(Kind::Object, 1 + count))?;
    vm.root(at.into())?;
    vm.heap.set_value(at, 0, class);
    for i in 0..args.positional {
        let item = vm.arg(args, i);
        vm.heap.set_slot(at, 1 + u32::from(i), item);
    }
    for i in 0..args.keywords {
        let (name, value) = vm.keyword(args, i);
        match vm.field_index(names, name) {
            Some(field) if vm.heap.slot(at, 1 + field).is_unbound() => {
                vm.heap.set_slot(at, 1 + field, value);
            }
            Some(_) => return Err(raise_about(vm, "function got multiple values for argument '", name)),
            None => return Err(raise_about(vm, "unexpected keyword argument '", name)),
        }
    }
    Ok(at.into())
}

#[cold]
fn raise_about(vm: &mut Vm, text: &str, name: Qstr) -> crate::native::Raised {
    vm.raise_parts(ids::TypeError, &[Part::Text(text), Part::Name(name), Part::Text("'")])
}

fn print(vm: &mut Vm, sink: Sink, object: Value, _kind: PrintKind) -> Res<()> {
    let inner = vm.native_part(object);
    let Some(at) = inner.as_cell() else { return Ok(()) };
    let (Some((_, first, count)), Some(names)) = (vm.sequence_items(inner), vm.fields_of(at)) else {
        return Ok(());
    };
    let class = vm.type_of(object);
    if vm.as_type_id(class).is_none() {
        vm.print_type_name(sink, class)?;
    }
    for i in 0..count {
        vm.emit_str(sink, if i == 0 { "(" } else { ", " })?;
        let name = vm.heap.slot(names, i);
        vm.print_value(sink, name, PrintKind::Str)?;
        vm.emit_str(sink, "=")?;
        let item = vm.heap.slot(at, first + i);
        vm.print_value(sink, item, PrintKind::Repr)?;
    }
    vm.emit_str(sink, if count == 0 { "()" } else { ")" })
}

fn attr(vm: &mut Vm, object: Value, name: Qstr, op: AttrOp) -> Res {
    let Some(at) = object.as_cell() else { return Ok(Value::UNBOUND) };
    let Some(field) = vm.fields_of(at).and_then(|names| vm.field_index(names, name)) else {
        return Ok(Value::UNBOUND);
    };
    match op {
        AttrOp::Get => Ok(vm.heap.slot(at, 1 + field)),
        _ => Err(vm.raise(ids::AttributeError, "can't set attribute")),
    }
}
