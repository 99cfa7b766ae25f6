//! What the machine must have: the Rust target of a chip.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// Adds a Rust target with rustup if it is missing, and says so.
pub(crate) fn ensure_target(shell: &Shell, target: &str) -> Result<()> {
    let installed = || -> Result<bool> {
        let directory =
            cmd!(shell, "rustc --print target-libdir --target {target}").quiet().ignore_stderr().read();
        Ok(directory.is_ok_and(|directory| Path::new(&directory).is_dir()))
    };
    if installed()? {
        return Ok(());
    }
    eprint!("   target {target} is missing, adding it with rustup ... ");
    let added = cmd!(shell, "rustup target add {target}").quiet().ignore_stdout().ignore_stderr().run();
    if let Err(error) = added {
        eprintln!("failed");
        bail!(
            "the Rust target {target} is missing and could not be added ({error}).\n       \
             Try it by hand: rustup target add {target}. Without rustup: install the rust-std component of that target"
        );
    }
    eprintln!("done");
    if !installed().context("looking for the target again")? {
        bail!(
            "rustup says that it added {target}, but this rustc does not find it; is another rustc first in PATH?"
        );
    }
    Ok(())
}
