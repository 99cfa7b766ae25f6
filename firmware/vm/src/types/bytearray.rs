//! `bytearray`, `array`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `bytearray`
pub static BYTEARRAY: TypeDef = TypeDef::new(Qstr::bytearray);
/// `array`
pub static ARRAY: TypeDef = TypeDef::new(Qstr::array);
