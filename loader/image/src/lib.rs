//! ESP images, partition tables and ELF files.
//!
//! Everything here works on bytes in memory and survives any input: a file that is not what it should be is an error
//! that says what is wrong with it.
#![forbid(unsafe_code)]

pub mod build;
pub mod crash;
pub mod descriptor;
pub mod elf;
mod error;
pub mod header;
pub mod ihex;
pub mod image;
pub mod layout;
pub mod merge;
pub mod packages;
pub mod partition;
mod reader;
pub mod stub;
pub mod symbols;
pub mod uf2;

pub use error::ImageError;
pub use image::{Image, Segment};
