//! Where bytes are: strings, bytes and buffers, in the heap or in flash.
//!
//! A string cell is a word (`hash | flags << 16`) and its UTF-8; a bytes cell is a word and its bytes. Both count the
//! word. The hash is 0 until somebody needs it. An interned string is only a number; its text is in flash or in a string cell that the table of interned names
//! keeps alive.

use larch_bytecode::qstr::{self, Qstr, STATIC_COUNT};
use larch_heap::{Header, Heap, Kind, Ref, Root, Value};

use crate::native::{Raised, Res};
use crate::types::ids;
use crate::unicode;
use crate::vm::Vm;

/// A place where bytes are. It stays valid as long as what it was taken from is alive and not resized.
#[derive(Clone, Copy, Debug)]
pub enum Span {
    /// In flash.
    Static(&'static [u8]),
    /// `len` bytes from byte `first` behind a cell's header.
    Cell {
        /// The cell.
        at: Ref,
        /// First byte behind the header.
        first: u32,
        /// Length.
        len: u32,
    },
}

impl Span {
    /// Length in bytes.
    pub fn len(&self) -> u32 {
        match self {
            Span::Static(bytes) => bytes.len() as u32,
            Span::Cell { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, borrowed from the heap alone.
    pub fn bytes(self, heap: &Heap) -> &[u8] {
        match self {
            Span::Static(bytes) => bytes,
            Span::Cell { at, first, len } => heap.bytes(at, first, len),
        }
    }

    /// The bytes, to change them (none of those in flash), borrowed from the heap alone.
    pub fn bytes_mut(self, heap: &mut Heap) -> &mut [u8] {
        match self {
            Span::Static(_) => &mut [],
            Span::Cell { at, first, len } => heap.bytes_mut(at, first, len),
        }
    }

    /// `len` bytes from `from` on; the caller keeps within the span.
    pub fn part(self, from: u32, part_len: u32) -> Span {
        match self {
            Span::Static(bytes) => Span::Static(&bytes[from as usize..(from + part_len) as usize]),
            Span::Cell { at, first, .. } => Span::Cell { at, first: first + from, len: part_len },
        }
    }
}

/// Flag in a string cell's first word: all characters are ASCII.
pub const ASCII: u32 = 1 << 16;
/// Bytes of a string or bytes cell before its text.
pub const TEXT_START: u32 = 4;

impl Vm {
    /// The bytes at a span.
    pub fn bytes_at(&self, span: Span) -> &[u8] {
        span.bytes(&self.heap)
    }

    /// One byte of a span.
    pub fn byte_at(&self, span: Span, index: u32) -> u8 {
        self.bytes_at(span)[index as usize]
    }

    /// The bytes at a span, to change them (none of those in flash).
    pub fn bytes_at_mut(&mut self, span: Span) -> &mut [u8] {
        span.bytes_mut(&mut self.heap)
    }

    /// Copies a span's bytes into a cell, to byte `to_first` behind its header.
    #[inline]
    pub fn copy_span(&mut self, to: Ref, to_first: u32, span: Span) {
        match span {
            Span::Static(bytes) => {
                self.heap.bytes_mut(to, to_first, bytes.len() as u32).copy_from_slice(bytes);
            }
            Span::Cell { at, first, len } => self.heap.copy(to, to_first, at, first, len),
        }
    }

    /// The text at a span that is known to be UTF-8 (empty otherwise).
    pub fn str_at(&self, span: Span) -> &str {
        core::str::from_utf8(self.bytes_at(span)).unwrap_or_default()
    }

    /// Where a string's bytes are, if `value` is a string.
    pub fn str_span(&self, value: Value) -> Option<Span> {
        if let Some(name) = value.as_qstr() {
            return Some(self.qstr_span(name));
        }
        let at = self.heap.as_kind(value, Kind::Str)?;
        Some(Span::Cell { at, first: TEXT_START, len: self.heap.header(at).count() - TEXT_START })
    }

    /// Where a bytes object's bytes are, if `value` is one.
    pub fn bytes_span(&self, value: Value) -> Option<Span> {
        let at = self.heap.as_kind(value, Kind::Bytes)?;
        Some(Span::Cell { at, first: TEXT_START, len: self.heap.header(at).count() - TEXT_START })
    }

    /// Whether two string cells hold the same text.
    #[inline(always)]
    pub(crate) fn same_str_cells(&self, a: Ref, b: Ref) -> bool {
        let (left, right) = (self.heap.header(a), self.heap.header(b));
        if left != right {
            return false;
        }
        // Hashes that are known and differ decide.
        let (known, other) = (self.heap.word(a, 0) & 0xffff, self.heap.word(b, 0) & 0xffff);
        if known != other && known != 0 && other != 0 {
            return false;
        }
        let len = left.count() - TEXT_START;
        self.heap.bytes(a, TEXT_START, len) == self.heap.bytes(b, TEXT_START, len)
    }

    /// Whether `value` is a string.
    pub fn is_str(&self, value: Value) -> bool {
        value.is_qstr() || self.heap.as_kind(value, Kind::Str).is_some()
    }

    /// The text of a name.
    pub fn qstr_text(&self, name: Qstr) -> &str {
        self.str_at(self.qstr_span(name))
    }

    fn qstr_span(&self, name: Qstr) -> Span {
        match name.static_text() {
            Some(text) => Span::Static(text.as_bytes()),
            None => {
                let at = self.interned(name.0 as usize - STATIC_COUNT);
                Span::Cell { at, first: TEXT_START, len: self.heap.header(at).count() - TEXT_START }
            }
        }
    }

    /// The 16-bit hash of a string or bytes object's content; interned and heap strings agree.
    pub fn text_hash(&self, value: Value) -> u16 {
        match value.as_qstr() {
            Some(Qstr(number)) if (number as usize) < STATIC_COUNT => qstr::STATIC_HASHES[number as usize],
            Some(Qstr(number)) => self.heap.word(self.interned(number as usize - STATIC_COUNT), 0) as u16,
            None => value.as_cell().map_or(0, |at| self.cell_hash(at)),
        }
    }

    fn cell_hash(&self, at: Ref) -> u16 {
        match self.heap.word(at, 0) as u16 {
            0 => qstr::hash(self.heap.bytes(at, TEXT_START, self.heap.header(at).count() - TEXT_START)),
            known => known,
        }
    }

    /// As [`Vm::text_hash`], and remembers it.
    pub fn keep_text_hash(&mut self, value: Value) -> u16 {
        let hash = self.text_hash(value);
        if let Some(at) = value.as_cell() {
            let word = self.heap.word(at, 0) & !0xffff | u32::from(hash);
            self.heap.set_word(at, 0, word);
        }
        hash
    }

    // ---- interning ----
    // The table is a `Slots` cell: value 0 the count, then the string cells in the order of their numbers. A second
    // root-less index is not needed: it is searched by hash linearly from the end only when a name is new to a program
    // text, and by `name_index`, an open-addressed `ByteBuffer` of u16 numbers kept as the table's value 1.

    pub(crate) fn interned(&self, number: usize) -> Ref {
        let table = self.heap.root(Root::Interned).expect_cell("a name was interned");
        self.heap.slot(table, number as u32 + 2).expect_cell("an interned string")
    }

    /// How many names were made at run time, and the bytes of their texts.
    pub(crate) fn interned_figures(&self) -> (u32, u32) {
        let table = self.heap.root(Root::Interned).as_cell();
        let count = table.map_or(0, |table| self.heap.value(table, 0).small_unchecked() as u32);
        let bytes = (0..count).map(|number| self.heap.header(self.interned(number as usize)).count()).sum();
        (count, bytes)
    }

    /// The number of a string, made if it has none.
    pub fn intern(&mut self, text: &str) -> Res<Qstr> {
        let hash = qstr::hash(text.as_bytes());
        if let Some(name) = self.find_interned(text.as_bytes(), hash) {
            return Ok(name);
        }
        let string = self.new_heap_str(text)?;
        self.add_interned(string)
    }

    /// The interned form of a string value, made if it has none. Not a string: `None`.
    pub fn intern_value(&mut self, value: Value) -> Res<Option<Qstr>> {
        if let Some(name) = value.as_qstr() {
            return Ok(Some(name));
        }
        let Some(span) = self.str_span(value) else { return Ok(None) };
        let hash = self.text_hash(value);
        if let Some(name) = self.find_interned(self.bytes_at(span), hash) {
            return Ok(Some(name));
        }
        self.add_interned(value).map(Some)
    }

    /// The interned form of a string, if it has one.
    pub fn find_qstr(&self, value: Value) -> Option<Qstr> {
        value
            .as_qstr()
            .or_else(|| self.find_interned(self.bytes_at(self.str_span(value)?), self.text_hash(value)))
    }

    fn find_interned(&self, text: &[u8], hash: u16) -> Option<Qstr> {
        if let Some(name) = Qstr::find_static(text, hash) {
            return Some(name);
        }
        let table = self.heap.root(Root::Interned).as_cell()?;
        let index = self.heap.value(table, 1).as_cell()?;
        let slots = self.heap.header(index).count() / 2;
        let mut at = u32::from(hash) % slots;
        loop {
            let entry = self.heap.bytes(index, at * 2, 2);
            let number = u16::from_le_bytes([entry[0], entry[1]]);
            if number == 0 {
                return None;
            }
            let cell = self.heap.slot(table, u32::from(number) + 1).as_cell()?;
            if self.heap.word(cell, 0) as u16 == hash {
                let len = self.heap.header(cell).count() - TEXT_START;
                if self.heap.bytes(cell, TEXT_START, len) == text {
                    return Some(Qstr(number - 1 + STATIC_COUNT as u16));
                }
            }
            at = (at + 1) % slots;
        }
    }

    fn add_interned(&mut self, string: Value) -> Res<Qstr> {
        let scope = self.scope();
        self.keep_text_hash(string);
        self.root(string)?;
        let (table, count) = self.room_for_name()?;
        self.release(scope);
        if count + STATIC_COUNT as u32 >= 0xfff0 {
            return Err(self.raise_memory());
        }
        self.heap.set_slot(table, count + 2, string);
        self.heap.set_value(table, 0, Value::small(count as i32 + 1));
        let index = self.heap.value(table, 1).expect_cell("the index");
        self.enter_name(index, string, count);
        Ok(Qstr(count as u16 + STATIC_COUNT as u16))
    }

    fn enter_name(&mut self, index: Ref, string: Value, number: u32) {
        let slots = self.heap.header(index).count() / 2;
        let mut at = u32::from(self.text_hash(string)) % slots;
        while self.heap.bytes(index, at * 2, 2) != [0, 0] {
            at = (at + 1) % slots;
        }
        self.heap.bytes_mut(index, at * 2, 2).copy_from_slice(&(number as u16 + 1).to_le_bytes());
    }

    /// The table of interned names with room for one more, and how many it has.
    fn room_for_name(&mut self) -> Res<(Ref, u32)> {
        let old = self.heap.root(Root::Interned).as_cell();
        let count = old.map_or(0, |table| self.heap.value(table, 0).small_unchecked() as u32);
        let capacity = old.map_or(0, |table| self.heap.header(table).count() - 2);
        if count < capacity {
            return Ok((old.expect("it has capacity"), count));
        }
        let wanted = capacity + (capacity / 4).max(14);
        let table = match old {
            Some(table) if self.heap.resize(table, wanted + 2) => table,
            _ => self.new_name_table(old, count, wanted)?,
        };
        self.heap.set_root(Root::Interned, table.into());
        let index = self.alloc(Header::new(Kind::ByteBuffer, (wanted * 2).next_power_of_two() * 2))?;
        if let Some(stale) = self.heap.value(table, 1).as_cell() {
            self.heap.free(stale);
        }
        self.heap.set_value(table, 1, index.into());
        for number in 0..count {
            let string = self.heap.slot(table, number + 2);
            self.enter_name(index, string, number);
        }
        Ok((table, count))
    }

    fn new_name_table(&mut self, old: Option<Ref>, count: u32, wanted: u32) -> Res<Ref> {
        let table = self.alloc(Header::new(Kind::Slots, wanted + 2))?;
        match old {
            Some(old) => {
                self.heap.copy(table, 0, old, 0, (count + 2) * 4);
                self.heap.free(old);
            }
            None => self.heap.set_value(table, 0, Value::small(0)),
        }
        Ok(table)
    }

    // ---- making strings and bytes ----

    /// A string value: a name if it is empty or one ASCII character, else a new cell.
    pub fn new_str(&mut self, text: &str) -> Res {
        match *text.as_bytes() {
            [] => Ok(Value::qstr(Qstr::EMPTY)),
            [byte] => Ok(ascii_str(byte)),
            _ => self.new_heap_str(text),
        }
    }

    fn new_heap_str(&mut self, text: &str) -> Res {
        let at = self.alloc_text(Kind::Str, text.len() as u32)?;
        self.heap.bytes_mut(at, TEXT_START, text.len() as u32).copy_from_slice(text.as_bytes());
        self.finish_text(at);
        Ok(at.into())
    }

    /// A string of one character; `code` is below 0x110000.
    pub fn char_str(&mut self, code: u32) -> Res {
        if code < 0x80 {
            return Ok(ascii_str(code as u8));
        }
        let (bytes, len) = unicode::encode(code);
        let at = self.alloc_text(Kind::Str, len as u32)?;
        self.heap.bytes_mut(at, TEXT_START, len as u32).copy_from_slice(&bytes[..len]);
        Ok(at.into())
    }

    /// A bytes value.
    pub fn new_bytes(&mut self, bytes: &[u8]) -> Res {
        let at = self.alloc_text(Kind::Bytes, bytes.len() as u32)?;
        self.heap.bytes_mut(at, TEXT_START, bytes.len() as u32).copy_from_slice(bytes);
        Ok(at.into())
    }

    /// A string or bytes cell with `len` zero bytes, to be filled (`TEXT_START` on) and then, if it is a string, given to
    /// [`Vm::finish_text`].
    pub fn alloc_text(&mut self, kind: Kind, len: u32) -> Res<Ref> {
        if len > Header::MAX_COUNT - TEXT_START {
            return Err(self.raise_memory_of(i64::from(len) + 1));
        }
        self.alloc(Header::new(kind, len + TEXT_START))
    }

    /// Computes a filled cell's flags.
    pub fn finish_text(&mut self, at: Ref) {
        let len = self.heap.header(at).count() - TEXT_START;
        let flags = if self.heap.bytes(at, TEXT_START, len).is_ascii() { ASCII } else { 0 };
        self.heap.set_word(at, 0, flags);
    }

    /// A new string or bytes value with the bytes of `span`, which must stay alive by itself (root its owner).
    pub fn new_text_from(&mut self, kind: Kind, span: Span) -> Res {
        if let (Kind::Str, 0..=1) = (kind, span.len()) {
            return Ok(self.short_str(span));
        }
        let at = self.alloc_text(kind, span.len())?;
        self.copy_span(at, TEXT_START, span);
        if kind == Kind::Str {
            self.finish_text(at);
        }
        Ok(at.into())
    }

    /// The string of no or one byte.
    fn short_str(&self, span: Span) -> Value {
        match self.bytes_at(span).first() {
            Some(byte) => ascii_str(*byte),
            None => Value::qstr(Qstr::EMPTY),
        }
    }

    // ---- buffers ----

    /// Where the bytes of a string, bytes or other object with the buffer protocol are.
    pub fn buffer(&mut self, value: Value) -> Option<Span> {
        match self.heap.kind_of(value) {
            Some(Kind::Bytes) => return self.bytes_span(value),
            Some(Kind::ByteArray) => return value.as_cell().map(|at| self.array_span(at)),
            Some(Kind::Str) | None => return self.str_span(value),
            _ => {}
        }
        let class = self.type_of(value);
        let inner = self.native_part(value);
        let buffer = self.native_slot(class, |def| def.buffer)?;
        buffer(self, inner)
    }

    /// As [`Vm::buffer`].
    ///
    /// # Errors
    /// TypeError if `value` has no buffer.
    pub fn buffer_arg(&mut self, value: Value) -> Res<Span> {
        match self.buffer(value) {
            Some(span) => Ok(span),
            None => Err(self.raise_no_buffer()),
        }
    }

    /// Where the bytes of an object are that lets them be changed: bytearray, array, memoryview of one.
    pub fn buffer_mut(&mut self, value: Value) -> Option<Span> {
        let inner = self.native_part(value);
        self.is_writable(inner).then(|| self.buffer(inner)).flatten()
    }

    /// As [`Vm::buffer_mut`].
    ///
    /// # Errors
    /// TypeError if `value` has no buffer that can be changed.
    pub fn buffer_mut_arg(&mut self, value: Value) -> Res<Span> {
        match self.buffer_mut(value) {
            Some(span) => Ok(span),
            None => Err(self.raise_no_buffer()),
        }
    }

    fn raise_no_buffer(&mut self) -> Raised {
        self.raise(ids::TypeError, "object with buffer protocol required")
    }
}

/// The string of one ASCII character.
#[inline(always)]
pub fn ascii_str(byte: u8) -> Value {
    Value::qstr(qstr::ASCII[(byte & 0x7f) as usize])
}
