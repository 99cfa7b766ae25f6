//! `iterator`, `enumerate`, `filter`, `map`, `reversed`, `zip`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `iterator`
pub static ITERATOR: TypeDef = TypeDef::new(Qstr::iterator);
/// `enumerate`
pub static ENUMERATE: TypeDef = TypeDef::new(Qstr::enumerate);
/// `filter`
pub static FILTER: TypeDef = TypeDef::new(Qstr::filter);
/// `map`
pub static MAP: TypeDef = TypeDef::new(Qstr::map);
/// `reversed`
pub static REVERSED: TypeDef = TypeDef::new(Qstr::reversed);
/// `zip`
pub static ZIP: TypeDef = TypeDef::new(Qstr::zip);
