//! `module`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `module`
pub static MODULE: TypeDef = TypeDef::new(Qstr::module);
