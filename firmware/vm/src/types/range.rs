//! `range`, `slice`: cells of start, stop and step.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use crate::native::{Res, TypeDef};
use crate::vm::Vm;

/// `range`
pub static RANGE: TypeDef = TypeDef::new(Qstr::range);
/// `slice`
pub static SLICE: TypeDef = TypeDef::new(Qstr::slice);

impl Vm {
    /// A slice object.
    pub fn new_slice(&mut self, start: Value, stop: Value, step: Value) -> Res {
        self.alloc_values(Kind::Slice, &[start, stop, step])
    }
}
