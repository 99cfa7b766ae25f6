//! `str`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `str`
pub static STR: TypeDef = TypeDef::new(Qstr::str);
