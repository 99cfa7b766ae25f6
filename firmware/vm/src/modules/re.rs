//! `re`

use larch_bytecode::qstr::Qstr;

use crate::native::{Entry, ModuleDef, Rom, TypeDef};

/// The module.
pub static RE: ModuleDef = ModuleDef { name: Qstr::re, entries: ENTRIES, attr: None };

static ENTRIES: &[Entry] = &[(Qstr::__name__, Rom::Str(Qstr::re))];

/// A compiled pattern.
pub static PATTERN: TypeDef = TypeDef::new(Qstr::re);
/// A match.
pub static MATCH: TypeDef = TypeDef::new(Qstr::match_);
