//! `cargo xtask`: builds, flashes and tests Larch.
//!
//! This file is the list of verbs; each verb is a module of [`verbs`] and holds no logic that a library should own.
#![forbid(unsafe_code)]

#[cfg(unix)]
mod clients;
mod progress;
mod ready;
mod toolchain;
mod venv;
mod verbs;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, flashes and tests Larch.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask hil                          build, flash the emulated board, type every scenario, compare
  cargo xtask hil --scenario 'os/*'        only some scenarios
  cargo xtask test                         every test that runs on this machine
  cargo xtask repl                         talk to the emulated board
  cargo xtask flash --board c3-devkit      flash a board of boards.yaml";

#[derive(Subcommand)]
enum Verb {
    /// Build the firmware of a board
    Build(verbs::build::Arguments),
    /// Make the flash image of a board: bootloader, partition table, application
    Image(verbs::image::Arguments),
    /// Flash a board over its serial port or through its debug probe
    Flash(verbs::flash::Arguments),
    /// Run the REPL scenarios on boards and compare with the snapshots
    Hil(verbs::hil::Arguments),
    /// Run MicroPython's own tests on the desktop program or a board
    Conformance(verbs::conformance::Arguments),
    /// Talk to a board's REPL
    Repl(verbs::repl::Arguments),
    /// Run an emulated board for other tools
    Emulate(verbs::emulate::Arguments),
    /// Share a board of this machine with others, by RFC 2217
    Serve(verbs::serve::Arguments),
    /// Run harness and loader again on recorded serial sessions
    Replay(verbs::replay::Arguments),
    /// Run every board of this machine, with a report, as each night
    Nightly(verbs::nightly::Arguments),
    /// Make the page of a report again, or one report of several
    Report(verbs::report::Arguments),
    /// List, find and examine boards
    Boards(verbs::boards::Arguments),
    /// Run the tests of this machine
    Test(verbs::test::Arguments),
    /// Run what continuous integration runs
    Ci(verbs::ci::Arguments),
    /// Measure
    Bench(verbs::bench::Arguments),
    /// Run something many times with random faults, and count
    Soak(verbs::soak::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Build(arguments) => verbs::build::run(&arguments),
        Verb::Image(arguments) => verbs::image::run(&arguments),
        Verb::Flash(arguments) => verbs::flash::run(&arguments),
        Verb::Hil(arguments) => verbs::hil::run(&arguments),
        Verb::Conformance(arguments) => verbs::conformance::run(&arguments),
        Verb::Repl(arguments) => verbs::repl::run(&arguments),
        Verb::Emulate(arguments) => verbs::emulate::run(&arguments),
        Verb::Serve(arguments) => verbs::serve::run(&arguments),
        Verb::Replay(arguments) => verbs::replay::run(&arguments),
        Verb::Nightly(arguments) => verbs::nightly::run(&arguments),
        Verb::Report(arguments) => verbs::report::run(&arguments),
        Verb::Boards(arguments) => verbs::boards::run(&arguments),
        Verb::Test(arguments) => verbs::test::run(&arguments),
        Verb::Ci(arguments) => verbs::ci::run(&arguments),
        Verb::Bench(arguments) => verbs::bench::run(&arguments),
        Verb::Soak(arguments) => verbs::soak::run(&arguments),
    };
    hil_tests::target::labgrid::release_all();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
