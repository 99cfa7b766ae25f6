//! `type`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `type`
pub static TYPE: TypeDef = TypeDef::new(Qstr::type_);
