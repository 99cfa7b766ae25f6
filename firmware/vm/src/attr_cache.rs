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

impl Entry {
    #[inline(always)]
    fn is_about(&self, owner: Value, name: Qstr) -> bool {
        self.owner == owner && self.name as u16 == name.0
    }

    #[inline(always)]
    fn found(&self) -> Found {
        match self.name & !0xffff {
            OWN => Found::Own(self.value.small_unchecked() as u32),
            METHOD => Found::Method(self.value),
            _ => Found::Plain(self.value),
        }
    }
}

/// The cache. An entry has two places, its own and the neighbour's, to which the next one for its own moves it: two names
/// of a loop that share a place do not drive each other out.
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
        let index = Self::index(owner, name);
        let entry = &self.entries[index];
        if entry.is_about(owner, name) {
            Some(entry.found())
        } else {
            self.in_second_place(index, owner, name)
        }
    }

    #[inline(never)]
    fn in_second_place(&self, index: usize, owner: Value, name: Qstr) -> Option<Found> {
        let entry = &self.entries[index ^ 1];
        entry.is_about(owner, name).then(|| entry.found())
    }

    pub(crate) fn put(&mut self, owner: Value, name: Qstr, found: Found) {
        let (what, value) = match found {
            Found::Own(position) => (OWN, Value::small(position as i32)),
            Found::Method(function) => (METHOD, function),
            Found::Plain(value) => (PLAIN, value),
        };
        let index = Self::index(owner, name);
        // An empty place must not drive out what has the neighbour's for its own.
        if !self.entries[index].owner.is_unbound() {
            self.entries[index ^ 1] = self.entries[index];
        }
        self.entries[index] = Entry { owner, name: u32::from(name.0) | what, value };
    }

    pub(crate) fn clear(&mut self) {
        self.entries = [EMPTY; ENTRIES];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two of a loop never drive each other out, wherever their places are.
    #[test]
    fn any_two_stay() {
        let owner = Value::small(1000);
        for (a, b) in (0..256).flat_map(|a| (0..256).map(move |b| (Qstr(a), Qstr(b)))).filter(|(a, b)| a != b)
        {
            let mut cache = AttrCache::new();
            cache.put(owner, a, Found::Own(1));
            cache.put(owner, b, Found::Own(2));
            assert_eq!(
                (cache.get(owner, a), cache.get(owner, b)),
                (Some(Found::Own(1)), Some(Found::Own(2)))
            );
        }
    }
}
