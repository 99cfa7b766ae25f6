//! Placeholders until `attr`, `call` and `dispatch` are in.
use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use crate::native::{BinaryOp, ItemOp, Res, TypeId, UnaryOp};
use crate::types::ids;
use crate::vm::Vm;

#[expect(missing_docs, reason = "placeholders")]
impl Vm {
    pub fn class_of_instance(&self, _at: Ref) -> Value {
        ids::object.value()
    }
    pub fn native_base(&self, _class: Value) -> Option<TypeId> {
        None
    }
    pub fn class_name(&self, _at: Ref) -> Qstr {
        Qstr::object
    }
    pub fn base_count(&self, _at: Ref) -> u32 {
        0
    }
    pub fn base_at(&self, _at: Ref, _i: u32) -> Value {
        ids::object.value()
    }
    pub fn is_python_instance(&self, _value: Value) -> bool {
        false
    }
    pub fn instance_unary(&mut self, _op: UnaryOp, _value: Value) -> Res<Option<Value>> {
        Ok(None)
    }
    pub fn instance_item(&mut self, _o: Value, _i: Value, _op: ItemOp) -> Res<Option<Value>> {
        Ok(None)
    }
    pub fn instance_iter(&mut self, _value: Value) -> Res<Option<Value>> {
        Ok(None)
    }
    pub fn instance_next(&mut self, _value: Value) -> Res<Option<Value>> {
        Ok(None)
    }
    pub fn inner_object(&self, at: Ref) -> Value {
        at.into()
    }
    /// A two-operand operator in full: reflected and Python methods included.
    pub fn binary(&mut self, op: BinaryOp, left: Value, right: Value) -> Res {
        self.native_binary(op, left, right)
    }
    /// `object.name`
    pub fn get_attr(&mut self, _object: Value, _name: Qstr) -> Res {
        Ok(Value::NONE)
    }
    /// Calls what is at a stack index with the arguments behind it; the stack is cut back to that index.
    pub fn call_at(&mut self, _slot: u32, _positional: u16, _keywords: u16) -> Res {
        Ok(Value::NONE)
    }
    /// An exception object of `class` with these arguments.
    pub fn new_exception(&mut self, class: Value, args: &[Value]) -> Res {
        let args = self.alloc_values(Kind::Tuple, args)?;
        self.alloc_values(Kind::Exception, &[class, args, Value::NONE])
    }
}
