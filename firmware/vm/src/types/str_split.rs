//! Taking text apart and putting it together: split, rsplit, splitlines, partition, join.

use larch_bytecode::qstr::Qstr;
use larch_heap::{Header, Ref, Value};

use super::ids;
use super::text_object::{Text, TextType, find};
use crate::native::{Args, Raised, Res};
use crate::text::{Span, TEXT_START};
use crate::unicode;
use crate::vm::Vm;

/// A list under construction: kept alive on the stack.
struct Parts {
    list: Ref,
    text: Text,
}

impl Parts {
    fn new(vm: &mut Vm, text: Text) -> Res<Parts> {
        let list = vm.new_list(&[])?;
        vm.root(list)?;
        Ok(Parts { list: list.expect_cell("a list"), text })
    }

    fn push(&self, vm: &mut Vm, from: usize, to: usize) -> Res<()> {
        let part = vm.text_part(self.text, from as u32, (to - from) as u32)?;
        vm.list_append(self.list, part)
    }

    fn bytes<'a>(&self, vm: &'a Vm) -> &'a [u8] {
        vm.bytes_at(self.text.span)
    }
}

/// The separator argument: `None` if it is absent or None.
fn separator(vm: &mut Vm, text: Text, args: Args) -> Res<Option<Span>> {
    match vm.opt_arg(args, 1) {
        None | Some(Value::NONE) => Ok(None),
        Some(given) => {
            let separator = vm.text_arg(text.ty, given)?.span;
            match separator.is_empty() {
                true => Err(raise_empty_separator(vm)),
                false => Ok(Some(separator)),
            }
        }
    }
}

#[cold]
fn raise_empty_separator(vm: &mut Vm) -> Raised {
    vm.raise(ids::ValueError, "empty separator")
}

/// How many splits are allowed; negative: any number.
fn limit(vm: &mut Vm, args: Args) -> Res<i32> {
    match vm.opt_arg(args, 2) {
        None => Ok(-1),
        Some(given) => vm.int_arg(given),
    }
}

pub(super) fn split(vm: &mut Vm, args: Args) -> Res {
    let text = vm.arg(args, 0);
    let text = vm.text_self(text)?;
    let mut left = limit(vm, args)?;
    let Some(separator) = separator(vm, text, args)? else { return split_at_space(vm, text, left) };
    let parts = Parts::new(vm, text)?;
    let mut at = 0;
    while left != 0
        && let Some(found) = find(&parts.bytes(vm)[at..], vm.bytes_at(separator), false)
    {
        parts.push(vm, at, at + found)?;
        at += found + separator.len() as usize;
        left -= 1;
    }
    parts.push(vm, at, text.span.len() as usize)?;
    Ok(parts.list.into())
}

fn split_at_space(vm: &mut Vm, text: Text, mut left: i32) -> Res {
    let parts = Parts::new(vm, text)?;
    let len = text.span.len() as usize;
    let skip = |vm: &Vm, from: usize, space: bool| {
        let bytes = &parts.bytes(vm)[from..];
        from + bytes.iter().take_while(|byte| unicode::is_space(**byte) == space).count()
    };
    let mut at = skip(vm, 0, true);
    while at < len && left != 0 {
        let end = skip(vm, at, false);
        parts.push(vm, at, end)?;
        at = skip(vm, end, true);
        left -= 1;
    }
    if at < len {
        parts.push(vm, at, len)?;
    }
    Ok(parts.list.into())
}

pub(super) fn rsplit(vm: &mut Vm, args: Args) -> Res {
    let most = limit(vm, args)?;
    if most < 0 {
        return split(vm, args);
    }
    let text = vm.arg(args, 0);
    let text = vm.text_self(text)?;
    let Some(separator) = separator(vm, text, args)? else {
        return Err(vm.raise(ids::NotImplementedError, "rsplit(None,n)"));
    };
    let parts = Parts::new(vm, text)?;
    let mut end = text.span.len() as usize;
    let mut left = most;
    while left > 0
        && let Some(found) = find(&parts.bytes(vm)[..end], vm.bytes_at(separator), true)
    {
        parts.push(vm, found + separator.len() as usize, end)?;
        end = found;
        left -= 1;
    }
    parts.push(vm, 0, end)?;
    if let Some((cell, first, len)) = vm.sequence_items(parts.list.into()) {
        vm.heap.values_mut(cell, first, len).reverse();
    }
    Ok(parts.list.into())
}

pub(super) fn splitlines(vm: &mut Vm, args: Args) -> Res {
    let text = vm.arg(args, 0);
    let text = vm.text_self(text)?;
    let [keep] = vm.named_args(args, 1, [Qstr::keepends], [Value::FALSE])?;
    let keep = vm.truth(keep)?;
    let parts = Parts::new(vm, text)?;
    let (mut at, len) = (0, text.span.len() as usize);
    while at < len {
        let rest = &parts.bytes(vm)[at..];
        let line = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let end = match &rest[line..] {
            [] => 0,
            [b'\r', b'\n', ..] => 2,
            _ => 1,
        };
        parts.push(vm, at, at + line + if keep { end } else { 0 })?;
        at += line + end;
    }
    Ok(parts.list.into())
}

pub(super) fn partition(vm: &mut Vm, text: Value, separator: Value) -> Res {
    partition_at(vm, text, separator, false)
}

pub(super) fn rpartition(vm: &mut Vm, text: Value, separator: Value) -> Res {
    partition_at(vm, text, separator, true)
}

fn partition_at(vm: &mut Vm, value: Value, separator: Value, last: bool) -> Res {
    let text = vm.text_self(value)?;
    let separator = vm.text_arg(text.ty, separator)?;
    if separator.span.is_empty() {
        return Err(raise_empty_separator(vm));
    }
    let scope = vm.scope();
    match find(vm.bytes_at(text.span), vm.bytes_at(separator.span), last) {
        Some(at) => {
            let (at, behind) = (at as u32, at as u32 + separator.span.len());
            let before = vm.text_part(text, 0, at)?;
            vm.root(before)?;
            let middle = vm.text_like(text.ty, separator.span)?;
            vm.root(middle)?;
            let after = vm.text_part(text, behind, text.span.len() - behind)?;
            vm.root(after)?;
        }
        None => {
            for place in [false, true, true] {
                let empty = vm.text_like(text.ty, Span::Static(&[]))?;
                vm.root(if place { empty } else { text.value })?;
            }
            if last {
                let (first, third) = (vm.heap.stack(scope), vm.heap.stack(scope + 2));
                vm.heap.set_stack(scope, third);
                vm.heap.set_stack(scope + 2, first);
            }
        }
    }
    let parts = vm.new_tuple_from_stack(scope, 3);
    vm.release(scope);
    parts
}

pub(super) fn join(vm: &mut Vm, separator: Value, items: Value) -> Res {
    let separator = vm.text_self(separator)?;
    let Some((cell, first, count)) = vm.plain_items(items) else {
        return join_iterable(vm, separator, items);
    };
    let mut len = u64::from(separator.span.len()) * u64::from(count.saturating_sub(1));
    let mut ascii = separator.ty == TextType::Str && vm.is_ascii(separator.value);
    for i in 0..count {
        let item = vm.heap.slot(cell, first + i);
        if let (TextType::Str, Some((span, item_ascii))) = (separator.ty, vm.str_parts(item)) {
            len += u64::from(span.len());
            ascii &= item_ascii;
            continue;
        }
        len += u64::from(joinable(vm, separator, item)?.len());
        ascii = false;
    }
    if len > u64::from(Header::MAX_COUNT) {
        return Err(vm.raise_memory());
    }
    let at = vm.alloc_text(separator.ty.kind(), len as u32)?;
    copy_joined(vm, at, separator, cell, first, count);
    vm.wrap_text(separator.ty, at, ascii)
}

/// Copies items that [`joinable`] accepted to a cell that is as long as they are.
fn copy_joined(vm: &mut Vm, at: Ref, separator: Text, cell: Ref, first: u32, count: u32) {
    let mut to = TEXT_START;
    for i in 0..count {
        if i > 0 && !separator.span.is_empty() {
            vm.copy_span(at, to, separator.span);
            to += separator.span.len();
        }
        let item = vm.heap.slot(cell, first + i);
        let span = match vm.str_parts(item) {
            Some((span, _)) => span,
            None => vm.as_text(item).map_or(Span::Static(&[]), |text| text.span),
        };
        vm.copy_span(at, to, span);
        to += span.len();
    }
}

/// The bytes of an item to be joined.
#[inline]
fn joinable(vm: &mut Vm, separator: Text, item: Value) -> Res<Span> {
    if let (TextType::Str, Some(span)) = (separator.ty, vm.str_span(item)) {
        return Ok(span);
    }
    match vm.as_text(item) {
        Some(text) if (text.ty == TextType::Str) == (separator.ty == TextType::Str) => Ok(text.span),
        _ => Err(
            vm.raise(ids::TypeError, "join expects a list of str/bytes objects consistent with self object")
        ),
    }
}

fn join_iterable(vm: &mut Vm, separator: Text, items: Value) -> Res {
    let scope = vm.scope();
    let iterator = vm.iter(items)?;
    vm.root(iterator)?;
    let sink = vm.begin_text(separator.ty.kind(), 32)?;
    let mut any = false;
    vm.for_each(iterator, |vm, item| {
        let span = joinable(vm, separator, item)?;
        if any {
            vm.emit_span(sink, separator.span)?;
        }
        any = true;
        vm.emit_span(sink, span)?;
        Ok(true)
    })?;
    let joined = vm.end_text_like(separator.ty, sink);
    vm.release(scope);
    joined
}
