//! A small cache of attribute and global look-ups, shared by all places in a program: it costs no memory per place.
//!
//! Invariant: it holds nothing across a collection, a change of a class, or a new name in a module; whoever does any of
//! these clears it.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

const ENTRIES: usize = 128;

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The object's own attribute, or a place in a module's dict: its position.
    Own(u32),
    /// A function of the class, to be bound to the object.
    Method(Value),
    /// An attribute of the class (or a builtin) that is used as it is.
    Plain(Value),
}

#[derive(Clone, Copy)]
struct Entry {
    /// Shape, class, built-in type or module dict; unbound: empty.
    owner: Value,
    /// Name, and what `word` is in the high half.
    name: u32,
    /// Position, or the value's bits.
    value: Value,
}

const OWN: u32 = 0;
const METHOD: u32 = 1 << 16;
const PLAIN: u32 = 2 << 16;
const EMPTY: Entry = Entry { owner: Value::UNBOUND, name: 0, value: Value::UNBOUND };

/// The cache.
pub(crate) struct AttrCache {
    entries: [Entry; ENTRIES],
}

impl AttrCache {
    pub(crate) const fn new() -> AttrCache {
        AttrCache { entries: [EMPTY; ENTRIES] }
    }

    #[inline(always)]
    fn index(owner: Value, name: Qstr) -> usize {
        ((owner.bits() >> 3) as usize).wrapping_add(name.0 as usize * 5) % ENTRIES
    }

    /// What is known about `name` in `owner`.
    #[inline(always)]
    pub(crate) fn get(&self, owner: Value, name: Qstr) -> Option<Found> {
        let entry = &self.entries[Self::index(owner, name)];
        if entry.owner != owner || entry.name as u16 != name.0 {
            return None;
        }
        Some(match entry.name & !0xffff {
            OWN => Found::Own(entry.value.small_unchecked() as u32),
            METHOD => Found::Method(entry.value),
            _ => Found::Plain(entry.value),
        })
    }

    pub(crate) fn put(&mut self, owner: Value, name: Qstr, found: Found) {
        let (what, value) = match found {
            Found::Own(position) => (OWN, Value::small(position as i32)),
            Found::Method(function) => (METHOD, function),
            Found::Plain(value) => (PLAIN, value),
        };
        self.entries[Self::index(owner, name)] = Entry { owner, name: u32::from(name.0) | what, value };
    }

    pub(crate) fn clear(&mut self) {
        self.entries = [EMPTY; ENTRIES];
    }
}
