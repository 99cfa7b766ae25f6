//! `uctypes`: memory with a layout that a program describes.
//!
//! A structure is an `Object`: its type, its descriptor, a pointer (see [`crate::typed`]), the position behind it, the
//! layout. A descriptor is a dict of fields (a structure), or a tuple (a pointer or array). A field is a small int whose
//! upper bits say what a scalar is and whose lower bits say where, or such a tuple.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use crate::native::{Args, AttrOp, Entry, ItemOp, ModuleDef, Native, Res, Rom, TypeDef, UnaryOp};
use crate::print::{PrintKind, Sink};
use crate::text::Span;
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static UCTYPES: ModuleDef = ModuleDef { name: Qstr::uctypes, entries: ENTRIES, attr: None };

const LITTLE_ENDIAN: i32 = 0;
const BIG_ENDIAN: i32 = 1;
const NATIVE: i32 = 2;

/// Bits of a field that say what kind of scalar, and what kind of aggregate.
const SCALAR_BITS: u32 = 4;
const AGGREGATE_BITS: u32 = 2;
/// Bits of a bit field's description.
const OFFSET_BITS: u32 = 17;
const FIELD_BITS: u32 = 5;

const POINTER: u32 = 1;
const ARRAY: u32 = 2;

const UINT8: u32 = 0;
const FIRST_BIT_FIELD: u32 = 8;
const LAST_BIT_FIELD: u32 = 13;
const FLOAT32: u32 = 14;
/// How each scalar is stored, in the letters of `struct`; bit fields as what they are taken from.
const CODES: &[u8; 16] = b"BbHhIiQqBbHhIifd";
const POINTER_BYTES: u32 = 4;

const fn tagged(kind: u32, bits: u32) -> Rom {
    Rom::Value(Value::small((kind << (32 - bits)) as i32 >> 1))
}

const fn scalar(kind: u32) -> Rom {
    tagged(kind, SCALAR_BITS)
}

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::uctypes)),
    (Qstr::struct_, Rom::Type(ids::uctypes_struct)),
    (Qstr::sizeof, Rom::Fn(Native::Var(1, 2, sizeof))),
    (Qstr::addressof, Rom::Fn(Native::F1(addressof))),
    (Qstr::bytes_at, Rom::Fn(Native::F2(bytes_at))),
    (Qstr::bytearray_at, Rom::Fn(Native::F2(bytearray_at))),
    (Qstr::LITTLE_ENDIAN, Rom::Value(Value::small(LITTLE_ENDIAN))),
    (Qstr::BIG_ENDIAN, Rom::Value(Value::small(BIG_ENDIAN))),
    (Qstr::NATIVE, Rom::Value(Value::small(NATIVE))),
    (Qstr::VOID, scalar(UINT8)),
    (Qstr::UINT8, scalar(UINT8)),
    (Qstr::INT8, scalar(1)),
    (Qstr::UINT16, scalar(2)),
    (Qstr::INT16, scalar(3)),
    (Qstr::UINT32, scalar(4)),
    (Qstr::INT32, scalar(5)),
    (Qstr::UINT64, scalar(6)),
    (Qstr::INT64, scalar(7)),
    (Qstr::BFUINT8, scalar(FIRST_BIT_FIELD)),
    (Qstr::BFINT8, scalar(9)),
    (Qstr::BFUINT16, scalar(10)),
    (Qstr::BFINT16, scalar(11)),
    (Qstr::BFUINT32, scalar(12)),
    (Qstr::BFINT32, scalar(LAST_BIT_FIELD)),
    (Qstr::FLOAT32, scalar(FLOAT32)),
    (Qstr::FLOAT64, scalar(15)),
    (Qstr::BF_POS, Rom::Value(Value::small(OFFSET_BITS as i32))),
    (Qstr::BF_LEN, Rom::Value(Value::small((OFFSET_BITS + FIELD_BITS) as i32))),
    (Qstr::SHORT, scalar(3)),
    (Qstr::USHORT, scalar(2)),
    (Qstr::INT, scalar(5)),
    (Qstr::UINT, scalar(4)),
    (Qstr::LONG, scalar(5)),
    (Qstr::ULONG, scalar(4)),
    (Qstr::LONGLONG, scalar(7)),
    (Qstr::ULONGLONG, scalar(6)),
    (Qstr::PTR, tagged(POINTER, AGGREGATE_BITS)),
    (Qstr::ARRAY, tagged(ARRAY, AGGREGATE_BITS)),
];

/// `uctypes.struct`
pub static STRUCT: TypeDef = TypeDef {
    make: Some(make),
    print: Some(print),
    unary: Some(unary),
    item: Some(item),
    attr: Some(attr),
    buffer: Some(buffer),
    ..TypeDef::new(Qstr::struct_)
};

const DESCRIPTOR: u32 = 1;
const BASE: u32 = 2;
const OFFSET: u32 = 3;
const LAYOUT: u32 = 4;

/// A structure's parts.
#[derive(Clone, Copy)]
struct Struct {
    descriptor: Value,
    base: Value,
    offset: i64,
    layout: i32,
}

impl Struct {
    fn of(vm: &Vm, value: Value) -> Struct {
        let at = value.as_cell().expect("a structure is a cell");
        Struct {
            descriptor: vm.heap.value(at, DESCRIPTOR),
            base: vm.heap.value(at, BASE),
            offset: vm.heap.value(at, OFFSET).small_unchecked().into(),
            layout: vm.heap.value(at, LAYOUT).small_unchecked(),
        }
    }

    /// A value for the same memory further on.
    fn part(self, vm: &mut Vm, descriptor: Value, offset: u32) -> Res {
        let offset = Value::try_small((self.offset as i32).wrapping_add(offset as i32));
        let Some(offset) = offset else { return Err(vm.raise(ids::OverflowError, "offset too large")) };
        let layout = Value::small(self.layout);
        vm.alloc_values(Kind::Object, &[ids::uctypes_struct.value(), descriptor, self.base, offset, layout])
    }
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 2, 3)?;
    let address = vm.arg(args, 0);
    if !vm.is_int(address) {
        return Err(vm.raise_convert(address, "int"));
    }
    let base = vm.pointer(address)?;
    vm.root(base)?;
    let layout = match vm.opt_arg(args, 2) {
        Some(layout) => vm.int_arg(layout)?,
        None => NATIVE,
    };
    Struct { descriptor: vm.arg(args, 1), base, offset: 0, layout }.part(vm, vm.arg(args, 1), 0)
}

// ---- descriptors ----

/// What the upper bits of a number say, and the rest.
fn split(number: i32, bits: u32) -> (u32, u32) {
    let number = number as u32;
    (number >> (31 - bits) & ((1 << bits) - 1), number & ((1 << (31 - bits)) - 1))
}

const fn scalar_size(kind: u32) -> u32 {
    if kind == FLOAT32 { 4 } else { 1 << ((kind & 7) >> 1) }
}

fn syntax<T>(vm: &mut Vm) -> Res<T> {
    Err(vm.raise(ids::TypeError, "syntax error in uctypes descriptor"))
}

/// The items of a tuple: the cell and their number.
fn tuple(vm: &mut Vm, value: Value) -> Res<(Ref, u32)> {
    match vm.heap.as_kind(value, Kind::Tuple) {
        Some(at) if vm.heap.header(at).count() > 0 => Ok((at, vm.heap.header(at).count())),
        _ => syntax(vm),
    }
}

/// A small int in a tuple.
fn number(vm: &mut Vm, at: Ref, index: u32) -> Res<i32> {
    match vm.heap.slot(at, index).as_small() {
        Some(number) => Ok(number),
        None => syntax(vm),
    }
}

/// Bytes of what a descriptor describes; `widest` grows to its widest scalar.
fn size_of(vm: &mut Vm, descriptor: Value, layout: i32, widest: &mut u32) -> Res<u32> {
    let inner = vm.native_part(descriptor);
    let Some(table) = vm.heap.as_kind(inner, Kind::Dict) else {
        if descriptor.is_small() {
            return Err(vm.raise(ids::TypeError, "can't unambiguously get sizeof scalar"));
        }
        return vm.deeper(|vm| aggregate_size(vm, descriptor, layout, widest));
    };
    let (mut total, mut position) = (0u32, 0);
    while let Some((found, _, field)) = vm.table_next(table, position) {
        position = found + 1;
        let end = match field.as_small() {
            Some(field) => {
                let (kind, mut offset) = split(field, SCALAR_BITS);
                if (FIRST_BIT_FIELD..=LAST_BIT_FIELD).contains(&kind) {
                    offset &= (1 << OFFSET_BITS) - 1;
                }
                *widest = (*widest).max(scalar_size(kind));
                offset + scalar_size(kind)
            }
            None => {
                let (at, _) = tuple(vm, field)?;
                let (_, offset) = split(number(vm, at, 0)?, AGGREGATE_BITS);
                offset.saturating_add(vm.deeper(|vm| aggregate_size(vm, field, layout, widest))?)
            }
        };
        total = total.max(end);
    }
    Ok(if layout == NATIVE { total.next_multiple_of((*widest).max(1)) } else { total })
}

fn aggregate_size(vm: &mut Vm, descriptor: Value, layout: i32, widest: &mut u32) -> Res<u32> {
    let (at, len) = tuple(vm, descriptor)?;
    let (kind, _) = split(number(vm, at, 0)?, AGGREGATE_BITS);
    match (kind, len) {
        (0, 2) => size_of(vm, vm.heap.slot(at, 1), layout, widest),
        (POINTER, 2) => {
            *widest = (*widest).max(POINTER_BYTES);
            Ok(POINTER_BYTES)
        }
        (ARRAY, 2 | 3) => {
            let (scalar, count) = split(number(vm, at, 1)?, SCALAR_BITS);
            let size = match len {
                2 => scalar_size(scalar),
                _ => size_of(vm, vm.heap.slot(at, 2), layout, widest)?,
            };
            if len == 2 {
                *widest = (*widest).max(size);
            }
            Ok(size.saturating_mul(count))
        }
        _ => syntax(vm),
    }
}

fn sizeof(vm: &mut Vm, args: Args) -> Res {
    let object = vm.arg(args, 0);
    if let Some(Kind::ByteArray | Kind::MemoryView) = vm.heap.kind_of(object) {
        return vm.len(object).map(|len| Value::small(len as i32));
    }
    let (mut descriptor, mut layout) = (object, NATIVE);
    if vm.type_of(object) == ids::uctypes_struct.value() {
        if args.positional != 1 {
            return Err(vm.raise_empty(ids::TypeError));
        }
        let of = Struct::of(vm, object);
        (descriptor, layout) = (of.descriptor, of.layout);
    } else if let Some(given) = vm.opt_arg(args, 1) {
        layout = vm.int_arg(given)?;
    }
    let size = size_of(vm, descriptor, layout, &mut 0)?;
    vm.new_int_i64(size.into())
}

// ---- memory ----

fn addressof(vm: &mut Vm, object: Value) -> Res {
    let address = if vm.type_of(object) == ids::uctypes_struct.value() {
        let of = Struct::of(vm, object);
        vm.address_of(of.base)?.wrapping_add(of.offset as u32)
    } else {
        vm.buffer_arg(object)?;
        vm.address_of(object)?
    };
    vm.new_int_i64(address.into())
}

/// The bytes of an address, if they are in the heap.
fn bytes_of(vm: &mut Vm, base: Value, offset: i64, size: u32) -> Option<Span> {
    let (span, first) = (vm.buffer(base)?, u32::try_from(offset).ok()?);
    (first.checked_add(size)? <= span.len()).then(|| span.part(first, size))
}

fn size_arg(vm: &mut Vm, size: Value) -> Res<u32> {
    let size = vm.int_arg(size)?;
    u32::try_from(size).map_err(|_| vm.raise_empty(ids::ValueError))
}

fn bytes_at(vm: &mut Vm, address: Value, size: Value) -> Res {
    let (base, size) = (vm.pointer(address)?, size_arg(vm, size)?);
    vm.root(base)?;
    if let Some(span) = bytes_of(vm, base, 0, size) {
        return vm.new_text_from(Kind::Bytes, span);
    }
    let sink = vm.begin_text(Kind::Bytes, size.min(1024))?;
    for index in 0..size {
        let byte = vm.load_at(base, index.into(), 1)?;
        vm.emit(sink, &[byte as u8])?;
    }
    vm.end_text(sink)
}

/// Memory outside the heap is shown as a structure that is an array.
fn bytearray_at(vm: &mut Vm, address: Value, size: Value) -> Res {
    let (base, size) = (vm.pointer(address)?, size_arg(vm, size)?);
    vm.root(base)?;
    let descriptor =
        vm.new_tuple(&[Value::small((ARRAY << 30) as i32 >> 1), Value::small(size.min(0x7ff_ffff) as i32)])?;
    vm.root(descriptor)?;
    byte_array(vm, Struct { descriptor, base, offset: 0, layout: NATIVE }, descriptor, 0, size)
}

/// An array of bytes: a bytearray where the memory is such a one's from its start, else a view, or a structure outside
/// the heap.
fn byte_array(vm: &mut Vm, of: Struct, descriptor: Value, offset: u32, size: u32) -> Res {
    match bytes_of(vm, of.base, of.offset + i64::from(offset), size) {
        Some(Span::Cell { at, first: crate::text::TEXT_START, .. }) if vm.heap.kind(at) == Kind::Bytes => {
            vm.array_over(at, size)
        }
        Some(_) => vm.new_view(of.base, b'B', true, (of.offset + i64::from(offset)) as u32, size),
        None => of.part(vm, descriptor, offset),
    }
}

/// A scalar's bytes, low first.
fn read(vm: &mut Vm, of: Struct, base: Value, offset: i64, kind: u32) -> Res<[u8; 8]> {
    let size = scalar_size(kind);
    let mut bytes = [0; 8];
    for first in (0..size).step_by(4) {
        let part = (size - first).min(4);
        let word = vm.load_at(base, offset + i64::from(first), part)?;
        bytes[first as usize..(first + part) as usize].copy_from_slice(&word.to_le_bytes()[..part as usize]);
    }
    if of.layout == BIG_ENDIAN {
        bytes[..size as usize].reverse();
    }
    Ok(bytes)
}

fn write(vm: &mut Vm, of: Struct, offset: i64, kind: u32, mut bytes: [u8; 8]) -> Res<()> {
    let size = scalar_size(kind);
    if of.layout == BIG_ENDIAN {
        bytes[..size as usize].reverse();
    }
    for first in (0..size).step_by(4) {
        let part = (size - first).min(4);
        let mut word = [0; 4];
        word[..part as usize].copy_from_slice(&bytes[first as usize..(first + part) as usize]);
        vm.store_at(of.base, offset + i64::from(first), part, u32::from_le_bytes(word))?;
    }
    Ok(())
}

/// Reads or writes the scalar at `offset`.
fn access(vm: &mut Vm, of: Struct, offset: i64, kind: u32, new: Option<Value>) -> Res {
    let code = CODES[kind as usize & 15];
    match new {
        None => {
            let bytes = read(vm, of, of.base, offset, kind)?;
            vm.item_from_bytes(code, bytes)
        }
        Some(value) => {
            let bytes = vm.item_to_bytes(code, value)?;
            write(vm, of, offset, kind, bytes)?;
            Ok(Value::NONE)
        }
    }
}

/// Reads or writes a bit field: `field` is its description without its kind.
fn bits(vm: &mut Vm, of: Struct, field: u32, kind: u32, new: Option<Value>) -> Res {
    let (first, len) = (field >> OFFSET_BITS & 31, field >> (OFFSET_BITS + FIELD_BITS) & 31);
    let offset = of.offset + i64::from(field & ((1 << OFFSET_BITS) - 1));
    let mask = (1u32 << len) - 1;
    let word = u64::from_le_bytes(read(vm, of, of.base, offset, kind)?) as u32;
    let Some(new) = new else { return vm.new_int_i64((word >> first & mask).into()) };
    let new = vm.int_low_word(new)? as u32 & mask;
    let word = word & !(mask << first) | new << first;
    write(vm, of, offset, kind, u64::from(word).to_le_bytes())?;
    Ok(Value::NONE)
}

// ---- the type ----

fn attr(vm: &mut Vm, object: Value, name: Qstr, op: AttrOp) -> Res {
    let of = Struct::of(vm, object);
    let inner = vm.native_part(of.descriptor);
    let Some(table) = vm.heap.as_kind(inner, Kind::Dict) else {
        return Err(vm.raise(ids::TypeError, "struct: no fields"));
    };
    let Some(field) = vm.dict_get_qstr(table, name) else {
        return Err(vm.raise_arg(ids::KeyError, Value::qstr(name)));
    };
    let new = match op {
        AttrOp::Get => None,
        AttrOp::Set(value) => Some(value),
        AttrOp::Delete => return Ok(Value::UNBOUND),
    };
    if let Some(number) = field.as_small() {
        let (kind, offset) = split(number, SCALAR_BITS);
        return match kind {
            FIRST_BIT_FIELD..=LAST_BIT_FIELD => bits(vm, of, offset, kind, new),
            _ => access(vm, of, of.offset + i64::from(offset), kind, new),
        };
    }
    let (at, len) = tuple(vm, field)?;
    if new.is_some() || len < 2 {
        return syntax(vm);
    }
    let (kind, offset) = split(number(vm, at, 0)?, AGGREGATE_BITS);
    if kind == 0 {
        return of.part(vm, vm.heap.slot(at, 1), offset);
    }
    if kind == ARRAY && len == 2 && split(number(vm, at, 1)?, SCALAR_BITS).0 == UINT8 {
        let size = aggregate_size(vm, field, of.layout, &mut 0)?;
        return byte_array(vm, of, field, offset, size);
    }
    of.part(vm, field, offset)
}

fn item(vm: &mut Vm, object: Value, index: Value, op: ItemOp) -> Res {
    let of = Struct::of(vm, object);
    let new = match op {
        ItemOp::Get => None,
        ItemOp::Set(value) => Some(value),
        ItemOp::Delete => return Ok(Value::UNBOUND),
    };
    if vm.heap.as_kind(of.descriptor, Kind::Tuple).is_none() {
        return Err(vm.raise(ids::TypeError, "struct: can't index"));
    }
    let (at, len) = tuple(vm, of.descriptor)?;
    if len < 2 {
        return syntax(vm);
    }
    let index = vm.int_arg(index)?;
    match split(number(vm, at, 0)?, AGGREGATE_BITS).0 {
        ARRAY => {
            let (kind, count) = split(number(vm, at, 1)?, SCALAR_BITS);
            let Some(index) = u32::try_from(index).ok().filter(|index| *index < count) else {
                return Err(vm.raise(ids::IndexError, "struct: index out of range"));
            };
            if len == 2 {
                let offset = of.offset + i64::from(scalar_size(kind)) * i64::from(index);
                return access(vm, of, offset, kind, new);
            }
            if new.is_some() {
                return Ok(Value::UNBOUND);
            }
            let descriptor = vm.heap.slot(at, 2);
            let size = size_of(vm, descriptor, of.layout, &mut 0)?;
            of.part(vm, descriptor, size.saturating_mul(index))
        }
        POINTER => {
            let base = target(vm, of)?;
            vm.root(base)?;
            let descriptor = vm.heap.slot(at, 1);
            let target = Struct { descriptor, base, offset: 0, layout: of.layout };
            if let Some(number) = descriptor.as_small() {
                let (kind, _) = split(number, SCALAR_BITS);
                let target = Struct { layout: NATIVE, ..target };
                return access(vm, target, i64::from(scalar_size(kind)) * i64::from(index), kind, new);
            }
            let size = size_of(vm, descriptor, of.layout, &mut 0)?;
            target.part(vm, descriptor, size.wrapping_mul(index as u32))
        }
        _ => syntax(vm),
    }
}

/// The address that the memory of a pointer holds.
fn held_address(vm: &mut Vm, of: Struct) -> Res {
    let word = vm.load_at(of.base, of.offset, POINTER_BYTES)?;
    vm.new_int_i64(word.into())
}

/// What a pointer points to.
fn target(vm: &mut Vm, of: Struct) -> Res {
    let address = held_address(vm, of)?;
    let scope = vm.root(address)?;
    let target = vm.pointer(address);
    vm.release(scope);
    target
}

/// `int(pointer)`; none if the structure is no pointer.
pub(crate) fn pointer_address(vm: &mut Vm, object: Value) -> Res<Option<Value>> {
    let of = Struct::of(vm, object);
    if let Some(at) = vm.heap.as_kind(of.descriptor, Kind::Tuple)
        && vm.heap.header(at).count() > 1
        && split(number(vm, at, 0)?, AGGREGATE_BITS).0 == POINTER
    {
        return held_address(vm, of).map(Some);
    }
    Ok(None)
}

fn unary(vm: &mut Vm, op: UnaryOp, object: Value) -> Res {
    match op {
        UnaryOp::Hash => Err(vm.raise_convert(object, "hash")),
        _ => Ok(Value::UNBOUND),
    }
}

fn buffer(vm: &mut Vm, object: Value) -> Option<Span> {
    let of = Struct::of(vm, object);
    match size_of(vm, of.descriptor, of.layout, &mut 0) {
        Ok(size) => bytes_of(vm, of.base, of.offset, size),
        Err(_) => {
            vm.take_raised();
            None
        }
    }
}

fn print(vm: &mut Vm, sink: Sink, object: Value, _kind: PrintKind) -> Res<()> {
    let of = Struct::of(vm, object);
    let inner = vm.native_part(of.descriptor);
    let name = match vm.heap.kind_of(inner) {
        Some(Kind::Dict) => "STRUCT",
        Some(Kind::Tuple) => {
            let (at, _) = tuple(vm, inner)?;
            match split(number(vm, at, 0)?, AGGREGATE_BITS).0 {
                POINTER => "PTR",
                ARRAY => "ARRAY",
                _ => "unk",
            }
        }
        _ => "ERROR",
    };
    vm.emit_str(sink, "<struct ")?;
    vm.emit_str(sink, name)?;
    vm.emit_str(sink, " ")?;
    let address = vm.address_of(of.base)?.wrapping_add(of.offset as u32);
    vm.emit_hex(sink, address, 1)?;
    vm.emit_str(sink, ">")
}
