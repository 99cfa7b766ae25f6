//! A small cache of attribute look-ups, shared by all places in a program: it costs no memory per place.
//!
//! Invariant: it holds nothing across a collection or a change of a class; whoever does either clears it.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

const ENTRIES: usize = 64;

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The object's own attribute: its position in the instance.
    Own(u16),
    /// A function of the class, to be bound.
    Method(Value),
}

#[derive(Clone, Copy)]
struct Entry {
    /// Shape, class or built-in type; unbound: empty.
    owner: Value,
    name: Qstr,
    own: u16,
    method: Value,
}

const EMPTY: Entry = Entry { owner: Value::UNBOUND, name: Qstr(0), own: 0, method: Value::UNBOUND };

/// The cache.
pub struct AttrCache {
    entries: [Entry; ENTRIES],
}

impl AttrCache {
    pub(crate) const fn new() -> AttrCache {
        AttrCache { entries: [EMPTY; ENTRIES] }
    }

    #[inline(always)]
    fn index(owner: Value, name: Qstr) -> usize {
        ((owner.bits() >> 3) as usize ^ name.0 as usize) % ENTRIES
    }

    /// What is known about attribute `name` of objects of `owner`.
    #[inline(always)]
    pub(crate) fn get(&self, owner: Value, name: Qstr) -> Option<Found> {
        let entry = &self.entries[Self::index(owner, name)];
        if entry.owner == owner && entry.name == name {
            Some(if entry.method.is_unbound() { Found::Own(entry.own) } else { Found::Method(entry.method) })
        } else {
            None
        }
    }

    pub(crate) fn put(&mut self, owner: Value, name: Qstr, found: Found) {
        let (own, method) = match found {
            Found::Own(position) => (position, Value::UNBOUND),
            Found::Method(function) => (0, function),
        };
        self.entries[Self::index(owner, name)] = Entry { owner, name, own, method };
    }

    pub(crate) fn clear(&mut self) {
        self.entries = [EMPTY; ENTRIES];
    }
}
