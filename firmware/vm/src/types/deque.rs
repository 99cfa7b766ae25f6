//! `deque`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `deque`
pub static DEQUE: TypeDef = TypeDef::new(Qstr::deque);
