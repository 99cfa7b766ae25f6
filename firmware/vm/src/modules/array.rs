//! `array`: the type of [`crate::types::bytearray`].

use larch_bytecode::qstr::Qstr;

use crate::native::{ModuleDef, Rom};
use crate::types::ids;

/// The module.
pub static ARRAY: ModuleDef = ModuleDef {
    name: Qstr::array,
    entries: &[(Qstr::__name__, Rom::Str(Qstr::array)), (Qstr::array, Rom::Type(ids::array))],
    attr: None,
};
