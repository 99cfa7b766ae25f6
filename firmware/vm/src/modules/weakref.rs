//! `weakref`: `ref` and `finalize`. Callbacks run after `gc.collect()`, or at the next chance after a collection that an
//! allocation made.
//!
//! Both are weak cells ([`larch_heap::Heap::link_weak`]). Values of a `ref`: type, callback. Of a `finalize`: type,
//! function, arguments (a tuple), keyword arguments (a dict).

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Kind, Ref, Value, WEAK_WORDS};

use crate::native::{Args, AttrOp, Entry, ModuleDef, Native, Raised, Res, Rom, TypeDef};
use crate::print::Sink;
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static WEAKREF: ModuleDef = ModuleDef { name: Qstr::weakref, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::weakref)),
    (Qstr::ref_, Rom::Type(ids::weak_ref)),
    (Qstr::finalize, Rom::Type(ids::finalize)),
];

/// `ref`
pub static REF: TypeDef = TypeDef {
    make: Some(make_ref),
    call: Some(|vm, reference, args| {
        vm.check_args(args, 0, 0)?;
        let target = vm.heap.weak_target(cell(reference));
        Ok(if target.is_unbound() { Value::NONE } else { target })
    }),
    print: Some(|vm, sink, _, _| vm.emit_str(sink, "<ref>")),
    ..TypeDef::new(Qstr::ref_)
};

/// `finalize`
pub static FINALIZE: TypeDef = TypeDef {
    make: Some(make_finalize),
    call: Some(|vm, finalizer, args| {
        vm.check_args(args, 0, 0)?;
        let at = cell(finalizer);
        if vm.heap.weak_target(at).is_unbound() {
            return Ok(Value::NONE);
        }
        vm.heap.clear_weak(at);
        run_finalizer(vm, at)
    }),
    attr: Some(attr),
    print: Some(|vm, sink, _, _| vm.emit_str(sink, "<finalize>")),
    entries: &[(Qstr::peek, Rom::Fn(Native::F1(peek))), (Qstr::detach, Rom::Fn(Native::F1(detach)))],
    ..TypeDef::new(Qstr::finalize)
};

const CALLBACK: u32 = 2;
const FUNCTION: u32 = 2;
const ARGUMENTS: u32 = 3;
const KEYWORDS: u32 = 4;

fn cell(value: Value) -> Ref {
    value.expect_cell("a weak reference is a cell")
}

/// Only what lives in the heap can be referred to; the empty tuple is the same everywhere.
fn check_target(vm: &mut Vm, target: Value) -> Res<()> {
    let is_empty_tuple =
        vm.heap.as_kind(target, Kind::Tuple).is_some_and(|at| vm.heap.header(at).count() == 0);
    if target.as_cell().is_none() || is_empty_tuple {
        return Err(vm.raise(ids::TypeError, "not a heap object"));
    }
    Ok(())
}

fn new_weak(vm: &mut Vm, values: &[Value], target: Value, keep: bool) -> Res {
    let count = values.len() as u32;
    let at = vm.alloc(Header::new(Kind::MixedObject, 1 + count + WEAK_WORDS))?;
    vm.heap.set_word(at, 0, count);
    vm.heap.values_mut(at, 1, count).copy_from_slice(values);
    vm.heap.link_weak(at, count, target, keep);
    Ok(at.into())
}

fn make_ref(vm: &mut Vm, _class: Value, args: Args) -> Res {
    vm.check_args(args, 1, 2)?;
    let target = vm.arg(args, 0);
    check_target(vm, target)?;
    let callback = vm.opt_arg(args, 1).unwrap_or(Value::NONE);
    new_weak(vm, &[ids::weak_ref.value(), callback], target, false)
}

fn make_finalize(vm: &mut Vm, _class: Value, args: Args) -> Res {
    if args.positional < 2 {
        return Err(vm.raise_count(Qstr::finalize, 2, u8::MAX, args));
    }
    let (target, function) = (vm.arg(args, 0), vm.arg(args, 1));
    check_target(vm, target)?;
    let arguments = vm.new_tuple_from_stack(args.base + 2, u32::from(args.positional) - 2)?;
    vm.root(arguments)?;
    let keywords = vm.new_dict(u32::from(args.keywords))?;
    vm.root(keywords)?;
    for index in 0..args.keywords {
        let (name, value) = vm.keyword(args, index);
        vm.dict_set_qstr(cell(keywords), name, value)?;
    }
    new_weak(vm, &[ids::finalize.value(), function, arguments, keywords], target, true)
}

fn attr(vm: &mut Vm, finalizer: Value, name: Qstr, op: AttrOp) -> Res {
    if name != Qstr::alive || op != AttrOp::Get {
        return Ok(Value::UNBOUND);
    }
    Ok(Value::bool(!vm.heap.weak_target(cell(finalizer)).is_unbound()))
}

/// Object, function, arguments and keyword arguments of a finalizer that was not called; else None.
fn peek(vm: &mut Vm, finalizer: Value) -> Res {
    let at = cell(finalizer);
    let target = vm.heap.weak_target(at);
    if target.is_unbound() {
        return Ok(Value::NONE);
    }
    let parts =
        [target, vm.heap.value(at, FUNCTION), vm.heap.value(at, ARGUMENTS), vm.heap.value(at, KEYWORDS)];
    vm.new_tuple(&parts)
}

fn detach(vm: &mut Vm, finalizer: Value) -> Res {
    let parts = peek(vm, finalizer)?;
    vm.heap.clear_weak(cell(finalizer));
    Ok(parts)
}

fn run_finalizer(vm: &mut Vm, at: Ref) -> Res {
    vm.root(at.into())?;
    let slot = vm.root(vm.heap.value(at, FUNCTION))?;
    let arguments = cell(vm.heap.value(at, ARGUMENTS));
    let count = vm.heap.header(arguments).count();
    for index in 0..count {
        vm.root(vm.heap.slot(arguments, index))?;
    }
    let keywords = cell(vm.heap.value(at, KEYWORDS));
    let (mut position, mut named) = (0, 0);
    while let Some((found, name, value)) = vm.table_next(keywords, position) {
        vm.root(name)?;
        vm.root(value)?;
        named += 1;
        position = found + 1;
    }
    vm.call_at(slot, count as u16, named)
}

impl Vm {
    /// Makes the callbacks of weak references whose targets a collection freed: finalizers first, newest first. An
    /// exception is shown and ends there.
    ///
    /// # Errors
    /// RuntimeError when the stack is full.
    pub fn run_weak_callbacks(&mut self) -> Res<()> {
        for class in [ids::finalize, ids::weak_ref] {
            while let Some(at) = self.heap.take_died(|heap, at| heap.value(at, 1) == class.value()) {
                let scope = self.root(at.into())?;
                let callback = self.heap.value(at, CALLBACK);
                let done = match class == ids::finalize {
                    true => run_finalizer(self, at),
                    false if callback.is_none() => Ok(Value::NONE),
                    false => self.call(callback, &[at.into()]),
                };
                if let Err(Raised) = done {
                    let exception = self.take_raised();
                    self.root(exception)?;
                    self.write(b"Unhandled exception in weakref callback:\n");
                    self.print_exception(Sink::Console, exception)?;
                }
                self.release(scope);
            }
        }
        Ok(())
    }
}
