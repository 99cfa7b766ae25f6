//! `set`, `frozenset`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `set`
pub static SET: TypeDef = TypeDef::new(Qstr::set);
/// `frozenset`
pub static FROZENSET: TypeDef = TypeDef::new(Qstr::frozenset);
