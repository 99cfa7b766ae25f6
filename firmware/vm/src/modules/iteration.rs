//! The builtins that work on iterables: `all`, `any`, `iter`, `len`, `max`, `min`, `next`, `sorted`, `sum`.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Root, Value};

use crate::native::{Args, BinaryOp, Res, UnaryOp};
use crate::types::ids;
use crate::vm::Vm;

pub(super) fn all(vm: &mut Vm, iterable: Value) -> Res {
    quantify(vm, iterable, false)
}

pub(super) fn any(vm: &mut Vm, iterable: Value) -> Res {
    quantify(vm, iterable, true)
}

/// Whether some item's truth is `wanted`; for `all`, the opposite of that.
fn quantify(vm: &mut Vm, iterable: Value, wanted: bool) -> Res {
    let mut found = !wanted;
    vm.for_each(iterable, |vm, item| {
        let go_on = vm.truth(item)? != wanted;
        if !go_on {
            found = wanted;
        }
        Ok(go_on)
    })?;
    Ok(Value::bool(found))
}

pub(super) fn iter(vm: &mut Vm, value: Value) -> Res {
    vm.iter(value)
}

pub(super) fn len(vm: &mut Vm, value: Value) -> Res {
    let len = vm.try_unary(UnaryOp::Len, value)?;
    match len {
        // Raises TypeError.
        Value::UNBOUND => vm.len(value).map(|len| Value::small(len as i32)),
        len => Ok(len),
    }
}

pub(super) fn next(vm: &mut Vm, args: Args) -> Res {
    let iterator = vm.arg(args, 0);
    vm.heap.set_root(Root::Returned, Value::NONE);
    let item = vm.next(iterator)?;
    match vm.opt_arg(args, 1) {
        _ if !item.is_unbound() => Ok(item),
        Some(default) => Ok(default),
        None => match vm.heap.root(Root::Returned) {
            Value::NONE => Err(vm.raise_empty(ids::StopIteration)),
            returned => Err(vm.raise_arg(ids::StopIteration, returned)),
        },
    }
}

pub(super) fn max(vm: &mut Vm, args: Args) -> Res {
    extreme(vm, args, BinaryOp::Gt)
}

pub(super) fn min(vm: &mut Vm, args: Args) -> Res {
    extreme(vm, args, BinaryOp::Lt)
}

/// The first item that no other item precedes in the order of `op`.
fn extreme(vm: &mut Vm, args: Args, op: BinaryOp) -> Res {
    let mut key = Value::UNBOUND;
    let mut default = Value::UNBOUND;
    for i in 0..args.keywords {
        match vm.keyword(args, i) {
            (Qstr::key, value) => key = value,
            (Qstr::default_, value) => default = value,
            _ => return Err(vm.raise(ids::TypeError, "extra keyword arguments given")),
        }
    }
    // The best item so far and its key.
    let best = vm.root(Value::UNBOUND)?;
    vm.root(Value::UNBOUND)?;
    let each = |vm: &mut Vm, item: Value| {
        let rank = if key.is_unbound() { item } else { vm.call(key, &[item])? };
        let best_rank = vm.heap.stack(best + 1);
        if best_rank.is_unbound() || precedes(vm, op, rank, best_rank)? {
            vm.heap.set_stack(best, item);
            vm.heap.set_stack(best + 1, rank);
        }
        Ok(true)
    };
    if args.positional == 1 {
        let iterable = vm.arg(args, 0);
        vm.for_each(iterable, each)?;
    } else {
        for i in 0..args.positional {
            let item = vm.arg(args, i);
            each(vm, item)?;
        }
    }
    match vm.heap.stack(best) {
        Value::UNBOUND if default.is_unbound() => Err(vm.raise(ids::ValueError, "arg is an empty sequence")),
        Value::UNBOUND => Ok(default),
        item => Ok(item),
    }
}

fn precedes(vm: &mut Vm, op: BinaryOp, rank: Value, best: Value) -> Res<bool> {
    if let (Some(a), Some(b)) = (rank.as_small(), best.as_small()) {
        return Ok(if op == BinaryOp::Gt { a > b } else { a < b });
    }
    let scope = vm.root(rank)?;
    let answer = vm.binary(op, rank, best)?;
    vm.release(scope);
    vm.truth(answer)
}

pub(super) fn sum(vm: &mut Vm, args: Args) -> Res {
    let iterable = vm.arg(args, 0);
    let start = vm.opt_arg(args, 1).unwrap_or(Value::small(0));
    let total = vm.root(start)?;
    vm.for_each(iterable, |vm, item| {
        let so_far = vm.heap.stack(total);
        let quick = match so_far.both_small(item) {
            true => Value::try_small(so_far.small_unchecked().wrapping_add(item.small_unchecked())),
            false => None,
        };
        let new = match quick {
            Some(new) => new,
            None => vm.binary(BinaryOp::Add, so_far, item)?,
        };
        vm.heap.set_stack(total, new);
        Ok(true)
    })?;
    Ok(vm.heap.stack(total))
}

pub(super) fn sorted(vm: &mut Vm, args: Args) -> Res {
    if args.positional > 1 {
        return Err(vm.raise(ids::TypeError, "must use keyword argument for key function"));
    }
    let names = [Qstr::key, Qstr::reverse];
    let [key, reverse] = vm.named_args(args, 1, names, [Value::NONE, Value::FALSE])?;
    let reverse = vm.truth(reverse)?;
    let iterable = vm.arg(args, 0);
    let list = vm.list_of(iterable)?;
    vm.root(list)?;
    vm.sort_list(list.expect_cell("a list"), key, reverse)?;
    Ok(list)
}
