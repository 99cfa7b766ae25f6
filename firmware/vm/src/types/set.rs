//! `set`, `frozenset`: tables without values ([`crate::table`]).

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use crate::native::{Res, TypeDef};
use crate::vm::Vm;

/// `set`
pub static SET: TypeDef = TypeDef::new(Qstr::set);
/// `frozenset`
pub static FROZENSET: TypeDef = TypeDef::new(Qstr::frozenset);

impl Vm {
    /// A set of `count` stack slots from `first` on.
    ///
    /// # Errors
    /// TypeError for what cannot be hashed.
    pub fn new_set_from_stack(&mut self, first: u32, count: u32) -> Res {
        let set = self.new_table(Kind::Set, count)?;
        let scope = self.root(set.into())?;
        for i in 0..count {
            let item = self.heap.stack(first + i);
            self.set_add(set, item)?;
        }
        self.release(scope);
        Ok(set.into())
    }

    /// Adds an item. The set and the item must be alive by themselves.
    ///
    /// # Errors
    /// TypeError for what cannot be hashed; MemoryError.
    #[inline]
    pub fn set_add(&mut self, set: Ref, item: Value) -> Res<()> {
        self.table_set(set, item, Value::NONE)
    }

    /// Adds every item of an iterable. The set must be alive by itself.
    ///
    /// # Errors
    /// As [`Vm::set_add`], and what iterating raises.
    pub fn set_update(&mut self, set: Ref, iterable: Value) -> Res<()> {
        self.for_each(iterable, |vm, item| vm.set_add(set, item).map(|()| true))
    }
}
