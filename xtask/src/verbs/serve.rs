//! `cargo xtask serve`: shares a board of this machine with others; thin over [`hil_tests::share`].

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clap::Args;
use hil_tests::share::{News, share};
use hil_tests::target::serial;
use larch_boards::Port;
use larch_emulator::serve::Endpoint;

use crate::{ready, workspace};

/// Speed of every REPL.
const REPL_BAUD: u32 = 115_200;

/// Share a board of this machine by RFC 2217, control lines included. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask serve c3-devkit                on rfc2217://127.0.0.1:4000
  ssh -N -L 4000:127.0.0.1:4000 lab-pi       on another machine: its boards.yaml says port: rfc2217://127.0.0.1:4000
  cargo xtask serve c3-devkit --port 4001    another port; 0 takes a free one")]
pub(crate) struct Arguments {
    /// Board of boards.yaml [default: its default]
    board: Option<String>,
    /// TCP port
    #[arg(long, value_name = "PORT", default_value_t = 4000)]
    port: u16,
    /// Listen at this address instead of loopback: everyone who can reach it holds the board, there is no password
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<IpAddr>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let lab = workspace::lab()?;
    let board = workspace::board(&lab, arguments.board.as_deref())?;
    let name = &board.name;
    if board.port == Port::Emulator {
        bail!(
            "board {name} is emulated: `cargo xtask emulate {name} --rfc2217 {}` shares it",
            arguments.port
        );
    }
    if !ready::is_attached(&board) {
        bail!("board {name} has no serial port: it is {}", board.port);
    }
    let address = arguments.listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut open = || {
        let port = serial::port_name(&board.port)?;
        larch_loader::ports::open(&port, REPL_BAUD).map_err(std::io::Error::other)
    };
    let mut endpoint = Endpoint::rfc2217_at((address, arguments.port).into())?;
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::Relaxed)).context("cannot catch Ctrl-C")?;
    println!("   board {name} on {}; Ctrl-C ends it", board.port);
    println!("   serving on {}", endpoint.address());
    advise(address, arguments.port);
    let mut news = |news: &News| match news {
        News::Lost(why) => eprintln!("   {} went away: {why}; waiting for it", board.port),
        News::Back => eprintln!("   {} is back", board.port),
        News::Refused(what) => eprintln!("   the port refuses {what}"),
    };
    share(&mut open, &mut endpoint, &stop, &mut news).with_context(|| format!("board {name}"))
}

fn advise(address: IpAddr, port: u16) {
    if address.is_loopback() {
        println!(
            "   from another machine: ssh -N -L {port}:127.0.0.1:{port} THIS-HOST, then rfc2217://127.0.0.1:{port}"
        );
    } else {
        eprintln!("   warning: everyone who can reach {address} can flash this board and read what it says;");
        eprintln!("            without --listen it is served on loopback, for an SSH tunnel");
    }
}
