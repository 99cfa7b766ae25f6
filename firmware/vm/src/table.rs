//! The hash table behind dict and set: entries in insertion order, and an index beside them once there are more than a
//! few.
//!
//! A dict or set cell is `live entries | flags << 27`, then the entries (a `Slots` cell) and the index (a `ByteBuffer`
//! cell), each unbound while not needed. The entries' first value is how many places are filled, deleted ones included
//! (their key is [`Value::TOMBSTONE`]); then come the places, one value each in a set, key and value in a dict. An index
//! slot is 0 (empty) or the number of a place plus one, in 1, 2 or 4 bytes; the index's own size says which.
//!
//! Invariants:
//! - The index has more slots than the entries have places, so probing ends; a place is never used twice between two
//!   rebuilds, so iteration by position is safe while the table changes.
//! - Unless [`MIXED_KEYS`] is set, every key is an interned string or a small int, so that one of these is found by
//!   identity.
//! - `__eq__` and `__hash__` of keys run while the table is searched or rebuilt, and may change it. Whoever calls them
//!   sets [`BUSY`] (storage is then left to the collector) and keeps the storage alive, and looks afterwards whether it
//!   still is the table's.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Root, Value};

use crate::native::{Raised, Res, UnaryOp};
use crate::types::ids;
use crate::vm::Vm;

/// Tables up to this many places are searched without an index.
const LINEAR: u32 = 8;
const COUNT_MASK: u32 = (1 << 27) - 1;

/// Flag: an `OrderedDict`.
pub const ORDERED: u32 = 1 << 28;
/// Flag: some key is neither an interned string nor a small int.
const MIXED_KEYS: u32 = 1 << 29;
/// Flag: must not be changed by Python code.
pub const FIXED: u32 = 1 << 30;
/// Flag: a module's names. A new name in it empties the cache of look-ups that fell through to the builtins.
const NAMESPACE: u32 = 1 << 31;
/// Flag: being searched or rebuilt by somebody further down the native stack.
const BUSY: u32 = 1 << 27;

/// Indexes of fewer bytes have slots of one byte; of fewer than the next, of two.
const BYTE_INDEX: u32 = 512;
const HALF_INDEX: u32 = 0x3_0000;

impl Vm {
    /// A new dict (`Kind::Dict`) or set with room for `capacity` entries.
    pub fn new_table(&mut self, kind: Kind, capacity: u32) -> Res<Ref> {
        let at = self.alloc(Header::new(kind, 3))?;
        if capacity > 0 {
            let scope = self.root(at.into())?;
            self.table_rebuild(at, capacity)?;
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

    /// Words of an entry.
    #[inline(always)]
    fn stride(&self, at: Ref) -> u32 {
        if self.heap.header(at).kind() == Kind::Dict { 2 } else { 1 }
    }

    #[inline(always)]
    fn entries(&self, at: Ref) -> Option<(Ref, u32)> {
        let entries = self.heap.value(at, 1).as_cell()?;
        Some((entries, self.heap.value(entries, 0).small_unchecked() as u32))
    }

    // ---- by position ----

    /// The entry at or after `position`, for iteration: its position, key and value (the key again in a set). Start with
    /// 0 and go on with the position plus one.
    #[inline]
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

    /// The last entry before `position` (start with `u32::MAX`), as [`Vm::table_next`].
    pub fn table_previous(&self, at: Ref, position: u32) -> Option<(u32, Value, Value)> {
        let (entries, filled) = self.entries(at)?;
        let stride = self.stride(at);
        (0..position.min(filled)).rev().find_map(|position| {
            let key = self.heap.slot(entries, 1 + position * stride);
            let value = self.heap.slot(entries, stride + position * stride);
            (key != Value::TOMBSTONE).then_some((position, key, value))
        })
    }

    /// Removes the entry at a position given by [`Vm::table_next`]: its value.
    pub fn table_remove_at(&mut self, at: Ref, position: u32) -> Value {
        let stride = self.stride(at);
        let entries = self.heap.value(at, 1).expect_cell("it has an entry");
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

    /// Removes the last entry: its key and value.
    pub fn table_pop_last(&mut self, at: Ref) -> Res<Option<(Value, Value)>> {
        let live = self.table_len(at);
        if self.entries(at).is_some_and(|(_, filled)| filled > 2 * live + LINEAR) {
            self.table_rebuild(at, live)?;
        }
        Ok(self.table_previous(at, u32::MAX).map(|(position, key, value)| {
            self.table_remove_at(at, position);
            (key, value)
        }))
    }

    /// Removes the first entry: its key and value. Deleted places before it are dropped when there are so many that
    /// passing them costs more than a rebuild, shared among the calls until the next one.
    pub fn table_pop_first(&mut self, at: Ref) -> Res<Option<(Value, Value)>> {
        let Some((position, key, value)) = self.table_next(at, 0) else { return Ok(None) };
        let live = self.table_len(at);
        self.table_remove_at(at, position);
        if position.saturating_mul(position) > 16 * live + 64 && live > 1 {
            let scope = self.root(key)?;
            self.root(value)?;
            self.table_rebuild(at, live - 1)?;
            self.release(scope);
        }
        Ok(Some((key, value)))
    }

    /// Removes every entry.
    pub fn table_clear(&mut self, at: Ref) {
        let word = self.heap.word(at, 0) & !(COUNT_MASK | MIXED_KEYS);
        self.heap.set_word(at, 0, word);
        self.heap.set_value(at, 1, Value::UNBOUND);
        self.heap.set_value(at, 2, Value::UNBOUND);
    }

    // ---- names and small ints: found by identity ----

    /// The value of name `name` in a dict: no Python code runs.
    #[inline]
    pub fn dict_get_qstr(&self, at: Ref, name: Qstr) -> Option<Value> {
        let position = self.find_qstr_key(at, name)?;
        let entries = self.heap.value(at, 1).as_cell()?;
        Some(self.heap.slot(entries, 2 + position * 2))
    }

    /// Whether look-ups that found nothing in this dict may be cached: from now on, a new name in it empties the cache.
    pub(crate) fn is_namespace(&mut self, at: Ref) -> bool {
        self.set_table_flag(at, NAMESPACE);
        true
    }

    /// The position of a name's entry in a dict, for [`Vm::dict_value_at`].
    pub(crate) fn dict_find_qstr(&self, at: Ref, name: Qstr) -> Option<u32> {
        self.find_qstr_key(at, name)
    }

    /// The value at a position where `name` was found before, if it is still there.
    #[inline(always)]
    pub(crate) fn dict_value_at(&self, at: Ref, position: u32, name: Qstr) -> Option<Value> {
        let entries = self.heap.value(at, 1).as_cell()?;
        let is_inside = 2 + 2 * position < self.heap.header(entries).count();
        if is_inside && self.heap.slot(entries, 1 + 2 * position) == Value::qstr(name) {
            Some(self.heap.slot(entries, 2 + 2 * position))
        } else {
            None
        }
    }

    /// Sets the value at a position where `name` was found before; false if it is not there any more.
    #[inline(always)]
    pub(crate) fn dict_set_value_at(&mut self, at: Ref, position: u32, name: Qstr, value: Value) -> bool {
        let Some(entries) = self.heap.value(at, 1).as_cell() else { return false };
        let is_inside = 2 + 2 * position < self.heap.header(entries).count();
        if !is_inside || self.heap.slot(entries, 1 + 2 * position) != Value::qstr(name) {
            return false;
        }
        self.heap.set_slot(entries, 2 + 2 * position, value);
        true
    }

    /// The value of a small int or name in a dict all of whose keys are such: no Python code runs. `None`: not there,
    /// or not so simple.
    #[inline(never)]
    pub fn dict_get_simple(&self, at: Ref, key: Value) -> Option<Value> {
        if !is_simple(key) || self.heap.word(at, 0) & MIXED_KEYS != 0 {
            return None;
        }
        let position = self.find_simple(at, key, 2)?;
        let entries = self.heap.value(at, 1).as_cell()?;
        Some(self.heap.slot(entries, 2 + position * 2))
    }

    /// Sets the value of a small int or name in a table all of whose keys are such, or adds the key to such a set.
    /// False, and nothing done: not so simple, or no room.
    #[inline(never)]
    pub fn table_set_simple(&mut self, at: Ref, key: Value, value: Value) -> bool {
        let word = self.heap.word(at, 0);
        if !is_simple(key) || word & (MIXED_KEYS | FIXED | NAMESPACE) != 0 {
            return false;
        }
        let Some((entries, filled)) = self.entries(at) else { return false };
        let stride = self.stride(at);
        let has_room = filled < (self.heap.header(entries).count() - 1) >> (stride - 1);
        let mut position = 0;
        if let Some(index) = self.heap.value(at, 2).as_cell() {
            match self.find_or_enter(index, entries, key, stride, if has_room { filled + 1 } else { 0 }) {
                Some(found) => position = found,
                None => return false,
            }
        } else {
            while position < filled && self.heap.slot(entries, 1 + position * stride) != key {
                position += 1;
            }
            if position == filled && !has_room {
                return false;
            }
        }
        if stride == 2 {
            self.heap.set_slot(entries, 2 + position * 2, value);
        }
        if position == filled {
            self.heap.set_slot(entries, 1 + filled * stride, key);
            self.heap.set_value(entries, 0, Value::small(filled as i32 + 1));
            self.heap.set_word(at, 0, word + 1);
        }
        true
    }

    /// The position at which the index has `key`; if it has not, `number` is entered (unless 0) and its position
    /// returned. `None`: neither, or a large index.
    #[inline(always)]
    fn find_or_enter(
        &mut self,
        index: Ref,
        entries: Ref,
        key: Value,
        stride: u32,
        number: u32,
    ) -> Option<u32> {
        let bytes = self.heap.header(index).count();
        if bytes >= HALF_INDEX {
            return None;
        }
        let is_small = bytes < BYTE_INDEX;
        let slots = if is_small { bytes } else { bytes / 2 };
        let mut slot = first_slot(self.simple_hash(key), slots);
        loop {
            let found = if is_small {
                u32::from(self.heap.byte(index, slot))
            } else {
                u32::from(self.heap.half(index, slot))
            };
            if found == 0 {
                break;
            }
            if self.heap.slot(entries, 1 + (found - 1) * stride) == key {
                return Some(found - 1);
            }
            slot = if slot + 1 == slots { 0 } else { slot + 1 };
        }
        if number != 0 {
            match is_small {
                true => self.heap.set_byte(index, slot, number as u8),
                false => self.heap.set_half(index, slot, number as u16),
            }
        }
        number.checked_sub(1)
    }

    fn find_qstr_key(&self, at: Ref, name: Qstr) -> Option<u32> {
        let key = Value::qstr(name);
        if self.heap.word(at, 0) & MIXED_KEYS == 0 {
            return self.find_simple(at, key, self.stride(at));
        }
        let (entries, filled) = self.entries(at)?;
        let stride = self.stride(at);
        let mut search = Search::new(self, at, filled, self.simple_hash(key));
        while let Some(position) = search.next(self) {
            let found = self.heap.slot(entries, 1 + position * stride);
            if found == key || !found.is_qstr() && self.same_text(found, key) {
                return Some(position);
            }
        }
        None
    }

    #[inline(always)]
    fn simple_hash(&self, key: Value) -> u32 {
        if key.is_small() { key.bits() } else { u32::from(self.text_hash(key)) }
    }

    /// The place of a key that is found by identity.
    #[inline(always)]
    fn find_simple(&self, at: Ref, key: Value, stride: u32) -> Option<u32> {
        let (entries, filled) = self.entries(at)?;
        let Some(index) = self.heap.value(at, 2).as_cell() else {
            let mut position = 0;
            while position < filled {
                if self.heap.slot(entries, 1 + position * stride) == key {
                    return Some(position);
                }
                position += 1;
            }
            return None;
        };
        let hash = self.simple_hash(key);
        let bytes = self.heap.header(index).count();
        if bytes >= HALF_INDEX {
            return self.find_simple_large(index, entries, key, hash, stride);
        }
        let is_small = bytes < BYTE_INDEX;
        let slots = if is_small { bytes } else { bytes / 2 };
        let mut slot = first_slot(hash, slots);
        loop {
            let number = if is_small {
                u32::from(self.heap.byte(index, slot))
            } else {
                u32::from(self.heap.half(index, slot))
            };
            if number == 0 {
                return None;
            }
            if self.heap.slot(entries, 1 + (number - 1) * stride) == key {
                return Some(number - 1);
            }
            slot = if slot + 1 == slots { 0 } else { slot + 1 };
        }
    }

    #[cold]
    #[inline(never)]
    fn find_simple_large(&self, index: Ref, entries: Ref, key: Value, hash: u32, stride: u32) -> Option<u32> {
        let mut search = Search::in_index(self, index, hash);
        loop {
            let position = search.next(self)?;
            if self.heap.slot(entries, 1 + position * stride) == key {
                return Some(position);
            }
        }
    }

    // ---- any key ----

    /// Whether two values are strings with the same text, or bytes with the same content.
    pub fn same_text(&self, left: Value, right: Value) -> bool {
        if left.is_qstr() && right.is_qstr() {
            return left == right;
        }
        match (self.str_span(left), self.str_span(right)) {
            (Some(a), Some(b)) => self.bytes_at(a) == self.bytes_at(b),
            _ => false,
        }
    }

    /// The hash of a key. Strings and ints are hashed here; others by their type, which may run Python code.
    ///
    /// # Errors
    /// TypeError for what cannot be hashed; what `__hash__` raises.
    #[inline]
    pub fn hash_of(&mut self, key: Value) -> Res<u32> {
        if key.is_small() {
            return Ok(key.bits());
        }
        if let Some(at) = self.heap.as_kind(key, Kind::Str)
            && let known @ 1.. = self.heap.word(at, 0) & 0xffff
        {
            return Ok(known);
        }
        self.hash_slowly(key)
    }

    fn hash_slowly(&mut self, key: Value) -> Res<u32> {
        if self.is_str(key) {
            return Ok(u32::from(self.keep_text_hash(key)));
        }
        let hash = self.deeper(|vm| vm.unary(UnaryOp::Hash, key))?;
        // As small ints are hashed, because 1.0 == 1 == True.
        Ok(if hash.is_small() { hash.bits() } else { 0 })
    }

    /// The hash of a key of this table. An ordered dict takes what cannot be hashed too, as MicroPython's, which is not
    /// hashed at all.
    #[inline]
    fn key_hash(&mut self, at: Ref, key: Value) -> Res<u32> {
        match self.hash_of(key) {
            Err(raised) => self.unhashable(at, raised),
            hash => hash,
        }
    }

    #[cold]
    fn unhashable(&mut self, at: Ref, raised: Raised) -> Res<u32> {
        let exception = self.heap.root(Root::Raised);
        if self.table_flags(at) & ORDERED == 0 || !self.is_a(exception, ids::TypeError) {
            return Err(raised);
        }
        self.take_raised();
        Ok(0)
    }

    /// The place of `key`, comparing with `==` where identity does not decide. May run Python code. The key must be
    /// alive by itself.
    fn find_key(&mut self, at: Ref, key: Value, hash: u32) -> Res<Option<u32>> {
        if is_simple(key) && self.heap.word(at, 0) & MIXED_KEYS == 0 {
            return Ok(self.find_simple(at, key, self.stride(at)));
        }
        loop {
            if let Some(answer) = self.find_key_once(at, key, hash)? {
                return Ok(answer);
            }
        }
    }

    /// As [`Vm::find_key`]; `None`: the table was changed meanwhile.
    fn find_key_once(&mut self, at: Ref, key: Value, hash: u32) -> Res<Option<Option<u32>>> {
        let Some((entries, filled)) = self.entries(at) else { return Ok(Some(None)) };
        let stride = self.stride(at);
        let mut search = Search::new(self, at, filled, hash);
        while let Some(position) = search.next(self) {
            let place = 1 + position * stride;
            let found = self.heap.slot(entries, place);
            if found == key {
                return Ok(Some(Some(position)));
            }
            match self.same_without_asking(found, key) {
                Some(true) => return Ok(Some(Some(position))),
                Some(false) => continue,
                None => {}
            }
            let same = self.ask_whether_same(at, found, key)?;
            if self.heap.value(at, 1) != entries.into() || self.entries(at).is_none_or(|(_, f)| f != filled) {
                return Ok(None);
            }
            if same && self.heap.slot(entries, place) == found {
                return Ok(Some(Some(position)));
            }
        }
        Ok(Some(None))
    }

    /// Whether two keys that are not identical are equal, as far as their types say.
    #[inline(always)]
    fn same_without_asking(&self, found: Value, key: Value) -> Option<bool> {
        if found == Value::TOMBSTONE || is_simple(found) && is_simple(key) {
            return Some(false);
        }
        if let (Some(a), Some(b)) = (self.heap.as_kind(found, Kind::Str), self.heap.as_kind(key, Kind::Str)) {
            return Some(self.same_str_cells(a, b));
        }
        match (self.is_str(found), self.is_str(key)) {
            (true, true) => Some(self.same_text(found, key)),
            (true, false) if key.is_small() => Some(false),
            (false, true) if found.is_small() => Some(false),
            _ => None,
        }
    }

    #[inline(never)]
    fn ask_whether_same(&mut self, at: Ref, found: Value, key: Value) -> Res<bool> {
        let (scope, was_busy) = self.table_hold(at)?;
        self.root(found)?;
        let same = self.equal(found, key);
        self.table_let_go(at, scope, was_busy);
        same
    }

    /// Keeps a table's storage while Python code runs.
    fn table_hold(&mut self, at: Ref) -> Res<(u32, bool)> {
        let scope = self.root(at.into())?;
        self.root(self.heap.value(at, 1))?;
        self.root(self.heap.value(at, 2))?;
        let word = self.heap.word(at, 0);
        self.heap.set_word(at, 0, word | BUSY);
        Ok((scope, word & BUSY != 0))
    }

    fn table_let_go(&mut self, at: Ref, scope: u32, was_busy: bool) {
        if !was_busy {
            let word = self.heap.word(at, 0) & !BUSY;
            self.heap.set_word(at, 0, word);
        }
        self.release(scope);
    }

    /// The value of `key` in a dict (the equal key that is there, in a set).
    ///
    /// # Errors
    /// What hashing or comparing raises.
    pub fn table_get(&mut self, at: Ref, key: Value) -> Res<Option<Value>> {
        if self.table_len(at) == 0 {
            return Ok(None);
        }
        let hash = self.key_hash(at, key)?;
        let Some(position) = self.find_key(at, key, hash)? else { return Ok(None) };
        let stride = self.stride(at);
        let Some((entries, _)) = self.entries(at) else { return Ok(None) };
        Ok(Some(self.heap.slot(entries, stride + position * stride)))
    }

    /// Sets the value of `key` in a dict, or adds `key` to a set (`value` is ignored). The table, key and value must be
    /// alive by themselves.
    ///
    /// # Errors
    /// What hashing or comparing raises; MemoryError.
    #[inline]
    pub fn table_set(&mut self, at: Ref, key: Value, value: Value) -> Res<()> {
        match self.table_set_simple(at, key, value) {
            true => Ok(()),
            false => self.table_set_slowly(at, key, value),
        }
    }

    #[inline(never)]
    fn table_set_slowly(&mut self, at: Ref, key: Value, value: Value) -> Res<()> {
        let is_plain = self.heap.word(at, 0) & (MIXED_KEYS | FIXED | NAMESPACE) == 0;
        if is_plain && is_simple(key) && self.heap.value(at, 2).is_unbound() {
            // All places were looked at: the key is new, and there was no room.
            self.table_make_room(at)?;
            if self.table_set_simple(at, key, value) {
                return Ok(());
            }
        }
        let hash = self.key_hash(at, key)?;
        let stride = self.stride(at);
        if let Some(position) = self.find_key(at, key, hash)? {
            if stride == 2
                && let Some((entries, _)) = self.entries(at)
            {
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
        if !is_simple(key) {
            word |= MIXED_KEYS;
        }
        self.heap.set_word(at, 0, word);
        if let Some(index) = self.heap.value(at, 2).as_cell() {
            self.index_enter(index, hash, filled);
        }
        if word & NAMESPACE != 0 {
            self.cache.clear();
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

    /// Removes `key`: its value, or `None` if it was not there.
    ///
    /// # Errors
    /// What hashing or comparing raises.
    pub fn table_remove(&mut self, at: Ref, key: Value) -> Res<Option<Value>> {
        if self.table_len(at) == 0 {
            return Ok(None);
        }
        let hash = self.key_hash(at, key)?;
        let Some(position) = self.find_key(at, key, hash)? else { return Ok(None) };
        Ok(Some(self.table_remove_at(at, position)))
    }

    /// Makes `to` (an empty table of the same kind) a copy of `from`: no key is hashed or compared.
    pub fn table_copy(&mut self, to: Ref, from: Ref) -> Res<()> {
        let Some((entries, _)) = self.entries(from) else { return Ok(()) };
        let words = self.heap.header(entries).count();
        let new = self.alloc(Header::new(Kind::Slots, words))?;
        self.heap.copy(new, 0, entries, 0, 4 * words);
        self.heap.set_value(to, 1, new.into());
        let word = self.heap.word(to, 0) | self.heap.word(from, 0) & (COUNT_MASK | MIXED_KEYS);
        if let Some(index) = self.heap.value(from, 2).as_cell() {
            let scope = self.root(to.into())?;
            let bytes = self.heap.header(index).count();
            let new = self.alloc(Header::new(Kind::ByteBuffer, bytes))?;
            self.heap.copy(new, 0, index, 0, bytes);
            self.heap.set_value(to, 2, new.into());
            self.release(scope);
        }
        self.heap.set_word(to, 0, word);
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

    // ---- growing ----

    /// The entries with room for one more, and how many places are filled.
    #[inline(always)]
    fn table_room(&mut self, at: Ref) -> Res<(Ref, u32)> {
        if let Some((entries, filled)) = self.entries(at)
            && filled < (self.heap.header(entries).count() - 1) >> (self.stride(at) - 1)
        {
            return Ok((entries, filled));
        }
        self.table_make_room(at)
    }

    #[inline(never)]
    fn table_make_room(&mut self, at: Ref) -> Res<(Ref, u32)> {
        // The smallest storage of a set is four places: two cost as much memory but for a word.
        let least = if self.stride(at) == 1 { 4 } else { 2 };
        let wanted = grown(self.table_len(at)).max(least);
        self.table_rebuild(at, wanted)?;
        Ok(self.entries(at).expect("just grown"))
    }

    /// Rebuilds the table with room for at least `places` entries, without its deleted places.
    fn table_rebuild(&mut self, at: Ref, places: u32) -> Res<()> {
        let places = places.max(self.table_len(at)).max(1);
        if places > Header::MAX_COUNT / 8 {
            return Err(self.raise_memory());
        }
        if places <= LINEAR && self.heap.word(at, 0) & (MIXED_KEYS | BUSY) == 0 {
            return self.table_rebuild_plain(at, places);
        }
        let (scope, was_busy) = self.table_hold(at)?;
        let result = self.table_rebuild_held(at, places, was_busy);
        self.table_let_go(at, scope, was_busy);
        match result? {
            true => Ok(()),
            // A key's `__hash__` changed the table: its storage is new, and perhaps large enough.
            false => self.deeper(|vm| vm.table_rebuild(at, places)),
        }
    }

    /// Rebuilds a table that needs no index and whose keys run no Python code.
    fn table_rebuild_plain(&mut self, at: Ref, places: u32) -> Res<()> {
        let stride = self.stride(at);
        let entries = self.alloc(Header::new(Kind::Slots, (1 + places * stride) | 1))?;
        self.move_entries(at, entries, stride);
        let stale = [self.heap.value(at, 1), self.heap.value(at, 2)];
        self.heap.set_value(at, 1, entries.into());
        self.heap.set_value(at, 2, Value::UNBOUND);
        for stale in stale.into_iter().filter_map(Value::as_cell) {
            self.heap.free(stale);
        }
        Ok(())
    }

    fn table_rebuild_held(&mut self, at: Ref, places: u32, was_busy: bool) -> Res<bool> {
        let stride = self.stride(at);
        let old = self.entries(at);
        let old_index = self.heap.value(at, 2);
        let entries = self.alloc(Header::new(Kind::Slots, (1 + places * stride) | 1))?;
        self.root(entries.into())?;
        let filled = self.move_entries(at, entries, stride);
        if places > LINEAR {
            let bytes = index_bytes(places);
            let index = self.alloc(Header::new(Kind::ByteBuffer, bytes))?;
            self.root(index.into())?;
            if !self.fill_index(at, old, entries, index, filled, stride)? {
                return Ok(false);
            }
            self.heap.set_value(at, 2, index.into());
        } else {
            self.heap.set_value(at, 2, Value::UNBOUND);
        }
        self.heap.set_value(at, 1, entries.into());
        if !was_busy {
            if let Some((stale, _)) = old {
                self.heap.free(stale);
            }
            if let Some(stale) = old_index.as_cell() {
                self.heap.free(stale);
            }
        }
        Ok(true)
    }

    /// Copies what is alive to new entries: how many places that fills.
    fn move_entries(&mut self, at: Ref, entries: Ref, stride: u32) -> u32 {
        let mut filled = 0;
        if let Some((old, old_filled)) = self.entries(at) {
            if old_filled == self.table_len(at) {
                filled = old_filled;
                self.heap.copy(entries, 4, old, 4, 4 * filled * stride);
            } else {
                for position in 0..old_filled {
                    if self.heap.slot(old, 1 + position * stride) != Value::TOMBSTONE {
                        let (to, from) = (4 + 4 * filled * stride, 4 + 4 * position * stride);
                        self.heap.copy(entries, to, old, from, 4 * stride);
                        filled += 1;
                    }
                }
            }
        }
        self.heap.set_value(entries, 0, Value::small(filled as i32));
        filled
    }

    /// Enters the keys of new entries into their index; false if that changed the table.
    fn fill_index(
        &mut self,
        at: Ref,
        old: Option<(Ref, u32)>,
        entries: Ref,
        index: Ref,
        filled: u32,
        stride: u32,
    ) -> Res<bool> {
        let mixed = self.heap.word(at, 0) & MIXED_KEYS != 0;
        let live = self.table_len(at);
        for position in 0..filled {
            let key = self.heap.slot(entries, 1 + position * stride);
            let hash = match is_simple(key) {
                true => self.simple_hash(key),
                false => self.key_hash(at, key)?,
            };
            self.index_enter(index, hash, position);
            if mixed && (self.entries(at) != old || self.table_len(at) != live) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    #[inline(always)]
    fn index_enter(&mut self, index: Ref, hash: u32, position: u32) {
        let bytes = self.heap.header(index).count();
        if bytes < BYTE_INDEX {
            let mut slot = first_slot(hash, bytes);
            while self.heap.byte(index, slot) != 0 {
                slot = if slot + 1 == bytes { 0 } else { slot + 1 };
            }
            self.heap.set_byte(index, slot, position as u8 + 1);
        } else if bytes < HALF_INDEX {
            let slots = bytes / 2;
            let mut slot = first_slot(hash, slots);
            while self.heap.half(index, slot) != 0 {
                slot = if slot + 1 == slots { 0 } else { slot + 1 };
            }
            self.heap.set_half(index, slot, position as u16 + 1);
        } else {
            let slots = bytes / 4;
            let mut slot = first_slot(hash, slots);
            while !self.heap.slot(index, slot).is_unbound() {
                slot = if slot + 1 == slots { 0 } else { slot + 1 };
            }
            self.heap.set_slot(index, slot, Value::small(position as i32));
        }
    }
}

/// A walk over the places at which a key can be: through the index, or all of them if there is none.
struct Search {
    index: Option<Ref>,
    slots: u32,
    slot: u32,
}

impl Search {
    fn new(vm: &Vm, at: Ref, filled: u32, hash: u32) -> Search {
        match vm.heap.value(at, 2).as_cell() {
            Some(index) => Search::in_index(vm, index, hash),
            None => Search { index: None, slots: filled, slot: 0 },
        }
    }

    fn in_index(vm: &Vm, index: Ref, hash: u32) -> Search {
        let bytes = vm.heap.header(index).count();
        let slots = match bytes {
            0..BYTE_INDEX => bytes,
            BYTE_INDEX..HALF_INDEX => bytes / 2,
            _ => bytes / 4,
        };
        Search { index: Some(index), slots, slot: first_slot(hash, slots) }
    }

    #[inline]
    fn next(&mut self, vm: &Vm) -> Option<u32> {
        let slot = self.slot;
        let Some(index) = self.index else {
            self.slot += 1;
            return (slot < self.slots).then_some(slot);
        };
        self.slot = if slot + 1 == self.slots { 0 } else { slot + 1 };
        let bytes = vm.heap.header(index).count();
        if bytes < BYTE_INDEX {
            u32::from(vm.heap.byte(index, slot)).checked_sub(1)
        } else if bytes < HALF_INDEX {
            u32::from(vm.heap.half(index, slot)).checked_sub(1)
        } else {
            vm.heap.slot(index, slot).as_small().map(|position| position as u32)
        }
    }
}

/// Whether a key is found by identity among its like.
#[inline(always)]
fn is_simple(key: Value) -> bool {
    key.is_small() || key.is_qstr()
}

/// Where probing starts: multiplication spreads neighbouring hashes over all slots.
#[inline(always)]
fn first_slot(hash: u32, slots: u32) -> u32 {
    let spread = hash.wrapping_mul(0x9e37_79b1);
    ((u64::from(spread) * u64::from(slots)) >> 32) as u32
}

/// How many places a table gets that has `live` entries and no room: twice as many, in larger ones half as many again.
/// At least a fifth of the places is then free, so that filling, deleting and filling again does not rebuild each time.
fn grown(live: u32) -> u32 {
    let wanted = (live + live / 4 + 1).max(2);
    let doubled = wanted.next_power_of_two();
    if wanted > 1024 && wanted <= doubled / 4 * 3 { doubled / 4 * 3 } else { doubled }
}

/// Bytes of the index of so many places: two thirds of the slots can be in use.
fn index_bytes(places: u32) -> u32 {
    let slots = places + places / 2;
    match places {
        // Numbers up to 255, and fewer than `BYTE_INDEX` slots.
        0..=254 => slots.max(LINEAR + 2),
        255..=65534 => 2 * slots,
        _ => 4 * slots,
    }
}

const _: () = {
    assert!(254 + 127 < BYTE_INDEX && 2 * (255 + 127) >= BYTE_INDEX);
    assert!(2 * (65534 + 32767) < 0x3_0000 + 1 && 4 * (65535 + 32767) >= HALF_INDEX);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_has_more_slots_than_places_and_numbers_fit_its_slots() {
        for places in (LINEAR + 1..3000).chain(65_000..66_000).chain([1 << 20]) {
            let bytes = index_bytes(places);
            let (slots, largest) = match bytes {
                0..BYTE_INDEX => (bytes, 0xff),
                BYTE_INDEX..HALF_INDEX => (bytes / 2, 0xffff),
                _ => (bytes / 4, u32::MAX >> 2),
            };
            // The entries may have one place more than was asked for.
            assert!(slots > places + 1 && places < largest, "{places} places: {slots} slots");
        }
    }

    #[test]
    fn growing_leaves_room_and_is_bounded() {
        for live in 0..100_000 {
            let places = grown(live);
            assert!(places > live + live / 5, "{live}: {places}");
            assert!(places <= 2 * (live + live / 4 + 2), "{live}: {places}");
        }
    }

    #[test]
    fn probing_starts_inside() {
        for hash in [0, 1, u32::MAX, 0x8000_0000, 12345] {
            for slots in [1, 12, 381, 98_301] {
                assert!(first_slot(hash, slots) < slots);
            }
        }
    }
}
