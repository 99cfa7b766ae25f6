//! `hashlib`

use larch_bytecode::qstr::Qstr;

use crate::native::{Entry, ModuleDef, Rom, TypeDef};

/// The module.
pub static HASHLIB: ModuleDef = ModuleDef { name: Qstr::hashlib, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[(Qstr::__name__, Rom::Str(Qstr::hashlib))];

/// `sha256`
pub static SHA256: TypeDef = TypeDef::new(Qstr::sha256);
/// `sha1`
pub static SHA1: TypeDef = TypeDef::new(Qstr::sha1);
/// `md5`
pub static MD5: TypeDef = TypeDef::new(Qstr::md5);
