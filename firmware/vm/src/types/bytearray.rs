//! `bytearray` and `array.array`: a cell of length (and type code) and storage. The storage is a bytes cell with room to
//! grow; of an array of objects (type code `O`), a `Slots` cell.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::text_object::find;
use super::{bytes, ids, str as text_type, str_format, str_methods as methods, str_split as split};
use crate::native::{Args, BinaryOp, ItemOp, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::text::{Span, TEXT_START};
use crate::vm::Vm;

/// `bytearray`
pub static BYTEARRAY: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, array| vm.text_iterator(array)),
    buffer: Some(|vm, array| vm.array_items(array).map(|items| items.data)),
    entries: &[
        (Qstr::append, Rom::Fn(Native::F2(append))),
        (Qstr::extend, Rom::Fn(Native::F2(extend))),
        (Qstr::hex, Rom::Fn(Native::Var(1, 2, bytes::hex))),
        (Qstr::fromhex, Rom::ClassMethod(Native::F2(bytes::fromhex))),
        (Qstr::decode, Rom::Fn(Native::Var(1, 3, bytes::decode))),
        (Qstr::find, Rom::Fn(Native::Var(2, 4, methods::find_method))),
        (Qstr::rfind, Rom::Fn(Native::Var(2, 4, methods::rfind))),
        (Qstr::index, Rom::Fn(Native::Var(2, 4, methods::index))),
        (Qstr::rindex, Rom::Fn(Native::Var(2, 4, methods::rindex))),
        (Qstr::join, Rom::Fn(Native::F2(split::join))),
        (Qstr::split, Rom::Fn(Native::Var(1, 3, split::split))),
        (Qstr::splitlines, Rom::Fn(Native::Kw(1, 2, split::splitlines))),
        (Qstr::rsplit, Rom::Fn(Native::Var(1, 3, split::rsplit))),
        (Qstr::startswith, Rom::Fn(Native::Var(2, 4, methods::startswith))),
        (Qstr::endswith, Rom::Fn(Native::Var(2, 4, methods::endswith))),
        (Qstr::strip, Rom::Fn(Native::Var(1, 2, methods::strip))),
        (Qstr::lstrip, Rom::Fn(Native::Var(1, 2, methods::lstrip))),
        (Qstr::rstrip, Rom::Fn(Native::Var(1, 2, methods::rstrip))),
        (Qstr::format, Rom::Fn(Native::Kw(1, u8::MAX, str_format::format))),
        (Qstr::replace, Rom::Fn(Native::Var(3, 4, methods::replace))),
        (Qstr::count, Rom::Fn(Native::Var(2, 4, methods::count))),
        (Qstr::partition, Rom::Fn(Native::F2(split::partition))),
        (Qstr::rpartition, Rom::Fn(Native::F2(split::rpartition))),
        (Qstr::center, Rom::Fn(Native::F2(methods::center))),
        (Qstr::lower, Rom::Fn(Native::F1(methods::lower))),
        (Qstr::upper, Rom::Fn(Native::F1(methods::upper))),
        (Qstr::isspace, Rom::Fn(Native::F1(methods::isspace))),
        (Qstr::isalpha, Rom::Fn(Native::F1(methods::isalpha))),
        (Qstr::isdigit, Rom::Fn(Native::F1(methods::isdigit))),
        (Qstr::isupper, Rom::Fn(Native::F1(methods::isupper))),
        (Qstr::islower, Rom::Fn(Native::F1(methods::islower))),
    ],
    ..TypeDef::new(Qstr::bytearray)
};

/// `array`
pub static ARRAY: TypeDef = TypeDef {
    make: Some(make_array),
    print: Some(print),
    unary: Some(unary),
    binary: Some(binary),
    item: Some(item),
    iter: Some(|vm, array| vm.text_iterator(array)),
    buffer: Some(|vm, array| {
        vm.array_items(array).filter(|items| items.code != OBJECTS).map(|items| items.data)
    }),
    entries: &[(Qstr::append, Rom::Fn(Native::F2(append))), (Qstr::extend, Rom::Fn(Native::F2(extend)))],
    ..TypeDef::new(Qstr::array)
};

/// Type code of an array of objects.
const OBJECTS: u8 = b'O';

/// What bytearray, array and memoryview have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items {
    /// Type code.
    pub code: u8,
    /// Bytes of an item.
    pub size: u32,
    /// How many there are.
    pub len: u32,
    /// Their bytes.
    pub data: Span,
    /// Whether they may be changed.
    pub writable: bool,
}

impl Items {
    /// The bytes of `len` items from `first` on.
    pub fn part(&self, first: u32, len: u32) -> Span {
        self.data.part(first * self.size, len * self.size)
    }
}

impl Vm {
    // ---- representation ----

    /// Type code, length and storage of a bytearray or array.
    #[inline]
    fn array_parts(&self, at: Ref) -> (u8, u32, Option<Ref>) {
        let (word, storage) = (self.heap.word(at, 0), self.heap.value(at, 1).as_cell());
        match self.heap.kind(at) {
            Kind::ByteArray => (b'B', word, storage),
            _ => (word as u8, word >> 8, storage),
        }
    }

    pub(crate) fn set_array_len(&mut self, at: Ref, len: u32) {
        let word = match self.heap.kind(at) {
            Kind::ByteArray => len,
            _ => self.heap.word(at, 0) & 0xff | len << 8,
        };
        self.heap.set_word(at, 0, word);
    }

    /// The bytes of a bytearray or array.
    pub(crate) fn array_span(&self, at: Ref) -> Span {
        let (code, len, storage) = self.array_parts(at);
        match storage {
            None => Span::Static(&[]),
            Some(storage) => {
                let len = len * super::binary::size_of_code(code).unwrap_or(1);
                Span::Cell { at: storage, first: data_start(code), len }
            }
        }
    }

    /// A bytearray, array or memoryview's items.
    pub(crate) fn array_items(&mut self, value: Value) -> Option<Items> {
        let at = value.as_cell()?;
        match self.heap.kind(at) {
            Kind::ByteArray | Kind::Array => {
                let (code, len, _) = self.array_parts(at);
                let size = super::binary::size_of_code(code).unwrap_or(1);
                Some(Items { code, size, len, data: self.array_span(at), writable: true })
            }
            Kind::MemoryView => self.view_items(at),
            _ => None,
        }
    }

    /// Whether the buffer of a value may be changed.
    pub(crate) fn is_writable(&mut self, value: Value) -> bool {
        self.array_items(value).is_some_and(|items| items.writable && items.code != OBJECTS)
    }

    /// A new bytearray or array of `len` zero items.
    pub(crate) fn new_array(&mut self, kind: Kind, code: u8, len: u32) -> Res<Ref> {
        let size = self.item_size(code)?;
        if u64::from(len) * u64::from(size) > u64::from(Header::MAX_COUNT / 2) {
            return Err(self.raise_memory_of(i64::from(len) * i64::from(size)));
        }
        let at = self.alloc(Header::new(kind, 2))?;
        self.heap.set_word(at, 0, if kind == Kind::ByteArray { 0 } else { u32::from(code) });
        if len > 0 {
            let scope = self.root(at.into())?;
            self.array_room(at, len)?;
            self.release(scope);
            self.set_array_len(at, len);
        }
        Ok(at)
    }

    /// A bytearray of `len` zeros.
    ///
    /// # Errors
    /// MemoryError.
    pub fn new_bytearray(&mut self, len: u32) -> Res {
        Ok(self.new_array(Kind::ByteArray, b'B', len)?.into())
    }

    /// Makes a bytearray shorter, or as long again as it was; says whether it was ever that long.
    pub fn set_bytearray_len(&mut self, at: Ref, len: u32) -> bool {
        let (_, _, storage) = self.array_parts(at);
        let room = storage.map_or(0, |storage| self.heap.header(storage).count() - TEXT_START);
        let fits = len <= room;
        if fits {
            self.set_array_len(at, len);
        }
        fits
    }

    /// A bytearray of the first `len` bytes of storage that exists.
    pub(crate) fn array_over(&mut self, storage: Ref, len: u32) -> Res {
        let at = self.alloc_keeping(Header::new(Kind::ByteArray, 2), storage.into())?;
        self.heap.set_word(at, 0, len);
        self.heap.set_value(at, 1, storage.into());
        Ok(at.into())
    }

    /// The storage of an array with room for `len` items. The array must be alive by itself.
    pub(crate) fn array_room(&mut self, at: Ref, len: u32) -> Res<Ref> {
        let (code, old_len, storage) = self.array_parts(at);
        let size = super::binary::size_of_code(code).unwrap_or(1);
        let (kind, unit, extra) = match code {
            OBJECTS => (Kind::Slots, 1, 0),
            _ => (Kind::Bytes, size, TEXT_START),
        };
        if u64::from(len) * u64::from(unit) > u64::from(Header::MAX_COUNT / 2) {
            return Err(self.raise_memory());
        }
        let wanted = len * unit + extra;
        if let Some(storage) = storage
            && (self.heap.header(storage).count() >= wanted || self.heap.resize(storage, wanted))
        {
            return Ok(storage);
        }
        let new = self.alloc(Header::new(kind, wanted))?;
        if let Some(storage) = storage {
            self.heap.copy(new, data_start(code), storage, data_start(code), old_len * size);
            self.free_storage(storage);
        }
        self.heap.set_value(at, 1, new.into());
        Ok(new)
    }

    /// Item `index` of items.
    #[inline]
    pub(crate) fn array_get(&mut self, items: Items, index: u32) -> Res {
        match (items.code, items.data) {
            (b'B', data) => Ok(Value::small(i32::from(self.byte_at(data, index)))),
            (OBJECTS, Span::Cell { at, .. }) => Ok(self.heap.slot(at, index)),
            _ => {
                let mut bytes = [0; 8];
                bytes[..items.size as usize].copy_from_slice(self.bytes_at(items.part(index, 1)));
                self.item_from_bytes(items.code, bytes)
            }
        }
    }

    /// An item of bytes, bytearray, array or memoryview where that is simple: small numbers, an index within bounds.
    #[inline]
    pub(crate) fn buffer_item(&mut self, at: Ref, index: i32, op: ItemOp) -> Option<Value> {
        let kind = self.heap.kind(at);
        let (code, len, data, writable) = match kind {
            Kind::Bytes => {
                let len = self.heap.header(at).count() - TEXT_START;
                (b'B', len, Span::Cell { at, first: TEXT_START, len }, false)
            }
            Kind::ByteArray | Kind::Array => {
                let (code, len, storage) = self.array_parts(at);
                (code, len, Span::Cell { at: storage?, first: TEXT_START, len }, true)
            }
            Kind::MemoryView => {
                let items = self.view_items(at)?;
                (items.code, items.len, items.data, items.writable)
            }
            _ => return None,
        };
        let place = if index < 0 { index + len as i32 } else { index } as u32;
        let Span::Cell { at, first, .. } = data else { return None };
        if place >= len {
            return None;
        }
        match (op, code) {
            (ItemOp::Get, b'B') => Some(Value::small(i32::from(self.heap.bytes(at, first + place, 1)[0]))),
            (ItemOp::Get, b'b' | b'h' | b'H' | b'i' | b'l') => self.small_item(code, at, first, place),
            (ItemOp::Set(value), b'B' | b'b' | b'h' | b'H' | b'i' | b'I' | b'l' | b'L') if writable => {
                let size = super::binary::size_of_code(code)?;
                let bytes = value.as_small()?.to_le_bytes();
                let target = self.heap.bytes_mut(at, first + place * size, size);
                target.copy_from_slice(&bytes[..size as usize]);
                Some(Value::NONE)
            }
            _ => None,
        }
    }

    fn small_item(&self, code: u8, at: Ref, first: u32, place: u32) -> Option<Value> {
        let mut word = [0; 4];
        let size = super::binary::size_of_code(code)?;
        word[..size as usize].copy_from_slice(self.heap.bytes(at, first + place * size, size));
        let word = u32::from_le_bytes(word);
        Value::try_small(match code {
            b'b' => i32::from(word as i8),
            b'h' => i32::from(word as i16),
            _ => word as i32,
        })
    }

    /// Sets item `index` of an array, bytearray or memoryview, which must be alive by itself. Conversion may run Python
    /// code, so the place is looked up after it.
    pub(crate) fn array_set(&mut self, array: Value, code: u8, index: u32, value: Value) -> Res<()> {
        if code == OBJECTS {
            if let Some(Span::Cell { at, .. }) = self.array_items(array).map(|items| items.data) {
                self.heap.set_slot(at, index, value);
            }
            return Ok(());
        }
        let bytes = self.item_to_bytes(code, value)?;
        if let Some(items) = self.array_items(array)
            && index < items.len
        {
            self.bytes_at_mut(items.part(index, 1)).copy_from_slice(&bytes[..items.size as usize]);
        }
        Ok(())
    }
}

/// Where items are in storage, in bytes behind the header.
fn data_start(code: u8) -> u32 {
    if code == OBJECTS { 0 } else { TEXT_START }
}

/// `next()` of an iterator over bytes, an array or a memoryview.
pub(super) fn next_item(vm: &mut Vm, iterator: Ref, source: Value, position: u32) -> Res {
    let item = if let Some(span) = vm.bytes_span(source) {
        if position >= span.len() {
            return Ok(Value::UNBOUND);
        }
        Value::small(i32::from(vm.byte_at(span, position)))
    } else {
        match vm.array_items(source) {
            Some(items) if position < items.len => vm.array_get(items, position)?,
            _ => return Ok(Value::UNBOUND),
        }
    };
    vm.heap.set_value(iterator, 2, Value::small(position as i32 + 1));
    Ok(item)
}

// ---- making ----

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 0, 3)?;
    let Some(value) = vm.opt_arg(args, 0) else {
        return vm.new_array(Kind::ByteArray, b'B', 0).map(Value::cell);
    };
    if vm.is_a(value, ids::int) && value.as_bool().is_none() {
        let len = vm.int_arg(value)?;
        return match u32::try_from(len) {
            Ok(len) => vm.new_array(Kind::ByteArray, b'B', len).map(Value::cell),
            Err(_) => Err(vm.raise_memory()),
        };
    }
    if vm.is_a(value, ids::str) && args.positional == 1 {
        return Err(vm.raise(ids::TypeError, "string argument without an encoding"));
    }
    let bytes = match vm.buffer(value) {
        Some(span) => vm.new_text_from(Kind::Bytes, span)?,
        None => bytes::bytes_from(vm, value, false)?,
    };
    vm.bytearray_around(bytes.expect_cell("a bytes cell"))
}

fn make_array(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 1, 2)?;
    let code = vm.arg(args, 0);
    let code = vm.str_or_bytes_arg(code)?.span;
    let code = vm.bytes_at(code).first().copied().unwrap_or(0);
    let Some(source) = vm.opt_arg(args, 1) else {
        return vm.new_array(Kind::Array, code, 0).map(Value::cell);
    };
    let size = vm.item_size(code)?;
    let raw = vm.is_a(source, ids::bytes) || vm.is_a(source, ids::bytearray);
    let len = match (raw, vm.buffer(source)) {
        (true, Some(span)) => span.len() / size,
        _ => 0,
    };
    let at = vm.new_array(Kind::Array, code, len)?;
    let scope = vm.root(at.into())?;
    match (raw, vm.buffer(source)) {
        (true, Some(span)) => {
            if let Some(storage) = vm.heap.value(at, 1).as_cell() {
                vm.copy_span(storage, data_start(code), span.part(0, len * size));
            }
        }
        _ => {
            if let Some((_, _, len)) = vm.sequence_items(source) {
                vm.array_room(at, len)?;
            }
            vm.for_each(source, |vm, item| append(vm, at.into(), item).map(|_| true))?;
        }
    }
    vm.release(scope);
    Ok(at.into())
}

// ---- methods ----

fn append(vm: &mut Vm, array: Value, value: Value) -> Res {
    let Some(at) = array.as_cell() else { return Ok(Value::NONE) };
    let (code, ..) = vm.array_parts(at);
    // Converted before there is a place for it: conversion can raise.
    let bytes = if code == OBJECTS { [0; 8] } else { vm.item_to_bytes(code, value)? };
    let (_, len, storage) = vm.array_parts(at);
    let size = super::binary::size_of_code(code).unwrap_or(1);
    let (unit, start) = if code == OBJECTS { (1, 0) } else { (size, TEXT_START) };
    let storage = match storage {
        Some(storage) if vm.heap.header(storage).count() >= (len + 1) * unit + start => storage,
        _ => vm.array_room(at, len + 8 + len / 8)?,
    };
    if code == OBJECTS {
        vm.heap.set_slot(storage, len, value);
    } else {
        vm.heap.bytes_mut(storage, start + len * size, size).copy_from_slice(&bytes[..size as usize]);
    }
    vm.set_array_len(at, len + 1);
    Ok(Value::NONE)
}

fn extend(vm: &mut Vm, array: Value, source: Value) -> Res {
    let Some(at) = array.as_cell() else { return Ok(Value::NONE) };
    let (code, len, _) = vm.array_parts(at);
    let Some(span) = vm.buffer(source).filter(|_| code != OBJECTS) else {
        vm.for_each(source, |vm, item| append(vm, array, item).map(|_| true))?;
        return Ok(Value::NONE);
    };
    let size = super::binary::size_of_code(code).unwrap_or(1);
    let more = span.len() / size;
    if more == 0 {
        return Ok(Value::NONE);
    }
    let storage = vm.array_room(at, len + more)?;
    // The source may be (a view of) the array itself, whose storage may just have moved.
    let span = vm.buffer_arg(source)?.part(0, more * size);
    vm.copy_span(storage, TEXT_START + len * size, span);
    vm.set_array_len(at, len + more);
    Ok(Value::NONE)
}

// ---- operators, also memoryview's ----

pub(super) fn unary(vm: &mut Vm, op: UnaryOp, array: Value) -> Res {
    let Some(items) = vm.array_items(array) else { return Ok(Value::UNBOUND) };
    match op {
        UnaryOp::Bool => Ok(Value::bool(items.len > 0)),
        UnaryOp::Len => Ok(Value::small(items.len as i32)),
        _ => Ok(Value::UNBOUND),
    }
}

pub(super) fn binary(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let is_view = vm.heap.as_kind(left, Kind::MemoryView).is_some();
    match op {
        BinaryOp::Add if !is_view => concatenate(vm, left, right),
        BinaryOp::IAdd if !is_view => extend(vm, left, right).map(|_| left),
        BinaryOp::Contains => contains(vm, left, right),
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            compare(vm, op, left, right)
        }
        _ => Ok(Value::UNBOUND),
    }
}

fn concatenate(vm: &mut Vm, left: Value, right: Value) -> Res {
    let (Some(items), right) = (vm.array_items(left), vm.buffer_arg(right)?) else {
        return Ok(Value::UNBOUND);
    };
    let more = right.len() / items.size;
    let kind = vm.heap.kind_of(left).unwrap_or(Kind::ByteArray);
    let at = vm.new_array(kind, items.code, items.len + more)?;
    if let Some(storage) = vm.heap.value(at, 1).as_cell() {
        vm.copy_span(storage, TEXT_START, items.data);
        vm.copy_span(storage, TEXT_START + items.data.len(), right.part(0, more * items.size));
    }
    Ok(at.into())
}

fn contains(vm: &mut Vm, left: Value, right: Value) -> Res {
    let Some(items) = vm.array_items(left) else { return Ok(Value::UNBOUND) };
    if let Some(needle) = vm.buffer(right) {
        let searched = vm.heap.as_kind(left, Kind::ByteArray).is_some();
        return Ok(Value::bool(
            searched && find(vm.bytes_at(items.data), vm.bytes_at(needle), false).is_some(),
        ));
    }
    if vm.is_a(right, ids::int) || vm.is_a(right, ids::float) {
        return Err(vm.raise_empty(ids::NotImplementedError));
    }
    Ok(Value::FALSE)
}

fn compare(vm: &mut Vm, op: BinaryOp, left: Value, right: Value) -> Res {
    let Some(items) = vm.array_items(left) else { return Ok(Value::UNBOUND) };
    let right = vm.native_part(right);
    let objects = vm.array_items(right).is_some_and(|items| items.code == OBJECTS);
    let other = match vm.buffer(right) {
        Some(other) => other,
        None if objects => return Err(vm.raise_empty(ids::NotImplementedError)),
        None => return Ok(Value::bool(op == BinaryOp::Ne)),
    };
    // An array is equal to no str or bytes.
    let is_array = vm.heap.as_kind(left, Kind::Array).is_some();
    if is_array && matches!(op, BinaryOp::Eq | BinaryOp::Ne) && vm.array_items(right).is_none() {
        return Ok(Value::bool(op == BinaryOp::Ne));
    }
    let other_code = vm.array_items(right).map_or(b'B', |items| items.code);
    let is_number = items.code.eq_ignore_ascii_case(&other_code) && !matches!(items.code, b'f' | b'd');
    let is_unsigned = items.code.is_ascii_uppercase() || other_code.is_ascii_uppercase();
    if is_number && (matches!(op, BinaryOp::Eq | BinaryOp::Ne) || is_unsigned) {
        return Ok(text_type::compare(op, vm.bytes_at(items.data), vm.bytes_at(other)));
    }
    Err(vm.raise_empty(ids::NotImplementedError))
}

fn print(vm: &mut Vm, sink: Sink, value: Value, _kind: PrintKind) -> Res<()> {
    let value = vm.native_part(value);
    let Some(items) = vm.array_items(value) else { return Ok(()) };
    if vm.heap.as_kind(value, Kind::ByteArray).is_some() {
        vm.emit_str(sink, "bytearray(b")?;
        vm.emit_quoted(sink, items.data, true)?;
        return vm.emit_str(sink, ")");
    }
    vm.emit_str(sink, "array('")?;
    vm.emit(sink, &[items.code, b'\''])?;
    for index in 0..items.len {
        vm.emit_str(sink, if index == 0 { ", [" } else { ", " })?;
        // Printing an object may run Python code that shortens the array.
        let Some(items) = vm.array_items(value).filter(|items| index < items.len) else { break };
        let scope = vm.scope();
        let item = vm.array_get(items, index)?;
        vm.root(item)?;
        vm.print_value(sink, item, PrintKind::Repr)?;
        vm.release(scope);
    }
    vm.emit_str(sink, if items.len > 0 { "])" } else { ")" })
}

// ---- items and slices, also memoryview's ----

pub(super) fn item(vm: &mut Vm, array: Value, index: Value, op: ItemOp) -> Res {
    let Some(items) = vm.array_items(array) else { return Ok(Value::UNBOUND) };
    if op == ItemOp::Delete || op != ItemOp::Get && !items.writable {
        return Ok(Value::UNBOUND);
    }
    if vm.heap.as_kind(index, Kind::Slice).is_some() {
        let (start, len) = vm.simple_slice(index, items.len)?;
        return match op {
            ItemOp::Set(value) => set_slice(vm, array, items, start, len, value),
            _ => get_slice(vm, array, items, start, len),
        };
    }
    let at = match index.as_small() {
        Some(small) if (small as u32) < items.len => small as u32,
        _ => {
            let name = vm.type_of(array);
            let name = vm.type_name(name);
            vm.index_arg(name, items.len, index)?
        }
    };
    match op {
        ItemOp::Set(value) => vm.array_set(array, items.code, at, value).map(|()| Value::NONE),
        _ => vm.array_get(items, at),
    }
}

fn get_slice(vm: &mut Vm, array: Value, items: Items, start: u32, len: u32) -> Res {
    let kind = vm.heap.kind_of(array).unwrap_or(Kind::ByteArray);
    if kind == Kind::MemoryView {
        return vm.view_part(array, start * items.size, len);
    }
    let at = vm.new_array(kind, items.code, len)?;
    if let Some(storage) = vm.heap.value(at, 1).as_cell() {
        vm.copy_span(storage, data_start(items.code), items.part(start, len));
    }
    Ok(at.into())
}

fn set_slice(vm: &mut Vm, array: Value, items: Items, start: u32, len: u32, value: Value) -> Res {
    let value = vm.native_part(value);
    let source = match vm.array_items(value) {
        Some(source) => source,
        None => match vm.bytes_span(value) {
            Some(data) => Items { code: b'B', size: 1, len: data.len(), data, writable: false },
            None => return Err(vm.raise(ids::NotImplementedError, "array/bytes required on right side")),
        },
    };
    let is_view = vm.heap.as_kind(array, Kind::MemoryView).is_some();
    if source.size != items.size || is_view && source.len != len {
        return Err(vm.raise(ids::ValueError, "lhs and rhs should be compatible"));
    }
    let scope = vm.scope();
    let mut data = source.data;
    if source.len != len && source.writable {
        // It may be (a view of) the array itself, which is about to move.
        let copy = vm.new_text_from(Kind::Bytes, data)?;
        vm.root(copy)?;
        data = vm.buffer_arg(copy)?;
    }
    if source.len != len {
        move_tail(vm, array, items, start + len, start + source.len)?;
    }
    if let Some(Span::Cell { at, first, .. }) =
        vm.array_items(array).map(|items| items.part(start, source.len))
    {
        vm.copy_span(at, first, data);
    }
    vm.release(scope);
    Ok(Value::NONE)
}

/// Moves the items of an array from `from` on to `to` on, and so changes its length.
fn move_tail(vm: &mut Vm, array: Value, items: Items, from: u32, to: u32) -> Res<()> {
    let Some(at) = array.as_cell() else { return Ok(()) };
    let new_len = items.len - from + to;
    let storage = if new_len > 0 || vm.heap.value(at, 1).as_cell().is_none() {
        vm.array_room(at, new_len.max(1))?
    } else {
        vm.heap.value(at, 1).expect_cell("just checked")
    };
    let start = data_start(items.code);
    let tail = (items.len - from) * items.size;
    vm.heap.copy(storage, start + to * items.size, storage, start + from * items.size, tail);
    vm.set_array_len(at, new_len);
    if items.code == OBJECTS && new_len < items.len {
        vm.heap.values_mut(storage, new_len, items.len - new_len).fill(Value::UNBOUND);
    }
    Ok(())
}
