//! `float`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `float`
pub static FLOAT: TypeDef = TypeDef::new(Qstr::float);
