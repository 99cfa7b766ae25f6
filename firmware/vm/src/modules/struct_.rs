//! `struct`: numbers packed into bytes by a format.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Value};

use crate::native::{Args, Entry, ModuleDef, Native, Res, Rom};
use crate::text::{Span, TEXT_START};
use crate::types::binary::size_of_code;
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static STRUCT: ModuleDef = ModuleDef { name: Qstr::struct_, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::struct_)),
    (Qstr::calcsize, Rom::Fn(Native::F1(calcsize))),
    (Qstr::pack, Rom::Fn(Native::Var(1, u8::MAX, pack))),
    (Qstr::pack_into, Rom::Fn(Native::Var(3, u8::MAX, pack_into))),
    (Qstr::unpack, Rom::Fn(Native::Var(2, 3, unpack))),
    (Qstr::unpack_from, Rom::Fn(Native::Var(2, 3, unpack))),
];

/// A walk along a format: one item (or `s` or `x` run) at a time, and the offset of each.
#[derive(Clone, Copy)]
struct Format {
    /// Text of the format behind its first byte, if that says the order.
    text: Span,
    at: u32,
    big_endian: bool,
    aligned: bool,
    /// Items of the current code still to come.
    left: u32,
    offset: u32,
}

/// A step of the walk.
#[derive(Clone, Copy)]
struct Item {
    code: u8,
    offset: u32,
    size: u32,
}

/// Formats may not describe more than the heap can hold anyway.
const MOST: u32 = 1 << 24;

impl Format {
    fn new(vm: &mut Vm, format: Value) -> Res<Format> {
        let text = vm.str_or_bytes_arg(format)?.span;
        let order = vm.bytes_at(text).first().copied();
        let (at, order) = match order {
            Some(order @ (b'@' | b'=' | b'<' | b'>' | b'!')) => (1, order),
            _ => (0, b'@'),
        };
        let big_endian = matches!(order, b'>' | b'!');
        Ok(Format { text, at, big_endian, aligned: order == b'@', left: 0, offset: 0 })
    }

    /// The next item; a run of `s` or `x` is one. `None` at the end.
    fn next(&mut self, vm: &mut Vm) -> Res<Option<Item>> {
        loop {
            if self.left > 0 {
                self.left -= 1;
                let code = vm.byte_at(self.text, self.at);
                let item = self.place(vm, code)?;
                if self.left == 0 {
                    self.at += 1;
                }
                return Ok(Some(item));
            }
            let mut count = None;
            while let Some(digit @ b'0'..=b'9') = self.peek(vm) {
                let value: u32 = count.unwrap_or(0);
                count = Some((value * 10 + u32::from(digit - b'0')).min(MOST));
                self.at += 1;
            }
            let Some(code) = self.peek(vm) else {
                return match count {
                    None => Ok(None),
                    Some(_) => Err(vm.raise(ids::ValueError, "bad typecode")),
                };
            };
            let count = count.unwrap_or(1);
            if matches!(code, b's' | b'x') {
                self.at += 1;
                let offset = self.offset;
                self.advance(vm, offset, count)?;
                return Ok(Some(Item { code, offset, size: count }));
            }
            if size_of_code(code).is_none() || matches!(code, b'O' | b'S') {
                return Err(vm.raise(ids::ValueError, "bad typecode"));
            }
            match count {
                0 => self.at += 1,
                _ => self.left = count,
            }
        }
    }

    fn peek(&self, vm: &Vm) -> Option<u8> {
        vm.bytes_at(self.text).get(self.at as usize).copied()
    }

    fn place(&mut self, vm: &mut Vm, code: u8) -> Res<Item> {
        let size = size_of_code(code).unwrap_or(1);
        let offset = if self.aligned { self.offset.next_multiple_of(size) } else { self.offset };
        self.advance(vm, offset, size)?;
        Ok(Item { code, offset, size })
    }

    fn advance(&mut self, vm: &mut Vm, offset: u32, size: u32) -> Res<()> {
        self.offset = offset + size;
        if self.offset > MOST {
            return Err(vm.raise_memory());
        }
        Ok(())
    }

    /// How many values and how many bytes the rest of the format has.
    fn measure(mut self, vm: &mut Vm) -> Res<(u32, u32)> {
        let mut count = 0;
        while let Some(item) = self.next(vm)? {
            count += u32::from(item.code != b'x');
        }
        Ok((count, self.offset))
    }
}

fn calcsize(vm: &mut Vm, format: Value) -> Res {
    let (_, size) = Format::new(vm, format)?.measure(vm)?;
    Ok(Value::small(size as i32))
}

fn too_small(vm: &mut Vm) -> crate::native::Raised {
    vm.raise(ids::ValueError, "buffer too small")
}

/// The part of a buffer from an offset argument on (from the end if it is negative).
fn part_from(vm: &mut Vm, buffer: Span, offset: Option<Value>) -> Res<Span> {
    let offset = match offset {
        Some(offset) => vm.int_arg(offset)?,
        None => 0,
    };
    let start = if offset < 0 { offset.saturating_add(buffer.len() as i32) } else { offset };
    match u32::try_from(start) {
        Ok(start) if start <= buffer.len() => Ok(buffer.part(start, buffer.len() - start)),
        _ => Err(too_small(vm)),
    }
}

fn unpack(vm: &mut Vm, args: Args) -> Res {
    let (format, buffer) = (vm.arg(args, 0), vm.arg(args, 1));
    let mut format = Format::new(vm, format)?;
    let (count, size) = format.measure(vm)?;
    let buffer = vm.buffer_arg(buffer)?;
    let offset = vm.opt_arg(args, 2);
    let data = part_from(vm, buffer, offset)?;
    if data.len() < size {
        return Err(too_small(vm));
    }
    let tuple = vm.new_tuple_cell(count)?;
    vm.root(tuple.into())?;
    let mut index = 0;
    while let Some(item) = format.next(vm)? {
        let part = data.part(item.offset, item.size);
        let value = match item.code {
            b'x' => continue,
            b's' => vm.new_text_from(Kind::Bytes, part)?,
            code => {
                let mut bytes = [0; 8];
                let wide = &mut bytes[..item.size as usize];
                wide.copy_from_slice(vm.bytes_at(part));
                if format.big_endian {
                    wide.reverse();
                }
                vm.item_from_bytes(code, bytes)?
            }
        };
        vm.heap.set_slot(tuple, index, value);
        index += 1;
    }
    Ok(tuple.into())
}

fn pack(vm: &mut Vm, args: Args) -> Res {
    let format = vm.arg(args, 0);
    let format = Format::new(vm, format)?;
    let (_, size) = format.measure(vm)?;
    let at = vm.alloc_text(Kind::Bytes, size)?;
    vm.root(at.into())?;
    write_items(vm, format, args, 1, |_| Ok(Span::Cell { at, first: TEXT_START, len: size }))?;
    Ok(at.into())
}

fn pack_into(vm: &mut Vm, args: Args) -> Res {
    let (format, buffer, offset) = (vm.arg(args, 0), vm.arg(args, 1), vm.arg(args, 2));
    let format = Format::new(vm, format)?;
    let target = |vm: &mut Vm| {
        let whole = vm.buffer_mut_arg(buffer)?;
        part_from(vm, whole, Some(offset))
    };
    let data = target(vm)?;
    let (_, size) = format.measure(vm)?;
    if data.len() < size {
        return Err(too_small(vm));
    }
    write_items(vm, format, args, 3, target)?;
    Ok(Value::NONE)
}

/// Writes the arguments from `first` on. Too many or too few are no error, as in MicroPython. Converting one may run
/// Python code that moves the target, so it is looked up for each.
fn write_items(
    vm: &mut Vm,
    mut format: Format,
    args: Args,
    first: u16,
    target: impl Fn(&mut Vm) -> Res<Span>,
) -> Res<()> {
    let mut index = first;
    while index < args.positional
        && let Some(item) = format.next(vm)?
    {
        if item.code == b'x' {
            continue;
        }
        let value = vm.arg(args, index);
        index += 1;
        if item.code == b's' {
            let text = vm.buffer_arg(value)?;
            let text = text.part(0, text.len().min(item.size));
            let whole = target(vm)?.part(item.offset, item.size);
            vm.bytes_at_mut(whole.part(text.len(), item.size - text.len())).fill(0);
            if let Span::Cell { at, first, .. } = whole {
                vm.copy_span(at, first, text);
            }
            continue;
        }
        let mut bytes = vm.item_to_bytes(item.code, value)?;
        let wide = &mut bytes[..item.size as usize];
        if format.big_endian {
            wide.reverse();
        }
        let data = target(vm)?;
        if item.offset + item.size <= data.len() {
            vm.bytes_at_mut(data.part(item.offset, item.size)).copy_from_slice(wide);
        }
    }
    Ok(())
}
