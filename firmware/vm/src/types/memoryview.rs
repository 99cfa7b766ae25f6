//! `memoryview`: a cell of type code (bit 8: writable), the object whose buffer it shows, byte offset into that and
//! number of items. If the object has become shorter, the view is shorter.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value};

use super::bytearray::{self, Items};
use super::bytes;
use crate::native::{Args, Native, Res, Rom, TypeDef};
use crate::vm::Vm;

/// `memoryview`
pub static MEMORYVIEW: TypeDef = TypeDef {
    make: Some(make),
    unary: Some(bytearray::unary),
    binary: Some(bytearray::binary),
    item: Some(bytearray::item),
    iter: Some(|vm, view| vm.text_iterator(view)),
    buffer: Some(|vm, view| vm.array_items(view).map(|items| items.data)),
    entries: &[(Qstr::hex, Rom::Fn(Native::Var(1, 2, bytes::hex)))],
    ..TypeDef::new(Qstr::memoryview)
};

const WRITABLE: u32 = 1 << 8;

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 1, 1)?;
    let object = vm.arg(args, 0);
    let inner = vm.native_part(object);
    if vm.heap.as_kind(inner, Kind::MemoryView).is_some() {
        let len = vm.array_items(inner).map_or(0, |items| items.len);
        return vm.view_part(inner, 0, len);
    }
    let span = vm.buffer_arg(object)?;
    let code = vm.array_items(inner).map_or(b'B', |items| items.code);
    let len = span.len() / vm.item_size(code)?;
    let writable = vm.is_writable(inner);
    vm.new_view(object, code, writable, 0, len)
}

impl Vm {
    /// A view of `len` items of type `code` of an object's buffer from byte `offset` on.
    pub fn new_view(&mut self, object: Value, code: u8, writable: bool, offset: u32, len: u32) -> Res {
        let at = self.alloc_keeping(Header::new(Kind::MemoryView, 4), object)?;
        self.heap.set_word(at, 0, u32::from(code) | if writable { WRITABLE } else { 0 });
        self.heap.set_value(at, 1, object);
        self.heap.set_value(at, 2, Value::small(offset as i32));
        self.heap.set_value(at, 3, Value::small(len as i32));
        Ok(at.into())
    }

    /// A view of part of a view.
    pub(crate) fn view_part(&mut self, view: Value, offset: u32, len: u32) -> Res {
        let Some(at) = view.as_cell() else { return Ok(view) };
        let (word, object) = (self.heap.word(at, 0), self.heap.value(at, 1));
        let start = self.heap.value(at, 2).small_unchecked() as u32 + offset;
        self.new_view(object, word as u8, word & WRITABLE != 0, start, len)
    }

    /// What a view shows.
    pub(crate) fn view_items(&mut self, at: Ref) -> Option<Items> {
        let (word, object) = (self.heap.word(at, 0), self.heap.value(at, 1));
        let offset = self.heap.value(at, 2).small_unchecked() as u32;
        let len = self.heap.value(at, 3).small_unchecked() as u32;
        let size = super::binary::size_of_code(word as u8)?;
        let span = match self.heap.kind_of(object) {
            Some(Kind::ByteArray | Kind::Array) => self.array_span(object.as_cell()?),
            _ => self.buffer(object)?,
        };
        let offset = offset.min(span.len());
        let len = len.min((span.len() - offset) / size);
        let data = span.part(offset, len * size);
        Some(Items { code: word as u8, size, len, data, writable: word & WRITABLE != 0 })
    }
}
