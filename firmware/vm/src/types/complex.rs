//! `complex`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `complex`
pub static COMPLEX: TypeDef = TypeDef::new(Qstr::complex);
