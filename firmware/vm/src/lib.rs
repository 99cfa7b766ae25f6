//! The virtual machine: it executes bytecode, calls, raises, and owns the built-in types and core modules.
//!
//! Data flows one way: code objects come in (made by a compiler this crate does not know, through [`Hooks::compile`]),
//! values live in the [`larch_heap::Heap`], text goes out through [`Hooks::write`].
//!
//! Where to look: [`native`] (how built-in things are declared), [`vm`] (what built-in code uses), `dispatch` (the
//! instruction loop), `call` (arguments and frames), `attr` (attributes and classes), `protocol` (operators, iteration,
//! items, by type), [`table`] (dict and set storage), [`types`], [`modules`].
#![no_std]
#![forbid(unsafe_code)]

mod attr;
mod attr_cache;
mod bigint;
mod call;
mod class;
mod code;
mod dispatch;
mod generator;
mod import;
mod protocol;
mod sequence;
mod sort;
mod typed;

pub mod modules;
pub mod native;
pub mod print;
pub mod table;
mod terminal;
pub mod text;
pub mod types;
pub mod unicode;
pub mod vm;

pub use native::{Args, Entry, ModuleDef, ModuleId, Native, Raised, Registry, Res, Rom, TypeDef, TypeId};
pub use print::{PrintKind, Sink};
pub use vm::{CompileMode, Hooks, Identity, Part, Vm};
