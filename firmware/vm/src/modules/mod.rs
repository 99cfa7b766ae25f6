//! The core's modules.

pub mod builtins;

use crate::native::ModuleDef;

/// The definitions of the core's modules, by number.
pub static MODULES: &[&ModuleDef] = &[&builtins::BUILTINS];
