//! `property`, `staticmethod`, `classmethod`, `super`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `property`
pub static PROPERTY: TypeDef = TypeDef::new(Qstr::property);
/// `staticmethod`
pub static STATICMETHOD: TypeDef = TypeDef::new(Qstr::staticmethod);
/// `classmethod`
pub static CLASSMETHOD: TypeDef = TypeDef::new(Qstr::classmethod);
/// `super`
pub static SUPER: TypeDef = TypeDef::new(Qstr::super_);
