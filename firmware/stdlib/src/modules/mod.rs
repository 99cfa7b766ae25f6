//! The library's modules.

pub mod machine;
pub mod os;
pub mod signal;
pub mod time;
pub mod vfs;
