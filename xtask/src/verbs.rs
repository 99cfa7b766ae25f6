//! One module per verb.

#[cfg(unix)]
pub(crate) mod bench;
pub(crate) mod boards;
pub(crate) mod build;
pub(crate) mod ci;
pub(crate) mod conformance;
#[cfg(unix)]
pub(crate) mod emulate;
pub(crate) mod flash;
pub(crate) mod hil;
pub(crate) mod image;
pub(crate) mod nightly;
#[cfg(not(unix))]
pub(crate) mod only_unix;
#[cfg(unix)]
pub(crate) mod repl;
pub(crate) mod replay;
pub(crate) mod report;
#[cfg(unix)]
pub(crate) mod serve;
pub(crate) mod soak;
pub(crate) mod test;

#[cfg(not(unix))]
pub(crate) use self::{only_unix as bench, only_unix as emulate, only_unix as repl, only_unix as serve};
