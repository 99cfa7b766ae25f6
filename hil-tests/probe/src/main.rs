//! `larch-probe`: flashes a board through a debug probe, and is its terminal over RTT.
//!
//! The probe-rs library is large, so it is a program of its own that `cargo xtask` builds when a board needs it; and a probe that
//! vanishes can hang or end the library, which then ends this process and nothing else. Standard output is events, a JSON
//! object a line ([`event::Event`]); the last one is `done` or `failed`, and the exit code says the same.
#![forbid(unsafe_code)]

mod chip;
mod choose;
mod connect;
mod console;
mod event;
mod explain;
mod flash;
mod list;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use event::Event;

/// Flash a board through a debug probe, and talk to it.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the probes that are plugged in
    List,
    /// Connect to a chip, and say what is the matter if it could not be flashed
    Check(Connection),
    /// Write a program to a chip's flash, verify it, and start it
    Flash(FlashArguments),
    /// Talk to a chip's program over RTT: a JSON object a line, both ways
    Console(ConsoleArguments),
}

/// How to reach a chip.
#[derive(clap::Args)]
struct Connection {
    /// The chip, as probe-rs names it
    #[arg(long)]
    chip: String,
    /// Which probe: VID:PID or VID:PID:SERIAL [default: the only one]
    #[arg(long)]
    probe: Option<String>,
    /// Speed of the debug wires in kHz [default: probe-rs's]
    #[arg(long)]
    speed: Option<u32>,
    /// Hold the chip in reset while connecting: for programs that turn the debug port off
    #[arg(long)]
    connect_under_reset: bool,
}

/// What to flash, and how.
#[derive(clap::Args)]
struct FlashArguments {
    #[command(flatten)]
    connection: Connection,
    /// Erase the whole flash, not only the sectors that are written
    #[arg(long)]
    chip_erase: bool,
    /// An ELF file
    file: PathBuf,
}

/// Whom to talk to.
#[derive(clap::Args)]
struct ConsoleArguments {
    #[command(flatten)]
    connection: Connection,
    /// The program's ELF file, which says where its control block is [default: search all RAM]
    #[arg(long)]
    elf: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::List => {
            list::run();
            Ok(())
        }
        Command::Check(connection) => connect::check(&connection),
        Command::Flash(arguments) => flash::run(&arguments),
        Command::Console(arguments) => console::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            event::tell(&Event::Failed { message: problem.message });
            ExitCode::FAILURE
        }
    }
}
