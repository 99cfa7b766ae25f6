//! `collections`: `deque`, `namedtuple`, `OrderedDict`.

use larch_bytecode::qstr::Qstr;

use crate::native::{ModuleDef, Native, Rom};
use crate::types::ids;
use crate::vm::Vm;

/// The module.
pub static COLLECTIONS: ModuleDef = ModuleDef {
    name: Qstr::collections,
    entries: &[
        (Qstr::__name__, Rom::Str(Qstr::collections)),
        (Qstr::deque, Rom::Type(ids::deque)),
        (Qstr::namedtuple, Rom::Fn(Native::F2(Vm::new_namedtuple))),
        (Qstr::OrderedDict, Rom::Type(ids::OrderedDict)),
    ],
    attr: None,
};
