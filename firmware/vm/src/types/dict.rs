//! `dict`, `dict_view`, `OrderedDict`.

use larch_bytecode::qstr::Qstr;

use crate::native::TypeDef;

/// `dict`
pub static DICT: TypeDef = TypeDef::new(Qstr::dict);
/// `dict_view`
pub static DICT_VIEW: TypeDef = TypeDef::new(Qstr::dict_view);
/// `OrderedDict`
pub static ORDERED_DICT: TypeDef = TypeDef::new(Qstr::OrderedDict);
