//! The hash table behind dict and set: entries in insertion order, and an index beside them once there are more than a
//! few.
//!
//! A dict or set cell is `live entries | flags << 28`, then the entries (a `Slots` cell) and the index (a `ByteBuffer`
//! cell), each unbound while not needed. The entries' first value is how many places are filled, deleted ones included
//! (their key is [`Value::TOMBSTONE`]); then come the places, one value each in a set, key and value in a dict. An index
//! slot is 0 (empty) or the number of a place plus one, in 1, 2 or 4 bytes as the capacity needs.
//!
//! Invariants: the index has more slots than the entries have places, so probing ends; a place is never used twice
//! between two rebuilds, so iteration by position is safe while the table changes.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use crate::native::{Res, UnaryOp};
use crate::types::ids;
use crate::vm::Vm;

/// Tables up to this many places are searched without an index.
const LINEAR: u32 = 8;
const COUNT_MASK: u32 = (1 << 28) - 1;

/// Flag: an `OrderedDict`.
pub const ORDERED: u32 = 1 << 28;
/// Flag: some key is not an interned string, so a look-up of one must compare more than identity.
const MIXED_KEYS: u32 = 1 << 29;
/// Flag: must not be changed by Python code.
pub const FIXED: u32 = 1 << 30;

impl Vm {
    /// A new dict (`Kind::Dict`) or set with room for `capacity` entries.
    pub fn new_table(&mut self, kind: Kind, capacity: u32) -> Res<Ref> {
        let at = self.alloc(Header::new(kind, 3))?;
        if capacity > 0 {
            let scope = self.root(at.into())?;
            self.table_grow(at, capacity)?;
            self.release(scope);
        }
        Ok(at)
    }

    /// A new empty dict.
    pub fn new_dict(&mut self, capacity: u32) -> Res {
        self.new_table(Kind::Dict, capacity).map(Value::cell)
    }

    /// How many entries a table has.
    #[inline(always)]
    pub fn table_len(&self, at: Ref) -> u32 {
        self.heap.word(at, 0) & COUNT_MASK
    }

    /// A table's flags ([`ORDERED`], [`FIXED`]).
    pub fn table_flags(&self, at: Ref) -> u32 {
        self.heap.word(at, 0) & !COUNT_MASK
    }

    /// Sets a table's flags.
    pub fn set_table_flag(&mut self, at: Ref, flag: u32) {
        let word = self.heap.word(at, 0) | flag;
        self.heap.set_word(at, 0, word);
    }

    fn stride(&self, at: Ref) -> u32 {
        if self.heap.header(at).kind_byte() == Kind::Dict as u8 { 2 } else { 1 }
    }

    #[inline(always)]
    fn entries(&self, at: Ref) -> Option<(Ref, u32)> {
        let entries = self.heap.value(at, 1).as_cell()?;
        Some((entries, self.heap.value(entries, 0).small_unchecked() as u32))
    }

    /// The entry at or after `position`, for iteration: its position, key and value (the key again in a set). Start with
    /// 0 and go on with the position plus one.
    pub fn table_next(&self, at: Ref, mut position: u32) -> Option<(u32, Value, Value)> {
        let (entries, filled) = self.entries(at)?;
        let stride = self.stride(at);
        while position < filled {
            let key = self.heap.slot(entries, 1 + position * stride);
            if key != Value::TOMBSTONE {
                return Some((position, key, self.heap.slot(entries, stride + position * stride)));
            }
            position += 1;
        }
        None
    }

    /// The position of the value of name `name` in a dict: no hashing beyond the stored one, no Python code.
    #[inline(always)]
    pub fn dict_get_qstr(&self, at: Ref, name: Qstr) -> Option<Value> {
        let position = self.find_qstr_key(at, name)?;
        let entries = self.heap.value(at, 1).as_cell()?;
        Some(self.heap.slot(entries, 2 + position * 2))
    }

    fn find_qstr_key(&self, at: Ref, name: Qstr) -> Option<u32> {
        let (entries, filled) = self.entries(at)?;
        let key = Value::qstr(name);
        let stride = self.stride(at);
        let mixed = self.heap.word(at, 0) & MIXED_KEYS != 0;
        if self.heap.value(at, 2).is_unbound() {
            return (0..filled).find(|position| {
                let found = self.heap.slot(entries, 1 + position * stride);
                found == key || mixed && self.same_text(found, key)
            });
        }
        self.probe(at, entries, u32::from(self.text_hash(key)), |vm, found| {
            found == key || mixed && vm.same_text(found, key)
        })
    }

    /// Whether two values are strings with the same text, or bytes with the same content.
    pub fn same_text(&self, left: Value, right: Value) -> bool {
        if left.is_qstr() && right.is_qstr() {
            return left == right;
        }
        match (self.str_span(left), self.str_span(right)) {
            (Some(a), Some(b)) => {
                self.text_hash(left) == self.text_hash(right) && self.bytes_at(a) == self.bytes_at(b)
            }
            _ => false,
        }
    }

    /// Walks the index from `hash` on until `same` accepts the key of a place.
    fn probe(&self, at: Ref, entries: Ref, hash: u32, same: impl Fn(&Vm, Value) -> bool) -> Option<u32> {
        let index = self.heap.value(at, 2).as_cell()?;
        let stride = self.stride(at);
        let (width, slots) = self.index_shape(entries, index, stride);
        let mut slot = hash % slots;
        loop {
            let number = self.index_get(index, width, slot);
            if number == 0 {
                return None;
            }
            let key = self.heap.slot(entries, 1 + (number - 1) * stride);
            if same(self, key) {
                return Some(number - 1);
            }
            slot = if slot + 1 == slots { 0 } else { slot + 1 };
        }
    }

    fn index_shape(&self, entries: Ref, index: Ref, stride: u32) -> (u32, u32) {
        let places = (self.heap.header(entries).count() - 1) / stride;
        let width = index_width(places);
        (width, self.heap.header(index).count() / width)
    }

    fn index_get(&self, index: Ref, width: u32, slot: u32) -> u32 {
        let bytes = self.heap.bytes(index, slot * width, width);
        match *bytes {
            [a] => u32::from(a),
            [a, b] => u32::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
            _ => 0,
        }
    }

    fn index_set(&mut self, index: Ref, width: u32, slot: u32, number: u32) {
        let bytes = number.to_le_bytes();
        self.heap.bytes_mut(index, slot * width, width).copy_from_slice(&bytes[..width as usize]);
    }

    /// The hash of a key. Strings, ints and immediates are hashed here; others by their type, which may run Python code.
    pub fn hash_of(&mut self, key: Value) -> Res<u32> {
        if let Some(small) = key.as_small() {
            return Ok(small as u32);
        }
        if self.is_str(key) {
            return Ok(u32::from(self.text_hash(key)));
        }
        let hash = self.unary(UnaryOp::Hash, key)?;
        Ok(hash.as_small().unwrap_or(0) as u32)
    }

    /// The place of `key`, comparing with `==` where identity does not decide. May run Python code.
    fn find_key(&mut self, at: Ref, key: Value, hash: u32) -> Res<Option<u32>> {
        if let Some(name) = key.as_qstr() {
            return Ok(self.find_qstr_key(at, name));
        }
        let Some((entries, filled)) = self.entries(at) else { return Ok(None) };
        let stride = self.stride(at);
        let Some(index) = self.heap.value(at, 2).as_cell() else {
            for position in 0..filled {
                let found = self.heap.slot(entries, 1 + position * stride);
                if self.same_key(found, key)? {
                    return Ok(Some(position));
                }
            }
            return Ok(None);
        };
        let (width, slots) = self.index_shape(entries, index, stride);
        let mut slot = hash % slots;
        loop {
            let number = self.index_get(index, width, slot);
            if number == 0 {
                return Ok(None);
            }
            let found = self.heap.slot(entries, 1 + (number - 1) * stride);
            if self.same_key(found, key)? {
                return Ok(Some(number - 1));
            }
            slot = if slot + 1 == slots { 0 } else { slot + 1 };
        }
    }

    #[inline(always)]
    fn same_key(&mut self, found: Value, key: Value) -> Res<bool> {
        if found == key {
            return Ok(true);
        }
        if found == Value::TOMBSTONE || found.is_small() && key.is_small() {
            return Ok(false);
        }
        if self.is_str(found) && self.is_str(key) {
            return Ok(self.same_text(found, key));
        }
        self.equal(found, key)
    }

    /// The value of `key` in a dict (`key` itself in a set).
    ///
    /// # Errors
    /// What hashing or comparing raises.
    pub fn table_get(&mut self, at: Ref, key: Value) -> Res<Option<Value>> {
        let hash = self.hash_of(key)?;
        let Some(position) = self.find_key(at, key, hash)? else { return Ok(None) };
        let stride = self.stride(at);
        let entries = self.heap.value(at, 1).as_cell().expect("it has an entry");
        Ok(Some(self.heap.slot(entries, stride + position * stride)))
    }

    /// Sets the value of `key` in a dict, or adds `key` to a set (`value` is ignored). The table, key and value must be
    /// alive by themselves.
    ///
    /// # Errors
    /// What hashing or comparing raises; MemoryError.
    pub fn table_set(&mut self, at: Ref, key: Value, value: Value) -> Res<()> {
        let hash = self.hash_of(key)?;
        let stride = self.stride(at);
        if let Some(position) = self.find_key(at, key, hash)? {
            if stride == 2 {
                let entries = self.heap.value(at, 1).as_cell().expect("it has an entry");
                self.heap.set_slot(entries, 2 + position * 2, value);
            }
            return Ok(());
        }
        let (entries, filled) = self.table_room(at)?;
        self.heap.set_slot(entries, 1 + filled * stride, key);
        if stride == 2 {
            self.heap.set_slot(entries, 2 + filled * 2, value);
        }
        self.heap.set_value(entries, 0, Value::small(filled as i32 + 1));
        let mut word = self.heap.word(at, 0) + 1;
        if !key.is_qstr() {
            word |= MIXED_KEYS;
        }
        self.heap.set_word(at, 0, word);
        if let Some(index) = self.heap.value(at, 2).as_cell() {
            self.index_enter(entries, index, stride, hash, filled);
        }
        Ok(())
    }

    /// Sets the value of a name in a dict.
    ///
    /// # Errors
    /// MemoryError.
    pub fn dict_set_qstr(&mut self, at: Ref, name: Qstr, value: Value) -> Res<()> {
        self.table_set(at, Value::qstr(name), value)
    }

    fn index_enter(&mut self, entries: Ref, index: Ref, stride: u32, hash: u32, position: u32) {
        let (width, slots) = self.index_shape(entries, index, stride);
        let mut slot = hash % slots;
        while self.index_get(index, width, slot) != 0 {
            slot = if slot + 1 == slots { 0 } else { slot + 1 };
        }
        self.index_set(index, width, slot, position + 1);
    }

    /// Removes `key`: its value, or `None` if it was not there.
    ///
    /// # Errors
    /// What hashing or comparing raises.
    pub fn table_remove(&mut self, at: Ref, key: Value) -> Res<Option<Value>> {
        let hash = self.hash_of(key)?;
        let Some(position) = self.find_key(at, key, hash)? else { return Ok(None) };
        Ok(Some(self.table_remove_at(at, position)))
    }

    /// Removes the entry at a position given by [`Vm::table_next`]: its value.
    pub fn table_remove_at(&mut self, at: Ref, position: u32) -> Value {
        let stride = self.stride(at);
        let entries = self.heap.value(at, 1).as_cell().expect("it has an entry");
        let value = self.heap.slot(entries, stride + position * stride);
        self.heap.set_slot(entries, stride + position * stride, Value::UNBOUND);
        self.heap.set_slot(entries, 1 + position * stride, Value::TOMBSTONE);
        let word = self.heap.word(at, 0) - 1;
        self.heap.set_word(at, 0, word);
        if word & COUNT_MASK == 0 {
            self.table_clear(at);
        }
        value
    }

    /// Removes every entry.
    pub fn table_clear(&mut self, at: Ref) {
        let word = self.heap.word(at, 0) & !(COUNT_MASK | MIXED_KEYS);
        self.heap.set_word(at, 0, word);
        self.heap.set_value(at, 1, Value::UNBOUND);
        self.heap.set_value(at, 2, Value::UNBOUND);
    }

    /// Makes `to` (an empty table of the same kind) a copy of `from`.
    pub fn table_copy(&mut self, to: Ref, from: Ref) -> Res<()> {
        let mut position = 0;
        while let Some((found, key, value)) = self.table_next(from, position) {
            self.table_set(to, key, value)?;
            position = found + 1;
        }
        Ok(())
    }

    /// The entries with room for one more, and how many places are filled.
    fn table_room(&mut self, at: Ref) -> Res<(Ref, u32)> {
        let stride = self.stride(at);
        if let Some((entries, filled)) = self.entries(at)
            && filled < (self.heap.header(entries).count() - 1) / stride
        {
            return Ok((entries, filled));
        }
        let live = self.table_len(at);
        self.table_grow(at, live + 1)?;
        Ok(self.entries(at).expect("just grown"))
    }

    /// Rebuilds the table with room for at least `wanted` entries, without its deleted places.
    fn table_grow(&mut self, at: Ref, wanted: u32) -> Res<()> {
        let stride = self.stride(at);
        let places = places_for(wanted);
        if places > Header::MAX_COUNT / 8 {
            return Err(self.raise_memory());
        }
        let scope = self.root(at.into())?;
        let entries = self.alloc(Header::new(Kind::Slots, 1 + places * stride))?;
        self.heap.set_value(entries, 0, Value::small(0));
        self.root(entries.into())?;
        let index = match places > LINEAR {
            true => {
                let width = index_width(places);
                Some(self.alloc(Header::new(Kind::ByteBuffer, (places + places / 3 + 1) * width))?)
            }
            false => None,
        };
        let old = self.entries(at);
        let old_index = self.heap.value(at, 2);
        let mut filled = 0;
        if let Some((old_entries, old_filled)) = old {
            for position in 0..old_filled {
                let key = self.heap.slot(old_entries, 1 + position * stride);
                if key == Value::TOMBSTONE {
                    continue;
                }
                let value = self.heap.slot(old_entries, stride + position * stride);
                self.heap.set_slot(entries, 1 + filled * stride, key);
                self.heap.set_slot(entries, stride + filled * stride, value);
                filled += 1;
            }
        }
        self.heap.set_value(entries, 0, Value::small(filled as i32));
        if let Some(index) = index {
            self.root(index.into())?;
            for position in 0..filled {
                let key = self.heap.slot(entries, 1 + position * stride);
                let hash = self.hash_of(key)?;
                self.index_enter(entries, index, stride, hash, position);
            }
        }
        self.heap.set_value(at, 1, entries.into());
        self.heap.set_value(at, 2, index.map_or(Value::UNBOUND, Value::cell));
        if let Some((old_entries, _)) = old {
            self.heap.free(old_entries);
        }
        if let Some(stale) = old_index.as_cell() {
            self.heap.free(stale);
        }
        self.release(scope);
        Ok(())
    }

    /// The value of a key, or KeyError.
    ///
    /// # Errors
    /// KeyError, or what hashing or comparing raises.
    pub fn dict_item(&mut self, at: Ref, key: Value) -> Res {
        match self.table_get(at, key)? {
            Some(value) => Ok(value),
            None => Err(self.raise_arg(ids::KeyError, key)),
        }
    }
}

/// How many places a table of `wanted` entries gets.
fn places_for(wanted: u32) -> u32 {
    match wanted {
        0..=1 => 1,
        2..=4 => 4,
        5..=8 => 8,
        _ => (wanted + wanted / 4).next_multiple_of(8),
    }
}

fn index_width(places: u32) -> u32 {
    match places {
        0..0xff => 1,
        0xff..0xffff => 2,
        _ => 4,
    }
}
