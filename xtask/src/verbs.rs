//! One module per verb.

pub(crate) mod bench;
pub(crate) mod boards;
pub(crate) mod build;
pub(crate) mod ci;
pub(crate) mod conformance;
pub(crate) mod emulate;
pub(crate) mod flash;
pub(crate) mod hil;
pub(crate) mod image;
pub(crate) mod nightly;
pub(crate) mod repl;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod serve;
pub(crate) mod soak;
pub(crate) mod test;
