//! What can be done with any value: its type, truth, length, operators, items, iteration, each found through its type's
//! definition or its class.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Immediate, Kind, Ref, Root, Value};

use crate::native::{BinaryOp, ItemOp, Raised, Res, TypeDef, TypeId, UnaryOp};
use crate::types::ids;
use crate::vm::{Part, Vm};

impl Vm {
    // ---- types ----

    /// The class of a value: a built-in type or a class cell.
    #[inline]
    pub fn type_of(&self, value: Value) -> Value {
        if value.is_small() {
            return ids::int.value();
        }
        match value.as_cell() {
            Some(at) => self.type_of_cell(at),
            None => self.type_of_immediate(value).value(),
        }
    }

    fn type_of_immediate(&self, value: Value) -> TypeId {
        if value.is_qstr() {
            return ids::str;
        }
        match value {
            Value::NONE => ids::NoneType,
            Value::TRUE | Value::FALSE => ids::bool,
            Value::ELLIPSIS => ids::ellipsis,
            Value::NOT_IMPLEMENTED => ids::not_implemented,
            _ if value.as_immediate(Immediate::Type).is_some() => ids::type_,
            _ if value.as_immediate(Immediate::Module).is_some() => ids::module,
            _ if value.as_immediate(Immediate::Rom).is_some() => ids::builtin_function,
            _ => ids::object,
        }
    }

    fn type_of_cell(&self, at: Ref) -> Value {
        let id = match self.heap.kind(at) {
            Kind::Instance | Kind::GrownInstance => return self.class_of_instance(at),
            Kind::Object | Kind::Iterator | Kind::Exception => return self.heap.value(at, 0),
            Kind::RawObject | Kind::MixedObject => return self.heap.value(at, 1),
            Kind::BigInt => ids::int,
            Kind::Float => ids::float,
            Kind::Complex => ids::complex,
            Kind::Str => ids::str,
            Kind::Bytes => ids::bytes,
            Kind::ByteArray => ids::bytearray,
            Kind::MemoryView => ids::memoryview,
            Kind::Array => ids::array,
            Kind::List => ids::list,
            Kind::Tuple => ids::tuple,
            Kind::Dict if self.table_flags(at) & crate::table::ORDERED != 0 => ids::OrderedDict,
            Kind::Dict => ids::dict,
            Kind::DictView => ids::dict_view,
            Kind::Set => ids::set,
            Kind::FrozenSet => ids::frozenset,
            Kind::Range => ids::range,
            Kind::Slice => ids::slice,
            Kind::Function => ids::function,
            Kind::BoundMethod => ids::bound_method,
            Kind::Generator => ids::generator,
            Kind::Code => ids::code,
            Kind::Cell => ids::cell,
            Kind::Property => ids::property,
            Kind::StaticMethod => ids::staticmethod,
            Kind::ClassMethod => ids::classmethod,
            Kind::Super => ids::super_,
            Kind::Class => ids::type_,
            Kind::Module => ids::module,
            _ => ids::object,
        };
        id.value()
    }

    /// The number of a built-in type that a class value is.
    #[inline(always)]
    pub fn as_type_id(&self, class: Value) -> Option<TypeId> {
        class.as_immediate(Immediate::Type).map(|number| TypeId(number as u16))
    }

    /// The definition by which objects of `class` behave: the type itself, or the built-in type that a Python class
    /// derives from (`object` if none).
    pub fn native_def(&self, class: Value) -> (TypeId, &'static TypeDef) {
        let id = match self.as_type_id(class) {
            Some(id) => id,
            None => self.native_base(class).unwrap_or(ids::object),
        };
        (id, self.registry.type_def(id))
    }

    /// A slot of a class's definition or of the built-in types it derives from.
    #[inline]
    pub fn native_slot<T: Copy>(&self, class: Value, slot: impl Fn(&TypeDef) -> Option<T>) -> Option<T> {
        let (_, mut def) = self.native_def(class);
        loop {
            if let Some(found) = slot(def) {
                return Some(found);
            }
            def = self.registry.type_def(def.base?);
        }
    }

    /// A class's name.
    pub fn type_name(&self, class: Value) -> Qstr {
        match self.as_type_id(class) {
            Some(id) => self.registry.type_def(id).name,
            None => class.as_cell().map_or(Qstr::object, |at| self.class_name(at)),
        }
    }

    /// Whether `class` is `of` or derives from it.
    pub fn is_subclass(&self, class: Value, of: Value) -> bool {
        if class == of || of == ids::object.value() {
            return true;
        }
        match self.as_type_id(class) {
            Some(id) => match self.registry.type_def(id).base {
                Some(base) => self.is_subclass(base.value(), of),
                None => false,
            },
            None => match class.as_cell() {
                Some(at) => (0..self.base_count(at)).any(|i| self.is_subclass(self.base_at(at, i), of)),
                None => false,
            },
        }
    }

    /// Whether `value` is an instance of `class`.
    pub fn is_instance(&self, value: Value, class: Value) -> bool {
        self.is_subclass(self.type_of(value), class)
    }

    /// Whether `value` is an instance of a built-in type.
    pub fn is_a(&self, value: Value, id: TypeId) -> bool {
        self.is_instance(value, id.value())
    }

    /// Whether `value` is a class.
    pub fn is_class(&self, value: Value) -> bool {
        self.as_type_id(value).is_some() || self.heap.as_kind(value, Kind::Class).is_some()
    }

    // ---- truth, length, identity ----

    /// `bool(value)`
    #[inline]
    pub fn truth(&mut self, value: Value) -> Res<bool> {
        if value.is_small() {
            return Ok(value != Value::small(0));
        }
        match value {
            Value::TRUE => Ok(true),
            Value::FALSE | Value::NONE => Ok(false),
            _ => self.truth_slow(value),
        }
    }

    fn truth_slow(&mut self, value: Value) -> Res<bool> {
        if let Some(span) = self.str_span(value) {
            return Ok(!span.is_empty());
        }
        let answer = self.try_unary(UnaryOp::Bool, value)?;
        if let Some(truth) = answer.as_bool() {
            return Ok(truth);
        }
        let len = self.try_unary(UnaryOp::Len, value)?;
        Ok(len != Value::small(0))
    }

    /// `len(value)`
    pub fn len(&mut self, value: Value) -> Res<u32> {
        let len = self.try_unary(UnaryOp::Len, value)?;
        match len.as_small() {
            Some(len) => Ok(len as u32),
            None => Err(self.raise_parts(
                ids::TypeError,
                &[Part::Text("object of type '"), Part::TypeOf(value), Part::Text("' has no len()")],
            )),
        }
    }

    /// The object that a built-in type's code works on: the value itself, or for an instance of a Python class that
    /// derives from a built-in type, the built-in object inside it.
    #[inline]
    pub fn native_part(&self, value: Value) -> Value {
        match value.as_cell() {
            Some(at) if matches!(self.heap.kind(at), Kind::Instance | Kind::GrownInstance) => {
                self.inner_object(at)
            }
            _ => value,
        }
    }

    // ---- operators ----

    /// A one-operand operator; unbound if the type does not support it.
    pub fn try_unary(&mut self, op: UnaryOp, value: Value) -> Res {
        if self.is_python_instance(value)
            && let Some(answer) = self.instance_unary(op, value)?
        {
            return Ok(answer);
        }
        let class = self.type_of(value);
        let inner = self.native_part(value);
        match self.native_slot(class, |def| def.unary) {
            Some(unary) => unary(self, op, inner),
            // What knows no operators is hashed by identity.
            None if op == UnaryOp::Hash => Ok(Value::small((value.bits() >> 3) as i32)),
            None => Ok(Value::UNBOUND),
        }
    }

    /// A one-operand operator.
    ///
    /// # Errors
    /// TypeError if the type does not support it.
    pub fn unary(&mut self, op: UnaryOp, value: Value) -> Res {
        let answer = self.try_unary(op, value)?;
        if !answer.is_unbound() {
            return Ok(answer);
        }
        let name = match op {
            UnaryOp::Neg => "__neg__",
            UnaryOp::Pos => "__pos__",
            UnaryOp::Invert => "__invert__",
            UnaryOp::Bool => "__bool__",
            UnaryOp::Len => "__len__",
            UnaryOp::Hash => "__hash__",
            UnaryOp::Abs => "__abs__",
        };
        let parts = [
            Part::Text("unsupported type for "),
            Part::Text(name),
            Part::Text(": '"),
            Part::TypeOf(value),
            Part::Text("'"),
        ];
        Err(self.raise_parts(ids::TypeError, &parts))
    }

    /// A two-operand operator on built-in values only: what the left operand's type says; unbound if it does not know.
    pub fn native_binary(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        let class = self.type_of(left);
        let inner = self.native_part(left);
        match self.native_slot(class, |def| def.binary) {
            Some(binary) => binary(self, op, inner, right),
            None => Ok(Value::UNBOUND),
        }
    }

    /// `left == right`
    pub fn equal(&mut self, left: Value, right: Value) -> Res<bool> {
        if left == right {
            // What is no number is not equal to itself.
            return Ok(!self.is_nan(left));
        }
        if left.both_small(right) {
            return Ok(false);
        }
        if self.is_str(left) && self.is_str(right) {
            return Ok(self.same_text(left, right));
        }
        let answer = self.deeper(|vm| vm.binary(BinaryOp::Eq, left, right))?;
        self.truth(answer)
    }

    // ---- items ----

    /// `object[index]`, `object[index] = value`, `del object[index]`
    pub fn item(&mut self, object: Value, index: Value, op: ItemOp) -> Res {
        if let (Some(at), Some(index)) = (object.as_cell(), index.as_small())
            && let Some(answer) = self.buffer_item(at, index, op)
        {
            return Ok(answer);
        }
        if self.is_python_instance(object)
            && let Some(answer) = self.instance_item(object, index, op)?
        {
            return Ok(answer);
        }
        let class = self.type_of(object);
        let inner = self.native_part(object);
        if let Some(item) = self.native_slot(class, |def| def.item) {
            let answer = item(self, inner, index, op)?;
            if !answer.is_unbound() {
                return Ok(answer);
            }
        }
        let what = match op {
            ItemOp::Get => "' object isn't subscriptable",
            ItemOp::Set(_) => "' object doesn't support item assignment",
            ItemOp::Delete => "' object doesn't support item deletion",
        };
        Err(self.raise_parts(ids::TypeError, &[Part::Text("'"), Part::TypeOf(object), Part::Text(what)]))
    }

    // ---- iteration ----

    /// `iter(value)`
    pub fn iter(&mut self, value: Value) -> Res {
        if self.is_python_instance(value)
            && let Some(answer) = self.instance_iter(value)?
        {
            return Ok(answer);
        }
        let class = self.type_of(value);
        let inner = self.native_part(value);
        if let Some(iter) = self.native_slot(class, |def| def.iter) {
            return iter(self, inner);
        }
        if self.native_slot(class, |def| def.next).is_some() {
            return Ok(value);
        }
        Err(self.raise_parts(
            ids::TypeError,
            &[Part::Text("'"), Part::TypeOf(value), Part::Text("' object isn't iterable")],
        ))
    }

    /// `next(iterator)`; unbound at the end.
    #[inline]
    pub fn next(&mut self, iterator: Value) -> Res {
        if let Some(at) = self.heap.as_kind(iterator, Kind::Iterator)
            && let Some(id) = self.as_type_id(self.heap.value(at, 0))
            && let Some(next) = self.registry.type_def(id).next
        {
            return next(self, iterator);
        }
        if let Some(at) = self.heap.as_kind(iterator, Kind::Generator) {
            return self.generator_next(at);
        }
        self.next_slowly(iterator)
    }

    fn next_slowly(&mut self, iterator: Value) -> Res {
        if self.is_python_instance(iterator)
            && let Some(answer) = self.instance_next(iterator)?
        {
            return Ok(answer);
        }
        let class = self.type_of(iterator);
        let inner = self.native_part(iterator);
        match self.native_slot(class, |def| def.next) {
            Some(next) => match next(self, inner) {
                Err(raised) => self.end_of_iteration(raised),
                item => item,
            },
            None => Err(self.raise_parts(
                ids::TypeError,
                &[Part::Text("'"), Part::TypeOf(iterator), Part::Text("' object isn't an iterator")],
            )),
        }
    }

    /// StopIteration that was raised inside an iterator ends the iteration; its value is kept in [`Root::Returned`].
    #[cold]
    pub(crate) fn end_of_iteration(&mut self, raised: Raised) -> Res {
        let exception = self.heap.root(Root::Raised);
        if !self.is_instance(exception, ids::StopIteration.value()) {
            return Err(raised);
        }
        self.take_raised();
        let value = self.exception_value(exception);
        self.heap.set_root(Root::Returned, value);
        Ok(Value::UNBOUND)
    }

    /// Calls `each` with every item of an iterable, which is kept alive meanwhile; `each` answers whether to go on.
    pub fn for_each(
        &mut self,
        iterable: Value,
        mut each: impl FnMut(&mut Vm, Value) -> Res<bool>,
    ) -> Res<()> {
        let scope = self.scope();
        // A list or tuple is looked at again each time, as an iterator would: it may change meanwhile.
        let is_plain = self.plain_items(iterable).is_some();
        let iterator = if is_plain { iterable } else { self.iter(iterable)? };
        self.root(iterator)?;
        let kept = self.root(Value::UNBOUND)?;
        for index in 0.. {
            let item = match is_plain {
                true => self.sequence_get(iterator, index).unwrap_or(Value::UNBOUND),
                false => self.next(iterator)?,
            };
            if item.is_unbound() {
                break;
            }
            self.heap.set_stack(kept, item);
            if !each(self, item)? {
                break;
            }
            self.release(kept + 1);
        }
        self.release(scope);
        Ok(())
    }

    // ---- numbers ----

    /// An int argument that must fit a machine word.
    ///
    /// # Errors
    /// TypeError if it is no int, OverflowError if it is too large.
    pub fn int_arg(&mut self, value: Value) -> Res<i32> {
        match value.as_small() {
            Some(small) => Ok(small),
            None => self.int_arg_slow(value),
        }
    }

    /// The place in a sequence of `len` items that an index means.
    ///
    /// # Errors
    /// IndexError (with the type's name, as MicroPython says it), TypeError if it is no int.
    pub fn index_arg(&mut self, what: Qstr, len: u32, index: Value) -> Res<u32> {
        let Some(wanted) = self.as_index(index)? else {
            let parts =
                [Part::Name(what), Part::Text(" indices must be integers, not "), Part::TypeOf(index)];
            return Err(self.raise_parts(ids::TypeError, &parts));
        };
        let at = if wanted < 0 { wanted + len as i32 } else { wanted };
        if at < 0 || at >= len as i32 {
            return Err(
                self.raise_parts(ids::IndexError, &[Part::Name(what), Part::Text(" index out of range")])
            );
        }
        Ok(at as u32)
    }
}
