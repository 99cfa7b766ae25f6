//! `range`, `slice`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `range`
pub static RANGE: TypeDef = TypeDef::new(Qstr::range);
/// `slice`
pub static SLICE: TypeDef = TypeDef::new(Qstr::slice);
