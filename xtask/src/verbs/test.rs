//! `cargo xtask test`: every test that runs on this machine.

use anyhow::{Context, Result};
use clap::Args;
use hil_tests::lab::Lab;
use xshell::{Shell, cmd};

use crate::workspace;

/// Run the tests of this machine: unit tests, and every (board, scenario) pair of the emulated board and of real
/// MicroPython (`cargo test`).
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask test                       all host tests
  cargo xtask test --clients             esptool and mpremote use the emulated board
  cargo xtask test --stress              the language suite with a collection at every allocation
  cargo xtask test --miri                the heap and the bytecode under Miri, which sees undefined behaviour
  cargo xtask test --elsewhere           boards of other machines: serve, ser2net, labgrid
  cargo test -p hil-tests errors         some pairs; cargo-nextest works too")]
pub(crate) struct Arguments {
    /// Instead: esptool and mpremote, installed from PyPI, use the emulated board over RFC 2217 and a PTY
    #[arg(long)]
    clients: bool,
    /// Instead: boards of other machines by our own server, ser2net and labgrid, all on loopback
    #[arg(long, conflicts_with = "clients")]
    elsewhere: bool,
    /// Instead: the language suite and the fuzzers' fixed sample with a garbage collection at every allocation
    #[arg(long, conflicts_with_all = ["clients", "elsewhere"])]
    stress: bool,
    /// Instead: the tests of the crates whose unsafe code all others stand on, interpreted by Miri (needs nightly Rust)
    #[arg(long, conflicts_with_all = ["clients", "elsewhere", "stress"])]
    miri: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    if arguments.clients || arguments.elsewhere {
        return with_clients(&lab, arguments);
    }
    let shell = Shell::new()?;
    shell.change_dir(&lab.root);
    let target = &lab.target;
    if arguments.stress {
        return cmd!(
            shell,
            "cargo test --locked -p larch -p larch-fuzz --features gc-stress --test lang --test seeds"
        )
        .env("CARGO_TARGET_DIR", target)
        .run()
        .context("an object was freed too early; run one test again with `--features gc-stress`");
    }
    if arguments.miri {
        // Isolated, property tests could not tell where they keep what failed. The heap of a test is memory that it leaks.
        return cmd!(shell, "cargo +nightly miri test --locked -p larch-heap -p larch-bytecode")
            .env("CARGO_TARGET_DIR", target.join("miri"))
            .env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-ignore-leaks")
            .run()
            .context(
                "Miri stopped; if it is missing: rustup toolchain install nightly --component miri,rust-src",
            );
    }
    crate::ready::install_programs(&lab, lab.boards.iter());
    // Its tests are among those of the harness.
    crate::ready::probe::program(&lab)?;
    // Not among the default members: only who uses a probe builds the probe-rs library.
    for packages in [&[][..], &["-p", "larch-probe"]] {
        // One run tells everything that is wrong.
        cmd!(shell, "cargo test --locked --no-fail-fast {packages...}")
            .env("CARGO_TARGET_DIR", target)
            .run()
            .context("some tests failed; run one again with `cargo test -p PACKAGE NAME`")?;
    }
    Ok(())
}

#[cfg(unix)]
fn with_clients(lab: &Lab, arguments: &Arguments) -> Result<()> {
    use crate::clients;
    if arguments.clients { clients::run(lab) } else { clients::elsewhere::run(lab) }
}

#[cfg(not(unix))]
fn with_clients(_: &Lab, _: &Arguments) -> Result<()> {
    anyhow::bail!(
        "other people's tools need a pseudo-terminal: use Linux, macOS or the Windows Subsystem for Linux"
    )
}
