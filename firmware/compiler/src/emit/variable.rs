//! Reading, writing and deleting variables.

use super::label::Bits;
use super::{Emitted, Emitter, Reg};
use crate::scopes::{ScopeKind, Symbol, flag};
use larch_bytecode::op::Op;
use larch_bytecode::qstr::Qstr;

/// Where a variable lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Register(Reg),
    /// A cell in a register.
    Cell(Reg),
    /// A captured cell.
    Free(u8),
    /// The namespace of a class body or module.
    Namespace,
    Global,
}

impl Emitter<'_, '_> {
    pub(super) fn place(&self, name: Qstr) -> Place {
        let mut id = self.unit.current;
        loop {
            let scope = self.scopes.scope(id);
            let symbol = self.scopes.find(id, name);
            match (scope.kind, symbol) {
                (ScopeKind::Inline, None) => id = scope.parent,
                (ScopeKind::Module, _) => return Place::Namespace,
                (ScopeKind::Class, symbol) => {
                    return class_place(name, symbol, id != self.unit.current);
                }
                (_, Some(symbol)) => return local_place(symbol),
                (_, None) => return Place::Global,
            }
        }
    }

    /// The register of a local that is bound here, checked if need be. None if `name` is no such local.
    pub(super) fn local(&mut self, name: Qstr) -> Emitted<Option<Reg>> {
        self.read_type(name)?;
        let Place::Register(register) = self.place(name) else { return Ok(None) };
        let is_variable_of_comprehension = self.is_temporary(register);
        let is_tracked = Bits::tracks(register) || !is_variable_of_comprehension;
        if is_tracked && !self.unit.bound.has(register) {
            if is_variable_of_comprehension {
                self.abc(Op::LoadUnbound, register, 0, 0)?;
            } else if u16::from(register) >= self.unit.parameters {
                self.unit.checked[usize::from(register / 32)] |= 1 << (register % 32);
            }
            self.abc(Op::CheckLocal, register, 0, 0)?;
            self.unit.bound.insert(register);
        }
        Ok(Some(register))
    }

    pub(super) fn load(&mut self, name: Qstr, target: Reg) -> Emitted {
        if let Some(register) = self.local(name)? {
            return self.copy(target, register);
        }
        match self.place(name) {
            Place::Register(register) => self.copy(target, register),
            Place::Cell(register) => self.abc(Op::LoadCell, target, register, 0),
            Place::Free(slot) => self.abc(Op::LoadFree, target, slot, 0),
            Place::Namespace => self.abx(Op::LoadName, target, name.0),
            Place::Global => self.abx(Op::LoadGlobal, target, name.0),
        }
    }

    pub(super) fn store_name(&mut self, name: Qstr, value: Reg) -> Emitted {
        match self.place(name) {
            Place::Register(register) => {
                self.copy(register, value)?;
                self.stored_type(name, register)?;
                self.unit.bound.insert(register);
                Ok(())
            }
            Place::Cell(register) => self.abc(Op::StoreCell, value, register, 0),
            Place::Free(slot) => self.abc(Op::StoreFree, value, slot, 0),
            Place::Namespace => self.abx(Op::StoreName, value, name.0),
            Place::Global => self.abx(Op::StoreGlobal, value, name.0),
        }
    }

    pub(super) fn delete_name(&mut self, name: Qstr) -> Emitted {
        self.local(name)?;
        match self.place(name) {
            Place::Register(register) => self.unbind_local(register),
            Place::Cell(register) => self.abc(Op::DelCell, 0, register, 0),
            Place::Free(slot) => self.abc(Op::DelFree, 0, slot, 0),
            Place::Namespace => self.abx(Op::DelName, 0, name.0),
            Place::Global => self.abx(Op::DelGlobal, 0, name.0),
        }
    }

    fn unbind_local(&mut self, register: Reg) -> Emitted {
        self.unit.bound.remove(register);
        self.abc(Op::LoadUnbound, register, 0, 0)
    }

    /// The end of a handler with a name: it becomes unbound, whether or not it is bound.
    pub(super) fn unbind(&mut self, name: Qstr) -> Emitted {
        if let Place::Register(register) = self.place(name) {
            return self.unbind_local(register);
        }
        let top = self.unit.top;
        let none = self.temporary()?;
        self.abc(Op::LoadNone, none, 0, 0)?;
        self.store_name(name, none)?;
        self.unit.top = top;
        self.delete_name(name)
    }
}

fn local_place(symbol: Symbol) -> Place {
    if symbol.has(flag::FREE) {
        Place::Free(symbol.slot)
    } else if !symbol.is_local() {
        Place::Global
    } else if symbol.has(flag::CAPTURED) {
        Place::Cell(symbol.slot)
    } else {
        Place::Register(symbol.slot)
    }
}

/// `inside`: the name stands in a comprehension, which does not see the class's names.
fn class_place(name: Qstr, symbol: Option<Symbol>, inside: bool) -> Place {
    let Some(symbol) = symbol else { return Place::Namespace };
    if symbol.has(flag::FREE) {
        Place::Free(symbol.slot)
    } else if name == Qstr::__class__ && symbol.has(flag::CAPTURED) {
        Place::Cell(symbol.slot)
    } else if symbol.has(flag::GLOBAL) || (inside && symbol.is_local()) {
        Place::Global
    } else {
        Place::Namespace
    }
}
