//! Tagged values, the arena they point into, and the collector that cleans it.
//!
//! Everything a Python program makes lives in one [`Heap`]: a span of memory given by the port, made of cells that
//! start with a one-word [`Header`]. Cells never move. The machine's register stack and a few named roots are part of
//! the heap, so a collection needs nobody's help: what they reach lives, everything else is free.
//!
//! Invariants:
//! - A [`Ref`] always lies inside the arena and is 8-byte aligned; reading up to [`MAX_FIXED_WORDS`] words behind it
//!   stays inside memory the heap owns. A stale one therefore reads a wrong object, never foreign memory.
//! - Every slot of the stack below its top holds a value that is alive.
//! - A cell's size follows from its header alone.
//!
//! This crate contains `unsafe` (raw memory); its users contain none.
#![no_std]
#![warn(unsafe_code)]

mod arena;
mod cell;
mod collect;
mod stack;
mod value;
mod weak;

pub use arena::{Heap, MAX_FIXED_WORDS, Region, Root, Statistics};
pub use cell::{Header, Kind, Layout};
pub use stack::{Frame, FrameKind, Window};
pub use value::{Immediate, Ref, Value};
pub use weak::WEAK_WORDS;
