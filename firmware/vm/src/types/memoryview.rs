//! `memoryview`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `memoryview`
pub static MEMORYVIEW: TypeDef = TypeDef::new(Qstr::memoryview);
