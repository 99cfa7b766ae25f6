//! `function`, `builtin_function`, `bound_method`, `code`, `cell`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `function`
pub static FUNCTION: TypeDef = TypeDef::new(Qstr::function);
/// `builtin_function`
pub static BUILTIN_FUNCTION: TypeDef = TypeDef::new(Qstr::function);
/// `bound_method`
pub static BOUND_METHOD: TypeDef = TypeDef::new(Qstr::bound_method);
/// `code`
pub static CODE: TypeDef = TypeDef::new(Qstr::code);
/// `cell`
pub static CELL: TypeDef = TypeDef::new(Qstr::cell);
