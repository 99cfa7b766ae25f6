//! `dict`, `dict_view`, `OrderedDict`: tables with values ([`crate::table`]), in insertion order.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use super::ids;
use crate::native::{Res, TypeDef};
use crate::vm::{Part, Vm};

/// `dict`
pub static DICT: TypeDef = TypeDef::new(Qstr::dict);
/// `dict_view`
pub static DICT_VIEW: TypeDef = TypeDef::new(Qstr::dict_view);
/// `OrderedDict`
pub static ORDERED_DICT: TypeDef = TypeDef { base: Some(ids::dict), ..TypeDef::new(Qstr::OrderedDict) };

impl Vm {
    /// Takes over the entries of a mapping, or of an iterable of pairs. As for `**` in a call (`as_call`), it must be a
    /// mapping, keys must be strings, and none may be there already. Both must be alive by themselves.
    ///
    /// # Errors
    /// TypeError, ValueError, what iterating and hashing raise; MemoryError.
    pub fn dict_update(&mut self, dict: Ref, source: Value, as_call: bool) -> Res<()> {
        if let Some(from) = self.heap.as_kind(self.native_part(source), Kind::Dict) {
            let mut position = 0;
            while let Some((found, key, value)) = self.table_next(from, position) {
                let scope = self.root(key)?;
                self.root(value)?;
                self.dict_take(dict, key, value, as_call)?;
                self.release(scope);
                position = found + 1;
            }
            return Ok(());
        }
        if as_call {
            return self.dict_update_from_mapping(dict, source);
        }
        self.for_each(source, |vm, pair| {
            let scope = vm.scope();
            let slot = vm.root(Value::UNBOUND)?;
            vm.root(Value::UNBOUND)?;
            vm.pair_to_stack(pair, slot)?;
            let (key, value) = (vm.heap.stack(slot), vm.heap.stack(slot + 1));
            vm.table_set(dict, key, value)?;
            vm.release(scope);
            Ok(true)
        })
    }

    /// Spreads an iterable of two items over two stack slots.
    fn pair_to_stack(&mut self, pair: Value, slot: u32) -> Res<()> {
        let iterator = self.iter(pair)?;
        let scope = self.root(iterator)?;
        for i in 0..2 {
            let item = self.next(iterator)?;
            if item.is_unbound() {
                return Err(self.raise(ids::ValueError, "dict update sequence has wrong length"));
            }
            self.heap.set_stack(slot + i, item);
        }
        if !self.next(iterator)?.is_unbound() {
            return Err(self.raise(ids::ValueError, "dict update sequence has wrong length"));
        }
        self.release(scope);
        Ok(())
    }

    fn dict_update_from_mapping(&mut self, dict: Ref, mapping: Value) -> Res<()> {
        let keys = self.call_method(mapping, Qstr::keys, &[])?;
        self.for_each(keys, |vm, key| {
            let value = vm.item(mapping, key, crate::native::ItemOp::Get)?;
            let scope = vm.root(value)?;
            vm.dict_take(dict, key, value, true)?;
            vm.release(scope);
            Ok(true)
        })
    }

    fn dict_take(&mut self, dict: Ref, key: Value, value: Value, as_call: bool) -> Res<()> {
        if as_call && self.table_get(dict, key)?.is_some() {
            let parts =
                [Part::Text("function got multiple values for argument '"), Part::Str(key), Part::Text("'")];
            return Err(self.raise_parts(ids::TypeError, &parts));
        }
        self.table_set(dict, key, value)
    }
}
