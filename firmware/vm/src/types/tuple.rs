//! `tuple`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `tuple`
pub static TUPLE: TypeDef = TypeDef::new(Qstr::tuple);
