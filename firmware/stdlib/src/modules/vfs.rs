//! `vfs`: what is mounted. The board's file system is mounted at the root from the start.

use larch_bytecode::qstr::Qstr;

use larch_vm::native::{Entry, ModuleDef, Native, Rom};

use crate::mount::{mount, umount};

/// The module.
pub static VFS: ModuleDef = ModuleDef { name: Qstr::vfs, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[
    (Qstr::__name__, Rom::Str(Qstr::vfs)),
    (Qstr::mount, Rom::Fn(Native::Kw(0, 2, mount))),
    (Qstr::umount, Rom::Fn(Native::F1(umount))),
];
