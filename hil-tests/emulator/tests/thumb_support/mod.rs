//! Programs of random instructions, and a machine that executes them.

pub mod machine;
pub mod program;
pub mod templates;
