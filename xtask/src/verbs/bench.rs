//! `cargo xtask bench`: measurements.

mod emulator;
mod farm;
mod harness;
mod loader;
mod net;
mod probe;
mod vm;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::workspace;

/// Measure.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench emulator    speed of the emulated board from power-on to prompt
  cargo xtask bench harness     what a statement costs the harness
  cargo xtask bench farm        200 emulated boards over 8 shards, one report of them all
  cargo xtask bench loader      writing and reading flash, against esptool and espflash
  cargo xtask bench net         20 MB each way, 3000 connections, 300 times to the access point and away
  cargo xtask bench probe       256 KB through the emulated debug probe
  cargo xtask bench vm          the interpreter in executed instructions, against MicroPython")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Host instructions per instruction of the emulated chip (callgrind), and MIPS, from power-on to prompt
    Emulator,
    /// Processor time of the harness for a statement at the prompt, the board's share taken out
    Harness,
    /// Many emulated boards over several shards: time, and that nothing is lost or mixed up
    Farm(farm::Arguments),
    /// Writing and reading flash in simulated time, against esptool and espflash
    Loader(loader::Arguments),
    /// Throughput of the emulated board's network, and what thousands of connections leave behind
    Net(net::Arguments),
    /// Flashing through the emulated debug probe
    Probe,
    /// Executed instructions and memory of the interpreter on QEMU and here, against MicroPython
    Vm(vm::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    match &arguments.what {
        What::Emulator => emulator::run(&lab),
        What::Harness => harness::run(&lab),
        What::Farm(farm) => farm::run(&lab, farm),
        What::Loader(arguments) => loader::run(&lab, arguments),
        What::Net(arguments) => net::run(&lab, arguments),
        What::Probe => probe::run(&lab),
        What::Vm(arguments) => vm::run(&lab, arguments),
    }
}
