//! `iterator`, `enumerate`, `filter`, `map`, `reversed`, `zip`: cells of type, what is iterated over, and position.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use super::ids;
use crate::native::{Res, TypeDef};
use crate::vm::Vm;

/// `iterator`
pub static ITERATOR: TypeDef = TypeDef::new(Qstr::iterator);
/// `enumerate`
pub static ENUMERATE: TypeDef = TypeDef::new(Qstr::enumerate);
/// `filter`
pub static FILTER: TypeDef = TypeDef::new(Qstr::filter);
/// `map`
pub static MAP: TypeDef = TypeDef::new(Qstr::map);
/// `reversed`
pub static REVERSED: TypeDef = TypeDef::new(Qstr::reversed);
/// `zip`
pub static ZIP: TypeDef = TypeDef::new(Qstr::zip);

impl Vm {
    /// An iterator over a built-in container, or over any object with `__getitem__`.
    pub fn new_iterator(&mut self, over: Value) -> Res {
        self.alloc_values(Kind::Iterator, &[ids::iterator.value(), over, Value::small(0)])
    }
}
