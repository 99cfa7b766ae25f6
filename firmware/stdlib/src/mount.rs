//! What is mounted where: the board's own file system, and file systems written in Python.
//!
//! As long as nothing was mounted or unmounted there is no table, and every path is the board's own file system's. Then
//! [`Root::Mounts`] is a list: the current file system, then mount point and file system of each, the one at `/` last. The
//! board's own is an object of [`ids::OWN_FILES`]; it can be mounted at `/` only. The root directory being current is
//! False in place of a file system.
//!
//! As in MicroPython, a relative path goes to the current file system as it is.

use alloc::vec::Vec;

use larch_bytecode::qstr::Qstr;
use larch_heap::{Kind, Ref, Root, Value};
use larch_vm::native::{Args, Native, Rom, TypeDef};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use crate::ids;

const EPERM: i32 = 1;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const S_IFDIR: i32 = 0x4000;

/// `vfs.…`: the type of the board's own file system.
pub static OWN_FILES: TypeDef = TypeDef {
    entries: &[
        (Qstr::mount, Rom::Fn(Native::F3(|_, _, _, _| Ok(Value::NONE)))),
        (Qstr::umount, Rom::Fn(Native::F1(|_, _| Ok(Value::NONE)))),
    ],
    ..TypeDef::new(Qstr::VfsLfs2)
};

/// Who a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The board's own file system.
    Own,
    /// A file system written in Python, and the path for it.
    Other(Value, Value),
    /// The directory of the mount points.
    Root,
    /// Nobody.
    Nowhere,
}

fn table(vm: &Vm) -> Option<Ref> {
    vm.heap.as_kind(vm.heap.root(Root::Mounts), Kind::List)
}

/// The table, made if there is none.
fn make_table(vm: &mut Vm) -> Res<Ref> {
    if let Some(list) = table(vm) {
        return Ok(list);
    }
    let own = vm.alloc_values(Kind::Object, &[ids::OWN_FILES.value()])?;
    vm.root(own)?;
    let has_own = vm.port.files().is_some();
    let list = match has_own {
        true => vm.new_list(&[own, Value::qstr(Qstr::SLASH), own])?,
        false => vm.new_list(&[Value::FALSE])?,
    };
    vm.heap.set_root(Root::Mounts, list);
    Ok(list.as_cell().expect("a list"))
}

/// A copy of a string's or bytes object's content.
fn text_of(vm: &mut Vm, value: Value) -> Res<Vec<u8>> {
    let Some(span) = vm.str_span(value).or_else(|| vm.bytes_span(value)) else {
        return Err(vm.raise_implicit(value));
    };
    let mut copy = Vec::new();
    if copy.try_reserve_exact(span.len() as usize).is_err() {
        return Err(vm.raise_memory());
    }
    copy.extend_from_slice(vm.bytes_at(span));
    Ok(copy)
}

fn is_own(vm: &Vm, file_system: Value) -> bool {
    vm.type_of(file_system) == ids::OWN_FILES.value()
}

/// Finds whose a path is.
///
/// # Errors
/// TypeError if it is no path, MemoryError.
pub fn lookup(vm: &mut Vm, path: Value) -> Res<Place> {
    let Some(list) = table(vm) else { return Ok(Place::Own) };
    let text = text_of(vm, path)?;
    let current = vm.list_get(list, 0);
    let is_absolute = text.first() == Some(&b'/');
    if !is_absolute && current != Value::FALSE {
        return Ok(if is_own(vm, current) { Place::Own } else { Place::Other(current, path) });
    }
    let inner = &text[usize::from(is_absolute)..];
    if inner.is_empty() {
        return Ok(Place::Root);
    }
    for index in (1..vm.list_len(list)).step_by(2) {
        let (point, file_system) = (vm.list_get(list, index), vm.list_get(list, index + 1));
        let Some(span) = vm.str_span(point) else { continue };
        let name = vm.bytes_at(span).get(1..).unwrap_or_default();
        let rest = match inner.strip_prefix(name) {
            _ if name.is_empty() => &text[..],
            Some([]) => &b"/"[..],
            Some(rest @ [b'/', ..]) => rest,
            _ => continue,
        };
        if is_own(vm, file_system) {
            return Ok(Place::Own);
        }
        let kind = if vm.is_str(path) { Kind::Str } else { Kind::Bytes };
        let rest = match core::str::from_utf8(rest) {
            Ok(rest) if kind == Kind::Str => vm.new_str(rest)?,
            _ => vm.new_bytes(rest)?,
        };
        vm.root(rest)?;
        return Ok(Place::Other(file_system, rest));
    }
    Ok(Place::Nowhere)
}

/// Hands an operation on a path to the file system written in Python that it belongs to; none if it is the board's own.
///
/// # Errors
/// What the file system raises; OSError for the root directory, and where nothing is mounted.
pub fn redirect(vm: &mut Vm, path: Value, name: Qstr, more: &[Value]) -> Res<Option<Value>> {
    match lookup(vm, path)? {
        Place::Own => Ok(None),
        Place::Other(file_system, inner) => {
            let scope = vm.root(inner)?;
            let mut arguments = [inner, Value::NONE];
            arguments[1..1 + more.len()].copy_from_slice(more);
            let result = vm.call_method(file_system, name, &arguments[..1 + more.len()])?;
            vm.release(scope);
            Ok(Some(result))
        }
        Place::Root => Err(vm.raise_os(EPERM)),
        Place::Nowhere => Err(vm.raise_os(ENODEV)),
    }
}

/// The file system at `/`.
fn at_root(vm: &Vm) -> Option<Value> {
    let list = table(vm)?;
    let last = vm.list_len(list).checked_sub(2).filter(|last| *last > 0)?;
    (vm.list_get(list, last) == Value::qstr(Qstr::SLASH)).then(|| vm.list_get(list, last + 1))
}

/// Whether the board's own file system is at `/`.
pub fn is_own_at_root(vm: &Vm) -> bool {
    table(vm).is_none() || at_root(vm).is_some_and(|file_system| is_own(vm, file_system))
}

/// The file system written in Python that is at `/`.
pub fn other_at_root(vm: &Vm) -> Option<Value> {
    at_root(vm).filter(|file_system| !is_own(vm, *file_system))
}

/// Changes the current file system; for the board's own, it has changed its directory already.
///
/// # Errors
/// What the file system raises.
pub fn change_directory(vm: &mut Vm, path: Value) -> Res<bool> {
    let Some(list) = table(vm) else { return Ok(false) };
    let place = lookup(vm, path)?;
    let current = match place {
        Place::Own => at_root(vm).unwrap_or(Value::FALSE),
        Place::Root => {
            if let Some(file_system) = other_at_root(vm) {
                vm.call_method(file_system, Qstr::chdir, &[Value::qstr(Qstr::SLASH)])?;
            }
            Value::FALSE
        }
        Place::Other(file_system, inner) => {
            vm.call_method(file_system, Qstr::chdir, &[inner])?;
            file_system
        }
        Place::Nowhere => return Err(vm.raise_os(ENODEV)),
    };
    vm.list_set(list, 0, current);
    let is_own_files = place == Place::Own || place == Place::Root && is_own_at_root(vm);
    Ok(!is_own_files)
}

/// The working directory if it is not the board's own file system's.
///
/// # Errors
/// What the file system raises.
pub fn current_directory(vm: &mut Vm) -> Res<Option<Value>> {
    let Some(list) = table(vm) else { return Ok(None) };
    let current = vm.list_get(list, 0);
    if is_own(vm, current) {
        return Ok(None);
    }
    if current == Value::FALSE {
        return Ok(Some(Value::qstr(Qstr::SLASH)));
    }
    let inner = vm.call_method(current, Qstr::getcwd, &[])?;
    vm.root(inner)?;
    let mut point = Value::qstr(Qstr::SLASH);
    for index in (1..vm.list_len(list)).step_by(2) {
        if vm.list_get(list, index + 1) == current {
            point = vm.list_get(list, index);
        }
    }
    if point == Value::qstr(Qstr::SLASH) {
        return Ok(Some(inner));
    }
    let (mut text, inner) = (text_of(vm, point)?, text_of(vm, inner)?);
    if inner != b"/" {
        text.extend_from_slice(&inner);
    }
    vm.new_str(core::str::from_utf8(&text).unwrap_or("/")).map(Some)
}

/// Adds the entries of the root directory that are mount points to a list: names, or the tuples of `ilistdir`.
///
/// # Errors
/// MemoryError.
pub fn add_mount_points(vm: &mut Vm, to: Ref, names_only: bool) -> Res<()> {
    let Some(list) = table(vm) else { return Ok(()) };
    for index in (1..vm.list_len(list)).step_by(2) {
        let point = text_of(vm, vm.list_get(list, index))?;
        let Ok(name) = core::str::from_utf8(point.get(1..).unwrap_or_default()) else { continue };
        if name.is_empty() {
            continue;
        }
        let scope = vm.scope();
        let mut entry = vm.new_str(name)?;
        vm.root(entry)?;
        if !names_only {
            entry = vm.new_tuple(&[entry, Value::small(S_IFDIR), Value::small(0)])?;
            vm.root(entry)?;
        }
        vm.list_append(to, entry)?;
        vm.release(scope);
    }
    Ok(())
}

// ---- vfs.mount and vfs.umount ----

/// `vfs.mount([fs, point, *, readonly=False, mkfs=False])`
///
/// # Errors
/// What the file system raises, OSError if something is mounted there.
pub fn mount(vm: &mut Vm, args: Args) -> Res {
    let list = make_table(vm)?;
    if args.positional == 0 {
        return mounted(vm, list);
    }
    if args.positional != 2 {
        return Err(vm.raise_count(Qstr::mount, 2, 2, args));
    }
    let (file_system, point) = (vm.arg(args, 0), vm.arg(args, 1));
    let names = [Qstr::readonly, Qstr::mkfs];
    let options = vm.named_args(args, 2, names, [Value::FALSE; 2])?;
    let text = text_of(vm, point)?;
    vm.call_method(file_system, Qstr::mount, &options)?;
    let is_root = text == b"/";
    let is_used = match lookup(vm, point)? {
        Place::Nowhere => false,
        Place::Root => is_root && at_root(vm).is_some(),
        // Below the file system at `/` there is room.
        Place::Own => is_root || !is_own_at_root(vm),
        Place::Other(other, _) => is_root || Some(other) != at_root(vm),
    };
    if is_used || is_own(vm, file_system) && !is_root {
        return Err(vm.raise_os(EPERM));
    }
    let mut place = vm.list_len(list);
    if at_root(vm).is_some() {
        place -= 2;
    }
    vm.list_append(list, point)?;
    vm.list_append(list, file_system)?;
    // The one at `/` stays last.
    let end = vm.list_len(list);
    if place + 2 < end {
        let last = [vm.list_get(list, place), vm.list_get(list, place + 1)];
        vm.list_set(list, place, point);
        vm.list_set(list, place + 1, file_system);
        vm.list_set(list, place + 2, last[0]);
        vm.list_set(list, place + 3, last[1]);
    }
    Ok(Value::NONE)
}

/// The table as programs see it.
fn mounted(vm: &mut Vm, list: Ref) -> Res {
    let result = vm.new_list(&[])?;
    vm.root(result)?;
    let cell = result.as_cell().expect("a list");
    for index in (1..vm.list_len(list)).step_by(2) {
        let scope = vm.scope();
        let entry = vm.new_tuple(&[vm.list_get(list, index + 1), vm.list_get(list, index)])?;
        vm.root(entry)?;
        vm.list_append(cell, entry)?;
        vm.release(scope);
    }
    Ok(result)
}

/// `vfs.umount(fs or point)`
///
/// # Errors
/// OSError if that is not mounted, and what the file system raises.
pub fn umount(vm: &mut Vm, what: Value) -> Res {
    let list = make_table(vm)?;
    for index in (1..vm.list_len(list)).step_by(2) {
        let (point, file_system) = (vm.list_get(list, index), vm.list_get(list, index + 1));
        if file_system != what && !(vm.is_str(what) && vm.equal(point, what)?) {
            continue;
        }
        vm.root(file_system)?;
        vm.list_cut(list, index, 2);
        if vm.list_get(list, 0) == file_system {
            vm.list_set(list, 0, Value::FALSE);
        }
        vm.call_method(file_system, Qstr::umount, &[])?;
        return Ok(Value::NONE);
    }
    Err(vm.raise_os(EINVAL))
}

// ---- modules ----

/// Whether a path of a file system written in Python is a directory; none if it does not exist.
///
/// # Errors
/// MemoryError. What the file system raises means that there is nothing.
pub fn is_directory(vm: &mut Vm, file_system: Value, path: Value) -> Res<Option<bool>> {
    let scope = vm.scope();
    let Ok(answer) = vm.call_method(file_system, Qstr::stat, &[path]) else {
        vm.take_raised();
        vm.release(scope);
        return Ok(None);
    };
    vm.root(answer)?;
    let mode = match vm.sequence_items(answer) {
        Some((at, first, len)) if len > 0 => vm.heap.slot(at, first).as_small().unwrap_or(0),
        _ => 0,
    };
    vm.release(scope);
    Ok(Some(mode & S_IFDIR != 0))
}

/// Requests of `ioctl`.
const CLOSE: i32 = 4;
const BUFFER_SIZE: i32 = 11;
/// Bytes that are read at a time.
const CHUNK: i32 = 64;
const CHUNK_MAX: i32 = 255;

/// A whole file of a file system written in Python.
///
/// # Errors
/// What the file system raises, MemoryError.
pub fn read_file(vm: &mut Vm, file_system: Value, path: Value) -> Res<Vec<u8>> {
    let mode = vm.new_str("rb")?;
    vm.root(mode)?;
    let file = vm.call_method(file_system, Qstr::open, &[path, mode])?;
    let scope = vm.root(file)?;
    let result = read_open(vm, file);
    if result.is_err() {
        // The error of reading goes on, whatever closing says.
        let exception = vm.take_raised();
        vm.root(exception)?;
        if close(vm, file).is_err() {
            vm.take_raised();
        }
        return Err(vm.raise_value(exception));
    }
    close(vm, file)?;
    vm.release(scope);
    result
}

fn control(vm: &mut Vm, file: Value, request: i32) -> Res<i32> {
    let answer = vm.call_method(file, Qstr::ioctl, &[Value::small(request), Value::small(0)])?;
    Ok(answer.as_small().unwrap_or(-1))
}

fn close(vm: &mut Vm, file: Value) -> Res<()> {
    match vm.find_attr(file, Qstr::ioctl)?.is_unbound() {
        true => vm.call_method(file, Qstr::close, &[]).map(drop),
        false => control(vm, file, CLOSE).map(drop),
    }
}

fn read_open(vm: &mut Vm, file: Value) -> Res<Vec<u8>> {
    if vm.find_attr(file, Qstr::readinto)?.is_unbound() {
        return Err(vm.raise(core_ids::OSError, "stream operation not supported"));
    }
    let mut size = CHUNK;
    if !vm.find_attr(file, Qstr::ioctl)?.is_unbound() {
        let wanted = control(vm, file, BUFFER_SIZE)?;
        if wanted > 0 {
            size = wanted.min(CHUNK_MAX);
        }
    }
    let buffer = vm.call(core_ids::bytearray.value(), &[Value::small(size)])?;
    vm.root(buffer)?;
    let mut text = Vec::new();
    loop {
        let count = vm.call_method(file, Qstr::readinto, &[buffer])?;
        let count = count.as_small().unwrap_or(0).clamp(0, size) as u32;
        if count == 0 {
            return Ok(text);
        }
        let Some(span) = vm.buffer(buffer) else { return Ok(text) };
        let part = span.part(0, count.min(span.len()));
        if text.try_reserve(part.len() as usize).is_err() {
            return Err(vm.raise_memory());
        }
        text.extend_from_slice(vm.bytes_at(part));
    }
}
