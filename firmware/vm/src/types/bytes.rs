//! `bytes`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `bytes`
pub static BYTES: TypeDef = TypeDef::new(Qstr::bytes);
