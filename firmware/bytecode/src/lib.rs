//! The instruction set of Larch: one table of opcodes, and everything that is generated from it or that must agree
//! with it. See [`op`] for the instructions, [`code`] for what a compiled function consists of, [`qstr`] for interned
//! names.
//!
//! Invariants: an instruction is one little-endian 32-bit word with its opcode in the low byte; a code object that
//! passed [`verify`] can be executed without bounds checks.
#![no_std]
#![forbid(unsafe_code)]

pub mod code;
pub mod disasm;
pub mod op;
pub mod operand;
pub mod qstr;
pub mod typed;
pub mod verify;

pub use verify::verify;
