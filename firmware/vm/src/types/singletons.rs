//! `NoneType`, `bool`, `ellipsis`, `not_implemented`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `NoneType`
pub static NONE_TYPE: TypeDef = TypeDef::new(Qstr::NoneType);
/// `bool`
pub static BOOL: TypeDef = TypeDef::new(Qstr::bool);
/// `ellipsis`
pub static ELLIPSIS: TypeDef = TypeDef::new(Qstr::Ellipsis);
/// `not_implemented`
pub static NOT_IMPLEMENTED: TypeDef = TypeDef::new(Qstr::NotImplemented);
