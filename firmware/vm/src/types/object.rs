//! `object`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `object`
pub static OBJECT: TypeDef = TypeDef::new(Qstr::object);
