//! `io`: StringIO, BytesIO, IOBase.

use larch_bytecode::qstr::Qstr;

use crate::native::{Entry, ModuleDef, Rom, TypeDef};
use crate::types::ids;

/// The module.
pub static IO: ModuleDef = ModuleDef { name: Qstr::io, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] =
    &[(Qstr::__name__, Rom::Str(Qstr::io)), (Qstr::StringIO, Rom::Type(ids::StringIO))];

/// `StringIO`
pub static STRING_IO: TypeDef = TypeDef::new(Qstr::StringIO);
/// `BytesIO`
pub static BYTES_IO: TypeDef = TypeDef::new(Qstr::BytesIO);
/// `IOBase`
pub static IO_BASE: TypeDef = TypeDef::new(Qstr::IOBase);
