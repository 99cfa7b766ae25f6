//! `os`: the file system, and who the board is.

use larch_bytecode::qstr::Qstr;
use larch_hal::FileInfo;
use larch_heap::{Kind, Value};
use larch_vm::native::{Args, AttrOp, Entry, ItemOp, ModuleDef, Native, Rom, TypeDef};
use larch_vm::types::ids as core_ids;
use larch_vm::{Res, Vm};

use crate::files::{checked, file_system};
use crate::ids;
use crate::mount::{self, Place, redirect};
use crate::path::{Path, path_arg, set_working_directory, working_directory};

const S_IFDIR: i32 = 0x4000;
const S_IFREG: i32 = 0x8000;
const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
const EISDIR: i32 = 21;
const ENOTDIR: i32 = 20;
/// Seconds between 1970 and 2000, where the calendar's arithmetic starts.
pub(crate) const EPOCH_2000_S: u64 = 946_684_800;

/// The module.
pub static OS: ModuleDef = ModuleDef { name: Qstr::os, entries: ENTRIES, attr: Some(attr) };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::os)),
    (Qstr::uname, Rom::Fn(Native::F0(uname))),
    (Qstr::urandom, Rom::Fn(Native::F1(urandom))),
    (Qstr::dupterm, Rom::Fn(Native::Var(1, 2, dupterm))),
    (Qstr::dupterm_notify, Rom::Fn(Native::F1(dupterm_notify))),
    (Qstr::chdir, Rom::Fn(Native::F1(chdir))),
    (Qstr::getcwd, Rom::Fn(Native::F0(getcwd))),
    (Qstr::ilistdir, Rom::Fn(Native::Var(0, 1, ilistdir))),
    (Qstr::listdir, Rom::Fn(Native::Var(0, 1, listdir))),
    (Qstr::mkdir, Rom::Fn(Native::F1(mkdir))),
    (Qstr::remove, Rom::Fn(Native::F1(remove))),
    (Qstr::rename, Rom::Fn(Native::F2(rename))),
    (Qstr::rmdir, Rom::Fn(Native::F1(rmdir))),
    (Qstr::sep, Rom::Str(Qstr::SLASH)),
    (Qstr::stat, Rom::Fn(Native::F1(stat))),
    (Qstr::statvfs, Rom::Fn(Native::F1(statvfs))),
    (Qstr::sync, Rom::Fn(Native::F0(|_vm| Ok(Value::NONE)))),
    (Qstr::unlink, Rom::Fn(Native::F1(remove))),
];

/// The iterator of `ilistdir`: type, path, next index, the name before it.
pub static LISTING: TypeDef = TypeDef {
    iter: Some(|_vm, listing| Ok(listing)),
    next: Some(next_entry),
    ..TypeDef::new(Qstr::iterator)
};

/// What only desktops have is in a module of the port's.
fn attr(vm: &mut Vm, name: Qstr, op: AttrOp) -> Res {
    match (op, vm.registry().find_module(Qstr::_environ)) {
        (AttrOp::Get, Some(module)) => vm.find_in_rom_module(module, name),
        _ => Ok(Value::UNBOUND),
    }
}

fn uname(vm: &mut Vm) -> Res {
    let identity = vm.hooks.identity;
    let fields = [Qstr::sysname, Qstr::nodename, Qstr::release, Qstr::version, Qstr::machine];
    let texts =
        [identity.platform, identity.platform, identity.os_release, identity.os_version, identity.machine];
    let mut values = [Value::NONE; 5];
    for (value, text) in values.iter_mut().zip(texts) {
        *value = vm.new_str(text)?;
        vm.root(*value)?;
    }
    vm.new_attr_tuple(&fields, &values)
}

fn urandom(vm: &mut Vm, count: Value) -> Res {
    let count = vm.int_arg(count)?;
    if count < 0 {
        return Err(vm.raise_empty(core_ids::ValueError));
    }
    let sink = vm.begin_text(Kind::Bytes, count as u32)?;
    for _ in 0..count {
        let byte = vm.port.random() as u8;
        vm.emit(sink, &[byte])?;
    }
    vm.end_text(sink)
}

/// `dupterm(stream, index=0)`: what is written goes to the stream, too, and what it has is as if it were typed; the stream before it.
fn dupterm(vm: &mut Vm, args: Args) -> Res {
    let index = match vm.opt_arg(args, 1) {
        Some(index) => vm.int_arg(index)?,
        None => 0,
    };
    if index != 0 {
        return Err(vm.raise(core_ids::ValueError, "invalid dupterm index"));
    }
    let stream = vm.arg(args, 0);
    if !stream.is_none() {
        vm.stream_arg(stream)?;
    }
    let before = vm.duplicate();
    vm.root(before)?;
    vm.set_duplicate(stream);
    Ok(before)
}

/// `dupterm_notify(_)`: the stream has something.
fn dupterm_notify(vm: &mut Vm, _caller: Value) -> Res {
    vm.listen_to_duplicate();
    Ok(Value::NONE)
}

/// What a path names; the root is a directory even where the medium says nothing about it.
fn info(vm: &mut Vm, path: &Path) -> Res<FileInfo> {
    if path.as_bytes() == b"/" {
        return Ok(FileInfo { is_dir: true, size: 0, modified_s: 0 });
    }
    let answer = file_system(vm)?.info(path.as_bytes());
    checked(vm, answer)
}

fn chdir(vm: &mut Vm, path: Value) -> Res {
    if mount::lookup(vm, path)? != Place::Own && mount::change_directory(vm, path)? {
        return Ok(Value::NONE);
    }
    let given = path;
    let path = path_arg(vm, path)?;
    if !info(vm, &path)?.is_dir {
        return Err(vm.raise_os(ENOENT));
    }
    set_working_directory(vm, &path)?;
    mount::change_directory(vm, given)?;
    Ok(Value::NONE)
}

fn getcwd(vm: &mut Vm) -> Res {
    if let Some(path) = mount::current_directory(vm)? {
        return Ok(path);
    }
    let path = working_directory(vm);
    vm.new_str(path.as_str())
}

/// The entries of a directory that is not the board's own file system's alone, as an iterator of tuples.
fn redirected_entries(vm: &mut Vm, args: Args, names_only: bool) -> Res<Option<Value>> {
    let path = vm.opt_arg(args, 0).unwrap_or(Value::qstr(Qstr::EMPTY));
    if mount::lookup(vm, path)? != Place::Root {
        let entries = redirect(vm, path, Qstr::ilistdir, &[])?;
        return match entries {
            Some(entries) if names_only => {
                vm.root(entries)?;
                let list = vm.new_list(&[])?;
                vm.root(list)?;
                add_names(vm, list, entries)?;
                Ok(Some(list))
            }
            entries => Ok(entries),
        };
    }
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.as_cell().expect("a list");
    mount::add_mount_points(vm, cell, names_only)?;
    let rest = match mount::other_at_root(vm) {
        Some(other) => vm.call_method(other, Qstr::ilistdir, &[Value::qstr(Qstr::SLASH)])?,
        None if mount::is_own_at_root(vm) => own_entries(vm, &Path::ROOT)?,
        None => Value::NONE,
    };
    vm.root(rest)?;
    match rest {
        Value::NONE => {}
        rest if names_only => add_names(vm, list, rest)?,
        rest => vm.list_extend(cell, rest)?,
    }
    if names_only { Ok(Some(list)) } else { vm.iter(list).map(Some) }
}

/// Appends the names of entries to a list; the caller keeps both alive.
fn add_names(vm: &mut Vm, list: Value, entries: Value) -> Res<()> {
    let cell = list.as_cell().expect("a list");
    let iterator = vm.iter(entries)?;
    vm.root(iterator)?;
    loop {
        let scope = vm.scope();
        let entry = vm.next(iterator)?;
        if entry.is_unbound() {
            return Ok(());
        }
        vm.root(entry)?;
        let name = vm.item(entry, Value::small(0), ItemOp::Get)?;
        vm.root(name)?;
        vm.list_append(cell, name)?;
        vm.release(scope);
    }
}

fn directory_arg(vm: &mut Vm, args: Args) -> Res<Path> {
    match vm.opt_arg(args, 0) {
        Some(path) => path_arg(vm, path),
        None => Ok(working_directory(vm)),
    }
}

/// Entry `index` of a directory: its name as a string, and what it is.
fn entry(vm: &mut Vm, path: &Path, index: u32) -> Res<Option<(Value, FileInfo)>> {
    let mut name = [0; 255];
    let answer = file_system(vm)?.entry(path.as_bytes(), index, &mut name);
    let Some((len, info)) = checked(vm, answer)? else { return Ok(None) };
    let text = match core::str::from_utf8(&name[..len]) {
        Ok(text) => vm.new_str(text)?,
        Err(_) => vm.new_bytes(&name[..len])?,
    };
    Ok(Some((text, info)))
}

fn listdir(vm: &mut Vm, args: Args) -> Res {
    if let Some(list) = redirected_entries(vm, args, true)? {
        return Ok(list);
    }
    let path = directory_arg(vm, args)?;
    let list = vm.new_list(&[])?;
    vm.root(list)?;
    let cell = list.expect_cell("a list");
    let mut index = 0;
    while let Some((name, _)) = entry(vm, &path, index)? {
        let scope = vm.root(name)?;
        vm.list_append(cell, name)?;
        vm.release(scope);
        index += 1;
    }
    Ok(list)
}

fn ilistdir(vm: &mut Vm, args: Args) -> Res {
    if let Some(entries) = redirected_entries(vm, args, false)? {
        return Ok(entries);
    }
    let path = directory_arg(vm, args)?;
    own_entries(vm, &path)
}

fn own_entries(vm: &mut Vm, path: &Path) -> Res {
    // A missing directory is noticed now, not at the first item.
    entry(vm, path, 0)?;
    let text = vm.new_str(path.as_str())?;
    vm.alloc_values(Kind::Iterator, &[ids::LISTING.value(), text, Value::small(0), Value::NONE])
}

fn next_entry(vm: &mut Vm, listing: Value) -> Res {
    let at = listing.expect_cell("an iterator is a cell");
    let (text, index) = (vm.heap.value(at, 1), vm.heap.value(at, 2).small_unchecked());
    let path = path_arg(vm, text)?;
    let index = if is_gone(vm, &path, index, vm.heap.value(at, 3))? { index - 1 } else { index };
    let Some((name, info)) = entry(vm, &path, index as u32)? else { return Ok(Value::UNBOUND) };
    vm.heap.set_value(at, 2, Value::small(index + 1));
    vm.heap.set_value(at, 3, name);
    let kind = Value::small(if info.is_dir { S_IFDIR } else { S_IFREG });
    vm.root(name)?;
    vm.new_tuple(&[name, kind, Value::small(0), Value::small(info.size as i32)])
}

/// Whether the entry before `index` is not `name` any more: a program that removes what it is shown.
fn is_gone(vm: &mut Vm, path: &Path, index: i32, name: Value) -> Res<bool> {
    if index == 0 {
        return Ok(false);
    }
    let Some((before, _)) = entry(vm, path, index as u32 - 1)? else { return Ok(true) };
    let text = |value| vm.str_span(value).or_else(|| vm.bytes_span(value)).map(|span| vm.bytes_at(span));
    Ok(text(before) != text(name))
}

fn mkdir(vm: &mut Vm, path: Value) -> Res {
    match mount::lookup(vm, path)? {
        Place::Root => return Err(vm.raise_os(EEXIST)),
        Place::Other(_, inner) if inner == Value::qstr(Qstr::SLASH) => return Err(vm.raise_os(EEXIST)),
        _ => {}
    }
    if let Some(done) = redirect(vm, path, Qstr::mkdir, &[])? {
        return Ok(done);
    }
    let path = path_arg(vm, path)?;
    let answer = file_system(vm)?.make_dir(path.as_bytes());
    checked(vm, answer)?;
    Ok(Value::NONE)
}

fn remove(vm: &mut Vm, path: Value) -> Res {
    if let Some(done) = redirect(vm, path, Qstr::remove, &[])? {
        return Ok(done);
    }
    let path = path_arg(vm, path)?;
    if info(vm, &path)?.is_dir {
        return Err(vm.raise_os(EISDIR));
    }
    let answer = file_system(vm)?.remove(path.as_bytes());
    checked(vm, answer)?;
    Ok(Value::NONE)
}

fn rmdir(vm: &mut Vm, path: Value) -> Res {
    if let Some(done) = redirect(vm, path, Qstr::rmdir, &[])? {
        return Ok(done);
    }
    let path = path_arg(vm, path)?;
    if !info(vm, &path)?.is_dir {
        return Err(vm.raise_os(ENOTDIR));
    }
    let answer = file_system(vm)?.remove(path.as_bytes());
    checked(vm, answer)?;
    Ok(Value::NONE)
}

fn rename(vm: &mut Vm, from: Value, to: Value) -> Res {
    let whose = |place| match place {
        Place::Other(file_system, _) => file_system,
        Place::Own => Value::TRUE,
        Place::Root => Value::FALSE,
        Place::Nowhere => Value::NONE,
    };
    let (old, new) = (mount::lookup(vm, from)?, mount::lookup(vm, to)?);
    if whose(old) != whose(new) {
        return Err(vm.raise_os(EPERM));
    }
    if let Place::Other(_, inner) = new {
        vm.root(inner)?;
        return redirect(vm, from, Qstr::rename, &[inner]).map(|_| Value::NONE);
    }
    if old != Place::Own {
        return Err(vm.raise_os(EPERM));
    }
    let (from, to) = (path_arg(vm, from)?, path_arg(vm, to)?);
    let answer = file_system(vm)?.rename(from.as_bytes(), to.as_bytes());
    checked(vm, answer)?;
    Ok(Value::NONE)
}

fn stat(vm: &mut Vm, path: Value) -> Res {
    let path = match mount::lookup(vm, path)? {
        Place::Root => Path::ROOT,
        _ => match redirect(vm, path, Qstr::stat, &[])? {
            Some(answer) => return Ok(answer),
            None => path_arg(vm, path)?,
        },
    };
    let info = info(vm, &path)?;
    let mode = Value::small(if info.is_dir { S_IFDIR } else { S_IFREG });
    let modified = vm.new_int_i64(info.modified_s.saturating_sub(vm.hooks.identity.epoch_s) as i64)?;
    let zero = Value::small(0);
    let size = Value::small(info.size as i32);
    vm.root(modified)?;
    vm.new_tuple(&[mode, zero, zero, zero, zero, zero, size, modified, modified, modified])
}

fn statvfs(vm: &mut Vm, path: Value) -> Res {
    if mount::lookup(vm, path)? == Place::Root {
        if let Some(other) = mount::other_at_root(vm) {
            return vm.call_method(other, Qstr::statvfs, &[Value::qstr(Qstr::SLASH)]);
        }
        if !mount::is_own_at_root(vm) {
            let mut fields = [Value::small(0); 10];
            fields[9] = Value::small(crate::path::PATH_MAX as i32);
            return vm.new_tuple(&fields);
        }
    } else if let Some(answer) = redirect(vm, path, Qstr::statvfs, &[])? {
        return Ok(answer);
    }
    path_arg(vm, path)?;
    let answer = file_system(vm)?.usage();
    let usage = checked(vm, answer)?;
    let small = |value: u32| Value::small(value as i32);
    let zero = Value::small(0);
    let (size, blocks, free) = (small(usage.block_size), small(usage.blocks), small(usage.free_blocks));
    vm.new_tuple(&[size, size, blocks, free, free, zero, zero, zero, zero, small(usage.name_max)])
}
