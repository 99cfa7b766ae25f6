//! `list`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `list`
pub static LIST: TypeDef = TypeDef::new(Qstr::list);
