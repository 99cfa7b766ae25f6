//! `micropython.RingIO`: a ring of bytes with the methods of a stream, for handing data between an interrupt and a program.
//!
//! An `Object`: type, storage (a bytearray, one byte longer than what fits), read position, write position.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Value};

use crate::native::{Args, Native, Res, Rom, TypeDef};
use crate::text::Span;
use crate::types::ids;
use crate::vm::Vm;

/// `RingIO`
pub static RING_IO: TypeDef = TypeDef {
    make: Some(make),
    print: Some(|vm, sink, _, _| vm.emit_str(sink, "<RingIO>")),
    entries: &[
        (Qstr::any, Rom::Fn(Native::F1(|vm, ring| Ok(Value::small(Ring::of(vm, ring)?.used() as i32))))),
        (Qstr::read, Rom::Fn(Native::Var(1, 2, read))),
        (Qstr::readinto, Rom::Fn(Native::Var(2, 3, readinto))),
        (Qstr::readline, Rom::Fn(Native::Var(1, 2, readline))),
        (Qstr::write, Rom::Fn(Native::F2(write))),
        (Qstr::ioctl, Rom::Fn(Native::F3(ioctl))),
        (Qstr::close, Rom::Fn(Native::F1(|_vm, _| Ok(Value::NONE)))),
    ],
    ..TypeDef::new(Qstr::RingIO)
};

const STORAGE: u32 = 1;
const READ: u32 = 2;
const WRITE: u32 = 3;
/// Bytes of storage: at least one that can be filled, and positions of 16 bits.
const SIZES: core::ops::RangeInclusive<u32> = 2..=65535;

/// Where things are in a ring.
#[derive(Clone, Copy)]
struct Ring {
    at: Ref,
    storage: Span,
    read: u32,
    write: u32,
}

impl Ring {
    fn of(vm: &mut Vm, ring: Value) -> Res<Ring> {
        let at = ring.expect_cell("a ring is a cell");
        let storage = vm.buffer_mut_arg(vm.heap.value(at, STORAGE))?;
        let position = |index| vm.heap.value(at, index).small_unchecked() as u32;
        // The storage may have been shortened since.
        let (read, write) = (position(READ), position(WRITE));
        let len = storage.len().max(1);
        Ok(Ring { at, storage, read: read % len, write: write % len })
    }

    fn used(&self) -> u32 {
        let len = self.storage.len().max(1);
        (self.write + len - self.read) % len
    }

    fn free(&self) -> u32 {
        self.storage.len().saturating_sub(1 + self.used())
    }

    fn byte(&self, vm: &Vm, index: u32) -> u8 {
        vm.bytes_at(self.storage.part((self.read + index) % self.storage.len(), 1))[0]
    }

    fn skip(&self, vm: &mut Vm, count: u32) {
        let read = (self.read + count) % self.storage.len().max(1);
        vm.heap.set_value(self.at, READ, Value::small(read as i32));
    }
}

fn make(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 1, 1)?;
    let given = vm.arg(args, 0);
    let (storage, size) = match vm.buffer_mut(given) {
        Some(span) => (given, span.len()),
        None => {
            let size = u32::try_from(vm.int_arg(given)?).unwrap_or(0).saturating_add(1);
            if !SIZES.contains(&size) {
                return Err(vm.raise(ids::ValueError, "buffer size out of range"));
            }
            (vm.new_array(Kind::ByteArray, b'B', size)?.into(), size)
        }
    };
    if !SIZES.contains(&size) {
        return Err(vm.raise(ids::ValueError, "buffer size out of range"));
    }
    vm.alloc_values(Kind::Object, &[ids::RingIO.value(), storage, Value::small(0), Value::small(0)])
}

fn take(vm: &mut Vm, ring: Ring, count: u32) -> Res {
    let at = vm.alloc_text(Kind::Bytes, count)?;
    for index in 0..count {
        let byte = ring.byte(vm, index);
        vm.heap.set_byte(at, crate::text::TEXT_START + index, byte);
    }
    ring.skip(vm, count);
    Ok(at.into())
}

fn wanted(vm: &mut Vm, args: Args, index: u16) -> Res<u32> {
    match vm.opt_arg(args, index).filter(|count| !count.is_none()) {
        Some(count) => Ok(u32::try_from(vm.int_arg(count)?).unwrap_or(u32::MAX)),
        None => Ok(u32::MAX),
    }
}

fn read(vm: &mut Vm, args: Args) -> Res {
    let most = wanted(vm, args, 1)?;
    let ring = Ring::of(vm, vm.arg(args, 0))?;
    take(vm, ring, ring.used().min(most))
}

fn readline(vm: &mut Vm, args: Args) -> Res {
    let most = wanted(vm, args, 1)?;
    let ring = Ring::of(vm, vm.arg(args, 0))?;
    let used = ring.used();
    let end = (0..used).find(|index| ring.byte(vm, *index) == b'\n').map_or(used, |index| index + 1);
    take(vm, ring, end.min(most))
}

fn readinto(vm: &mut Vm, args: Args) -> Res {
    let most = wanted(vm, args, 2)?;
    let target = vm.buffer_mut_arg(vm.arg(args, 1))?;
    let ring = Ring::of(vm, vm.arg(args, 0))?;
    let count = ring.used().min(most).min(target.len());
    for index in 0..count {
        let byte = ring.byte(vm, index);
        vm.bytes_at_mut(target.part(index, 1))[0] = byte;
    }
    ring.skip(vm, count);
    Ok(Value::small(count as i32))
}

fn write(vm: &mut Vm, ring: Value, data: Value) -> Res {
    let source = vm.buffer_arg(data)?;
    let ring = Ring::of(vm, ring)?;
    let count = ring.free().min(source.len());
    for index in 0..count {
        let byte = vm.bytes_at(source.part(index, 1))[0];
        let place = (ring.write + index) % ring.storage.len();
        vm.bytes_at_mut(ring.storage.part(place, 1))[0] = byte;
    }
    let end = (ring.write + count) % ring.storage.len().max(1);
    vm.heap.set_value(ring.at, WRITE, Value::small(end as i32));
    Ok(Value::small(count as i32))
}

/// The request of `select.poll`: which of reading (1) and writing (4) would succeed.
const POLL: i32 = 3;

fn ioctl(vm: &mut Vm, ring: Value, request: Value, asked: Value) -> Res {
    if vm.int_arg(request)? != POLL {
        return Ok(Value::small(0));
    }
    let asked = vm.int_arg(asked)?;
    let ring = Ring::of(vm, ring)?;
    let can = i32::from(ring.used() > 0) | i32::from(ring.free() > 0) << 2;
    Ok(Value::small(asked & can))
}
