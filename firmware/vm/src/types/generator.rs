//! `generator`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `generator`
pub static GENERATOR: TypeDef = TypeDef::new(Qstr::generator);
