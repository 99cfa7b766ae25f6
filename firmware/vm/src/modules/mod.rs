//! The core's modules.

pub mod builtins;
pub mod errno;
pub mod gc;
pub mod hashlib;
pub mod io;
pub mod heapq;
pub(crate) mod iteration;
pub mod micropython;
pub(crate) mod objects;
pub mod re;
pub mod sys;

use crate::native::ModuleDef;

/// The definitions of the core's modules, by number.
pub static MODULES: &[&ModuleDef] =
    &[&builtins::BUILTINS, &sys::SYS, &gc::GC, &micropython::MICROPYTHON, &errno::ERRNO, &heapq::HEAPQ];

/// The number of `builtins`.
pub(crate) const BUILTINS_ID: crate::native::ModuleId = crate::native::ModuleId(0);
