//! Which variable lives where.
//!
//! [`analyse`] walks the tree of one top-level statement and makes a [`Scope`] for every function, lambda, class and
//! comprehension in it, with the names each binds and uses; then it resolves what inner functions take from outer ones.
//! Comprehensions other than generator expressions are *inline*: they have variables of their own in the registers of
//! the function around them, their *frame*. The module's own names are not kept: they live in its namespace.
//!
//! Invariant: scope 0 is the module; a scope's parent has a smaller number.

mod walk;

pub(crate) use walk::is_super_call;

use crate::ast::{Ast, Ref};
use crate::buffer::Buffer;
use crate::error::{Failure, Fault};
use larch_bytecode::qstr::Qstr;

/// What a scope belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    Module,
    Function,
    Lambda,
    Generator,
    Class,
    /// A list, set or dict comprehension.
    Inline,
}

/// The number of a scope.
pub(crate) type ScopeId = u16;

/// End of a list of symbols.
const NONE: u16 = u16::MAX;

/// A function, class or comprehension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) kind: ScopeKind,
    pub(crate) parent: ScopeId,
    /// What tracebacks call it.
    pub(crate) name: Qstr,
    first: u16,
    last: u16,
    /// Captured cells.
    pub(crate) free: u8,
    /// It yields or awaits.
    pub(crate) is_generator: bool,
    /// It was declared `async`.
    pub(crate) is_async: bool,
    /// A `:=` in it assigns in the middle of an expression.
    pub(crate) has_walrus: bool,
}

/// What is known about a name in a scope.
pub(crate) mod flag {
    /// It is read.
    pub(crate) const USED: u8 = 1;
    /// It is bound.
    pub(crate) const ASSIGNED: u8 = 2;
    /// It is a parameter.
    pub(crate) const PARAMETER: u8 = 4;
    /// It was declared `global`.
    pub(crate) const GLOBAL: u8 = 8;
    /// It was declared `nonlocal`.
    pub(crate) const NONLOCAL: u8 = 16;
    /// An inner function uses it: it lives in a cell.
    pub(crate) const CAPTURED: u8 = 32;
    /// It is the variable of an outer function.
    pub(crate) const FREE: u8 = 64;
    /// It may become unbound again.
    pub(crate) const DELETED: u8 = 128;
}

/// A name in a scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol {
    pub(crate) name: Qstr,
    next: u16,
    pub(crate) flags: u8,
    /// The register of a local, the number of a captured cell.
    pub(crate) slot: u8,
}

impl Symbol {
    pub(crate) const fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Whether it is a variable of this scope.
    pub(crate) const fn is_local(&self) -> bool {
        self.has(flag::ASSIGNED | flag::PARAMETER) && !self.has(flag::GLOBAL | flag::NONLOCAL)
    }
}

/// The scopes of one top-level statement.
pub(crate) struct Scopes {
    scopes: Buffer<Scope>,
    symbols: Buffer<Symbol>,
    /// `nonlocal` declarations to check: scope, name, line.
    nonlocals: Buffer<(ScopeId, Qstr, u32)>,
}

/// A failure and the scope it happened in.
pub(crate) type ScopeFailure = (Failure, Qstr);

impl Scopes {
    pub(crate) const fn new() -> Self {
        Scopes { scopes: Buffer::new(), symbols: Buffer::new(), nonlocals: Buffer::new() }
    }

    pub(crate) fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id as usize]
    }

    /// The scope whose registers `id` uses: itself unless it is inline.
    pub(crate) fn frame(&self, mut id: ScopeId) -> ScopeId {
        while self.scope(id).kind == ScopeKind::Inline {
            id = self.scope(id).parent;
        }
        id
    }

    /// The symbol of `name` in `scope` itself.
    pub(crate) fn find(&self, scope: ScopeId, name: Qstr) -> Option<Symbol> {
        self.position(scope, name).map(|index| self.symbols[index])
    }

    fn position(&self, scope: ScopeId, name: Qstr) -> Option<usize> {
        let mut at = self.scope(scope).first;
        while at != NONE {
            let symbol = &self.symbols[at as usize];
            if symbol.name == name {
                return Some(at.into());
            }
            at = symbol.next;
        }
        None
    }

    /// The symbols of a scope, in order of appearance.
    pub(crate) fn symbols(&self, scope: ScopeId) -> impl Iterator<Item = Symbol> + '_ {
        let mut at = self.scope(scope).first;
        core::iter::from_fn(move || {
            let symbol = (at != NONE).then(|| self.symbols[at as usize])?;
            at = symbol.next;
            Some(symbol)
        })
    }

    /// The captured cell `slot` of a scope.
    pub(crate) fn free(&self, scope: ScopeId, slot: u8) -> Option<Qstr> {
        self.symbols(scope).find(|symbol| symbol.has(flag::FREE) && symbol.slot == slot).map(|s| s.name)
    }

    pub(crate) fn set_slot(&mut self, scope: ScopeId, name: Qstr, slot: u8) {
        if let Some(index) = self.position(scope, name) {
            self.symbols[index].slot = slot;
        }
    }

    /// The symbol of `name`, made if there is none.
    fn intern(&mut self, scope: ScopeId, name: Qstr) -> Result<&mut Symbol, Failure> {
        let index = match self.position(scope, name) {
            Some(index) => index,
            None => {
                let index = self.symbols.len();
                if index >= usize::from(NONE) {
                    return Err(Failure::MEMORY);
                }
                self.symbols.push(Symbol { name, next: NONE, flags: 0, slot: 0 })?;
                let scope = &mut self.scopes[scope as usize];
                let last = core::mem::replace(&mut scope.last, index as u16);
                match last {
                    NONE => scope.first = index as u16,
                    last => self.symbols[last as usize].next = index as u16,
                }
                index
            }
        };
        Ok(&mut self.symbols[index])
    }

    fn add(&mut self, kind: ScopeKind, parent: ScopeId, name: Qstr) -> Result<ScopeId, Failure> {
        let id = self.scopes.len();
        if id >= usize::from(NONE) {
            return Err(Failure::MEMORY);
        }
        self.scopes.push(Scope {
            kind,
            parent,
            name,
            first: NONE,
            last: NONE,
            free: 0,
            is_generator: false,
            is_async: false,
            has_walrus: false,
        })?;
        Ok(id as ScopeId)
    }

    // ---- resolution ----

    /// Finds the variables that functions take from outer ones.
    fn resolve(&mut self) -> Result<(), ScopeFailure> {
        let blame = |scopes: &Self, id, failure| (failure, scopes.scope(id).name);
        for index in 0..self.nonlocals.len() {
            let (scope, name, line) = self.nonlocals[index];
            if !self.capture(scope, name).map_err(|failure| blame(self, scope, failure))? {
                let failure = Failure::at(line, Fault::NoBinding);
                return Err(blame(self, scope, failure));
            }
        }
        for id in 1..self.scopes.len() as ScopeId {
            if self.scope(id).kind == ScopeKind::Inline {
                continue;
            }
            let mut at = self.scope(id).first;
            while at != NONE {
                let symbol = self.symbols[at as usize];
                let is_outer = symbol.has(flag::USED | flag::NONLOCAL) && !symbol.is_local();
                if is_outer && !symbol.has(flag::GLOBAL | flag::FREE) {
                    self.capture(id, symbol.name).map_err(|failure| blame(self, id, failure))?;
                }
                at = self.symbols[at as usize].next;
            }
        }
        Ok(())
    }

    /// Makes `name` of `scope` a captured variable, if an outer function has it.
    fn capture(&mut self, scope: ScopeId, name: Qstr) -> Result<bool, Failure> {
        let Some(owner) = self.owner(scope, name) else { return Ok(false) };
        self.intern(owner, name)?.flags |= flag::CAPTURED;
        let (mut frame, target) = (self.frame(scope), self.frame(owner));
        while frame != target {
            let slot = self.scope(frame).free;
            let symbol = self.intern(frame, name)?;
            if !symbol.has(flag::FREE) {
                symbol.flags |= flag::FREE;
                symbol.slot = slot;
                let more = slot.checked_add(1).ok_or(Failure::at(0, Fault::Captured))?;
                self.scopes[frame as usize].free = more;
            }
            frame = self.frame(self.scope(frame).parent);
        }
        Ok(true)
    }

    /// The scope around `scope` whose variable `name` is.
    fn owner(&self, scope: ScopeId, name: Qstr) -> Option<ScopeId> {
        let mut id = self.scope(scope).parent;
        while id != 0 {
            let visible = self.scope(id).kind != ScopeKind::Class || name == Qstr::__class__;
            if let Some(symbol) = self.find(id, name).filter(|_| visible) {
                if symbol.has(flag::GLOBAL) {
                    return None;
                }
                if symbol.is_local() {
                    return Some(id);
                }
            }
            id = self.scope(id).parent;
        }
        None
    }
}

/// Makes the scopes of `tree`, whose nodes receive their numbers.
pub(crate) fn analyse(ast: &mut Ast, scopes: &mut Scopes, tree: Ref) -> Result<(), ScopeFailure> {
    scopes.scopes.clear();
    scopes.symbols.clear();
    scopes.nonlocals.clear();
    let module = |failure| (failure, Qstr::MODULE);
    scopes.add(ScopeKind::Module, 0, Qstr::MODULE).map_err(module)?;
    walk::walk(ast, scopes, tree)?;
    scopes.resolve()
}
