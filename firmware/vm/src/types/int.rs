//! `int`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `int`
pub static INT: TypeDef = TypeDef::new(Qstr::int);

use larch_heap::Value;

use crate::native::Res;
use crate::vm::Vm;

impl Vm {
    /// An int that is no small int, as a machine word.
    pub fn int_arg_slow(&mut self, _value: Value) -> Res<i32> {
        Ok(0)
    }

    /// The value of an index: a small int, a bool, or what `__index__` says. `None` if it is none of these.
    pub fn as_index(&mut self, value: Value) -> Res<Option<i32>> {
        Ok(value.as_small())
    }
}
